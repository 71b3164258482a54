/*
 * Inside of the parser, shared by parse.c (blocks and messages), value.c (what follows a keyword) and the keyword
 * tables kw_*.c. A block is a table of keywords; a keyword names the function that reads what follows it.
 */
#ifndef PARSER_H
#define PARSER_H

#include <limits.h>

#include "check.h"
#include "conf.h"
#include "lex.h"
#include "protos.h"

struct parser;
struct kw;

/* The keyword is read, the parser stands behind it; base is the struct that the block fills. 0 or -errno, said. */
typedef int kw_fn(struct parser *p, const struct kw *k, void *base);

struct kw {
	const char *name;
	kw_fn *read;
	size_t off, size;          /* field of base */
	uint32_t min, max;         /* of a number */
	uint32_t zero;             /* what 0 means, when it is not 0 */
	const char *what, *preset; /* a path: how messages call it; what `on' stands for */
	const char *note;          /* warning for an obsolete keyword */
	const struct block *block;
};

struct block {
	const char *name;
	const struct kw *kw; /* ends with an empty row */
};

/* A Type of Helper being read. */
struct helper_draft {
	struct msg_helper h;
	struct token policy; /* its name; kind TOK_END: none */
	bool has_max, has_timeout;
};

struct parser {
	struct lex lex;
	struct token tok; /* next, not used yet */
	struct token key; /* last keyword */
	struct conf *c;
	const struct protos *protos;
	const struct diag *d;
	struct conf_places at;
	struct place mode_at;
	int sched_type, sched_prio; /* -1: not given */
	int sync_checksum;          /* `Checksum' outside a link; -1: not given */
	bool default_seen;
	size_t net_room;
	struct helper_draft helper;
	bool helper_policy[MSG_HELPERS_MAX]; /* the Type had its own Policy */
};

/* parse.c */
void parser_next(struct parser *p);
int parser_fail(struct parser *p, const struct token *t, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void parser_warn(struct parser *p, const struct token *t, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* "{" statements "}" */
int parser_block(struct parser *p, const struct block *b, void *base);
/* "{" words "}", item is called for each and takes at least that word. */
int parser_list(struct parser *p, int (*item)(struct parser *p, void *arg), void *arg);
/* Fails unless the next token is a word. */
int parser_word(struct parser *p, const char *expected);

/* value.c: generic keyword functions */
bool tok_is_name(const struct token *t); /* letters, digits, '.', '-' and '_', as the names of groups and helpers */
kw_fn read_num, read_bool, read_flag, read_path, read_logfile, read_syslog, read_name;
kw_fn skip_nothing, skip_num, skip_snum, skip_bool, skip_word;
kw_fn read_block;
kw_fn conf_num; /* as read_num, but off is a field of struct conf whatever block it is in */
/* The word as an on/off value: 1, 0 or -1 when it is neither. */
int word_bool(const struct token *t);
/* -EINVAL when t is no number or above max. */
int word_num(const struct token *t, uint32_t max, uint32_t *v);
/* Dotted quad or IPv6, with a prefix when prefix is not NULL. 0, -EINVAL (no address), -ERANGE (bad prefix). */
int word_addr(const struct token *t, int family, uint8_t addr[16], int *prefix);

/* The tables. */
extern const struct block block_top, block_general, block_unix, block_sched, block_filter, block_sync, block_ftfw,
	block_alarm, block_notrack, block_mcast, block_udp, block_tcp, block_options, block_stats, block_helper,
	block_type, block_policy;
kw_fn read_filter, read_link, read_type, read_old_traffic, read_old_protocol, read_old_replicate;

/* What can only be settled at the end of the text. */
int filter_finish(struct parser *p);
void helper_finish(struct parser *p);

#define KW_FIELD(t, f)       .off = offsetof(struct t, f), .size = sizeof(((struct t *)0)->f)
#define KW_UPTO(n, t, f, hi) .name = n, .read = read_num, KW_FIELD(t, f), .max = hi
#define KW_NUM(n, t, f)      KW_UPTO(n, t, f, INT_MAX)
#define KW_BOOL(n, t, f)     .name = n, .read = read_bool, KW_FIELD(t, f)

#endif

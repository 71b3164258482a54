/*
 * The engine of the parser: it walks the words of a text by the table of settings, knows where it is, and says what is
 * wrong with names that may have been meant. What follows a keyword is read by the keyword's kind.
 */
#ifndef READER_H
#define READER_H

#include "conf.h"
#include "diag.h"
#include "field.h"
#include "lex.h"
#include "protos.h"

#define WORD_SHOWN 64 /* characters of a word in a message */

struct reader {
	struct lex lex;
	struct token tok; /* next, not used yet */
	struct token key; /* last keyword */
	const struct field_table *table;
	const struct protos *protos;
	const struct diag *d;

	struct conf *c;
	struct conf_link link;    /* being read */
	struct msg_link other;    /* its addresses of the other family; the last one that is written counts */
	struct msg_helper helper; /* being read */
	struct token policy;      /* name of its Policy; kind TOK_END: none */
	void *rec[RECORDS];       /* what the rows of a record are fields of: the three above */

	struct place at[RECORDS][FIELD_ROWS_MAX]; /* where a field was set last */
	struct place link_at[MSG_LINKS_MAX], helper_at[MSG_HELPERS_MAX];
	bool helper_policy[MSG_HELPERS_MAX]; /* the Type had its own Policy */
	bool default_seen;
	int sync_checksum; /* `Checksum' outside a link; -1: not given */
	size_t net_room;
};

struct reader reader_init(const struct field_table *table, const char *text, size_t len);
/* The statements of the whole text. */
int reader_run(struct reader *p);

/* To the next token. */
void reader_next(struct reader *p);
int reader_fail(struct reader *p, const struct token *t, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void reader_warn(struct reader *p, const struct token *t, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* "{" statements "}" */
int reader_block(struct reader *p, enum block_id b);
/* "{" words "}", item is called for each and takes at least that word. */
int reader_list(struct reader *p, int (*item)(struct reader *p));
/* Fails unless the next token is a word. */
int reader_word(struct reader *p, const char *expected);

/* Where the field at off of a record was set last; line 0: nowhere. */
struct place reader_at(const struct reader *p, enum record_id rec, size_t off);
/* Forgets where the fields of a record were set. */
void reader_forget(struct reader *p, enum record_id rec);

#endif

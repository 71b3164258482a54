/*
 * What a row of the table of settings is. A row says everything about a field: where it is, which keyword of which
 * blocks sets it, its default and range, how it is read, printed and checked, what the parent gets of it.
 */
#ifndef FIELD_H
#define FIELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct reader;
struct printer;
struct field;

enum block_id {
	IN_FILE,
	IN_GENERAL,
	IN_UNIX,
	IN_SCHEDULER,
	IN_FILTER,
	IN_SYNC,
	IN_FTFW,
	IN_ALARM,
	IN_NOTRACK,
	IN_UDP,
	IN_MCAST,
	IN_TCP,
	IN_OPTIONS,
	IN_STATS,
	IN_HELPER,
	IN_TYPE,
	IN_POLICY,
	BLOCKS
};
#define BIT(block) (1u << (block))

/* The structs whose fields the rows describe: struct conf, and what it has lists of. */
enum record_id { REC_CONF, REC_LINK, REC_HELPER, REC_NET, REC_EXPECT, RECORDS };

struct kind {
	/* The keyword is read, the reader stands behind it; base is the record. 0 or -errno, said. */
	int (*read)(struct reader *p, const struct field *k, void *base);
	/* NULL: there is nothing to print. */
	void (*print)(struct printer *p, const struct field *k, const void *base);
	/* Whether the bytes of the field could have been read from a text. NULL: any are good. */
	bool (*ok)(const struct field *k, const uint8_t *bytes);
};

struct word {
	const char *name; /* NULL ends a list */
	uint32_t value;
};

enum field_flag {
	ZERO_IS_DEF = 1,  /* 0 in the text stands for the default */
	HIDE_ZERO = 2,    /* printed only when it is set */
	SAME = 4,         /* a field of a row above, by another keyword */
	ALIAS = 8 | SAME, /* an older keyword for it: never printed */
	LIVE = 16,        /* may be changed while the daemon runs; without it: by a restart */
};

struct field {
	const char *name; /* keyword; NULL: set by the reader of another row */
	uint32_t in;      /* BIT() of each block that knows the keyword */
	const struct kind *kind;
	size_t off, size; /* in the record; size 0: a keyword that has no field */
	uint32_t flags;
	uint32_t def, min, max;
	const char *text;                /* default of a text */
	const char *on;                  /* what `on' stands for where a path may stand */
	const char *what;                /* what messages call the value */
	const struct word *words;        /* of kind_words */
	size_t setup, setup_size;        /* field of struct msg_setup; size 0: the parent has no use for it */
	const char *note;                /* warning for an obsolete keyword */
	enum block_id block;             /* of a keyword with a block */
	bool (*shown)(const void *base); /* whether a block is printed; NULL: always */
};

#define FIELD_ROWS_MAX 96 /* of a record */

struct record {
	const struct field *field;
	size_t n;
};

struct block {
	const char *name; /* for messages */
	enum block_id parent;
};

/* The whole table: what reading and printing is driven by. */
struct field_table {
	struct record record[RECORDS];
	struct block block[BLOCKS];
};

/* A number field of one, two or four bytes: from the bytes themselves, of a record, into a record. */
uint32_t field_load(const struct field *k, const uint8_t *bytes);
uint32_t field_get(const struct field *k, const void *base);
void field_set(const struct field *k, void *base, uint32_t v);

#endif

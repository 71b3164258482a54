/*
 * The reading cursor: everything that comes from outside is read through it. It never passes its end and remembers
 * that it was asked to: check bad once, after the last access. bytes/buf.h adds typed reads and the writing side.
 */
#ifndef CURSOR_H
#define CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct rd {
	const uint8_t *p, *end;
	bool bad; /* something did not fit; all later reads give 0 */
};

static inline struct rd
rd_init(const void *data, size_t len)
{
	return (struct rd){data, (const uint8_t *)data + len, false};
}

static inline size_t
rd_left(const struct rd *r)
{
	return (size_t)(r->end - r->p);
}

/* Borrowed: n bytes at the cursor, which moves behind them; NULL and bad when there are fewer. */
static inline const uint8_t *
rd_take(struct rd *r, size_t n)
{
	const uint8_t *at = r->p;

	if (r->bad || rd_left(r) < n) {
		r->bad = true;
		return NULL;
	}
	r->p += n;
	return at;
}

/* Copies n bytes to dst; zeroes dst when there are fewer. */
static inline void
rd_copy(struct rd *r, void *dst, size_t n)
{
	const uint8_t *at = rd_take(r, n);

	if (at != NULL)
		memcpy(dst, at, n);
	else
		memset(dst, 0, n);
}

/* A cursor over the next n bytes; the outer one moves behind them. Both are bad when there are fewer. */
static inline struct rd
rd_sub(struct rd *r, size_t n)
{
	const uint8_t *at = rd_take(r, n);

	return (struct rd){at, at != NULL ? at + n : NULL, at == NULL};
}

#endif

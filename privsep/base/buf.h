/*
 * Byte cursors: everything that comes from outside is read, and everything that goes out is written, through these.
 * A cursor never passes its end; it remembers that it was asked to. Check bad (full) once, after the last access.
 */
#ifndef BUF_H
#define BUF_H

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

static inline uint8_t
rd_u8(struct rd *r)
{
	uint8_t v;

	rd_copy(r, &v, sizeof(v));
	return v;
}

static inline uint16_t
rd_be16(struct rd *r)
{
	uint8_t b[2];

	rd_copy(r, b, sizeof(b));
	return (uint16_t)(b[0] << 8 | b[1]);
}

static inline uint32_t
rd_be32(struct rd *r)
{
	uint8_t b[4];

	rd_copy(r, b, sizeof(b));
	return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

/* A cursor over the next n bytes; the outer one moves behind them. Both are bad when there are fewer. */
static inline struct rd
rd_sub(struct rd *r, size_t n)
{
	const uint8_t *at = rd_take(r, n);

	return (struct rd){at, at != NULL ? at + n : NULL, at == NULL};
}

struct wr {
	uint8_t *start, *p, *end;
	bool full; /* something did not fit; nothing is written from then on */
};

static inline struct wr
wr_init(void *data, size_t size)
{
	return (struct wr){data, data, (uint8_t *)data + size, false};
}

static inline size_t
wr_len(const struct wr *w)
{
	return (size_t)(w->p - w->start);
}

/* Room for n bytes, to be filled by the caller; NULL and full when there is not enough. */
static inline uint8_t *
wr_room(struct wr *w, size_t n)
{
	uint8_t *at = w->p;

	if (w->full || (size_t)(w->end - w->p) < n) {
		w->full = true;
		return NULL;
	}
	w->p += n;
	return at;
}

static inline void
wr_copy(struct wr *w, const void *src, size_t n)
{
	uint8_t *at = wr_room(w, n);

	if (at != NULL)
		memcpy(at, src, n);
}

static inline void
wr_u8(struct wr *w, uint8_t v)
{
	wr_copy(w, &v, sizeof(v));
}

static inline void
wr_be16(struct wr *w, uint16_t v)
{
	uint8_t b[2] = {(uint8_t)(v >> 8), (uint8_t)v};

	wr_copy(w, b, sizeof(b));
}

static inline void
wr_be32(struct wr *w, uint32_t v)
{
	uint8_t b[4] = {(uint8_t)(v >> 24), (uint8_t)(v >> 16), (uint8_t)(v >> 8), (uint8_t)v};

	wr_copy(w, b, sizeof(b));
}

#endif

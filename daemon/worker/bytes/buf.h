/*
 * Byte cursors for everybody but the parent: typed reads on top of cursor.h, and the writing side. A writer never
 * passes its end either; check full once, after the last access.
 */
#ifndef BUF_H
#define BUF_H

#include "cursor.h"

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

/*
 * Output that is collected in one large buffer and written with few system calls. Used for everything that goes to
 * standard output. Once a write failed, everything is dropped and out->err says why.
 */
#ifndef OUT_H
#define OUT_H

#include "addr.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define OUT_SIZE (256 * 1024)

struct out {
	int fd;  /* -1: never written, out_take() fetches it */
	int err; /* errno of the first write that failed */
	bool wrote;
	size_t held; /* what may wait for the end when standard error speaks first: none on a terminal */
	size_t len, cap;
	char *buf;
};

/* -ENOMEM. */
int out_init(struct out *o, int fd);
void out_done(struct out *o);

/* Makes room for n more bytes, by growing, never by writing: an entry may still be taken back. -ENOMEM ends in err. */
void out_room(struct out *o, size_t n);
/* Writes when at least OUT_SIZE is waiting. */
void out_drain(struct out *o);
/* Writes all there is. */
void out_flush(struct out *o);
/* To be called before words on standard error: writes all there is, unless it is so little that stdio would keep it
 * back until the program ends. Scripts that read both streams from one pipe expect those words first then, as
 * from 1.4.x. */
void out_give_way(struct out *o);

/* Inline: most of what is written is a literal, whose copy is then a store or two. */
static inline void
out_mem(struct out *o, const void *data, size_t len)
{
	if (o->cap - o->len < len)
		out_room(o, len);
	memcpy(o->buf + o->len, data, len);
	o->len += len;
}

void out_u64(struct out *o, uint64_t v);
void out_hex(struct out *o, uint32_t v);
void out_addr(struct out *o, const struct addr *a);
/* printf for rare things. */
void out_fmt(struct out *o, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static inline void
out_str(struct out *o, const char *s)
{
	out_mem(o, s, strlen(s));
}

#endif

/*
 * The output buffer and its number formats.
 */
#include "out.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define STDIO_SIZE 4096 /* of glibc's buffer for pipes and most files */

int
out_init(struct out *o, int fd)
{
	*o = (struct out){.fd = fd, .cap = OUT_SIZE + 8192, .held = isatty(fd) == 1 ? 0 : STDIO_SIZE};
	o->buf = malloc(o->cap);
	return o->buf == NULL ? -ENOMEM : 0;
}

void
out_done(struct out *o)
{
	free(o->buf);
	o->buf = NULL;
}

void
out_room(struct out *o, size_t n)
{
	size_t cap = o->cap;
	char *buf;

	while (cap - o->len < n)
		cap *= 2;
	if (cap == o->cap)
		return;
	if ((buf = realloc(o->buf, cap)) == NULL) {
		fputs("conntrack: out of memory\n", stderr);
		exit(1);
	}
	o->buf = buf;
	o->cap = cap;
}

void
out_flush(struct out *o)
{
	size_t done = 0;
	ssize_t n;

	while (done < o->len && o->err == 0) {
		n = write(o->fd, o->buf + done, o->len - done);
		if (n > 0)
			done += (size_t)n;
		else if (n == -1 && errno != EINTR)
			o->err = errno;
	}
	o->wrote |= o->len > 0;
	o->len = 0;
}

void
out_give_way(struct out *o)
{
	if (o->wrote || o->len > o->held)
		out_flush(o);
}

void
out_drain(struct out *o)
{
	if (o->len >= OUT_SIZE)
		out_flush(o);
}

void
out_u64(struct out *o, uint64_t v)
{
	char text[20], *p = text + sizeof(text);

	if (o->cap - o->len < sizeof(text))
		out_room(o, sizeof(text));
	if (v < 10) {
		o->buf[o->len++] = (char)('0' + v);
		return;
	}
	do
		*--p = (char)('0' + v % 10);
	while ((v /= 10) != 0);
	memcpy(o->buf + o->len, p, (size_t)(text + sizeof(text) - p));
	o->len += (size_t)(text + sizeof(text) - p);
}

void
out_hex(struct out *o, uint32_t v)
{
	char text[16];

	out_mem(o, text, (size_t)snprintf(text, sizeof(text), "0x%x", v));
}

void
out_addr(struct out *o, const struct addr *a)
{
	if (o->cap - o->len < ADDR_TEXT_MAX)
		out_room(o, ADDR_TEXT_MAX);
	o->len += addr_text(a, o->buf + o->len);
}

void
out_fmt(struct out *o, const char *fmt, ...)
{
	va_list ap;
	int n;

	out_room(o, 4096);
	va_start(ap, fmt);
	n = vsnprintf(o->buf + o->len, 4096, fmt, ap);
	va_end(ap);
	if (n > 0)
		o->len += n < 4096 ? (size_t)n : 4095;
}

/*
 * The sync worker's end of the wall: sending keeps order and never waits. What the socket does not take now is kept, a
 * bounded number of records; whoever sends in bulk asks wall_ready() first.
 */
#ifndef WALL_H
#define WALL_H

#include <stdbool.h>

#include "chan.h"

#define WALL_KEPT_MAX 64

struct wall_kept {
	uint32_t type, arg;
	size_t len;
	uint8_t *data;
};
struct wall {
	struct chan chan;
	struct wall_kept kept[WALL_KEPT_MAX];
	unsigned int first, count;
};

/* 0, -ENOBUFS or -ENOMEM when it could neither be sent nor kept, -EPIPE ... when the parent is gone. */
int wall_send(struct wall *w, uint32_t type, uint32_t arg, const void *data, size_t len);
/* Sends what was kept; -EAGAIN while some is left. */
int wall_flush(struct wall *w);
bool wall_ready(const struct wall *w);
/* The parent has closed its end; records may still wait to be read. */
bool wall_closed(const struct wall *w);
void wall_clear(struct wall *w);

#endif

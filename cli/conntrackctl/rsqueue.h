/*
 * The resend queue as the daemon lists it. Its head says how long it is, so all of it is collected first.
 */
#ifndef RSQUEUE_H
#define RSQUEUE_H

#include <stdio.h>

#include "request.h"

struct rsqueue {
	struct ctl_rsq *element; /* owned */
	size_t n, room;
};

/* The record_fn of CTL_RSQUEUE; ctx is struct rsqueue. -EFBIG: no daemon of ours has so many. */
int rsqueue_records(void *ctx, uint32_t type, const uint8_t *payload, size_t len);
void rsqueue_print(const struct rsqueue *q, FILE *to, enum format f);
void rsqueue_clear(struct rsqueue *q);

#endif

/*
 * Flows and expectations of a dump as lines: the text and XML of conntrackd 1.4.x, or JSON as conntrack prints it.
 */
#ifndef SHOW_H
#define SHOW_H

#include "client.h"
#include "fmt.h"
#include "request.h"

struct show {
	struct out out;
	size_t sent; /* octets of out that were written */
	bool pipe;   /* written only as far as it does not wait for a reader */
	enum format format;
	bool external; /* peers' states: text and XML have no reply tuple */
};

/* To fd. A reader that pauses (a pager) does not keep the daemon waiting: what it has not taken is kept here. -ENOMEM.
 */
int show_init(struct show *s, int fd, const struct request *q);
/* Writes what is left. -errno of the first write that failed. */
int show_done(struct show *s);

/* The record_fn of a dump; ctx is struct show. */
int show_records(void *ctx, uint32_t type, const uint8_t *payload, size_t len);

#endif

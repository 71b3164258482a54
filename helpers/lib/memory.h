/*
 * What a parser remembers of flows: a bounded table that forgets the flow that was not seen for longest. The kernel's
 * copy (private data) is a snapshot of the time when the packet was queued, and is only used for flows that this
 * process has never seen, after another one's end.
 */
#ifndef MEMORY_H
#define MEMORY_H

#include "inspect.h"

#define MEMORY_FLOWS 4096
#define MEMORY_IDLE  3600 /* seconds after which a flow is forgotten */
#define MEMORY_FORM  1    /* of private data: the first octet */

struct memory;

/* For flows that need size octets each. NULL: no memory. */
struct memory *memory_new(size_t size);
void memory_free(struct memory *m); /* NULL is fine */
/* Of the packet's flow; zero when it is new, but for the first priv octets, when the kernel has them. now: seconds. */
void *memory_of(struct memory *m, const struct msg_packet *p, size_t priv, uint32_t now);
/* The first priv octets as private data of size v->priv_len, when they fit. */
void memory_save(const void *flow, size_t priv, struct msg_verdict *v);

#endif

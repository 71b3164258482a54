/*
 * A queue of cache slots, linked through the entries themselves: no memory of its own, removal from the middle in one
 * step. An entry is in one queue at most; entry.queue says in which.
 */
#ifndef SLOTQ_H
#define SLOTQ_H

#include "cache.h"

enum slot_kind { SLOT_FLOW, SLOT_EXPECT, SLOT_KINDS };
enum queue_id { QUEUE_NONE, QUEUE_TX, QUEUE_RS };

/* The tables whose slots are queued. */
struct tables {
	struct cache *flows;
	struct xcache *expects;
};

struct slotq {
	const struct tables *tables;
	enum slot_kind kind;
	uint8_t id; /* enum queue_id */
	uint32_t head, tail;
	uint32_t len;
};

void slotq_init(struct slotq *q, const struct tables *t, enum slot_kind kind, enum queue_id id);
struct qlink *slotq_link(const struct slotq *q, uint32_t slot);
uint8_t slotq_change(const struct slotq *q, uint32_t slot); /* enum entry_change */
uint8_t slotq_where(const struct slotq *q, uint32_t slot);  /* enum queue_id */
void slotq_append(struct slotq *q, uint32_t slot);
void slotq_remove(struct slotq *q, uint32_t slot);

#endif

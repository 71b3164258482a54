/*
 * A queue of cache slots, linked through the entries themselves: no memory of its own, removal from the middle in one
 * step. An entry is in one queue at most; entry.queue says in which.
 */
#ifndef SLOTQ_H
#define SLOTQ_H

#include "cache.h"

enum queue_id { QUEUE_NONE, QUEUE_TX, QUEUE_RS };

struct slotq {
	struct cache *cache; /* whose slots are queued */
	uint8_t id;          /* enum queue_id */
	uint32_t head, tail;
	uint32_t len;
};

void slotq_init(struct slotq *q, struct cache *c, enum queue_id id);
void slotq_append(struct slotq *q, uint32_t slot);
void slotq_remove(struct slotq *q, uint32_t slot);

static inline struct entry *
slotq_entry(const struct slotq *q, uint32_t slot)
{
	return cache_entry(q->cache, slot);
}

#endif

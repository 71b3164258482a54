/*
 * What was sent and is not yet acknowledged, by sequence number, oldest first. Bounded: when full, or when the numbers
 * in it lie too far apart, the oldest goes. Where a range begins is looked up, so that a peer's message costs what it
 * moves and no walk through the queue.
 */
#ifndef RSQ_H
#define RSQ_H

#include "txq.h"

#define RSQ_BUCKETS 1024

struct rsq {
	struct slotq slots[SLOT_KINDS];          /* to read; only rsq_remove() takes something out */
	uint32_t first[SLOT_KINDS][RSQ_BUCKETS]; /* oldest entry of each run of 2^shift numbers; SLOT_NONE */
	unsigned int shift;
	uint64_t looked_at; /* entries and buckets, to find the beginnings of ranges */
	struct ctlq control;
	/* Groups of more than two nodes: which peers have acknowledged a number, a bit each; a ring of them. NULL: one
	 * peer's word is enough. */
	uint16_t *acked;
	uint32_t limit;
	const struct mode_env *env;
	uint64_t overflows;
	uint32_t overflow_seq; /* newest number that was dropped for room, when overflows > 0; see rsq_dropped() */
};

void rsq_init(struct rsq *q, const struct mode_env *env, uint32_t limit);
uint32_t rsq_len(const struct rsq *q);
/* The item was just sent with it->seq. */
void rsq_put(struct rsq *q, const struct mode_item *it);
/* An entry that is in it changed, or leaves the cache. */
void rsq_remove(struct rsq *q, enum slot_kind kind, uint32_t slot);
/* From here on everything is kept until all peers that live have it. -ENOMEM: it is not. */
int rsq_group(struct rsq *q);
void rsq_free(struct rsq *q);
/* Peer who has from..to; live: bits of the peers whose word is waited for. */
void rsq_ack(struct rsq *q, uint32_t from, uint32_t to, unsigned int who, uint16_t live);
/* Peer who does not wait for anything that is in the queue now: it is new, or has restarted. Groups only. */
void rsq_excuse(struct rsq *q, unsigned int who);
/* Peer who does not live any more: what all others have goes. Groups only. */
void rsq_settle(struct rsq *q, unsigned int who, uint16_t live);
/* The peer misses from..to: at most max of them go to tx again. How many went; *more: some are left. */
uint32_t rsq_nack(struct rsq *q, uint32_t from, uint32_t to, uint32_t max, struct txq *tx, bool *more);
/* Something with the number from or a later one was dropped for room. */
bool rsq_dropped(const struct rsq *q, uint32_t from);
/* Everything goes to tx again. */
void rsq_requeue(struct rsq *q, struct txq *tx);
/* Everything is given up. */
void rsq_clear(struct rsq *q);

#endif

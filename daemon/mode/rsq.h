/*
 * What was sent and is not yet acknowledged, by sequence number, oldest first. Bounded: when full, the oldest goes.
 */
#ifndef RSQ_H
#define RSQ_H

#include "txq.h"

struct rsq {
	struct slotq slots[SLOT_KINDS];
	struct ctlq control;
	uint32_t limit;
	const struct mode_env *env;
	uint64_t overflows;
	uint32_t overflow_seq; /* newest number that was dropped for room, when overflows > 0 */
};

void rsq_init(struct rsq *q, const struct mode_env *env, uint32_t limit);
uint32_t rsq_len(const struct rsq *q);
/* The item was just sent with it->seq. */
void rsq_put(struct rsq *q, const struct mode_item *it);
/* The peer has from..to. */
void rsq_ack(struct rsq *q, uint32_t from, uint32_t to);
/* The peer misses from..to: at most max of them go to tx again. How many went; *more: some are left. */
uint32_t rsq_nack(struct rsq *q, uint32_t from, uint32_t to, uint32_t max, struct txq *tx, bool *more);
/* Everything goes to tx again. */
void rsq_requeue(struct rsq *q, struct txq *tx);
/* Everything is given up. */
void rsq_clear(struct rsq *q);

#endif

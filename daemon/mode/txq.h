/*
 * What waits to be sent: control messages, then flows, then expectations, each in order of arrival. An entry that
 * changes again while it waits keeps its place and is sent once.
 */
#ifndef TXQ_H
#define TXQ_H

#include "ctlq.h"
#include "mode.h"

struct txq {
	struct slotq slots[SLOT_KINDS];
	struct ctlq control;
};

void txq_init(struct txq *q, const struct tables *t);
uint32_t txq_len(const struct txq *q);
/* Puts an element that is in no queue. */
void txq_put(struct txq *q, enum slot_kind kind, uint32_t slot);
void txq_put_control(struct txq *q, uint8_t flags, uint32_t from, uint32_t to);
bool txq_has_control(struct txq *q, uint8_t flags);
/* Takes the first element; state only where with_state. False: none. */
bool txq_take(struct txq *q, bool with_state, struct mode_item *it);

#endif

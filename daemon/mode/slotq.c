/*
 * Intrusive list over cache slots. Nothing here comes from outside.
 */
#include "slotq.h"

void
slotq_init(struct slotq *q, struct cache *c, enum queue_id id)
{
	*q = (struct slotq){.cache = c, .id = (uint8_t)id, .head = SLOT_NONE, .tail = SLOT_NONE};
}

void
slotq_append(struct slotq *q, uint32_t slot)
{
	struct entry *e = slotq_entry(q, slot);

	e->link.next = SLOT_NONE;
	e->link.prev = q->tail;
	if (q->tail != SLOT_NONE)
		slotq_entry(q, q->tail)->link.next = slot;
	else
		q->head = slot;
	q->tail = slot;
	q->len++;
	e->queue = q->id;
}

void
slotq_remove(struct slotq *q, uint32_t slot)
{
	struct entry *e = slotq_entry(q, slot);

	if (e->link.prev != SLOT_NONE)
		slotq_entry(q, e->link.prev)->link.next = e->link.next;
	else
		q->head = e->link.next;
	if (e->link.next != SLOT_NONE)
		slotq_entry(q, e->link.next)->link.prev = e->link.prev;
	else
		q->tail = e->link.prev;
	q->len--;
	e->queue = QUEUE_NONE;
}

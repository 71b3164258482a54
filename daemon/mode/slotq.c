/*
 * Intrusive list over cache slots. Called by the send and resend queues; nothing here comes from outside.
 */
#include "slotq.h"

void
slotq_init(struct slotq *q, const struct tables *t, enum slot_kind kind, enum queue_id id)
{
	*q = (struct slotq){.tables = t, .kind = kind, .id = (uint8_t)id, .head = SLOT_NONE, .tail = SLOT_NONE};
}

struct qlink *
slotq_link(const struct slotq *q, uint32_t slot)
{
	return q->kind == SLOT_FLOW ? &cache_entry(q->tables->flows, slot)->link
				    : &xcache_entry(q->tables->expects, slot)->link;
}

uint8_t
slotq_change(const struct slotq *q, uint32_t slot)
{
	return q->kind == SLOT_FLOW ? cache_entry(q->tables->flows, slot)->change
				    : xcache_entry(q->tables->expects, slot)->change;
}

static uint8_t *
where(const struct slotq *q, uint32_t slot)
{
	return q->kind == SLOT_FLOW ? &cache_entry(q->tables->flows, slot)->queue
				    : &xcache_entry(q->tables->expects, slot)->queue;
}

uint8_t
slotq_where(const struct slotq *q, uint32_t slot)
{
	return *where(q, slot);
}

void
slotq_append(struct slotq *q, uint32_t slot)
{
	struct qlink *l = slotq_link(q, slot);

	l->next = SLOT_NONE;
	l->prev = q->tail;
	if (q->tail != SLOT_NONE)
		slotq_link(q, q->tail)->next = slot;
	else
		q->head = slot;
	q->tail = slot;
	q->len++;
	*where(q, slot) = q->id;
}

void
slotq_remove(struct slotq *q, uint32_t slot)
{
	struct qlink *l = slotq_link(q, slot);

	if (l->prev != SLOT_NONE)
		slotq_link(q, l->prev)->next = l->next;
	else
		q->head = l->next;
	if (l->next != SLOT_NONE)
		slotq_link(q, l->next)->prev = l->prev;
	else
		q->tail = l->prev;
	q->len--;
	*where(q, slot) = QUEUE_NONE;
}

/*
 * The send queue. Slots and numbers only.
 */
#include "txq.h"

void
txq_init(struct txq *q, const struct tables *t)
{
	q->control = (struct ctlq){.len = 0};
	for (int k = 0; k < SLOT_KINDS; k++)
		slotq_init(&q->slots[k], t->of[k], QUEUE_TX);
}

uint32_t
txq_len(const struct txq *q)
{
	return q->control.len + q->slots[SLOT_FLOW].len + q->slots[SLOT_EXPECT].len;
}

void
txq_put(struct txq *q, enum slot_kind kind, uint32_t slot)
{
	slotq_append(&q->slots[kind], slot);
}

void
txq_put_control(struct txq *q, uint8_t flags, uint32_t from, uint32_t to)
{
	ctlq_push(&q->control, (struct ctl_elem){.flags = flags, .from = from, .to = to});
}

bool
txq_has_control(struct txq *q, uint8_t flags)
{
	for (uint32_t i = 0; i < q->control.len; i++)
		if (ctlq_at(&q->control, i)->flags & flags)
			return true;
	return false;
}

bool
txq_take(struct txq *q, bool with_state, struct mode_item *it)
{
	*it = (struct mode_item){.kind = ITEM_CONTROL};
	if (q->control.len > 0) {
		const struct ctl_elem *e = ctlq_at(&q->control, 0);

		it->flags = e->flags;
		it->from = e->from;
		it->to = e->to;
		ctlq_pop(&q->control);
		return true;
	}
	for (int k = 0; with_state && k < SLOT_KINDS; k++)
		if (q->slots[k].len > 0) {
			it->kind = k == SLOT_FLOW ? ITEM_FLOW : ITEM_EXPECT;
			it->slot = q->slots[k].head;
			slotq_remove(&q->slots[k], it->slot);
			return true;
		}
	return false;
}

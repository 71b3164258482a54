/*
 * The resend queue. Ranges come from peers' control messages and may be anything; a range costs at most one pass.
 */
#include "rsq.h"

void
rsq_init(struct rsq *q, const struct mode_env *env, uint32_t limit)
{
	q->control = (struct ctlq){.len = 0};
	q->env = env;
	q->limit = limit > 0 ? limit : 1;
	q->overflows = 0;
	for (int k = 0; k < SLOT_KINDS; k++)
		slotq_init(&q->slots[k], env->tables, (enum slot_kind)k, QUEUE_RS);
}

uint32_t
rsq_len(const struct rsq *q)
{
	return q->control.len + q->slots[SLOT_FLOW].len + q->slots[SLOT_EXPECT].len;
}

/* An entry leaves for good; the owner frees it when it was only kept for its deletion to be sent. */
static void
release(struct rsq *q, enum slot_kind kind, uint32_t slot)
{
	slotq_remove(&q->slots[kind], slot);
	if (slotq_change(&q->slots[kind], slot) == ENTRY_DEL)
		q->env->unqueued(q->env->arg, kind, slot);
}

static uint32_t
seq_of(const struct slotq *q, uint32_t slot)
{
	return slotq_link(q, slot)->seq;
}

static void
drop_oldest(struct rsq *q)
{
	const struct slotq *f = &q->slots[SLOT_FLOW], *x = &q->slots[SLOT_EXPECT];
	const struct slotq *from = f->len > 0 ? f : x;

	if (f->len > 0 && x->len > 0 && seq_before(seq_of(x, x->head), seq_of(f, f->head)))
		from = x;
	if (from->len == 0) {
		ctlq_pop(&q->control);
		return;
	}
	q->overflows++;
	q->overflow_seq = seq_of(from, from->head);
	release(q, from->kind, from->head);
}

void
rsq_put(struct rsq *q, const struct mode_item *it)
{
	if (rsq_len(q) >= q->limit)
		drop_oldest(q);
	if (it->kind == ITEM_CONTROL) {
		ctlq_push(&q->control, (struct ctl_elem){it->flags, it->seq, it->from, it->to});
		return;
	}
	struct slotq *sq = &q->slots[it->kind == ITEM_FLOW ? SLOT_FLOW : SLOT_EXPECT];

	slotq_link(sq, it->slot)->seq = it->seq;
	slotq_append(sq, it->slot);
}

/* First control element that is not before seq. */
static uint32_t
control_from(struct rsq *q, uint32_t seq)
{
	uint32_t i = 0;

	while (i < q->control.len && seq_before(ctlq_at(&q->control, i)->seq, seq))
		i++;
	return i;
}

static uint32_t
slot_from(const struct slotq *q, uint32_t seq)
{
	uint32_t s = q->head;

	while (s != SLOT_NONE && seq_before(seq_of(q, s), seq))
		s = slotq_link(q, s)->next;
	return s;
}

void
rsq_ack(struct rsq *q, uint32_t from, uint32_t to)
{
	uint32_t i = control_from(q, from);

	while (i < q->control.len && !seq_before(to, ctlq_at(&q->control, i)->seq)) {
		if (i == 0)
			ctlq_pop(&q->control);
		else
			ctlq_remove(&q->control, i);
	}
	for (int k = 0; k < SLOT_KINDS; k++) {
		struct slotq *sq = &q->slots[k];

		for (uint32_t s = slot_from(sq, from), next; s != SLOT_NONE && !seq_before(to, seq_of(sq, s));
		     s = next) {
			next = slotq_link(sq, s)->next;
			release(q, (enum slot_kind)k, s);
		}
	}
}

uint32_t
rsq_nack(struct rsq *q, uint32_t from, uint32_t to, uint32_t max, struct txq *tx, bool *more)
{
	uint32_t n = 0, i = control_from(q, from);

	while (i < q->control.len && !seq_before(to, ctlq_at(&q->control, i)->seq)) {
		const struct ctl_elem *e = ctlq_at(&q->control, i);

		txq_put_control(tx, e->flags, e->from, e->to);
		ctlq_remove(&q->control, i);
	}
	*more = false;
	for (int k = 0; k < SLOT_KINDS; k++) {
		struct slotq *sq = &q->slots[k];

		for (uint32_t s = slot_from(sq, from), next; s != SLOT_NONE && !seq_before(to, seq_of(sq, s));
		     s = next) {
			if (n == max) {
				*more = true;
				return n;
			}
			next = slotq_link(sq, s)->next;
			slotq_remove(sq, s);
			txq_put(tx, (enum slot_kind)k, s);
			n++;
		}
	}
	return n;
}

void
rsq_requeue(struct rsq *q, struct txq *tx)
{
	for (; q->control.len > 0; ctlq_pop(&q->control)) {
		const struct ctl_elem *e = ctlq_at(&q->control, 0);

		txq_put_control(tx, e->flags, e->from, e->to);
	}
	for (int k = 0; k < SLOT_KINDS; k++)
		while (q->slots[k].len > 0) {
			uint32_t slot = q->slots[k].head;

			slotq_remove(&q->slots[k], slot);
			txq_put(tx, (enum slot_kind)k, slot);
		}
}

void
rsq_clear(struct rsq *q)
{
	q->control.len = 0;
	for (int k = 0; k < SLOT_KINDS; k++)
		while (q->slots[k].len > 0)
			release(q, (enum slot_kind)k, q->slots[k].head);
}

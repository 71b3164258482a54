/*
 * The resend queue. Ranges come from peers' control messages and may be anything.
 */
#include "rsq.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SHIFT_MAX 20 /* numbers in the queue are never further apart than comparing them allows */
#define LONG_AGO  0x40000000U

void
rsq_init(struct rsq *q, const struct mode_env *env, uint32_t limit)
{
	q->control = (struct ctlq){.len = 0};
	q->acked = NULL;
	q->env = env;
	q->limit = limit > 0 ? limit : 1;
	q->overflows = q->looked_at = 0;
	q->shift = 0;
	while (q->shift < SHIFT_MAX && (RSQ_BUCKETS - 1U) << q->shift < q->limit)
		q->shift++;
	for (int k = 0; k < SLOT_KINDS; k++) {
		slotq_init(&q->slots[k], env->tables->of[k], QUEUE_RS);
		memset(q->first[k], 0xff, sizeof(q->first[k])); /* SLOT_NONE */
	}
}

static uint32_t *
bucket(struct rsq *q, enum slot_kind kind, uint32_t seq)
{
	return &q->first[kind][(seq >> q->shift) % RSQ_BUCKETS];
}

static uint32_t
ring_size(const struct rsq *q)
{
	return (uint32_t)RSQ_BUCKETS << q->shift; /* numbers in the queue are not so far apart */
}

int
rsq_group(struct rsq *q)
{
	if (q->acked == NULL)
		q->acked = calloc(ring_size(q), sizeof(*q->acked));
	return q->acked != NULL ? 0 : -ENOMEM;
}

void
rsq_free(struct rsq *q)
{
	free(q->acked);
	q->acked = NULL;
}

/* Notes that who has it. True: so have all that live. */
static bool
all_have(uint16_t *acked, unsigned int who, uint16_t live)
{
	*acked = (uint16_t)(*acked | 1U << who);
	return (*acked & live) == live;
}

uint32_t
rsq_len(const struct rsq *q)
{
	return q->control.len + q->slots[SLOT_FLOW].len + q->slots[SLOT_EXPECT].len;
}

static uint32_t
seq_of(const struct slotq *q, uint32_t slot)
{
	return slotq_entry(q, slot)->link.seq;
}

void
rsq_remove(struct rsq *q, enum slot_kind kind, uint32_t slot)
{
	struct slotq *sq = &q->slots[kind];
	uint32_t seq = seq_of(sq, slot), next = slotq_entry(sq, slot)->link.next, *b = bucket(q, kind, seq);

	if (*b == slot)
		*b = next != SLOT_NONE && seq_of(sq, next) >> q->shift == seq >> q->shift ? next : SLOT_NONE;
	slotq_remove(sq, slot);
}

/* An entry leaves for good; the owner frees it when it was only kept for its deletion to be sent. */
static void
release(struct rsq *q, enum slot_kind kind, uint32_t slot)
{
	rsq_remove(q, kind, slot);
	if (slotq_entry(&q->slots[kind], slot)->change == ENTRY_DEL)
		q->env->unqueued(q->env->arg, kind, slot);
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
	release(q, from == f ? SLOT_FLOW : SLOT_EXPECT, from->head);
}

void
rsq_put(struct rsq *q, const struct mode_item *it)
{
	if (rsq_len(q) >= q->limit)
		drop_oldest(q);
	if (it->seq - q->overflow_seq > LONG_AGO) /* or it would lie ahead when the numbers have gone half round */
		q->overflow_seq = it->seq - LONG_AGO;
	if (it->kind == ITEM_CONTROL) {
		ctlq_push(&q->control, (struct ctl_elem){it->flags, 0, it->seq, it->from, it->to});
		return;
	}
	if (q->acked != NULL)
		q->acked[it->seq % ring_size(q)] = 0;
	enum slot_kind kind = it->kind == ITEM_FLOW ? SLOT_FLOW : SLOT_EXPECT;
	struct slotq *sq = &q->slots[kind];
	uint32_t *b = bucket(q, kind, it->seq);

	while (sq->len > 0 && it->seq - seq_of(sq, sq->head) >= (RSQ_BUCKETS - 1U) << q->shift)
		drop_oldest(q);
	slotq_entry(sq, it->slot)->link.seq = it->seq;
	slotq_append(sq, it->slot);
	if (*b == SLOT_NONE)
		*b = it->slot;
}

/* First control element that is not before seq. */
static uint32_t
control_from(struct rsq *q, uint32_t seq)
{
	uint32_t low = 0, high = q->control.len;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;

		q->looked_at++;
		if (seq_before(ctlq_at(&q->control, mid)->seq, seq))
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/* Takes out the n control elements from the i-th on, all at once. */
static void
control_cut(struct rsq *q, uint32_t i, uint32_t n)
{
	struct ctlq *c = &q->control;

	for (uint32_t k = 0; k < i; k++) /* the older ones move up: as a rule there are none */
		*ctlq_at(c, i + n - 1 - k) = *ctlq_at(c, i - 1 - k);
	c->first = (c->first + n) % CTLQ_MAX;
	c->len -= n;
}

/* First entry that is not before seq. */
static uint32_t
slot_from(struct rsq *q, enum slot_kind kind, uint32_t seq)
{
	const struct slotq *sq = &q->slots[kind];
	uint32_t s = sq->head;

	if (sq->len == 0 || !seq_before(seq_of(sq, s), seq))
		return s;
	if (seq_before(seq_of(sq, sq->tail), seq))
		return SLOT_NONE;
	for (uint32_t at = seq; (s = *bucket(q, kind, at)) == SLOT_NONE; at += 1U << q->shift)
		q->looked_at++;
	for (; s != SLOT_NONE && seq_before(seq_of(sq, s), seq); s = slotq_entry(sq, s)->link.next)
		q->looked_at++;
	return s;
}

/* Those of the n control elements from the i-th on that not all peers have stay: they move behind the others. */
static uint32_t
control_keep(struct rsq *q, uint32_t i, uint32_t n, unsigned int who, uint16_t live)
{
	uint32_t done = n;

	for (uint32_t k = n; k-- > 0;) {
		struct ctl_elem e = *ctlq_at(&q->control, i + k);

		if (all_have(&e.acked, who, live))
			continue;
		*ctlq_at(&q->control, i + --done) = e;
	}
	return done;
}

static void
control_ack(struct rsq *q, uint32_t from, uint32_t to, unsigned int who, uint16_t live)
{
	uint32_t i = control_from(q, from), n = 0;

	while (i + n < q->control.len && !seq_before(to, ctlq_at(&q->control, i + n)->seq))
		n++;
	if (q->acked != NULL)
		n = control_keep(q, i, n, who, live);
	control_cut(q, i, n);
}

void
rsq_ack(struct rsq *q, uint32_t from, uint32_t to, unsigned int who, uint16_t live)
{
	control_ack(q, from, to, who, live);
	for (int k = 0; k < SLOT_KINDS; k++) {
		struct slotq *sq = &q->slots[k];

		for (uint32_t s = slot_from(q, (enum slot_kind)k, from), next;
		     s != SLOT_NONE && !seq_before(to, seq_of(sq, s)); s = next) {
			next = slotq_entry(sq, s)->link.next;
			if (q->acked == NULL || all_have(&q->acked[seq_of(sq, s) % ring_size(q)], who, live))
				release(q, (enum slot_kind)k, s);
		}
	}
}

void
rsq_excuse(struct rsq *q, unsigned int who)
{
	for (uint32_t i = 0; i < ring_size(q); i++)
		q->acked[i] = (uint16_t)(q->acked[i] | 1U << who);
	for (uint32_t i = 0; i < q->control.len; i++)
		ctlq_at(&q->control, i)->acked |= (uint16_t)(1U << who);
}

void
rsq_settle(struct rsq *q, unsigned int who, uint16_t live)
{
	control_cut(q, 0, control_keep(q, 0, q->control.len, who, live));
	for (int k = 0; k < SLOT_KINDS; k++) {
		struct slotq *sq = &q->slots[k];

		for (uint32_t s = sq->head, next; s != SLOT_NONE; s = next) {
			next = slotq_entry(sq, s)->link.next;
			if ((q->acked[seq_of(sq, s) % ring_size(q)] & live) == live)
				release(q, (enum slot_kind)k, s);
		}
	}
}

uint32_t
rsq_nack(struct rsq *q, uint32_t from, uint32_t to, uint32_t max, struct txq *tx, bool *more)
{
	uint32_t n = 0, i = control_from(q, from), n_control = 0;

	while (i + n_control < q->control.len && !seq_before(to, ctlq_at(&q->control, i + n_control)->seq)) {
		const struct ctl_elem *e = ctlq_at(&q->control, i + n_control++);

		txq_put_control(tx, e->flags, e->from, e->to);
	}
	control_cut(q, i, n_control);
	*more = false;
	for (int k = 0; k < SLOT_KINDS; k++) {
		struct slotq *sq = &q->slots[k];

		for (uint32_t s = slot_from(q, (enum slot_kind)k, from), next;
		     s != SLOT_NONE && !seq_before(to, seq_of(sq, s)); s = next) {
			if (n == max) {
				*more = true;
				return n;
			}
			next = slotq_entry(sq, s)->link.next;
			rsq_remove(q, (enum slot_kind)k, s);
			txq_put(tx, (enum slot_kind)k, s);
			n++;
		}
	}
	return n;
}

bool
rsq_dropped(const struct rsq *q, uint32_t from)
{
	return q->overflows > 0 && !seq_before(q->overflow_seq, from);
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

			rsq_remove(q, (enum slot_kind)k, slot);
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

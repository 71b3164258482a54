/*
 * Control messages that wait to be sent, or were sent and wait to be acknowledged: a ring that grows to a bound.
 */
#ifndef CTLQ_H
#define CTLQ_H

#include <stdbool.h>
#include <stdint.h>

#define CTLQ_MAX 1024

struct ctl_elem {
	uint8_t flags;  /* WIRE_ACK, WIRE_NACK, WIRE_RESYNC or WIRE_ALIVE */
	uint16_t acked; /* bits of peers; see rsq.h */
	uint32_t seq, from, to;
};

struct ctlq {
	struct ctl_elem elem[CTLQ_MAX];
	uint32_t first, len;
};

static inline struct ctl_elem *
ctlq_at(struct ctlq *q, uint32_t i)
{
	return &q->elem[(q->first + i) % CTLQ_MAX];
}

/* When full the oldest goes: what it said is out of date. False: one went. */
static inline bool
ctlq_push(struct ctlq *q, struct ctl_elem e)
{
	bool room = q->len < CTLQ_MAX;

	if (!room)
		q->first = (q->first + 1) % CTLQ_MAX;
	else
		q->len++;
	*ctlq_at(q, q->len - 1) = e;
	return room;
}

static inline void
ctlq_pop(struct ctlq *q)
{
	q->first = (q->first + 1) % CTLQ_MAX;
	q->len--;
}

#endif

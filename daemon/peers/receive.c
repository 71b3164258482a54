/*
 * What arrives is a stranger's until wire_next(), the mode and the codec have looked at it; every refusal is counted.
 */
#include "receive.h"

#include <assert.h>

static_assert(MODE_PEERS == APPLY_SOURCES, "peers have one number for all");

/* status bits that only the kernel itself may set: dying, template, untracked, offload */
#define STATUS_LOCAL 0x5a00u

static void
batch_end(struct receive *r, struct apply_batch *b)
{
	if (b->n > 0)
		r->to.flows(r->to.arg, b);
	b->n = 0;
}

static enum wire_error
take_flow(struct receive *r, struct apply_batch *b, uint8_t type, const uint8_t *body, size_t len,
	  unsigned int *unknown)
{
	struct flow *const f = &b->flow[b->n];
	const enum wire_error err = wire_dec_flow(body, len, f, &b->side[b->n], unknown);

	if (err != WIRE_OK)
		return err;
	if (type != WIRE_CT_DEL)
		f->status &= ~STATUS_LOCAL;
	b->change[b->n++] = type;
	if (b->n == APPLY_BATCH)
		batch_end(r, b);
	return WIRE_OK;
}

static void
take_state(struct receive *r, struct apply_batch *b, const struct wire_head *h, const uint8_t *body, size_t len)
{
	unsigned int unknown = 0;
	enum wire_error err;
	struct expect e;

	if (h->type <= WIRE_CT_DEL)
		err = take_flow(r, b, h->type, body, len, &unknown);
	else if ((err = wire_dec_expect(body, len, &e, &unknown)) == WIRE_OK) {
		batch_end(r, b); /* a master before what it expects */
		r->to.expect(r->to.arg, b->source, (enum entry_change)(h->type - WIRE_EXP_NEW), &e);
	}
	r->unknown_attrs += unknown;
	if (err != WIRE_OK)
		r->malformed[err < WIRE_ERRORS ? err : WIRE_BAD_PAYLOAD]++;
}

bool
receive_datagram(struct receive *r, unsigned int peer, const uint8_t *data, size_t left)
{
	bool heard = false;
	struct apply_batch b;
	const uint8_t *body;
	struct wire_head h;
	enum wire_error err;
	size_t len, need;

	b.n = 0;
	b.source = peer;
	while (left > 0) {
		if ((err = wire_next(&data, &left, &h, &body, &len, &need)) != WIRE_OK) {
			r->malformed[err < WIRE_ERRORS ? err : WIRE_BAD_SIZE]++;
			if (err != WIRE_BAD_VERSION)
				break;
			continue;
		}
		heard = heard || wire_is_state(&h) || wire_is_control(&h);
		if (r->mode->ops->recv(r->mode, peer, &h, r->clock->ms))
			take_state(r, &b, &h, body, len);
	}
	batch_end(r, &b);
	return heard;
}

int
receive_proves(const struct receive *r, const uint8_t *data, size_t left)
{
	const uint8_t *body;
	struct wire_head h;
	size_t len, need;
	int claim = -1;

	while (left > 0 && claim < 1 && wire_next(&data, &left, &h, &body, &len, &need) == WIRE_OK)
		if (wire_is_control(&h) && h.flags & WIRE_ACK)
			claim = r->mode->ops->acknowledges(r->mode, &h);
	return claim;
}

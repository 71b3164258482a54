/*
 * Flow records: derive the reply tuple, copy, merge, compare. Called by intake, the codec, the caches and commit.
 * Trusts nobody's values: every field is data, only side pointers and sizes are ours.
 */
#include "flow.h"
#include "facts.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

bool
flow_is_icmp(uint8_t l4)
{
	return l4 == IPPROTO_ICMP || l4 == IPPROTO_ICMPV6;
}

static void
derive_ports(struct flow *f, const struct flow_nat *nat)
{
	f->port[2] = nat != NULL && nat->dpat ? nat->dpat_port : f->port[1];
	f->port[3] = nat != NULL && nat->spat ? nat->spat_port : f->port[0];
}

/* The id keeps its place, the type becomes that of the answer. Peers say 0 when the id was not translated. */
static void
derive_icmp(struct flow *f, const struct flow_nat *nat)
{
	uint8_t tc[2];
	int reply;

	memcpy(tc, &f->port[1], sizeof(tc));
	if ((reply = icmp_answer(f->l4, tc[0])) >= 0)
		tc[0] = (uint8_t)reply;
	memcpy(&f->port[3], tc, sizeof(tc));
	f->port[2] = nat != NULL && nat->spat && nat->spat_port != 0 ? nat->spat_port : f->port[0];
}

void
flow_derive_reply(struct flow *f, const struct flow_nat *nat)
{
	const unsigned int w = flow_words(f);
	const uint32_t *src = f->addr + ORIG_DST * w, *dst = f->addr + ORIG_SRC * w;

	if (nat != NULL && nat->dnat)
		src = nat->dnat_addr;
	if (nat != NULL && nat->snat)
		dst = nat->snat_addr;
	memcpy(f->addr + REPL_SRC * w, src, w * sizeof(*src));
	memcpy(f->addr + REPL_DST * w, dst, w * sizeof(*dst));
	if (flow_is_icmp(f->l4))
		derive_icmp(f, nat);
	else
		derive_ports(f, nat);
	f->have |= FLOW_REPLY;
}

void
flow_find_nat(const struct flow *f, struct flow_nat *nat)
{
	const size_t len = flow_words(f) * sizeof(uint32_t);
	const bool icmp = flow_is_icmp(f->l4);

	*nat = (struct flow_nat){0};
	if (!(f->have & FLOW_REPLY))
		return;
	memcpy(nat->snat_addr, flow_addr(f, REPL_DST), len);
	memcpy(nat->dnat_addr, flow_addr(f, REPL_SRC), len);
	nat->snat = memcmp(nat->snat_addr, flow_addr(f, ORIG_SRC), len) != 0;
	nat->dnat = memcmp(nat->dnat_addr, flow_addr(f, ORIG_DST), len) != 0;
	nat->spat_port = icmp ? f->port[2] : f->port[3];
	nat->dpat_port = icmp ? 0 : f->port[2];
	nat->spat = nat->spat_port != f->port[0];
	nat->dpat = !icmp && nat->dpat_port != f->port[1];
}

int
flow_copy(struct flow *dst, const struct flow *src)
{
	struct flow_side *side = dst->side;

	if (!(src->have & FLOW_SIDE)) {
		free(side);
		side = NULL;
	} else if (side == NULL && (side = malloc(sizeof(*side))) == NULL) {
		return -ENOMEM;
	}
	memcpy(dst, src, flow_size(src));
	if (side != NULL)
		*side = *src->side;
	dst->side = side;
	return 0;
}

void
flow_clear(struct flow *f)
{
	free(f->side);
	f->side = NULL;
	f->have &= ~(uint32_t)FLOW_SIDE;
}

static int
merge_side(struct flow *dst, const struct flow *src)
{
	const uint32_t have = src->have & FLOW_SIDE;
	const struct flow_side *s = src->side;
	struct flow_side *d = dst->side;

	if (have == 0)
		return 0;
	if (d == NULL && (d = dst->side = calloc(1, sizeof(*d))) == NULL)
		return -ENOMEM;
	if (have & FLOW_LABELS)
		memcpy(d->label, s->label, sizeof(d->label));
	if (have & FLOW_SEQADJ)
		memcpy(d->seqadj, s->seqadj, sizeof(d->seqadj));
	if (have & FLOW_SYNPROXY) {
		d->its = s->its;
		d->isn = s->isn;
		d->tsoff = s->tsoff;
		dst->have &= ~(uint32_t)FLOW_SYNPROXY_ZERO;
	}
	if (have & FLOW_HELPER)
		memcpy(d->helper, s->helper, sizeof(d->helper));
	if (have & FLOW_MASTER) {
		d->master_l4 = s->master_l4;
		d->master_has_ports = s->master_has_ports;
		memcpy(d->master_port, s->master_port, sizeof(d->master_port));
		memcpy(d->master_addr, s->master_addr, sizeof(d->master_addr));
	}
	dst->have |= have;
	return 0;
}

/* The kernel's reply tuple is a fact. A peer's is derived, and it leaves out what it sent before: NAT that was known
 * is not lost by a message that does not mention it. */
static bool
takes_reply(const struct flow *dst, const struct flow *src)
{
	struct flow_nat nat;

	if (!(src->have & FLOW_REPLY))
		return false;
	if (src->have & FLOW_ID || !(dst->have & FLOW_REPLY))
		return true;
	flow_find_nat(src, &nat);
	return nat.snat || nat.dnat || nat.spat || nat.dpat;
}

static void
merge_reply(struct flow *dst, const struct flow *src)
{
	const size_t len = 2 * flow_words(src) * sizeof(uint32_t);

	memcpy(dst->addr + REPL_SRC * flow_words(dst), flow_addr(src, REPL_SRC), len);
	memcpy(dst->port + 2, src->port + 2, 2 * sizeof(src->port[0]));
}

static void
merge_proto(struct flow *dst, const struct flow *src)
{
	if (src->have & FLOW_STATE) {
		dst->state = src->state;
		dst->dccp_role = src->dccp_role;
		memcpy(dst->vtag, src->vtag, sizeof(dst->vtag));
	}
	if (src->have & FLOW_WSCALE)
		memcpy(dst->wscale, src->wscale, sizeof(dst->wscale));
}

int
flow_merge(struct flow *dst, const struct flow *src)
{
	const bool reply = takes_reply(dst, src);
	int r;

	if ((r = merge_side(dst, src)) < 0)
		return r;
	if (src->have & FLOW_STATUS)
		dst->status = src->status;
	if (src->have & FLOW_TIMEOUT)
		dst->timeout = src->timeout;
	if (src->have & FLOW_MARK)
		dst->mark = src->mark;
	if (src->have & FLOW_ID)
		dst->id = src->id;
	if (reply)
		merge_reply(dst, src);
	merge_proto(dst, src);
	if (src->have & FLOW_SYNPROXY_ZERO)
		dst->have &= ~(uint32_t)FLOW_SYNPROXY;
	dst->have |= src->have & ~(uint32_t)FLOW_SIDE;
	return 0;
}

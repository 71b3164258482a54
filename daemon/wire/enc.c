/*
 * Flows and expectations to messages: once for each message that is sent, so it walks only the rows that the flow has.
 */
#include "wire.h"

#include <errno.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <netinet/in.h>
#include <string.h>

#include "attrs.h"
#include "head.h"

#define HELPER_SENT 11 /* characters; peers refuse longer names */
#define FN_SENT     27

bool
wire_carries(const struct flow *f)
{
	return (f->have & FLOW_ZONE_ONE_WAY) == 0 &&
	       (attr_has_ports(f->l4) || flow_is_icmp(f->l4) || (f->port[0] == 0 && f->port[1] == 0));
}

/* Octets of payload; 0 also when there is nothing to say. */
static size_t
payload_len(const struct attr *a, const uint8_t *p)
{
	if (a->kind == ATTR_STR)
		return strnlen((const char *)p, a->size) + 1;
	return attr_len(a);
}

static void
put_payload(uint8_t *at, const struct attr *a, const uint8_t *p, size_t len)
{
	switch ((enum attr_kind)a->kind) {
	case ATTR_BE32:
	case ATTR_LABELS:
		attr_swap32(at, p, len);
		break;
	case ATTR_BE16:
	case ATTR_HOST16:
		attr_swap16(at, p);
		break;
	case ATTR_STR:
		memcpy(at, p, len - 1);
		at[len - 1] = '\0';
		break;
	case ATTR_ZERO:
		memset(at, 0, len);
		break;
	case ATTR_RAW:
		memcpy(at, p, len);
		break;
	}
}

static void
put_attr(struct wr *w, const struct attr *a, const void *const base[BASE_MAX])
{
	const uint8_t *p = (const uint8_t *)base[a->base] + a->off;
	const size_t len = payload_len(a, p), pad = -len & 3;
	uint8_t *at = wr_room(w, 4 + len + pad);

	if (at == NULL)
		return;
	at[0] = (uint8_t)((4 + len) >> 8);
	at[1] = (uint8_t)(4 + len);
	at[2] = 0;
	at[3] = a->type;
	memset(at + 4 + len, 0, pad);
	put_payload(at + 4, a, p, len);
}

static void
put_attrs(struct wr *w, const struct attr *rows, uint64_t which, const void *const base[BASE_MAX])
{
	for (; which != 0; which &= which - 1)
		put_attr(w, &rows[__builtin_ctzll(which)], base);
}

static uint64_t
state_attrs(const struct flow *f, const struct wire_enc_opts *o)
{
	if (!(f->have & FLOW_STATE))
		return 0;
	if (f->l4 == IPPROTO_SCTP)
		return ATTR_BIT(FA_SCTP_STATE) | ATTR_BIT(FA_VTAG_ORIG) | ATTR_BIT(FA_VTAG_REPL);
	if (f->l4 == IPPROTO_DCCP)
		return ATTR_BIT(FA_DCCP_STATE) | ATTR_BIT(FA_DCCP_ROLE);
	if (f->l4 != IPPROTO_TCP)
		return 0;
	if (o->wscale && f->have & FLOW_WSCALE)
		return ATTR_BIT(FA_TCP_STATE) | ATTR_BIT(FA_WSCALE_ORIG) | ATTR_BIT(FA_WSCALE_REPL);
	return ATTR_BIT(FA_TCP_STATE);
}

static uint64_t
proto_attrs(const struct flow *f, const struct wire_enc_opts *o)
{
	if (flow_is_icmp(f->l4))
		return ATTR_BIT(FA_ICMP_TYPE) | ATTR_BIT(FA_ICMP_CODE) | ATTR_BIT(FA_ICMP_ID);
	return (attr_has_ports(f->l4) ? ATTR_BIT(FA_PORT) : 0) | state_attrs(f, o);
}

/* Version 1 compares an ICMP flow's id with a port that is always 0: that much is sent of every ICMP flow that passed
 * NAT. A translated id takes the place of the 0. */
static void
icmp_nat(const struct flow *f, struct flow_nat *nat)
{
	if (!nat->spat)
		nat->spat_port = 0;
	nat->spat = nat->spat || f->port[0] != 0;
	nat->dpat_port = 0;
	nat->dpat = f->port[1] != 0;
}

static uint64_t
nat_attrs(const struct flow *f, struct flow_nat *nat)
{
	const bool v4 = f->l3 == AF_INET;
	uint64_t which = 0;

	if (!(f->status & IPS_NAT_DONE_MASK) || !(f->have & FLOW_REPLY))
		return 0;
	flow_find_nat(f, nat);
	if (flow_is_icmp(f->l4))
		icmp_nat(f, nat);
	if (f->status & IPS_SRC_NAT_DONE)
		which |= (nat->snat ? ATTR_BIT(v4 ? FA_SNAT_IPV4 : FA_SNAT_IPV6) : 0) |
			 (nat->spat ? ATTR_BIT(FA_SPAT_PORT) : 0);
	if (f->status & IPS_DST_NAT_DONE)
		which |= (nat->dnat ? ATTR_BIT(v4 ? FA_DNAT_IPV4 : FA_DNAT_IPV6) : 0) |
			 (nat->dpat ? ATTR_BIT(FA_DPAT_PORT) : 0);
	return which;
}

static bool
any_label(const struct flow_side *s)
{
	return s->label[0] | s->label[1] | s->label[2] | s->label[3];
}

static uint64_t
side_attrs(const struct flow *f)
{
	const struct flow_side *s = f->side;
	uint64_t which = 0;

	if (!(f->have & FLOW_SIDE))
		return 0;
	if (f->have & FLOW_MASTER)
		which |= ATTR_BIT(f->l3 == AF_INET ? FA_MASTER_IPV4 : FA_MASTER_IPV6) | ATTR_BIT(FA_MASTER_L4PROTO) |
			 (s->master_has_ports ? ATTR_BIT(FA_MASTER_PORT) : 0);
	if (f->have & FLOW_SEQADJ)
		which |= ATTR_BIT(FA_SEQADJ);
	if (f->have & FLOW_HELPER && s->helper[0] != '\0' && strnlen(s->helper, sizeof(s->helper)) <= HELPER_SENT)
		which |= ATTR_BIT(FA_HELPER);
	if (f->have & FLOW_LABELS && any_label(s))
		which |= ATTR_BIT(FA_LABELS);
	if (f->have & FLOW_SYNPROXY)
		which |= ATTR_BIT(FA_SYNPROXY);
	return which;
}

static uint64_t
plain_attrs(const struct flow *f, const struct wire_enc_opts *o)
{
	uint64_t which = ATTR_BIT(f->l3 == AF_INET ? FA_IPV4 : FA_IPV6) | ATTR_BIT(FA_STATUS) | ATTR_BIT(FA_L4PROTO);

	if (f->have & FLOW_TIMEOUT && !o->no_timeout)
		which |= ATTR_BIT(FA_TIMEOUT);
	if (f->have & FLOW_MARK)
		which |= ATTR_BIT(FA_MARK);
	if (f->have & FLOW_SYNPROXY_ZERO)
		which |= ATTR_BIT(FA_SYNPROXY_ZERO);
	if (f->have & FLOW_ZONE)
		which |= ATTR_BIT(FA_ZONE);
	return which;
}

int
wire_enc_flow(const struct flow *f, enum wire_type type, uint8_t flags, uint32_t seq, const struct wire_enc_opts *o,
	      uint8_t *buf, size_t size)
{
	struct wr w = wr_init(buf, size);
	struct flow_nat nat;
	const void *const base[BASE_MAX] = {f, f->side, &nat};

	wire_put_head(&w, (uint8_t)type, flags, seq);
	put_attrs(&w, flow_attrs, plain_attrs(f, o) | proto_attrs(f, o) | nat_attrs(f, &nat) | side_attrs(f), base);
	return wire_end(&w);
}

static uint64_t
tuple_attrs(const struct expect *e)
{
	uint64_t which = ATTR_BIT(XA_MASTER_L4PROTO) | ATTR_BIT(XA_EXPECT_L4PROTO) | ATTR_BIT(XA_MASK_L4PROTO) |
			 ATTR_BIT(XA_FLAGS);

	which |= e->l3 == AF_INET ? ATTR_BIT(XA_MASTER_IPV4) | ATTR_BIT(XA_EXPECT_IPV4) | ATTR_BIT(XA_MASK_IPV4)
				  : ATTR_BIT(XA_MASTER_IPV6) | ATTR_BIT(XA_EXPECT_IPV6) | ATTR_BIT(XA_MASK_IPV6);
	if (attr_has_ports(e->master.l4))
		which |= ATTR_BIT(XA_MASTER_PORT) | ATTR_BIT(XA_EXPECT_PORT) | ATTR_BIT(XA_MASK_PORT);
	return which;
}

static uint64_t
detail_attrs(const struct expect *e, const struct wire_enc_opts *o)
{
	uint64_t which = 0;

	if (e->have & EXPECT_TIMEOUT && !o->no_timeout)
		which |= ATTR_BIT(XA_TIMEOUT);
	if (e->have & EXPECT_CLASS)
		which |= ATTR_BIT(XA_CLASS);
	if (e->have & EXPECT_NAT) /* no attribute for the address of an IPv6 one */
		which |= (e->l3 == AF_INET ? ATTR_BIT(XA_NAT_IPV4) : 0) | ATTR_BIT(XA_NAT_L4PROTO) |
			 (attr_has_ports(e->master.l4) ? ATTR_BIT(XA_NAT_PORT) : 0) | ATTR_BIT(XA_NAT_DIR);
	if (e->have & EXPECT_HELPER && strnlen(e->helper, sizeof(e->helper)) <= HELPER_SENT)
		which |= ATTR_BIT(XA_HELPER);
	if (e->have & EXPECT_FN && strnlen(e->fn, sizeof(e->fn)) <= FN_SENT)
		which |= ATTR_BIT(XA_FN);
	return which;
}

/* On the wire source and destination stand side by side; in the struct an IPv4 address leaves three words between. */
static void
pack_v4(struct flow_tuple *t)
{
	t->src[1] = t->dst[0];
}

int
wire_enc_expect(const struct expect *e, enum wire_type type, uint8_t flags, uint32_t seq, const struct wire_enc_opts *o,
		uint8_t *buf, size_t size)
{
	struct wr w = wr_init(buf, size);
	struct expect packed = *e;
	const void *const base[BASE_MAX] = {&packed, NULL, NULL};

	if (e->l3 == AF_INET) {
		pack_v4(&packed.master);
		pack_v4(&packed.tuple);
		pack_v4(&packed.mask);
		pack_v4(&packed.nat);
	}
	wire_put_head(&w, (uint8_t)type, flags, seq);
	put_attrs(&w, expect_attrs, tuple_attrs(e) | detail_attrs(e, o), base);
	return wire_end(&w);
}

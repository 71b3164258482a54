/*
 * Message bodies to flows and expectations. Called for every state message of a peer; every octet may be hostile.
 * Unknown attributes are skipped, so that a newer peer's flows are not lost; of duplicates the last one counts.
 */
#include "wire.h"

#include <netinet/in.h>
#include <string.h>

#include "attrs.h"
#include "buf.h"

struct decoder {
	const struct attr *rows;
	const uint8_t *row_of;
	uint16_t types;
	uint8_t *l3;
	uint32_t *have;
	void *base[BASE_MAX];
	uint64_t seen; /* bits of rows */
	unsigned int unknown;
};

/* Labels of another number of words than ours are cut or filled up with zeros. */
static void
get_labels(uint8_t *at, size_t size, const uint8_t *p, size_t len)
{
	memset(at, 0, size);
	attr_swap32(at, p, len < size ? len : size);
}

static void
get_str(uint8_t *at, size_t size, const uint8_t *p, size_t len)
{
	const size_t n = strnlen((const char *)p, len);

	memset(at, 0, size);
	memcpy(at, p, n < size ? n : size - 1);
}

static void
get_payload(uint8_t *at, const struct attr *a, const uint8_t *p, size_t len)
{
	switch ((enum attr_kind)a->kind) {
	case ATTR_BE32:
		attr_swap32(at, p, len);
		break;
	case ATTR_LABELS:
		get_labels(at, a->size, p, len);
		break;
	case ATTR_BE16:
	case ATTR_HOST16:
		attr_swap16(at, p);
		break;
	case ATTR_STR:
		get_str(at, a->size, p, len);
		break;
	case ATTR_RAW:
		memcpy(at, p, len);
		break;
	case ATTR_ZERO:
		break;
	}
}

/* Names are printed, logged, and may become part of the name of a module that the kernel loads. */
static bool
good_name(const uint8_t *p, size_t len)
{
	size_t n = 0;

	while (n < len && p[n] > ' ' && p[n] < 0x7f)
		n++;
	return n > 0 && (n == len || p[n] == '\0');
}

/* Says nothing: labels that are no whole words, empty names and those that cannot be printed. */
static bool
is_void(const struct attr *a, const uint8_t *p, size_t len)
{
	if (a->kind == ATTR_LABELS)
		return len == 0 || len % sizeof(uint32_t) != 0;
	return a->kind == ATTR_STR && !good_name(p, len);
}

static bool
take_attr(struct decoder *d, uint16_t type, const uint8_t *p, size_t len)
{
	const struct attr *a;

	if (type >= d->types) {
		d->unknown++;
		return true;
	}
	a = &d->rows[d->row_of[type]];
	if (len < a->min || len > a->max)
		return false;
	if (is_void(a, p, len))
		return true;
	get_payload((uint8_t *)d->base[a->base] + a->off, a, p, len);
	if (a->l3 != 0)
		*d->l3 = a->l3;
	*d->have |= a->have;
	d->seen |= ATTR_BIT(d->row_of[type]);
	return true;
}

/* Up to four octets behind the last attribute are ignored, an empty attribute among them: 1.4.x sends and takes them.
 */
static bool
take_body(struct decoder *d, const uint8_t *p, size_t left)
{
	while (left > 4) {
		const size_t len = (size_t)(p[0] << 8 | p[1]), step = (len + 3) & ~(size_t)3;

		if (len < 4 || len > left)
			return false;
		if (!take_attr(d, (uint16_t)(p[2] << 8 | p[3]), p + 4, len - 4))
			return false;
		if (step >= left)
			break;
		p += step;
		left -= step;
	}
	return true;
}

static bool
seen(const struct decoder *d, unsigned int row)
{
	return d->seen >> row & 1;
}

/* The rare parts that stand; f->side only when there are any. */
static void
settle_side(const struct decoder *d, struct flow *f, struct flow_side *s)
{
	if (f->have & FLOW_SYNPROXY && (s->its | s->isn | s->tsoff) == 0)
		f->have ^= FLOW_SYNPROXY | FLOW_SYNPROXY_ZERO;
	s->master_has_ports = seen(d, FA_MASTER_PORT);
	if (seen(d, f->l3 == AF_INET ? FA_MASTER_IPV4 : FA_MASTER_IPV6) && seen(d, FA_MASTER_L4PROTO))
		f->have |= FLOW_MASTER;
	f->side = f->have & FLOW_SIDE ? s : NULL;
}

/* What belongs to another protocol than the flow's says nothing. */
static void
settle_proto(struct flow *f)
{
	if (f->l4 != IPPROTO_TCP)
		f->have &= ~(uint32_t)FLOW_WSCALE;
	if (f->l4 != IPPROTO_TCP && f->l4 != IPPROTO_SCTP && f->l4 != IPPROTO_DCCP)
		f->have &= ~(uint32_t)FLOW_STATE;
	if (!attr_has_ports(f->l4) && !flow_is_icmp(f->l4)) {
		f->have &= ~(uint32_t)FLOW_PORTS;
		f->port[0] = f->port[1] = 0;
	}
	if (f->zone == 0)
		f->have &= ~(uint32_t)FLOW_ZONE;
}

enum wire_error
wire_dec_flow(const uint8_t *body, size_t len, struct flow *f, struct flow_side *side, unsigned int *unknown)
{
	struct flow_nat nat = {.snat = false};
	struct decoder d = {.rows = flow_attrs,
			    .row_of = flow_attr_of,
			    .types = FLOW_ATTR_TYPES,
			    .l3 = &f->l3,
			    .have = &f->have,
			    .base = {f, side, &nat}};
	bool ok;

	memset(f, 0, sizeof(*f));
	memset(side, 0, sizeof(*side));
	ok = take_body(&d, body, len);
	if (unknown != NULL)
		*unknown = d.unknown;
	if (!ok || f->l3 == 0 || !seen(&d, FA_L4PROTO))
		return WIRE_BAD_PAYLOAD;
	settle_side(&d, f, side);
	settle_proto(f);
	nat.snat = seen(&d, f->l3 == AF_INET ? FA_SNAT_IPV4 : FA_SNAT_IPV6);
	nat.dnat = seen(&d, f->l3 == AF_INET ? FA_DNAT_IPV4 : FA_DNAT_IPV6);
	nat.spat = seen(&d, FA_SPAT_PORT);
	nat.dpat = seen(&d, FA_DPAT_PORT);
	flow_derive_reply(f, &nat);
	return WIRE_OK;
}

static void
unpack_v4(struct flow_tuple *t)
{
	t->dst[0] = t->src[1];
	t->src[1] = 0;
}

static bool
has_tuples(const struct decoder *d)
{
	const uint64_t protos = ATTR_BIT(XA_MASTER_L4PROTO) | ATTR_BIT(XA_EXPECT_L4PROTO) | ATTR_BIT(XA_MASK_L4PROTO);
	const uint64_t v4 = ATTR_BIT(XA_MASTER_IPV4) | ATTR_BIT(XA_EXPECT_IPV4) | ATTR_BIT(XA_MASK_IPV4);
	const uint64_t v6 = ATTR_BIT(XA_MASTER_IPV6) | ATTR_BIT(XA_EXPECT_IPV6) | ATTR_BIT(XA_MASK_IPV6);
	const uint64_t addrs = d->seen & (v4 | v6);

	return (d->seen & protos) == protos && (addrs == v4 || addrs == v6);
}

enum wire_error
wire_dec_expect(const uint8_t *body, size_t len, struct expect *e, unsigned int *unknown)
{
	struct decoder d = {.rows = expect_attrs,
			    .row_of = expect_attr_of,
			    .types = EXPECT_ATTR_TYPES,
			    .l3 = &e->l3,
			    .have = &e->have,
			    .base = {e, NULL, NULL}};
	bool ok;

	memset(e, 0, sizeof(*e));
	ok = take_body(&d, body, len);
	if (unknown != NULL)
		*unknown = d.unknown;
	if (!ok || !has_tuples(&d))
		return WIRE_BAD_PAYLOAD;
	if (e->l3 == AF_INET) {
		unpack_v4(&e->master);
		unpack_v4(&e->tuple);
		unpack_v4(&e->mask);
	}
	if (seen(&d, XA_NAT_IPV4))
		unpack_v4(&e->nat);
	if (seen(&d, XA_NAT_L4PROTO) && seen(&d, XA_NAT_DIR) && (seen(&d, XA_NAT_IPV4) || e->l3 == AF_INET6))
		e->have |= EXPECT_NAT;
	return WIRE_OK;
}

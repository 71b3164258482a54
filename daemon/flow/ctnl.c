/*
 * Reads tuples and builds messages. What is read comes from the kernel by way of the parent: sizes are checked, values
 * are not interpreted.
 */
#include "ctnl.h"

#include <errno.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <netinet/in.h>

static uint8_t *
put_head(struct wr *w, uint16_t type, size_t len)
{
	const struct nlattr h = {(uint16_t)(sizeof(h) + len), type};
	uint8_t *at = wr_room(w, NLA_ALIGN(sizeof(h) + len));

	if (at == NULL)
		return NULL;
	memcpy(at, &h, sizeof(h));
	memset(at + NLA_ALIGN(sizeof(h) + len) - (-len & 3), 0, -len & 3);
	return at + sizeof(h);
}

void
nla_put(struct wr *w, uint16_t type, const void *data, size_t len)
{
	uint8_t *at = put_head(w, type, len);

	if (at != NULL)
		memcpy(at, data, len);
}

void
nla_put_be16(struct wr *w, uint16_t type, uint16_t v)
{
	v = htobe16(v);
	nla_put(w, type, &v, sizeof(v));
}

void
nla_put_be32(struct wr *w, uint16_t type, uint32_t v)
{
	v = htobe32(v);
	nla_put(w, type, &v, sizeof(v));
}

void
nla_put_str(struct wr *w, uint16_t type, const char *s, size_t max)
{
	const size_t len = strnlen(s, max);
	uint8_t *at = put_head(w, type, len + 1);

	if (at != NULL) {
		memcpy(at, s, len);
		at[len] = '\0';
	}
}

void
nla_put_all(struct wr *w, const struct nla_row *rows, size_t n, const void *base, uint32_t have)
{
	for (size_t type = 0; type < n; type++) {
		const struct nla_row *row = &rows[type];
		uint8_t *at;

		if (row->size == 0 || (row->have & have) != row->have)
			continue;
		if ((at = put_head(w, (uint16_t)type, row->size)) != NULL)
			nla_copy(at, row, (const uint8_t *)base + row->off);
	}
}

uint8_t *
nla_nest(struct wr *w, uint16_t type)
{
	uint8_t *at = put_head(w, type | NLA_F_NESTED, 0);

	return at != NULL ? at - sizeof(struct nlattr) : NULL;
}

void
nla_nest_end(struct wr *w, uint8_t *nest)
{
	const uint16_t len = nest != NULL ? (uint16_t)(w->p - nest) : 0;

	if (nest != NULL && !w->full)
		memcpy(nest, &len, sizeof(len));
}

bool
nla_str(const struct nla *a, char *dst, size_t size)
{
	const size_t len = strnlen((const char *)a->data, a->len);

	if (len >= size)
		return false;
	memcpy(dst, a->data, len);
	memset(dst + len, 0, size - len);
	return true;
}

/* Tuples. The ICMP id stands in for the source port, type and code for the destination port. */
enum { T_SRC4 = 1, T_DST4 = 2, T_SRC6 = 4, T_DST6 = 8, T_L4 = 16, T_SRC = 32, T_DST = 64, T_TYPE = 128, T_CODE = 256 };
#define T_FIELD(f)  offsetof(struct flow_tuple, f)
#define T_ICMP_TYPE T_FIELD(dport)
#define T_ICMP_CODE (T_FIELD(dport) + 1)

static const struct nla_row ip_rows[] = {
	[CTA_IP_V4_SRC] = {4, NLA_RAW, T_FIELD(src), T_SRC4},
	[CTA_IP_V4_DST] = {4, NLA_RAW, T_FIELD(dst), T_DST4},
	[CTA_IP_V6_SRC] = {16, NLA_RAW, T_FIELD(src), T_SRC6},
	[CTA_IP_V6_DST] = {16, NLA_RAW, T_FIELD(dst), T_DST6},
};

static const struct nla_row proto_rows[] = {
	[CTA_PROTO_NUM] = {1, NLA_RAW, T_FIELD(l4), T_L4},
	[CTA_PROTO_SRC_PORT] = {2, NLA_RAW, T_FIELD(sport), T_SRC},
	[CTA_PROTO_DST_PORT] = {2, NLA_RAW, T_FIELD(dport), T_DST},
	[CTA_PROTO_ICMP_ID] = {2, NLA_RAW, T_FIELD(sport), T_SRC},
	[CTA_PROTO_ICMP_TYPE] = {1, NLA_RAW, T_ICMP_TYPE, T_TYPE},
	[CTA_PROTO_ICMP_CODE] = {1, NLA_RAW, T_ICMP_CODE, T_CODE},
	[CTA_PROTO_ICMPV6_ID] = {2, NLA_RAW, T_FIELD(sport), T_SRC},
	[CTA_PROTO_ICMPV6_TYPE] = {1, NLA_RAW, T_ICMP_TYPE, T_TYPE},
	[CTA_PROTO_ICMPV6_CODE] = {1, NLA_RAW, T_ICMP_CODE, T_CODE},
};
#define N(rows) (sizeof(rows) / sizeof((rows)[0]))

static const struct nla_row zone_row = {2, NLA_BE, T_FIELD(zone), 0};

bool
nla_get_tuple(const struct nla *nest, uint8_t l3, struct flow_tuple *t, uint32_t *have)
{
	const uint32_t addrs = l3 == AF_INET ? T_SRC4 | T_DST4 : T_SRC6 | T_DST6;
	struct rd r = nla_nested(nest);
	uint32_t seen = 0;
	struct nla a;

	memset(t, 0, sizeof(*t));
	while (nla_next(&r, &a)) {
		if (a.type == CTA_TUPLE_IP && !nla_get_all(&a, ip_rows, N(ip_rows), t, &seen))
			return false;
		if (a.type == CTA_TUPLE_PROTO && !nla_get_all(&a, proto_rows, N(proto_rows), t, &seen))
			return false;
		if (a.type == CTA_TUPLE_ZONE)
			nla_get(&r, &zone_row, &a, t);
	}
	if (r.bad || (seen & (T_SRC4 | T_DST4 | T_SRC6 | T_DST6)) != addrs)
		return false;
	*have = seen & T_L4 ? TUPLE_L4 : 0;
	if (seen & T_SRC && (seen & T_DST || (seen & T_TYPE && seen & T_CODE)))
		*have |= TUPLE_PORTS;
	return true;
}

/* Which attributes say the "ports" of a protocol: first and last type, 0: it has none. */
static const struct ports_of {
	uint8_t l4, first, last;
} ports_of[] = {
	{IPPROTO_TCP, CTA_PROTO_SRC_PORT, CTA_PROTO_DST_PORT},
	{IPPROTO_UDP, CTA_PROTO_SRC_PORT, CTA_PROTO_DST_PORT},
	{IPPROTO_ICMP, CTA_PROTO_ICMP_ID, CTA_PROTO_ICMP_CODE},
	{IPPROTO_ICMPV6, CTA_PROTO_ICMPV6_ID, CTA_PROTO_ICMPV6_CODE},
	{IPPROTO_SCTP, CTA_PROTO_SRC_PORT, CTA_PROTO_DST_PORT},
	{IPPROTO_DCCP, CTA_PROTO_SRC_PORT, CTA_PROTO_DST_PORT},
	{IPPROTO_UDPLITE, CTA_PROTO_SRC_PORT, CTA_PROTO_DST_PORT},
	{IPPROTO_GRE, CTA_PROTO_SRC_PORT, CTA_PROTO_DST_PORT}, /* keys */
};

static void
put_proto(struct wr *w, const struct flow_tuple *t)
{
	uint8_t *nest = nla_nest(w, CTA_TUPLE_PROTO);

	nla_put(w, CTA_PROTO_NUM, &t->l4, sizeof(t->l4));
	for (size_t i = 0; i < N(ports_of); i++)
		for (uint8_t type = ports_of[i].first; ports_of[i].l4 == t->l4 && type <= ports_of[i].last; type++)
			nla_put(w, type, (const uint8_t *)t + proto_rows[type].off, proto_rows[type].size);
	nla_nest_end(w, nest);
}

void
nla_put_tuple(struct wr *w, uint16_t type, uint8_t l3, const struct flow_tuple *t)
{
	uint8_t *nest = nla_nest(w, type), *ip = nla_nest(w, CTA_TUPLE_IP);

	nla_put_all(w, ip_rows, N(ip_rows), t, l3 == AF_INET ? T_SRC4 | T_DST4 : T_SRC6 | T_DST6);
	nla_nest_end(w, ip);
	put_proto(w, t);
	if (t->zone != 0)
		nla_put_be16(w, CTA_TUPLE_ZONE, t->zone);
	nla_nest_end(w, nest);
}

void
nla_msg(struct wr *w, uint16_t type, uint16_t flags, uint32_t seq, uint8_t family)
{
	const struct nlmsghdr h = {.nlmsg_type = type, .nlmsg_flags = flags, .nlmsg_seq = seq};
	const struct nfgenmsg g = {.nfgen_family = family, .version = NFNETLINK_V0};

	wr_copy(w, &h, sizeof(h));
	wr_copy(w, &g, sizeof(g));
}

int
nla_msg_end(struct wr *w)
{
	const uint32_t len = (uint32_t)wr_len(w);

	if (w->full)
		return -ENOSPC;
	memcpy(w->start + offsetof(struct nlmsghdr, nlmsg_len), &len, sizeof(len));
	return (int)len;
}

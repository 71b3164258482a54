/*
 * Expectations from and to ctnetlink messages.
 */
#include "flow_nl.h"

#include <errno.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <netinet/in.h>

#include "ctnl.h"

#define N(rows)     (sizeof(rows) / sizeof((rows)[0]))
#define X_TYPE(msg) (NFNL_SUBSYS_CTNETLINK_EXP << 8 | (msg))
#define X_FIELD(f)  offsetof(struct expect, f)

enum { SEEN_MASTER = 1, SEEN_TUPLE = 2, SEEN_MASK = 4, SEEN_ALL = 7 };

static const struct nla_row expect_rows[] = {
	[CTA_EXPECT_TIMEOUT] = {4, NLA_BE, X_FIELD(timeout), EXPECT_TIMEOUT},
	[CTA_EXPECT_ID] = {4, NLA_BE, X_FIELD(id), EXPECT_ID},
	[CTA_EXPECT_ZONE] = {2, NLA_BE, X_FIELD(zone), EXPECT_ZONE},
	[CTA_EXPECT_FLAGS] = {4, NLA_BE, X_FIELD(flags), 0},
	[CTA_EXPECT_CLASS] = {4, NLA_BE, X_FIELD(class), EXPECT_CLASS},
};

static const struct nla_row nat_rows[] = {
	[CTA_EXPECT_NAT_DIR] = {4, NLA_BE, X_FIELD(nat_dir), 0},
};

static bool
get_nat(const struct nla *nest, struct expect *e)
{
	struct rd r = nla_nested(nest);
	uint32_t have = 0;
	struct nla a;

	while (nla_next(&r, &a)) {
		if (a.type == CTA_EXPECT_NAT_DIR)
			nla_get(&r, &nat_rows[CTA_EXPECT_NAT_DIR], &a, e);
		else if (a.type == CTA_EXPECT_NAT_TUPLE && !nla_get_tuple(&a, e->l3, &e->nat, &have))
			return false;
	}
	if (r.bad || !(have & TUPLE_L4))
		return false;
	e->have |= EXPECT_NAT;
	return true;
}

static bool
get_name(const struct nla *a, char *dst, size_t size, struct expect *e, uint32_t bit)
{
	if (!nla_str(a, dst, size))
		return false;
	if (dst[0] != '\0')
		e->have |= bit;
	return true;
}

static bool
get_attr(struct rd *r, const struct nla *a, struct expect *e, uint32_t *seen)
{
	uint32_t have;

	switch (a->type) {
	case CTA_EXPECT_MASTER:
		*seen |= SEEN_MASTER;
		return nla_get_tuple(a, e->l3, &e->master, &have) && have & TUPLE_L4;
	case CTA_EXPECT_TUPLE:
		*seen |= SEEN_TUPLE;
		return nla_get_tuple(a, e->l3, &e->tuple, &have) && have & TUPLE_L4;
	case CTA_EXPECT_MASK:
		*seen |= SEEN_MASK;
		return nla_get_tuple(a, e->l3, &e->mask, &have);
	case CTA_EXPECT_NAT:
		return get_nat(a, e);
	case CTA_EXPECT_HELP_NAME:
		return get_name(a, e->helper, sizeof(e->helper), e, EXPECT_HELPER);
	case CTA_EXPECT_FN:
		return get_name(a, e->fn, sizeof(e->fn), e, EXPECT_FN);
	default:
		if (a->type < N(expect_rows) && expect_rows[a->type].size != 0)
			e->have |= nla_get(r, &expect_rows[a->type], a, e);
		return true;
	}
}

int
expect_from_nl(const struct nlmsghdr *nlh, struct expect *e)
{
	struct nfgenmsg head;
	struct rd r = nla_msg_attrs(nlh, &head);
	uint32_t seen = 0;
	struct nla a;

	memset(e, 0, sizeof(*e));
	e->l3 = head.nfgen_family;
	if (!r.bad && e->l3 != AF_INET && e->l3 != AF_INET6)
		return -EAFNOSUPPORT;
	while (nla_next(&r, &a))
		if (!get_attr(&r, &a, e, &seen))
			return -EBADMSG;
	if (r.bad || seen != SEEN_ALL)
		return -EBADMSG;
	if (e->zone == 0)
		e->have &= ~(uint32_t)EXPECT_ZONE;
	return 0;
}

static void
put_nat(struct wr *w, const struct expect *e)
{
	uint8_t *nest = nla_nest(w, CTA_EXPECT_NAT);

	nla_put_be32(w, CTA_EXPECT_NAT_DIR, e->nat_dir);
	nla_put_tuple(w, CTA_EXPECT_NAT_TUPLE, e->l3, &e->nat);
	nla_nest_end(w, nest);
}

static void
put_content(struct wr *w, const struct expect *e, uint32_t timeout)
{
	const uint32_t flags = NF_CT_EXPECT_PERMANENT | NF_CT_EXPECT_INACTIVE | NF_CT_EXPECT_USERSPACE;

	nla_put_tuple(w, CTA_EXPECT_MASTER, e->l3, &e->master);
	nla_put_tuple(w, CTA_EXPECT_MASK, e->l3, &e->mask);
	nla_put_be32(w, CTA_EXPECT_TIMEOUT, timeout != 0 ? timeout : e->timeout);
	if (e->have & EXPECT_HELPER)
		nla_put_str(w, CTA_EXPECT_HELP_NAME, e->helper, sizeof(e->helper) - 1);
	nla_put_be32(w, CTA_EXPECT_FLAGS, e->flags & flags);
	if (e->have & EXPECT_CLASS)
		nla_put_be32(w, CTA_EXPECT_CLASS, e->class);
	if (e->have & EXPECT_NAT)
		put_nat(w, e);
	if (e->have & EXPECT_FN)
		nla_put_str(w, CTA_EXPECT_FN, e->fn, sizeof(e->fn) - 1);
}

static const struct {
	uint16_t type, flags;
	bool content;
} ops[] = {
	[FLOW_NL_CREATE] = {IPCTNL_MSG_EXP_NEW, NLM_F_REQUEST | NLM_F_CREATE | NLM_F_EXCL, true},
	[FLOW_NL_UPDATE] = {IPCTNL_MSG_EXP_NEW, NLM_F_REQUEST, true},
	[FLOW_NL_DELETE] = {IPCTNL_MSG_EXP_DELETE, NLM_F_REQUEST, false},
	[FLOW_NL_GET] = {IPCTNL_MSG_EXP_GET, NLM_F_REQUEST, false},
};

int
expect_to_nl(const struct expect *e, enum flow_nl_op op, uint32_t timeout, uint32_t seq, void *buf, size_t size)
{
	struct wr w = wr_init(buf, size);

	if (flow_is_icmp(e->tuple.l4) || flow_is_icmp(e->master.l4))
		return -EINVAL; /* no helper expects it, and a mask of types means nothing */
	if (ops[op].content && !(e->have & EXPECT_TIMEOUT) && timeout == 0)
		return -EINVAL;
	if (e->have & EXPECT_NAT && e->nat_dir > 1)
		return -EINVAL;
	nla_msg(&w, X_TYPE(ops[op].type), ops[op].flags, seq, e->l3);
	nla_put_tuple(&w, CTA_EXPECT_TUPLE, e->l3, &e->tuple);
	if (ops[op].content)
		put_content(&w, e, timeout);
	if (e->have & EXPECT_ZONE)
		nla_put_be16(&w, CTA_EXPECT_ZONE, e->zone);
	return nla_msg_end(&w);
}

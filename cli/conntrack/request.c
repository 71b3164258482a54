/*
 * Builds requests with libmnl. Command lines are already checked; records come from the kernel through the decoder.
 */
#include "request.h"
#include "ctrec.h"
#include "facts.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nf_conntrack_tcp.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <netinet/in.h>
#include <string.h>

#define CT(msg)  (NFNL_SUBSYS_CTNETLINK << 8 | (msg))
#define EXP(msg) (NFNL_SUBSYS_CTNETLINK_EXP << 8 | (msg))

#define LABEL_BYTES (LABEL_BITS_KERNEL / 8)

/* Bits of CTA_FILTER_ORIG_FLAGS and CTA_FILTER_REPLY_FLAGS. */
enum tuple_filter {
	TF_SRC = 1 << 0,
	TF_DST = 1 << 1,
	TF_PROTO = 1 << 3,
	TF_SPORT = 1 << 4,
	TF_DPORT = 1 << 5,
};

/* Attribute numbers of the two address families. */
static const struct family {
	uint16_t src, dst, nat_min, nat_max, type, code, id;
} families[2] = {
	{CTA_IP_V4_SRC, CTA_IP_V4_DST, CTA_NAT_V4_MINIP, CTA_NAT_V4_MAXIP, CTA_PROTO_ICMP_TYPE, CTA_PROTO_ICMP_CODE,
	 CTA_PROTO_ICMP_ID},
	{CTA_IP_V6_SRC, CTA_IP_V6_DST, CTA_NAT_V6_MINIP, CTA_NAT_V6_MAXIP, CTA_PROTO_ICMPV6_TYPE, CTA_PROTO_ICMPV6_CODE,
	 CTA_PROTO_ICMPV6_ID},
};

static void
put_ip(struct nlmsghdr *nlh, const struct ct_tuple *t)
{
	struct nlattr *nest = mnl_attr_nest_start(nlh, CTA_TUPLE_IP);

	if (t->src.family != 0)
		mnl_attr_put(nlh, families[t->src.family == AF_INET6].src, addr_size(&t->src), t->src.u.b);
	if (t->dst.family != 0)
		mnl_attr_put(nlh, families[t->dst.family == AF_INET6].dst, addr_size(&t->dst), t->dst.u.b);
	mnl_attr_nest_end(nlh, nest);
}

static void
put_icmp(struct nlmsghdr *nlh, const struct ct_tuple *t)
{
	const struct family *f = &families[t->proto == IPPROTO_ICMPV6];

	mnl_attr_put_u8(nlh, f->type, t->icmp_type);
	mnl_attr_put_u8(nlh, f->code, t->icmp_code);
	mnl_attr_put_u16(nlh, f->id, htons(t->icmp_id));
}

static void
put_l4(struct nlmsghdr *nlh, const struct ct_tuple *t)
{
	struct nlattr *nest = mnl_attr_nest_start(nlh, CTA_TUPLE_PROTO);
	enum l4_kind kind = l4_name(t->proto)->kind;

	mnl_attr_put_u8(nlh, CTA_PROTO_NUM, t->proto);
	if (kind == L4_ICMP)
		put_icmp(nlh, t);
	if ((kind == L4_PORTS || kind == L4_KEYS) && t->has & TUPLE_SPORT)
		mnl_attr_put_u16(nlh, CTA_PROTO_SRC_PORT, htons(t->sport));
	if ((kind == L4_PORTS || kind == L4_KEYS) && t->has & TUPLE_DPORT)
		mnl_attr_put_u16(nlh, CTA_PROTO_DST_PORT, htons(t->dport));
	mnl_attr_nest_end(nlh, nest);
}

static void
put_tuple(struct nlmsghdr *nlh, uint16_t type, const struct ct_tuple *t)
{
	struct nlattr *nest = mnl_attr_nest_start(nlh, type);

	put_ip(nlh, t);
	put_l4(nlh, t);
	if (t->has & TUPLE_ZONE)
		mnl_attr_put_u16(nlh, CTA_TUPLE_ZONE, htons(t->zone));
	mnl_attr_nest_end(nlh, nest);
}

static void
put_be32(struct nlmsghdr *nlh, uint16_t type, uint32_t v)
{
	mnl_attr_put_u32(nlh, type, htonl(v));
}

static struct ct_tuple
mirror(const struct ct_tuple *t)
{
	struct ct_tuple m = *t;

	m.src = t->dst;
	m.dst = t->src;
	m.sport = t->dport;
	m.dport = t->sport;
	m.has = (t->has & TUPLE_SPORT ? TUPLE_DPORT : 0) | (t->has & TUPLE_DPORT ? TUPLE_SPORT : 0);
	return m;
}

/* Which ports of a direction were given. */
static uint32_t
ports_given(const struct cmd *c, enum pfield src, enum pfield dst)
{
	return (cmd_has_proto(c, src) ? TUPLE_SPORT : 0) | (cmd_has_proto(c, dst) ? TUPLE_DPORT : 0);
}

/* An address that was not given is the mirror's. With NAT, the reply tuple is sent untranslated: the kernel translates
 * it and remembers that it did. */
static void
fill_reply(const struct cmd *c, const struct ct_tuple *orig, struct ct_tuple *reply)
{
	if (!cmd_has(c, OPT_RSRC))
		reply->src = orig->dst;
	if (!cmd_has(c, OPT_RDST))
		reply->dst = orig->src;
	if (c->nat[NAT_DST].addr.family != 0) {
		reply->sport = orig->dport;
		reply->has |= TUPLE_SPORT;
	}
	if (c->nat[NAT_SRC].addr.family != 0) {
		reply->dport = orig->sport;
		reply->has |= TUPLE_DPORT;
	}
}

/* What the tuples of a new entry are: the given ones, or the mirror of one; -EINVAL. */
static int
request_tuples(const struct cmd *c, struct ct_tuple *orig, struct ct_tuple *reply)
{
	bool has_orig = cmd_has(c, OPT_SRC) && cmd_has(c, OPT_DST),
	     has_reply = cmd_has(c, OPT_RSRC) || cmd_has(c, OPT_RDST);
	int answer;

	*orig = c->orig;
	*reply = c->reply;
	reply->proto = orig->proto;
	orig->has = ports_given(c, FIELD_SPORT, FIELD_DPORT);
	reply->has = ports_given(c, FIELD_RSPORT, FIELD_RDPORT);
	if (has_orig && !has_reply) {
		*reply = mirror(orig);
	} else if (!has_orig) {
		*orig = mirror(reply);
	} else {
		fill_reply(c, orig, reply);
	}
	orig->icmp_type = c->orig.icmp_type;
	orig->icmp_code = reply->icmp_code = c->orig.icmp_code;
	orig->icmp_id = reply->icmp_id = c->orig.icmp_id;
	orig->zone = c->orig.zone;
	reply->zone = c->reply.zone;
	orig->has |= cmd_has(c, OPT_OZONE) ? TUPLE_ZONE : 0;
	reply->has |= cmd_has(c, OPT_RZONE) ? TUPLE_ZONE : 0;
	if (l4_name(orig->proto)->kind != L4_ICMP)
		return 0;
	if ((orig->proto == IPPROTO_ICMPV6) != (c->family == AF_INET6) ||
	    (answer = icmp_answer(orig->proto, orig->icmp_type)) < 0)
		return -EINVAL;
	reply->icmp_type = (uint8_t)answer;
	return 0;
}

static void
put_tcp(struct nlmsghdr *nlh, uint8_t state, bool create)
{
	struct nf_ct_tcp_flags flags = {IP_CT_TCP_FLAG_BE_LIBERAL | IP_CT_TCP_FLAG_SACK_PERM, 0};
	struct nlattr *nest = mnl_attr_nest_start(nlh, CTA_PROTOINFO_TCP);

	mnl_attr_put_u8(nlh, CTA_PROTOINFO_TCP_STATE, state);
	if (create) { /* else window tracking, which saw none of the packets, would drop the connection's next ones */
		if (state >= TCP_CONNTRACK_TIME_WAIT)
			flags.flags |= IP_CT_TCP_FLAG_CLOSE_INIT;
		flags.mask = flags.flags;
		mnl_attr_put(nlh, CTA_PROTOINFO_TCP_FLAGS_ORIGINAL, sizeof(flags), &flags);
		mnl_attr_put(nlh, CTA_PROTOINFO_TCP_FLAGS_REPLY, sizeof(flags), &flags);
	}
	mnl_attr_nest_end(nlh, nest);
}

static void
put_sctp(struct nlmsghdr *nlh, uint8_t state, const uint32_t vtag[2])
{
	struct nlattr *nest = mnl_attr_nest_start(nlh, CTA_PROTOINFO_SCTP);

	mnl_attr_put_u8(nlh, CTA_PROTOINFO_SCTP_STATE, state);
	put_be32(nlh, CTA_PROTOINFO_SCTP_VTAG_ORIGINAL, vtag[0]);
	put_be32(nlh, CTA_PROTOINFO_SCTP_VTAG_REPLY, vtag[1]);
	mnl_attr_nest_end(nlh, nest);
}

static void
put_dccp(struct nlmsghdr *nlh, uint8_t state, uint8_t role)
{
	struct nlattr *nest = mnl_attr_nest_start(nlh, CTA_PROTOINFO_DCCP);

	mnl_attr_put_u8(nlh, CTA_PROTOINFO_DCCP_STATE, state);
	mnl_attr_put_u8(nlh, CTA_PROTOINFO_DCCP_ROLE, role);
	mnl_attr_nest_end(nlh, nest);
}

static void
put_protoinfo(struct nlmsghdr *nlh, uint8_t proto, uint8_t state, uint8_t role, const uint32_t vtag[2], bool create)
{
	struct nlattr *nest = mnl_attr_nest_start(nlh, CTA_PROTOINFO);

	if (proto == IPPROTO_TCP)
		put_tcp(nlh, state, create);
	else if (proto == IPPROTO_SCTP)
		put_sctp(nlh, state, vtag);
	else
		put_dccp(nlh, state, role);
	mnl_attr_nest_end(nlh, nest);
}

/* The port of a translation: as given with the address, or the reply port the translation has to lead to. */
static bool
nat_port(const struct cmd *c, enum nat_side side, uint16_t *port)
{
	const struct nat_arg *n = &c->nat[side];

	*port = n->has_port ? n->port : side == NAT_SRC ? c->reply.dport : c->reply.sport;
	return n->has_port || cmd_has_proto(c, side == NAT_SRC ? FIELD_RDPORT : FIELD_RSPORT);
}

static void
put_nat(struct nlmsghdr *nlh, const struct cmd *c, enum nat_side side)
{
	const struct addr *a = &c->nat[side].addr;
	const struct family *f = &families[a->family == AF_INET6];
	struct nlattr *nest, *proto;
	uint16_t port;

	if (a->family == 0)
		return;
	nest = mnl_attr_nest_start(nlh, side == NAT_SRC ? CTA_NAT_SRC : CTA_NAT_DST);
	mnl_attr_put(nlh, f->nat_min, addr_size(a), a->u.b);
	mnl_attr_put(nlh, f->nat_max, addr_size(a), a->u.b);
	if (nat_port(c, side, &port)) {
		proto = mnl_attr_nest_start(nlh, CTA_NAT_PROTO);
		mnl_attr_put_u16(nlh, CTA_PROTONAT_PORT_MIN, htons(port));
		mnl_attr_put_u16(nlh, CTA_PROTONAT_PORT_MAX, htons(port));
		mnl_attr_nest_end(nlh, proto);
	}
	mnl_attr_nest_end(nlh, nest);
}

static void
put_helper(struct nlmsghdr *nlh, const char *name)
{
	struct nlattr *nest = mnl_attr_nest_start(nlh, CTA_HELP);

	mnl_attr_put_strz(nlh, CTA_HELP_NAME, name);
	mnl_attr_nest_end(nlh, nest);
}

struct nlmsghdr *
request_create(void *buf, const struct cmd *c, uint16_t flags)
{
	struct ct_tuple orig, reply;
	struct nlmsghdr *nlh;

	if (request_tuples(c, &orig, &reply) < 0)
		return NULL;
	nlh = nl_request(buf, CT(IPCTNL_MSG_CT_NEW), flags, c->family);
	put_tuple(nlh, CTA_TUPLE_ORIG, &orig);
	put_tuple(nlh, CTA_TUPLE_REPLY, &reply);
	if (cmd_has(c, OPT_ZONE))
		mnl_attr_put_u16(nlh, CTA_ZONE, htons(c->zone));
	put_be32(nlh, CTA_STATUS, IPS_CONFIRMED | c->status_set);
	put_be32(nlh, CTA_TIMEOUT, c->timeout);
	if (cmd_has(c, OPT_MARK))
		put_be32(nlh, CTA_MARK, c->mark);
	if (cmd_has_proto(c, FIELD_STATE))
		put_protoinfo(nlh, orig.proto, c->state, c->role, c->vtag, true);
	put_nat(nlh, c, NAT_SRC);
	put_nat(nlh, c, NAT_DST);
	if (cmd_has(c, OPT_LABEL_ADD) || cmd_has(c, OPT_SAVED_LABELS)) {
		mnl_attr_put(nlh, CTA_LABELS, LABEL_BYTES, c->add.word);
		mnl_attr_put(nlh, CTA_LABELS_MASK, LABEL_BYTES, c->add.word);
	}
	if (cmd_has(c, OPT_HELPER))
		put_helper(nlh, c->helper);
	if (cmd_has(c, OPT_MASTER))
		put_tuple(nlh, CTA_TUPLE_MASTER, &c->master);
	return nlh;
}

/* The address and protocol of an entry as the kernel sent them, and its zone. */
static void
put_same(struct nlmsghdr *nlh, const struct ct_rec *rec)
{
	mnl_attr_put(nlh, CTA_TUPLE_ORIG | NLA_F_NESTED, rec->raw_orig->nla_len - MNL_ATTR_HDRLEN,
		     (const uint8_t *)rec->raw_orig + MNL_ATTR_HDRLEN);
	if (rec->has & REC_ZONE)
		mnl_attr_put_u16(nlh, CTA_ZONE, htons(rec->zone));
}

/* A tuple attribute of unreasonable size would not fit the request. */
static bool
sane(const struct ct_rec *rec)
{
	return rec->raw_orig != NULL && rec->raw_orig->nla_len <= 512;
}

struct nlmsghdr *
request_delete(void *buf, const struct ct_rec *rec)
{
	struct nlmsghdr *nlh = nl_request(buf, CT(IPCTNL_MSG_CT_DELETE), 0, rec->family);

	if (!sane(rec)) /* without a tuple this would be a flush */
		return NULL;
	put_same(nlh, rec);
	if (rec->has & REC_ID)
		put_be32(nlh, CTA_ID, rec->id);
	return nlh;
}

struct nlmsghdr *
request_undo(void *buf, const struct nlmsghdr *created)
{
	struct ct_rec rec;

	return ct_rec_decode(&rec, created) < 0 ? NULL : request_delete(buf, &rec);
}

struct nlmsghdr *
request_get_rec(void *buf, const struct ct_rec *rec)
{
	struct nlmsghdr *nlh = nl_request(buf, CT(IPCTNL_MSG_CT_GET), 0, rec->family);

	if (!sane(rec))
		return NULL;
	put_same(nlh, rec);
	return nlh;
}

/* New label bits and the mask of those asked for. Counts as a change even where they are so already, as in 1.4.x. */
static bool
update_labels(const struct cmd *c, uint32_t value[4], uint32_t mask[4])
{
	uint32_t any = 0;

	for (unsigned i = 0; i < LABEL_BYTES / 4; i++) {
		/* nothing outside the mask: the kernel would flip it */
		value[i] = c->add.word[i];
		mask[i] = c->add.word[i] | c->del.word[i];
		any |= mask[i];
	}
	return any != 0;
}

struct update {
	uint32_t mark, status, label[4], label_mask[4];
	bool timeout, state, set_mark, set_status, set_labels;
};

static bool
plan_update(struct update *u, const struct cmd *c, const struct ct_rec *rec)
{
	uint8_t proto = rec->orig.proto;

	*u = (struct update){.mark = rec->mark, .status = rec->status};
	if (cmd_has(c, OPT_MARK)) {
		u->mark = (rec->mark & ~c->mark_mask) ^ c->mark;
		u->set_mark = u->mark != rec->mark;
	}
	u->status |= c->status_set;
	u->set_status = u->status != rec->status;
	u->timeout = cmd_has(c, OPT_TIMEOUT) && (c->timeout != rec->timeout || !(rec->has & REC_TIMEOUT));
	u->state = cmd_has_proto(c, FIELD_STATE) && state_name(proto, 0) != NULL && c->state != rec->state;
	u->state |= proto == IPPROTO_SCTP && ((cmd_has_proto(c, FIELD_OVTAG) && c->vtag[0] != rec->vtag[0]) ||
					      (cmd_has_proto(c, FIELD_RVTAG) && c->vtag[1] != rec->vtag[1]));
	u->set_labels =
		(cmd_has(c, OPT_LABEL_ADD) || cmd_has(c, OPT_LABEL_DEL)) && update_labels(c, u->label, u->label_mask);
	return u->timeout || u->state || u->set_mark || u->set_status || u->set_labels;
}

struct nlmsghdr *
request_update(void *buf, const struct cmd *c, const struct ct_rec *rec)
{
	const uint32_t vtag[2] = {cmd_has_proto(c, FIELD_OVTAG) ? c->vtag[0] : rec->vtag[0],
				  cmd_has_proto(c, FIELD_RVTAG) ? c->vtag[1] : rec->vtag[1]};
	struct nlmsghdr *nlh;
	struct update u;

	if (!sane(rec) || !plan_update(&u, c, rec))
		return NULL;
	nlh = nl_request(buf, CT(IPCTNL_MSG_CT_NEW), 0, rec->family);
	put_same(nlh, rec);
	if (u.set_status)
		put_be32(nlh, CTA_STATUS, u.status);
	if (u.timeout)
		put_be32(nlh, CTA_TIMEOUT, c->timeout);
	if (u.set_mark)
		put_be32(nlh, CTA_MARK, u.mark);
	if (u.state)
		put_protoinfo(nlh, rec->orig.proto, cmd_has_proto(c, FIELD_STATE) ? c->state : rec->state, rec->role,
			      vtag, false);
	if (u.set_labels) {
		mnl_attr_put(nlh, CTA_LABELS, LABEL_BYTES, u.label);
		mnl_attr_put(nlh, CTA_LABELS_MASK, LABEL_BYTES, u.label_mask);
	}
	return nlh;
}

struct nlmsghdr *
request_get(void *buf, const struct cmd *c)
{
	bool reply = !(cmd_has(c, OPT_SRC) && cmd_has(c, OPT_DST));
	struct nlmsghdr *nlh = nl_request(buf, CT(IPCTNL_MSG_CT_GET), 0, c->family);
	struct ct_tuple t = reply ? c->reply : c->orig;

	t.proto = c->orig.proto;
	t.icmp_type = c->orig.icmp_type;
	t.icmp_code = c->orig.icmp_code;
	t.icmp_id = c->orig.icmp_id;
	t.has = TUPLE_SPORT | TUPLE_DPORT;
	put_tuple(nlh, reply ? CTA_TUPLE_REPLY : CTA_TUPLE_ORIG, &t);
	if (cmd_has(c, OPT_ZONE))
		mnl_attr_put_u16(nlh, CTA_ZONE, htons(c->zone));
	return nlh;
}

static bool
has_fields(const struct cmd *c, uint32_t fields)
{
	return (c->proto_given & fields) == fields;
}

/* What of a protocol belongs to a tuple. ICMP fields are those of the original direction. */
static bool
has_whole_l4(const struct cmd *c, bool reply)
{
	switch (l4_name(c->orig.proto)->kind) {
	case L4_PORTS:
	case L4_KEYS:
		return has_fields(c, reply ? FIELD_BIT(FIELD_RSPORT) | FIELD_BIT(FIELD_RDPORT)
					   : FIELD_BIT(FIELD_SPORT) | FIELD_BIT(FIELD_DPORT));
	case L4_ICMP:
		return !reply && has_fields(c, FIELD_BIT(FIELD_TYPE) | FIELD_BIT(FIELD_CODE) | FIELD_BIT(FIELD_ICMPID));
	default:
		return true;
	}
}

bool
request_names_one(const struct cmd *c)
{
	bool orig = cmd_has(c, OPT_SRC) && cmd_has(c, OPT_DST), reply = cmd_has(c, OPT_RSRC) && cmd_has(c, OPT_RDST);

	if (!cmd_has(c, OPT_PROTO) || cmd_has(c, OPT_MASK_SRC) || cmd_has(c, OPT_MASK_DST) || cmd_has(c, OPT_OZONE) ||
	    cmd_has(c, OPT_RZONE))
		return false;
	return orig ? has_whole_l4(c, false) : reply && has_whole_l4(c, true);
}

struct nlmsghdr *
request_flush(void *buf, const struct cmd *c)
{
	uint16_t type = c->table == TABLE_EXPECT ? EXP(IPCTNL_MSG_EXP_DELETE) : CT(IPCTNL_MSG_CT_DELETE);
	struct nlmsghdr *nlh = nl_request(buf, type, 0, c->family);

	if (c->family != 0) /* kernels before 5.1 took any version; later ones narrow only with this one */
		((struct nfgenmsg *)mnl_nlmsg_get_payload(nlh))->version = 1;
	return nlh;
}

/* The masks of an expectation's tuple; a mask that was not given covers everything. */
static struct ct_tuple
expect_mask(const struct cmd *c)
{
	struct ct_tuple m = c->mask;

	m.src = c->mask_src.family != 0 ? c->mask_src : addr_mask(c->family, c->family == AF_INET6 ? 128 : 32);
	m.dst = c->mask_dst.family != 0 ? c->mask_dst : addr_mask(c->family, c->family == AF_INET6 ? 128 : 32);
	m.proto = c->orig.proto;
	m.has = TUPLE_SPORT | TUPLE_DPORT;
	return m;
}

struct nlmsghdr *
request_expect(void *buf, const struct cmd *c, uint16_t type, uint16_t flags)
{
	struct nlmsghdr *nlh = nl_request(buf, EXP(type), flags, c->family);
	struct ct_tuple orig = c->orig, tuple = c->tuple, mask = expect_mask(c);

	orig.has = tuple.has = TUPLE_SPORT | TUPLE_DPORT;
	tuple.proto = orig.proto;
	if (type != IPCTNL_MSG_EXP_NEW) {
		put_tuple(nlh, CTA_EXPECT_TUPLE, &orig);
		return nlh;
	}
	put_tuple(nlh, CTA_EXPECT_MASTER, &orig);
	put_tuple(nlh, CTA_EXPECT_TUPLE, &tuple);
	put_tuple(nlh, CTA_EXPECT_MASK, &mask);
	put_be32(nlh, CTA_EXPECT_TIMEOUT, c->timeout);
	return nlh;
}

static uint16_t
dump_type(const struct cmd *c)
{
	if (c->table == TABLE_EXPECT)
		return EXP(IPCTNL_MSG_EXP_GET);
	if (c->table == TABLE_DYING)
		return CT(IPCTNL_MSG_CT_GET_DYING);
	if (c->table == TABLE_UNCONFIRMED)
		return CT(IPCTNL_MSG_CT_GET_UNCONFIRMED);
	return cmd_has(c, OPT_ZERO) ? CT(IPCTNL_MSG_CT_GET_CTRZERO) : CT(IPCTNL_MSG_CT_GET);
}

static uint32_t
tuple_flags(const struct cmd *c, bool reply)
{
	const struct ct_tuple *t = reply ? &c->reply : &c->orig;
	uint32_t f = 0;

	/* Not IPv6 addresses: the kernel's comparison of those is inverted, equal ones are left out. */
	if (t->src.family == AF_INET && (reply || !cmd_has(c, OPT_MASK_SRC)))
		f |= TF_SRC;
	if (t->dst.family == AF_INET && (reply || !cmd_has(c, OPT_MASK_DST)))
		f |= TF_DST;
	if (cmd_has(c, OPT_PROTO) && (!reply || f != 0))
		f |= TF_PROTO;
	if (f & TF_PROTO && (c->orig.proto == IPPROTO_TCP || c->orig.proto == IPPROTO_UDP)) {
		f |= cmd_has_proto(c, reply ? FIELD_RSPORT : FIELD_SPORT) ? TF_SPORT : 0;
		f |= cmd_has_proto(c, reply ? FIELD_RDPORT : FIELD_DPORT) ? TF_DPORT : 0;
	}
	return f;
}

static bool
in_table(const struct cmd *c)
{
	return c->table == TABLE_CT && !cmd_has(c, OPT_ZERO);
}

static bool
narrow_mark(const struct cmd *c)
{
	return c->op != CMD_UPDATE && cmd_has(c, OPT_MARK);
}

static bool
narrow_status(const struct cmd *c)
{
	return c->op != CMD_UPDATE && (c->status_set | c->status_clear) != 0;
}

/* Zone 0 also means "has a zone in one direction only", which the kernel does not. */
static bool
narrow_zone(const struct cmd *c)
{
	return cmd_has(c, OPT_ZONE) && c->zone != 0;
}

bool
request_compares_tuples(const struct cmd *c)
{
	return in_table(c) && (tuple_flags(c, false) != 0 || tuple_flags(c, true) != 0);
}

bool
request_narrows(const struct cmd *c)
{
	return in_table(c) && (narrow_mark(c) || narrow_status(c) || narrow_zone(c) || request_compares_tuples(c));
}

static void
narrow_tuples(struct nlmsghdr *nlh, const struct cmd *c)
{
	uint32_t orig = tuple_flags(c, false), reply = tuple_flags(c, true);
	struct ct_tuple t = c->reply, o = c->orig;
	struct nlattr *nest;

	if (orig == 0 && reply == 0)
		return;
	nest = mnl_attr_nest_start(nlh, CTA_FILTER);
	mnl_attr_put_u32(nlh, CTA_FILTER_ORIG_FLAGS, orig);
	mnl_attr_put_u32(nlh, CTA_FILTER_REPLY_FLAGS, reply);
	mnl_attr_nest_end(nlh, nest);
	t.proto = c->orig.proto;
	t.has = o.has = TUPLE_SPORT | TUPLE_DPORT;
	if (orig != 0)
		put_tuple(nlh, CTA_TUPLE_ORIG, &o);
	if (reply != 0)
		put_tuple(nlh, CTA_TUPLE_REPLY, &t);
}

struct nlmsghdr *
request_dump(void *buf, const struct cmd *c, uint8_t family, bool narrow)
{
	struct nlmsghdr *nlh = nl_request(buf, dump_type(c), NLM_F_DUMP, family);

	if (c->table == TABLE_EXPECT && c->family == 0) /* as 1.4.x lists them */
		((struct nfgenmsg *)mnl_nlmsg_get_payload(nlh))->nfgen_family = AF_INET;
	if (!narrow || !in_table(c))
		return nlh;
	if (narrow_mark(c)) {
		put_be32(nlh, CTA_MARK, c->mark);
		put_be32(nlh, CTA_MARK_MASK, c->mark_mask);
	}
	if (narrow_status(c)) {
		put_be32(nlh, CTA_STATUS, c->status_set);
		put_be32(nlh, CTA_STATUS_MASK, c->status_set | c->status_clear);
	}
	if (narrow_zone(c))
		mnl_attr_put_u16(nlh, CTA_ZONE, htons(c->zone));
	narrow_tuples(nlh, c);
	return nlh;
}

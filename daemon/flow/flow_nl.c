/*
 * Flows from and to ctnetlink messages. Called for every kernel event and dump entry (reading), by commit, injection
 * and flush (writing). What is read is the kernel's; what is written may be a peer's idea of a flow, so states, status
 * bits and ICMP types are held to what ctnetlink takes.
 */
#include "flow_nl.h"

#include <errno.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_conntrack_tcp.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <netinet/in.h>

#include "ctnl.h"
#include "facts.h"

#define N(rows)         (sizeof(rows) / sizeof((rows)[0]))
#define CT_TYPE(msg)    (NFNL_SUBSYS_CTNETLINK << 8 | (msg))
#define FLOW_FIELD(f)   offsetof(struct flow, f)
#define SIDE_FIELD(f)   offsetof(struct flow_side, f)
#define SEQADJ_FIELD(f) offsetof(struct flow_seqadj, f)

static const struct nla_row flow_rows[] = {
	[CTA_STATUS] = {4, NLA_BE, FLOW_FIELD(status), FLOW_STATUS},
	[CTA_TIMEOUT] = {4, NLA_BE, FLOW_FIELD(timeout), FLOW_TIMEOUT},
	[CTA_MARK] = {4, NLA_BE, FLOW_FIELD(mark), FLOW_MARK},
	[CTA_ID] = {4, NLA_BE, FLOW_FIELD(id), FLOW_ID},
	[CTA_ZONE] = {2, NLA_BE, FLOW_FIELD(zone), FLOW_ZONE},
};

static const struct nla_row tcp_rows[] = {
	[CTA_PROTOINFO_TCP_STATE] = {1, NLA_RAW, FLOW_FIELD(state), FLOW_STATE},
	[CTA_PROTOINFO_TCP_WSCALE_ORIGINAL] = {1, NLA_RAW, FLOW_FIELD(wscale[0]), FLOW_WSCALE},
	[CTA_PROTOINFO_TCP_WSCALE_REPLY] = {1, NLA_RAW, FLOW_FIELD(wscale[1]), FLOW_WSCALE},
};

static const struct nla_row sctp_rows[] = {
	[CTA_PROTOINFO_SCTP_STATE] = {1, NLA_RAW, FLOW_FIELD(state), FLOW_STATE},
	[CTA_PROTOINFO_SCTP_VTAG_ORIGINAL] = {4, NLA_BE, FLOW_FIELD(vtag[0]), 0},
	[CTA_PROTOINFO_SCTP_VTAG_REPLY] = {4, NLA_BE, FLOW_FIELD(vtag[1]), 0},
};

static const struct nla_row dccp_rows[] = {
	[CTA_PROTOINFO_DCCP_STATE] = {1, NLA_RAW, FLOW_FIELD(state), FLOW_STATE},
	[CTA_PROTOINFO_DCCP_ROLE] = {1, NLA_RAW, FLOW_FIELD(dccp_role), 0},
};

enum { SEQADJ_POS = 1, SEQADJ_BEFORE = 2, SEQADJ_AFTER = 4, SEQADJ_ALL = 7 };
static const struct nla_row seqadj_rows[] = {
	[CTA_SEQADJ_CORRECTION_POS] = {4, NLA_BE, SEQADJ_FIELD(pos), SEQADJ_POS},
	[CTA_SEQADJ_OFFSET_BEFORE] = {4, NLA_BE, SEQADJ_FIELD(before), SEQADJ_BEFORE},
	[CTA_SEQADJ_OFFSET_AFTER] = {4, NLA_BE, SEQADJ_FIELD(after), SEQADJ_AFTER},
};

enum { SYNPROXY_ISN = 1, SYNPROXY_ITS = 2, SYNPROXY_TSOFF = 4, SYNPROXY_ALL = 7 };
static const struct nla_row synproxy_rows[] = {
	[CTA_SYNPROXY_ISN] = {4, NLA_BE, SIDE_FIELD(isn), SYNPROXY_ISN},
	[CTA_SYNPROXY_ITS] = {4, NLA_BE, SIDE_FIELD(its), SYNPROXY_ITS},
	[CTA_SYNPROXY_TSOFF] = {4, NLA_BE, SIDE_FIELD(tsoff), SYNPROXY_TSOFF},
};

/* Protocols with states: their nest, its rows, the last state every kernel knows. */
static const struct proto {
	uint8_t l4, nest, max_state, n_rows;
	const struct nla_row *rows;
} protos[] = {
	{IPPROTO_TCP, CTA_PROTOINFO_TCP, 9, N(tcp_rows), tcp_rows},
	{IPPROTO_SCTP, CTA_PROTOINFO_SCTP, 8, N(sctp_rows), sctp_rows},
	{IPPROTO_DCCP, CTA_PROTOINFO_DCCP, 7, N(dccp_rows), dccp_rows},
};

static const struct proto *
proto_of(uint8_t l4)
{
	for (size_t i = 0; i < N(protos); i++)
		if (protos[i].l4 == l4)
			return &protos[i];
	return NULL;
}

/* Reading. */

struct reader {
	struct flow *f;
	struct flow_side *scratch;
	uint8_t seqadj; /* directions seen */
	bool has_orig;
};

static struct flow_side *
side_of(struct reader *rd)
{
	if (rd->f->side == NULL) {
		memset(rd->scratch, 0, sizeof(*rd->scratch));
		rd->f->side = rd->scratch;
	}
	return rd->f->side;
}

static void
place_tuple(struct flow *f, unsigned int dir, const struct flow_tuple *t)
{
	const unsigned int w = flow_words(f);
	uint32_t *at = f->addr + 2 * dir * w;

	memcpy(at, t->src, w * sizeof(*at));
	memcpy(at + w, t->dst, w * sizeof(*at));
	f->port[2 * dir] = t->sport;
	f->port[2 * dir + 1] = t->dport;
}

static void
place_zone(struct flow *f, const struct flow_tuple *t, uint32_t direction)
{
	if (t->zone == 0)
		return;
	f->zone = t->zone;
	f->have |= direction;
}

static bool
get_orig(struct reader *rd, const struct nla *a)
{
	struct flow_tuple t;
	uint32_t have;

	if (!nla_get_tuple(a, rd->f->l3, &t, &have) || !(have & TUPLE_L4))
		return false;
	place_tuple(rd->f, 0, &t);
	place_zone(rd->f, &t, FLOW_ZONE_ORIG);
	rd->f->l4 = t.l4;
	if (have & TUPLE_PORTS)
		rd->f->have |= FLOW_PORTS;
	rd->has_orig = true;
	return true;
}

static bool
get_reply(struct reader *rd, const struct nla *a)
{
	struct flow_tuple t;
	uint32_t have;

	if (!nla_get_tuple(a, rd->f->l3, &t, &have))
		return false;
	place_tuple(rd->f, 1, &t);
	place_zone(rd->f, &t, FLOW_ZONE_REPLY);
	rd->f->have |= FLOW_REPLY;
	return true;
}

static bool
get_master(struct reader *rd, const struct nla *a)
{
	const unsigned int w = flow_words(rd->f);
	struct flow_side *s;
	struct flow_tuple t;
	uint32_t have;

	if (!nla_get_tuple(a, rd->f->l3, &t, &have) || !(have & TUPLE_L4))
		return false;
	s = side_of(rd);
	s->master_l4 = t.l4;
	s->master_has_ports = (have & TUPLE_PORTS) != 0;
	s->master_port[0] = t.sport;
	s->master_port[1] = t.dport;
	memcpy(s->master_addr, t.src, w * sizeof(t.src[0]));
	memcpy(s->master_addr + w, t.dst, w * sizeof(t.dst[0]));
	rd->f->have |= FLOW_MASTER;
	return true;
}

static bool
get_protoinfo(struct reader *rd, const struct nla *nest)
{
	struct rd r = nla_nested(nest);
	struct nla a;

	while (nla_next(&r, &a))
		for (size_t i = 0; i < N(protos); i++)
			if (protos[i].nest == a.type &&
			    !nla_get_all(&a, protos[i].rows, protos[i].n_rows, rd->f, &rd->f->have))
				return false;
	return !r.bad;
}

static bool
get_help(struct reader *rd, const struct nla *nest)
{
	struct rd r = nla_nested(nest);
	struct nla a;

	while (nla_next(&r, &a)) {
		if (a.type != CTA_HELP_NAME)
			continue;
		if (!nla_str(&a, side_of(rd)->helper, FLOW_HELPER_MAX))
			return false;
		rd->f->have |= FLOW_HELPER;
	}
	return !r.bad;
}

static bool
get_seqadj(struct reader *rd, const struct nla *a)
{
	const unsigned int dir = a->type == CTA_SEQ_ADJ_REPLY;
	uint32_t have = 0;

	if (!nla_get_all(a, seqadj_rows, N(seqadj_rows), &side_of(rd)->seqadj[dir], &have))
		return false;
	if (have == SEQADJ_ALL)
		rd->seqadj |= (uint8_t)(1U << dir);
	if (rd->seqadj == 3)
		rd->f->have |= FLOW_SEQADJ;
	return true;
}

static bool
get_synproxy(struct reader *rd, const struct nla *a)
{
	struct flow_side s = {.its = 0};
	uint32_t have = 0;

	if (!nla_get_all(a, synproxy_rows, N(synproxy_rows), &s, &have))
		return false;
	if (have != SYNPROXY_ALL)
		return true;
	rd->f->have |= s.its | s.isn | s.tsoff ? FLOW_SYNPROXY : FLOW_SYNPROXY_ZERO;
	if (rd->f->have & FLOW_SYNPROXY) {
		side_of(rd)->its = s.its;
		rd->f->side->isn = s.isn;
		rd->f->side->tsoff = s.tsoff;
	}
	return true;
}

static bool
get_labels(struct reader *rd, const struct nla *a)
{
	struct flow_side *s = side_of(rd);

	memcpy(s->label, a->data, a->len < sizeof(s->label) ? a->len : sizeof(s->label));
	rd->f->have |= FLOW_LABELS;
	return true;
}

static bool (*const getters[])(struct reader *, const struct nla *) = {
	[CTA_TUPLE_ORIG] = get_orig,      [CTA_TUPLE_REPLY] = get_reply,
	[CTA_PROTOINFO] = get_protoinfo,  [CTA_HELP] = get_help,
	[CTA_TUPLE_MASTER] = get_master,  [CTA_SEQ_ADJ_ORIG] = get_seqadj,
	[CTA_SEQ_ADJ_REPLY] = get_seqadj, [CTA_LABELS] = get_labels,
	[CTA_SYNPROXY] = get_synproxy,
};

int
flow_from_nl(const struct nlmsghdr *nlh, struct flow *f, struct flow_side *side)
{
	struct reader rd = {.f = f, .scratch = side};
	struct nfgenmsg head;
	struct rd r = nla_msg_attrs(nlh, &head);
	struct nla a;

	memset(f, 0, sizeof(*f));
	f->l3 = head.nfgen_family;
	if (!r.bad && f->l3 != AF_INET && f->l3 != AF_INET6)
		return -EAFNOSUPPORT;
	while (nla_next(&r, &a)) {
		if (a.type < N(getters) && getters[a.type] != NULL) {
			if (!getters[a.type](&rd, &a))
				return -EBADMSG;
		} else if (a.type < N(flow_rows) && flow_rows[a.type].size != 0) {
			f->have |= nla_get(&r, &flow_rows[a.type], &a, f);
		}
	}
	if (r.bad || !rd.has_orig)
		return -EBADMSG;
	if (!(f->have & FLOW_SIDE))
		f->side = NULL;
	if (f->zone == 0)
		f->have &= ~(uint32_t)FLOW_ZONE;
	return 0;
}

/* Writing. */

struct writer {
	const struct flow *f;
	const struct flow_nl_opts *o;
	struct wr w;
	uint32_t parts;
};

enum part {
	PART_REPLY = 1 << 0,
	PART_ZONE = 1 << 1,
	PART_STATUS = 1 << 2,
	PART_TIMEOUT = 1 << 3,
	PART_MARK = 1 << 4,
	PART_PROTO = 1 << 5,
	PART_HELP = 1 << 6,
	PART_NAT = 1 << 7,
	PART_MASTER = 1 << 8,
	PART_SEQADJ = 1 << 9,
	PART_SYNPROXY = 1 << 10,
	PART_LABELS = 1 << 11,
	PART_ID = 1 << 12,
	PART_RELAX = 1 << 13,
	PART_CHANGEABLE = PART_ZONE | PART_STATUS | PART_TIMEOUT | PART_MARK | PART_PROTO | PART_SEQADJ |
			  PART_SYNPROXY | PART_LABELS,
};

static struct flow_tuple
orig_tuple(const struct flow *f)
{
	const size_t len = flow_words(f) * sizeof(uint32_t);
	struct flow_tuple t = {.l4 = f->l4, .sport = f->port[0], .dport = f->port[1]};

	memcpy(t.src, flow_addr(f, ORIG_SRC), len);
	memcpy(t.dst, flow_addr(f, ORIG_DST), len);
	t.zone = f->have & FLOW_ZONE_ORIG ? f->zone : 0;
	return t;
}

/* The reply as it were without NAT: the kernel translates it itself, and only then knows that it has to translate
 * packets as well. */
static void
put_reply(struct writer *wr)
{
	struct flow plain = {.l3 = wr->f->l3, .l4 = wr->f->l4};
	const unsigned int w = flow_words(&plain);
	struct flow_tuple t = {.l4 = plain.l4};

	memcpy(plain.addr, wr->f->addr, 2 * w * sizeof(plain.addr[0]));
	memcpy(plain.port, wr->f->port, 2 * sizeof(plain.port[0]));
	flow_derive_reply(&plain, NULL);
	memcpy(t.src, flow_addr(&plain, REPL_SRC), w * sizeof(t.src[0]));
	memcpy(t.dst, flow_addr(&plain, REPL_DST), w * sizeof(t.dst[0]));
	t.sport = plain.port[2];
	t.dport = plain.port[3];
	nla_put_tuple(&wr->w, CTA_TUPLE_REPLY, plain.l3, &t);
}

static void
put_zone(struct writer *wr)
{
	if (wr->f->have & FLOW_ZONE)
		nla_put_be16(&wr->w, CTA_ZONE, wr->f->zone);
}

/* The kernel wants CONFIRMED set and EXPECTED as it has it itself: from the master, at creation not yet. NAT bits are
 * its own business; what only it may decide (dying, template, offload) is never asked for. */
static void
put_status(struct writer *wr)
{
	const uint32_t ours = IPS_SEEN_REPLY | IPS_ASSURED | IPS_FIXED_TIMEOUT | IPS_HELPER;
	uint32_t status = (wr->f->status & ours) | IPS_CONFIRMED;

	if (!(wr->parts & PART_MASTER) && wr->f->have & FLOW_MASTER)
		status |= IPS_EXPECTED;
	if (wr->f->have & FLOW_STATUS || wr->parts & PART_REPLY)
		nla_put_be32(&wr->w, CTA_STATUS, status);
}

static void
put_timeout(struct writer *wr)
{
	if (wr->o->timeout != 0 || wr->f->have & FLOW_TIMEOUT)
		nla_put_be32(&wr->w, CTA_TIMEOUT, wr->o->timeout != 0 ? wr->o->timeout : wr->f->timeout);
}

static void
put_mark(struct writer *wr)
{
	if (wr->f->have & FLOW_MARK)
		nla_put_be32(&wr->w, CTA_MARK, wr->f->mark);
}

static void
put_tcp_flags(struct writer *wr, bool wscale)
{
	struct nf_ct_tcp_flags flags = {0};

	if (wr->o->tcp_liberal)
		flags.flags |= IP_CT_TCP_FLAG_BE_LIBERAL;
	if (wscale)
		flags.flags |= IP_CT_TCP_FLAG_WINDOW_SCALE; /* without it the kernel ignores the factors */
	flags.mask = flags.flags;
	if (flags.mask == 0)
		return;
	nla_put(&wr->w, CTA_PROTOINFO_TCP_FLAGS_ORIGINAL, &flags, sizeof(flags));
	nla_put(&wr->w, CTA_PROTOINFO_TCP_FLAGS_REPLY, &flags, sizeof(flags));
}

static void
put_proto(struct writer *wr)
{
	const struct proto *p = proto_of(wr->f->l4);
	uint8_t *info, *nest;

	if (p == NULL || !(wr->f->have & FLOW_STATE))
		return;
	info = nla_nest(&wr->w, CTA_PROTOINFO);
	nest = nla_nest(&wr->w, p->nest);
	nla_put_all(&wr->w, p->rows, p->n_rows, wr->f, wr->f->have);
	if (p->l4 == IPPROTO_TCP)
		put_tcp_flags(wr, wr->f->have & FLOW_WSCALE);
	nla_nest_end(&wr->w, nest);
	nla_nest_end(&wr->w, info);
}

static void
put_help(struct writer *wr)
{
	uint8_t *nest;

	if (wr->o->no_helper || !(wr->f->have & FLOW_HELPER) || wr->f->side->helper[0] == '\0')
		return;
	nest = nla_nest(&wr->w, CTA_HELP);
	nla_put_str(&wr->w, CTA_HELP_NAME, wr->f->side->helper, FLOW_HELPER_MAX - 1);
	nla_nest_end(&wr->w, nest);
}

static bool
keeps_ports(uint8_t l4)
{
	return l4 == IPPROTO_TCP || l4 == IPPROTO_UDP || l4 == IPPROTO_SCTP || l4 == IPPROTO_DCCP ||
	       l4 == IPPROTO_UDPLITE;
}

/* One range of one address, and of one port when the protocol has any: naming it keeps the kernel from choosing. */
static void
put_nat_range(struct writer *wr, uint16_t type, const uint32_t *addr, uint16_t port, bool with_port)
{
	const bool v4 = wr->f->l3 == AF_INET;
	const size_t len = flow_words(wr->f) * sizeof(*addr);
	uint8_t *nest = nla_nest(&wr->w, type), *proto;

	nla_put(&wr->w, v4 ? CTA_NAT_V4_MINIP : CTA_NAT_V6_MINIP, addr, len);
	nla_put(&wr->w, v4 ? CTA_NAT_V4_MAXIP : CTA_NAT_V6_MAXIP, addr, len);
	if (with_port) {
		proto = nla_nest(&wr->w, CTA_NAT_PROTO);
		nla_put(&wr->w, CTA_PROTONAT_PORT_MIN, &port, sizeof(port));
		nla_put(&wr->w, CTA_PROTONAT_PORT_MAX, &port, sizeof(port));
		nla_nest_end(&wr->w, proto);
	}
	nla_nest_end(&wr->w, nest);
}

static void
put_nat(struct writer *wr)
{
	const bool ports = keeps_ports(wr->f->l4);
	struct flow_nat nat;

	flow_find_nat(wr->f, &nat);
	if (nat.snat || nat.spat)
		put_nat_range(wr, CTA_NAT_SRC, nat.snat_addr, nat.spat_port, nat.spat || ports);
	if (nat.dnat || nat.dpat)
		put_nat_range(wr, CTA_NAT_DST, nat.dnat_addr, nat.dpat_port, nat.dpat || ports);
}

static void
put_master(struct writer *wr)
{
	const unsigned int w = flow_words(wr->f);
	const struct flow_side *s = wr->f->side;
	struct flow_tuple t = {.l4 = 0};

	if (!(wr->f->have & FLOW_MASTER) || flow_is_icmp(s->master_l4))
		return;
	t.l4 = s->master_l4;
	t.sport = s->master_port[0];
	t.dport = s->master_port[1];
	memcpy(t.src, s->master_addr, w * sizeof(t.src[0]));
	memcpy(t.dst, s->master_addr + w, w * sizeof(t.dst[0]));
	nla_put_tuple(&wr->w, CTA_TUPLE_MASTER, wr->f->l3, &t);
}

static void
put_seqadj(struct writer *wr)
{
	uint8_t *nest;

	for (unsigned int dir = 0; wr->f->have & FLOW_SEQADJ && dir < 2; dir++) {
		nest = nla_nest(&wr->w, dir == 0 ? CTA_SEQ_ADJ_ORIG : CTA_SEQ_ADJ_REPLY);
		nla_put_all(&wr->w, seqadj_rows, N(seqadj_rows), &wr->f->side->seqadj[dir], SEQADJ_ALL);
		nla_nest_end(&wr->w, nest);
	}
}

static void
put_synproxy(struct writer *wr)
{
	uint8_t *nest;

	if (!(wr->f->have & FLOW_SYNPROXY))
		return;
	nest = nla_nest(&wr->w, CTA_SYNPROXY);
	nla_put_all(&wr->w, synproxy_rows, N(synproxy_rows), wr->f->side, SYNPROXY_ALL);
	nla_nest_end(&wr->w, nest);
}

static void
put_labels(struct writer *wr)
{
	if (wr->f->have & FLOW_LABELS)
		nla_put(&wr->w, CTA_LABELS, wr->f->side->label, sizeof(wr->f->side->label));
}

static void
put_id(struct writer *wr)
{
	if (wr->f->have & FLOW_ID)
		nla_put_be32(&wr->w, CTA_ID, wr->f->id);
}

static void
put_relax(struct writer *wr)
{
	uint8_t *info, *nest;

	if (wr->f->l4 != IPPROTO_TCP)
		return;
	info = nla_nest(&wr->w, CTA_PROTOINFO);
	nest = nla_nest(&wr->w, CTA_PROTOINFO_TCP);
	put_tcp_flags(wr, false);
	nla_nest_end(&wr->w, nest);
	nla_nest_end(&wr->w, info);
}

static const struct {
	uint32_t part;
	void (*put)(struct writer *);
} putters[] = {
	{PART_REPLY, put_reply},     {PART_ZONE, put_zone},         {PART_STATUS, put_status},
	{PART_TIMEOUT, put_timeout}, {PART_MARK, put_mark},         {PART_PROTO, put_proto},
	{PART_HELP, put_help},       {PART_NAT, put_nat},           {PART_MASTER, put_master},
	{PART_SEQADJ, put_seqadj},   {PART_SYNPROXY, put_synproxy}, {PART_LABELS, put_labels},
	{PART_ID, put_id},           {PART_RELAX, put_relax},
};

static const struct {
	uint16_t type, flags;
	uint32_t parts;
} ops[] = {
	[FLOW_NL_CREATE] = {IPCTNL_MSG_CT_NEW, NLM_F_REQUEST | NLM_F_CREATE | NLM_F_EXCL,
			    PART_REPLY | PART_CHANGEABLE | PART_HELP | PART_NAT | PART_MASTER},
	[FLOW_NL_UPDATE] = {IPCTNL_MSG_CT_NEW, NLM_F_REQUEST, PART_CHANGEABLE},
	[FLOW_NL_DELETE] = {IPCTNL_MSG_CT_DELETE, NLM_F_REQUEST, PART_ZONE | PART_ID},
	[FLOW_NL_GET] = {IPCTNL_MSG_CT_GET, NLM_F_REQUEST, PART_ZONE},
	[FLOW_NL_RELAX] = {IPCTNL_MSG_CT_NEW, NLM_F_REQUEST, PART_ZONE | PART_RELAX},
};

#define TCP_WSCALE_MAX 14 /* RFC 7323; the kernel shifts by what it gets */

static bool
kernel_takes(const struct flow *f, uint32_t parts, const struct flow_nl_opts *o)
{
	const struct proto *p = proto_of(f->l4);
	uint8_t type;

	memcpy(&type, &f->port[1], sizeof(type));
	if (flow_is_icmp(f->l4) && icmp_answer(f->l4, type) < 0)
		return false;
	if (parts & PART_PROTO && p != NULL && f->have & FLOW_STATE && (f->state > p->max_state || f->dccp_role > 1))
		return false;
	if (parts & PART_PROTO && f->have & FLOW_WSCALE &&
	    (f->wscale[0] > TCP_WSCALE_MAX || f->wscale[1] > TCP_WSCALE_MAX))
		return false;
	return !(parts & PART_REPLY) || (f->have & FLOW_REPLY && (f->have & FLOW_TIMEOUT || o->timeout != 0));
}

int
flow_to_nl(const struct flow *f, enum flow_nl_op op, const struct flow_nl_opts *o, uint32_t seq, void *buf, size_t size)
{
	struct writer wr = {.f = f, .o = o, .w = wr_init(buf, size), .parts = ops[op].parts};
	const struct flow_tuple orig = orig_tuple(f);

	if (!kernel_takes(f, wr.parts, o))
		return -EINVAL;
	nla_msg(&wr.w, CT_TYPE(ops[op].type), ops[op].flags, seq, f->l3);
	nla_put_tuple(&wr.w, CTA_TUPLE_ORIG, f->l3, &orig);
	for (size_t i = 0; i < N(putters); i++)
		if (wr.parts & putters[i].part)
			putters[i].put(&wr);
	return nla_msg_end(&wr.w);
}

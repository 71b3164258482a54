/*
 * Decoder of ctnetlink messages: called for every entry of a dump and for every event, so it fills a caller's struct
 * and copies nothing it can borrow. Fields of fixed size are rows (nla.h); what is nested or borrowed has a getter.
 * Trusts no length and no value in the message.
 */
#include "ctrec.h"
#include "ctnames.h"
#include "nla.h"

#include <errno.h>
#include <linux/netfilter/nfnetlink_conntrack.h>

#define N(rows)    (sizeof(rows) / sizeof((rows)[0]))
#define T_FIELD(f) offsetof(struct ct_tuple, f)
#define R_FIELD(f) offsetof(struct ct_rec, f)
#define C_FIELD(f) offsetof(struct ct_counters, f)
#define X_FIELD(f) offsetof(struct exp_rec, f)

enum { SRC4 = 1, DST4 = 2, SRC6 = 4, DST6 = 8 };
static const struct nla_row ip_rows[] = {
	[CTA_IP_V4_SRC] = {4, NLA_RAW, T_FIELD(src.u), SRC4},
	[CTA_IP_V4_DST] = {4, NLA_RAW, T_FIELD(dst.u), DST4},
	[CTA_IP_V6_SRC] = {16, NLA_RAW, T_FIELD(src.u), SRC6},
	[CTA_IP_V6_DST] = {16, NLA_RAW, T_FIELD(dst.u), DST6},
};

static const struct nla_row l4_rows[] = {
	[CTA_PROTO_NUM] = {1, NLA_RAW, T_FIELD(proto), TUPLE_PROTO},
	[CTA_PROTO_SRC_PORT] = {2, NLA_BE, T_FIELD(sport), TUPLE_SPORT},
	[CTA_PROTO_DST_PORT] = {2, NLA_BE, T_FIELD(dport), TUPLE_DPORT},
	[CTA_PROTO_ICMP_ID] = {2, NLA_BE, T_FIELD(icmp_id), TUPLE_ID},
	[CTA_PROTO_ICMP_TYPE] = {1, NLA_RAW, T_FIELD(icmp_type), TUPLE_TYPE},
	[CTA_PROTO_ICMP_CODE] = {1, NLA_RAW, T_FIELD(icmp_code), TUPLE_CODE},
	[CTA_PROTO_ICMPV6_ID] = {2, NLA_BE, T_FIELD(icmp_id), TUPLE_ID},
	[CTA_PROTO_ICMPV6_TYPE] = {1, NLA_RAW, T_FIELD(icmp_type), TUPLE_TYPE},
	[CTA_PROTO_ICMPV6_CODE] = {1, NLA_RAW, T_FIELD(icmp_code), TUPLE_CODE},
};

static const struct nla_row zone_row = {2, NLA_BE, T_FIELD(zone), TUPLE_ZONE};

static const struct nla_row count_rows[] = {
	[CTA_COUNTERS_PACKETS] = {8, NLA_BE, C_FIELD(packets), 0},
	[CTA_COUNTERS_BYTES] = {8, NLA_BE, C_FIELD(bytes), 0},
};

static const struct nla_row time_rows[] = {
	[CTA_TIMESTAMP_START] = {8, NLA_BE, R_FIELD(start), REC_START},
	[CTA_TIMESTAMP_STOP] = {8, NLA_BE, R_FIELD(stop), REC_STOP},
};

static const struct nla_row tcp_rows[] = {
	[CTA_PROTOINFO_TCP_STATE] = {1, NLA_RAW, R_FIELD(state), REC_STATE},
};
static const struct nla_row dccp_rows[] = {
	[CTA_PROTOINFO_DCCP_STATE] = {1, NLA_RAW, R_FIELD(state), REC_STATE},
	[CTA_PROTOINFO_DCCP_ROLE] = {1, NLA_RAW, R_FIELD(role), REC_ROLE},
};
static const struct nla_row sctp_rows[] = {
	[CTA_PROTOINFO_SCTP_STATE] = {1, NLA_RAW, R_FIELD(state), REC_STATE},
	[CTA_PROTOINFO_SCTP_VTAG_ORIGINAL] = {4, NLA_BE, R_FIELD(vtag[0]), REC_VTAGS},
	[CTA_PROTOINFO_SCTP_VTAG_REPLY] = {4, NLA_BE, R_FIELD(vtag[1]), REC_VTAGS},
};

static const struct {
	const struct nla_row *rows;
	size_t n;
} protoinfo[] = {
	[CTA_PROTOINFO_TCP] = {tcp_rows, N(tcp_rows)},
	[CTA_PROTOINFO_DCCP] = {dccp_rows, N(dccp_rows)},
	[CTA_PROTOINFO_SCTP] = {sctp_rows, N(sctp_rows)},
};

static const struct nla_row ct_rows[] = {
	[CTA_STATUS] = {4, NLA_BE, R_FIELD(status), REC_STATUS},
	[CTA_TIMEOUT] = {4, NLA_BE, R_FIELD(timeout), REC_TIMEOUT},
	[CTA_MARK] = {4, NLA_BE, R_FIELD(mark), REC_MARK},
	[CTA_USE] = {4, NLA_BE, R_FIELD(use), REC_USE},
	[CTA_ID] = {4, NLA_BE, R_FIELD(id), REC_ID},
	[CTA_SECMARK] = {4, NLA_BE, R_FIELD(secmark), REC_SECMARK},
	[CTA_ZONE] = {2, NLA_BE, R_FIELD(zone), REC_ZONE},
	[CTA_EVENT_TIME] = {8, NLA_BE, R_FIELD(event_time), REC_EVENT_TIME},
};

static const struct nla_row exp_rows[] = {
	[CTA_EXPECT_TIMEOUT] = {4, NLA_BE, X_FIELD(timeout), EXP_TIMEOUT},
	[CTA_EXPECT_ID] = {4, NLA_BE, X_FIELD(id), EXP_ID},
	[CTA_EXPECT_ZONE] = {2, NLA_BE, X_FIELD(zone), EXP_ZONE},
	[CTA_EXPECT_FLAGS] = {4, NLA_BE, X_FIELD(exp_flags), EXP_FLAGS},
	[CTA_EXPECT_CLASS] = {4, NLA_BE, X_FIELD(class), EXP_CLASS},
};

static bool
get_addrs(struct ct_tuple *t, const struct nla *nest)
{
	uint32_t seen = 0;

	if (!nla_get_all(nest, ip_rows, N(ip_rows), t, &seen))
		return false;
	if (seen & (SRC4 | SRC6)) {
		t->src.family = seen & SRC4 ? AF_INET : AF_INET6;
		t->has |= TUPLE_SRC;
	}
	if (seen & (DST4 | DST6)) {
		t->dst.family = seen & DST4 ? AF_INET : AF_INET6;
		t->has |= TUPLE_DST;
	}
	return true;
}

static bool
get_tuple(struct ct_tuple *t, const struct nla *nest)
{
	struct rd r = nla_nested(nest);
	struct nla a;

	while (nla_next(&r, &a)) {
		if (a.type == CTA_TUPLE_IP && !get_addrs(t, &a))
			return false;
		if (a.type == CTA_TUPLE_PROTO && !nla_get_all(&a, l4_rows, N(l4_rows), t, &t->has))
			return false;
		if (a.type == CTA_TUPLE_ZONE)
			t->has |= nla_get(&r, &zone_row, &a, t);
	}
	return !r.bad;
}

/* A string attribute with or without its terminator. */
static bool
get_text(struct text *t, const struct nla *a)
{
	*t = (struct text){(const char *)a->data, strnlen((const char *)a->data, a->len)};
	return a->len > 0;
}

/* The one string that matters in a nest. */
static bool
get_nested_text(struct text *t, const struct nla *nest, uint16_t type)
{
	struct rd r = nla_nested(nest);
	struct nla a;

	while (nla_next(&r, &a))
		if (a.type == type && !get_text(t, &a))
			return false;
	return !r.bad;
}

static bool
get_protoinfo(struct ct_rec *rec, const struct nla *nest)
{
	struct rd r = nla_nested(nest);
	struct nla a;

	while (nla_next(&r, &a))
		if (a.type < N(protoinfo) &&
		    !nla_get_all(&a, protoinfo[a.type].rows, protoinfo[a.type].n, rec, &rec->has))
			return false;
	return !r.bad;
}

static bool
get_counters(struct ct_rec *rec, unsigned dir, const struct nla *nest)
{
	rec->has |= dir == 0 ? REC_COUNT_ORIG : REC_COUNT_REPLY;
	return nla_get_all(nest, count_rows, N(count_rows), &rec->count[dir], &rec->has);
}

static bool
get_labels(struct ct_rec *rec, const struct nla *a)
{
	const unsigned words = a->len / 4;

	rec->labels = a->data;
	rec->label_words = words < CT_LABEL_WORDS_MAX ? words : CT_LABEL_WORDS_MAX;
	return true;
}

static bool
get_ct(struct ct_rec *rec, struct rd *r, const struct nla *a)
{
	switch (a->type) {
	case CTA_TUPLE_ORIG:
		rec->has |= REC_ORIG;
		rec->raw_orig = (const struct nlattr *)(const void *)(a->data - sizeof(struct nlattr));
		return get_tuple(&rec->orig, a);
	case CTA_TUPLE_REPLY:
		rec->has |= REC_REPLY;
		return get_tuple(&rec->reply, a);
	case CTA_TUPLE_MASTER:
		rec->has |= REC_MASTER;
		return get_tuple(&rec->master, a);
	case CTA_PROTOINFO:
		return get_protoinfo(rec, a);
	case CTA_COUNTERS_ORIG:
	case CTA_COUNTERS_REPLY:
		return get_counters(rec, a->type == CTA_COUNTERS_REPLY, a);
	case CTA_TIMESTAMP:
		return nla_get_all(a, time_rows, N(time_rows), rec, &rec->has);
	case CTA_HELP:
		return get_nested_text(&rec->helper, a, CTA_HELP_NAME);
	case CTA_SECCTX:
		return get_nested_text(&rec->secctx, a, CTA_SECCTX_NAME);
	case CTA_LABELS:
		return get_labels(rec, a);
	default:
		if (a->type < N(ct_rows) && ct_rows[a->type].size != 0)
			rec->has |= nla_get(r, &ct_rows[a->type], a, rec);
		return true;
	}
}

static bool
get_exp(struct exp_rec *rec, struct rd *r, const struct nla *a)
{
	switch (a->type) {
	case CTA_EXPECT_MASTER:
		rec->has |= EXP_MASTER;
		return get_tuple(&rec->master, a);
	case CTA_EXPECT_TUPLE:
		rec->has |= EXP_TUPLE;
		return get_tuple(&rec->tuple, a);
	case CTA_EXPECT_MASK:
		rec->has |= EXP_MASK;
		return get_tuple(&rec->mask, a);
	case CTA_EXPECT_HELP_NAME:
		return get_text(&rec->helper, a);
	default:
		if (a->type < N(exp_rows) && exp_rows[a->type].size != 0)
			rec->has |= nla_get(r, &exp_rows[a->type], a, rec);
		return true;
	}
}

int
ct_rec_decode(struct ct_rec *rec, const struct nlmsghdr *nlh)
{
	struct nfgenmsg head;
	struct rd r = nla_msg_attrs(nlh, &head);
	struct nla a;

	memset(rec, 0, sizeof(*rec));
	rec->family = head.nfgen_family;
	rec->type = nlh->nlmsg_type & 0xff;
	rec->flags = nlh->nlmsg_flags;
	rec->portid = nlh->nlmsg_pid;
	while (nla_next(&r, &a))
		if (!get_ct(rec, &r, &a))
			return -EBADMSG;
	return r.bad ? -EBADMSG : 0;
}

int
exp_rec_decode(struct exp_rec *rec, const struct nlmsghdr *nlh)
{
	struct nfgenmsg head;
	struct rd r = nla_msg_attrs(nlh, &head);
	struct nla a;

	memset(rec, 0, sizeof(*rec));
	rec->family = head.nfgen_family;
	rec->type = nlh->nlmsg_type & 0xff;
	rec->flags = nlh->nlmsg_flags;
	rec->portid = nlh->nlmsg_pid;
	while (nla_next(&r, &a))
		if (!get_exp(rec, &r, &a))
			return -EBADMSG;
	return r.bad ? -EBADMSG : 0;
}

bool
ct_rec_label(const struct ct_rec *rec, unsigned n)
{
	uint32_t word;

	if (n / 32 >= rec->label_words)
		return false;
	memcpy(&word, rec->labels + n / 32 * 4, sizeof(word));
	return word >> n % 32 & 1;
}

static uint16_t
src_id(const struct ct_tuple *t)
{
	return t->has & TUPLE_ID ? t->icmp_id : t->sport;
}

static uint16_t
dst_id(const struct ct_tuple *t)
{
	return t->has & TUPLE_ID ? t->icmp_id : t->dport;
}

bool
ct_rec_snat(const struct ct_rec *rec)
{
	return rec->status & IPS_SRC_NAT_DONE &&
	       (!addr_equal(&rec->orig.src, &rec->reply.dst) || src_id(&rec->orig) != dst_id(&rec->reply));
}

bool
ct_rec_dnat(const struct ct_rec *rec)
{
	return rec->status & IPS_DST_NAT_DONE &&
	       (!addr_equal(&rec->orig.dst, &rec->reply.src) ||
		(l4_name(rec->orig.proto)->kind != L4_ICMP && rec->orig.dport != rec->reply.sport));
}

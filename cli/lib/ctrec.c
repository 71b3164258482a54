/*
 * Decoder of ctnetlink messages, one row per attribute: called for every entry of a dump and for every event, so it
 * fills a caller's struct and copies nothing it can borrow. Trusts no length and no value in the message.
 */
#include "ctrec.h"
#include "attr.h"
#include "ctnames.h"

#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>

#define NITEMS(a) (sizeof(a) / sizeof((a)[0]))

/* How an attribute is read: at least len bytes, else the message is malformed. */
struct row {
	void (*read)(void *dst, const struct attr *a, struct rd *up);
	uint16_t len;
};

/* Reads all attributes of r through rows; up->bad tells of nested ones that were malformed. */
static void
walk(struct rd *r, const struct row *rows, size_t n, void *dst)
{
	struct attr a;

	while (attr_next(r, &a)) {
		if (a.type >= n || rows[a.type].read == NULL)
			continue;
		if (a.len < rows[a.type].len) {
			r->bad = true;
			return;
		}
		rows[a.type].read(dst, &a, r);
	}
}

static void
nest(const struct attr *a, struct rd *up, const struct row *rows, size_t n, void *dst)
{
	struct rd r = attr_nest(a);

	walk(&r, rows, n, dst);
	up->bad |= r.bad;
}

static void
read_addr(struct addr *d, const struct attr *a, uint8_t family)
{
	d->family = family;
	memcpy(d->u.b, a->data, family == AF_INET ? 4 : 16);
}

static void
v4_src(void *dst, const struct attr *a, struct rd *up)
{
	struct ct_tuple *t = dst;

	(void)up;
	read_addr(&t->src, a, AF_INET);
	t->has |= TUPLE_SRC;
}

static void
v4_dst(void *dst, const struct attr *a, struct rd *up)
{
	struct ct_tuple *t = dst;

	(void)up;
	read_addr(&t->dst, a, AF_INET);
	t->has |= TUPLE_DST;
}

static void
v6_src(void *dst, const struct attr *a, struct rd *up)
{
	struct ct_tuple *t = dst;

	(void)up;
	read_addr(&t->src, a, AF_INET6);
	t->has |= TUPLE_SRC;
}

static void
v6_dst(void *dst, const struct attr *a, struct rd *up)
{
	struct ct_tuple *t = dst;

	(void)up;
	read_addr(&t->dst, a, AF_INET6);
	t->has |= TUPLE_DST;
}

static const struct row ip_rows[] = {
	[CTA_IP_V4_SRC] = {v4_src, 4},
	[CTA_IP_V4_DST] = {v4_dst, 4},
	[CTA_IP_V6_SRC] = {v6_src, 16},
	[CTA_IP_V6_DST] = {v6_dst, 16},
};

static void
l4_num(void *dst, const struct attr *a, struct rd *up)
{
	struct ct_tuple *t = dst;

	(void)up;
	t->proto = a->data[0];
	t->has |= TUPLE_PROTO;
}

static void
l4_sport(void *dst, const struct attr *a, struct rd *up)
{
	struct ct_tuple *t = dst;

	(void)up;
	t->sport = attr_be16(a);
	t->has |= TUPLE_SPORT;
}

static void
l4_dport(void *dst, const struct attr *a, struct rd *up)
{
	struct ct_tuple *t = dst;

	(void)up;
	t->dport = attr_be16(a);
	t->has |= TUPLE_DPORT;
}

static void
l4_type(void *dst, const struct attr *a, struct rd *up)
{
	struct ct_tuple *t = dst;

	(void)up;
	t->icmp_type = a->data[0];
	t->has |= TUPLE_TYPE;
}

static void
l4_code(void *dst, const struct attr *a, struct rd *up)
{
	struct ct_tuple *t = dst;

	(void)up;
	t->icmp_code = a->data[0];
	t->has |= TUPLE_CODE;
}

static void
l4_id(void *dst, const struct attr *a, struct rd *up)
{
	struct ct_tuple *t = dst;

	(void)up;
	t->icmp_id = attr_be16(a);
	t->has |= TUPLE_ID;
}

static const struct row l4_rows[] = {
	[CTA_PROTO_NUM] = {l4_num, 1},          [CTA_PROTO_SRC_PORT] = {l4_sport, 2},
	[CTA_PROTO_DST_PORT] = {l4_dport, 2},   [CTA_PROTO_ICMP_ID] = {l4_id, 2},
	[CTA_PROTO_ICMP_TYPE] = {l4_type, 1},   [CTA_PROTO_ICMP_CODE] = {l4_code, 1},
	[CTA_PROTO_ICMPV6_ID] = {l4_id, 2},     [CTA_PROTO_ICMPV6_TYPE] = {l4_type, 1},
	[CTA_PROTO_ICMPV6_CODE] = {l4_code, 1},
};

static void
tuple_ip(void *dst, const struct attr *a, struct rd *up)
{
	nest(a, up, ip_rows, NITEMS(ip_rows), dst);
}

static void
tuple_l4(void *dst, const struct attr *a, struct rd *up)
{
	nest(a, up, l4_rows, NITEMS(l4_rows), dst);
}

static void
tuple_zone(void *dst, const struct attr *a, struct rd *up)
{
	struct ct_tuple *t = dst;

	(void)up;
	t->zone = attr_be16(a);
	t->has |= TUPLE_ZONE;
}

static const struct row tuple_rows[] = {
	[CTA_TUPLE_IP] = {tuple_ip, 0},
	[CTA_TUPLE_PROTO] = {tuple_l4, 0},
	[CTA_TUPLE_ZONE] = {tuple_zone, 2},
};

static void
read_tuple(struct ct_tuple *t, const struct attr *a, struct rd *up)
{
	nest(a, up, tuple_rows, NITEMS(tuple_rows), t);
}

static void
rec_orig(void *dst, const struct attr *a, struct rd *up)
{
	struct ct_rec *rec = dst;

	rec->raw_orig = (const struct nlattr *)(const void *)(a->data - sizeof(struct nlattr));
	rec->has |= REC_ORIG;
	read_tuple(&rec->orig, a, up);
}

static void
rec_reply(void *dst, const struct attr *a, struct rd *up)
{
	struct ct_rec *rec = dst;

	rec->has |= REC_REPLY;
	read_tuple(&rec->reply, a, up);
}

static void
rec_master(void *dst, const struct attr *a, struct rd *up)
{
	struct ct_rec *rec = dst;

	rec->has |= REC_MASTER;
	read_tuple(&rec->master, a, up);
}

static void
rec_status(void *dst, const struct attr *a, struct rd *up)
{
	struct ct_rec *rec = dst;

	(void)up;
	rec->status = attr_be32(a);
	rec->has |= REC_STATUS;
}

static void
rec_timeout(void *dst, const struct attr *a, struct rd *up)
{
	struct ct_rec *rec = dst;

	(void)up;
	rec->timeout = attr_be32(a);
	rec->has |= REC_TIMEOUT;
}

static void
rec_mark(void *dst, const struct attr *a, struct rd *up)
{
	struct ct_rec *rec = dst;

	(void)up;
	rec->mark = attr_be32(a);
	rec->has |= REC_MARK;
}

static void
rec_secmark(void *dst, const struct attr *a, struct rd *up)
{
	struct ct_rec *rec = dst;

	(void)up;
	rec->secmark = attr_be32(a);
	rec->has |= REC_SECMARK;
}

static void
rec_use(void *dst, const struct attr *a, struct rd *up)
{
	struct ct_rec *rec = dst;

	(void)up;
	rec->use = attr_be32(a);
	rec->has |= REC_USE;
}

static void
rec_id(void *dst, const struct attr *a, struct rd *up)
{
	struct ct_rec *rec = dst;

	(void)up;
	rec->id = attr_be32(a);
	rec->has |= REC_ID;
}

static void
rec_zone(void *dst, const struct attr *a, struct rd *up)
{
	struct ct_rec *rec = dst;

	(void)up;
	rec->zone = attr_be16(a);
	rec->has |= REC_ZONE;
}

static void
rec_event_time(void *dst, const struct attr *a, struct rd *up)
{
	struct ct_rec *rec = dst;

	(void)up;
	rec->event_time = attr_be64(a);
	rec->has |= REC_EVENT_TIME;
}

static void
rec_labels(void *dst, const struct attr *a, struct rd *up)
{
	struct ct_rec *rec = dst;
	unsigned words = a->len / 4;

	(void)up;
	rec->labels = a->data;
	rec->label_words = words < CT_LABEL_WORDS_MAX ? words : CT_LABEL_WORDS_MAX;
}

static void
count_packets(void *dst, const struct attr *a, struct rd *up)
{
	(void)up;
	((struct ct_counters *)dst)->packets = attr_be64(a);
}

static void
count_bytes(void *dst, const struct attr *a, struct rd *up)
{
	(void)up;
	((struct ct_counters *)dst)->bytes = attr_be64(a);
}

static void
count_packets32(void *dst, const struct attr *a, struct rd *up)
{
	(void)up;
	((struct ct_counters *)dst)->packets = attr_be32(a);
}

static void
count_bytes32(void *dst, const struct attr *a, struct rd *up)
{
	(void)up;
	((struct ct_counters *)dst)->bytes = attr_be32(a);
}

static const struct row count_rows[] = {
	[CTA_COUNTERS_PACKETS] = {count_packets, 8},
	[CTA_COUNTERS_BYTES] = {count_bytes, 8},
	[CTA_COUNTERS32_PACKETS] = {count_packets32, 4},
	[CTA_COUNTERS32_BYTES] = {count_bytes32, 4},
};

static void
rec_count_orig(void *dst, const struct attr *a, struct rd *up)
{
	struct ct_rec *rec = dst;

	rec->has |= REC_COUNT_ORIG;
	nest(a, up, count_rows, NITEMS(count_rows), &rec->count[0]);
}

static void
rec_count_reply(void *dst, const struct attr *a, struct rd *up)
{
	struct ct_rec *rec = dst;

	rec->has |= REC_COUNT_REPLY;
	nest(a, up, count_rows, NITEMS(count_rows), &rec->count[1]);
}

static void
time_start(void *dst, const struct attr *a, struct rd *up)
{
	struct ct_rec *rec = dst;

	(void)up;
	rec->start = attr_be64(a);
	rec->has |= REC_START;
}

static void
time_stop(void *dst, const struct attr *a, struct rd *up)
{
	struct ct_rec *rec = dst;

	(void)up;
	rec->stop = attr_be64(a);
	rec->has |= REC_STOP;
}

static const struct row time_rows[] = {
	[CTA_TIMESTAMP_START] = {time_start, 8},
	[CTA_TIMESTAMP_STOP] = {time_stop, 8},
};

static void
rec_time(void *dst, const struct attr *a, struct rd *up)
{
	nest(a, up, time_rows, NITEMS(time_rows), dst);
}

/* A string attribute with or without its terminator. */
static struct text
read_text(const struct attr *a)
{
	return (struct text){(const char *)a->data, strnlen((const char *)a->data, a->len)};
}

static void
help_name(void *dst, const struct attr *a, struct rd *up)
{
	(void)up;
	((struct ct_rec *)dst)->helper = read_text(a);
}

static const struct row help_rows[] = {[CTA_HELP_NAME] = {help_name, 1}};

static void
rec_help(void *dst, const struct attr *a, struct rd *up)
{
	nest(a, up, help_rows, NITEMS(help_rows), dst);
}

static void
secctx_name(void *dst, const struct attr *a, struct rd *up)
{
	(void)up;
	((struct ct_rec *)dst)->secctx = read_text(a);
}

static const struct row secctx_rows[] = {[CTA_SECCTX_NAME] = {secctx_name, 1}};

static void
rec_secctx(void *dst, const struct attr *a, struct rd *up)
{
	nest(a, up, secctx_rows, NITEMS(secctx_rows), dst);
}

static void
info_state(void *dst, const struct attr *a, struct rd *up)
{
	struct ct_rec *rec = dst;

	(void)up;
	rec->state = a->data[0];
	rec->has |= REC_STATE;
}

static void
info_role(void *dst, const struct attr *a, struct rd *up)
{
	struct ct_rec *rec = dst;

	(void)up;
	rec->role = a->data[0];
	rec->has |= REC_ROLE;
}

static void
info_vtag_orig(void *dst, const struct attr *a, struct rd *up)
{
	struct ct_rec *rec = dst;

	(void)up;
	rec->vtag[0] = attr_be32(a);
	rec->has |= REC_VTAGS;
}

static void
info_vtag_reply(void *dst, const struct attr *a, struct rd *up)
{
	struct ct_rec *rec = dst;

	(void)up;
	rec->vtag[1] = attr_be32(a);
	rec->has |= REC_VTAGS;
}

static const struct row tcp_rows[] = {[CTA_PROTOINFO_TCP_STATE] = {info_state, 1}};
static const struct row dccp_rows[] = {
	[CTA_PROTOINFO_DCCP_STATE] = {info_state, 1},
	[CTA_PROTOINFO_DCCP_ROLE] = {info_role, 1},
};
static const struct row sctp_rows[] = {
	[CTA_PROTOINFO_SCTP_STATE] = {info_state, 1},
	[CTA_PROTOINFO_SCTP_VTAG_ORIGINAL] = {info_vtag_orig, 4},
	[CTA_PROTOINFO_SCTP_VTAG_REPLY] = {info_vtag_reply, 4},
};

static void
info_tcp(void *dst, const struct attr *a, struct rd *up)
{
	nest(a, up, tcp_rows, NITEMS(tcp_rows), dst);
}

static void
info_dccp(void *dst, const struct attr *a, struct rd *up)
{
	nest(a, up, dccp_rows, NITEMS(dccp_rows), dst);
}

static void
info_sctp(void *dst, const struct attr *a, struct rd *up)
{
	nest(a, up, sctp_rows, NITEMS(sctp_rows), dst);
}

static const struct row info_rows[] = {
	[CTA_PROTOINFO_TCP] = {info_tcp, 0},
	[CTA_PROTOINFO_DCCP] = {info_dccp, 0},
	[CTA_PROTOINFO_SCTP] = {info_sctp, 0},
};

static void
rec_info(void *dst, const struct attr *a, struct rd *up)
{
	nest(a, up, info_rows, NITEMS(info_rows), dst);
}

static const struct row ct_rows[] = {
	[CTA_TUPLE_ORIG] = {rec_orig, 0},
	[CTA_TUPLE_REPLY] = {rec_reply, 0},
	[CTA_STATUS] = {rec_status, 4},
	[CTA_PROTOINFO] = {rec_info, 0},
	[CTA_HELP] = {rec_help, 0},
	[CTA_TIMEOUT] = {rec_timeout, 4},
	[CTA_MARK] = {rec_mark, 4},
	[CTA_COUNTERS_ORIG] = {rec_count_orig, 0},
	[CTA_COUNTERS_REPLY] = {rec_count_reply, 0},
	[CTA_USE] = {rec_use, 4},
	[CTA_ID] = {rec_id, 4},
	[CTA_TUPLE_MASTER] = {rec_master, 0},
	[CTA_SECMARK] = {rec_secmark, 4},
	[CTA_ZONE] = {rec_zone, 2},
	[CTA_SECCTX] = {rec_secctx, 0},
	[CTA_TIMESTAMP] = {rec_time, 0},
	[CTA_LABELS] = {rec_labels, 0},
	[CTA_EVENT_TIME] = {rec_event_time, 8},
};

static void
exp_master(void *dst, const struct attr *a, struct rd *up)
{
	struct exp_rec *rec = dst;

	rec->has |= EXP_MASTER;
	read_tuple(&rec->master, a, up);
}

static void
exp_tuple(void *dst, const struct attr *a, struct rd *up)
{
	struct exp_rec *rec = dst;

	rec->has |= EXP_TUPLE;
	read_tuple(&rec->tuple, a, up);
}

static void
exp_mask(void *dst, const struct attr *a, struct rd *up)
{
	struct exp_rec *rec = dst;

	rec->has |= EXP_MASK;
	read_tuple(&rec->mask, a, up);
}

static void
exp_timeout(void *dst, const struct attr *a, struct rd *up)
{
	struct exp_rec *rec = dst;

	(void)up;
	rec->timeout = attr_be32(a);
	rec->has |= EXP_TIMEOUT;
}

static void
exp_id(void *dst, const struct attr *a, struct rd *up)
{
	struct exp_rec *rec = dst;

	(void)up;
	rec->id = attr_be32(a);
	rec->has |= EXP_ID;
}

static void
exp_help(void *dst, const struct attr *a, struct rd *up)
{
	(void)up;
	((struct exp_rec *)dst)->helper = read_text(a);
}

static void
exp_zone(void *dst, const struct attr *a, struct rd *up)
{
	struct exp_rec *rec = dst;

	(void)up;
	rec->zone = attr_be16(a);
	rec->has |= EXP_ZONE;
}

static void
exp_flags(void *dst, const struct attr *a, struct rd *up)
{
	struct exp_rec *rec = dst;

	(void)up;
	rec->exp_flags = attr_be32(a);
	rec->has |= EXP_FLAGS;
}

static void
exp_class(void *dst, const struct attr *a, struct rd *up)
{
	struct exp_rec *rec = dst;

	(void)up;
	rec->class = attr_be32(a);
	rec->has |= EXP_CLASS;
}

static const struct row exp_rows[] = {
	[CTA_EXPECT_MASTER] = {exp_master, 0}, [CTA_EXPECT_TUPLE] = {exp_tuple, 0},
	[CTA_EXPECT_MASK] = {exp_mask, 0},     [CTA_EXPECT_TIMEOUT] = {exp_timeout, 4},
	[CTA_EXPECT_ID] = {exp_id, 4},         [CTA_EXPECT_HELP_NAME] = {exp_help, 1},
	[CTA_EXPECT_ZONE] = {exp_zone, 2},     [CTA_EXPECT_FLAGS] = {exp_flags, 4},
	[CTA_EXPECT_CLASS] = {exp_class, 4},
};

/* The attributes behind both headers; bad when the message is too short for them. */
static struct rd
message(const struct nlmsghdr *nlh, uint8_t *family)
{
	struct rd r = rd_init(nlh, nlh->nlmsg_len);
	const uint8_t *head = rd_take(&r, NLMSG_HDRLEN + sizeof(struct nfgenmsg));

	*family = head != NULL ? head[NLMSG_HDRLEN] : 0;
	return r;
}

int
ct_rec_decode(struct ct_rec *rec, const struct nlmsghdr *nlh)
{
	struct rd r;

	memset(rec, 0, sizeof(*rec));
	r = message(nlh, &rec->family);
	if (r.bad)
		return -EBADMSG;
	rec->type = nlh->nlmsg_type & 0xff;
	rec->flags = nlh->nlmsg_flags;
	rec->portid = nlh->nlmsg_pid;
	walk(&r, ct_rows, NITEMS(ct_rows), rec);
	return r.bad ? -EBADMSG : 0;
}

int
exp_rec_decode(struct exp_rec *rec, const struct nlmsghdr *nlh)
{
	struct rd r;

	memset(rec, 0, sizeof(*rec));
	r = message(nlh, &rec->family);
	if (r.bad)
		return -EBADMSG;
	rec->type = nlh->nlmsg_type & 0xff;
	rec->flags = nlh->nlmsg_flags;
	rec->portid = nlh->nlmsg_pid;
	walk(&r, exp_rows, NITEMS(exp_rows), rec);
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

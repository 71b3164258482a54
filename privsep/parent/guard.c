/*
 * The guard in front of the kernel. A worker's bytes are not trusted:
 * types and flags, known attributes, exact sizes, required ones, no duplicates, nothing behind.
 */
#include "guard.h"

#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <stdbool.h>
#include <sys/socket.h>

#include "nlmsg.h"
#include "msg_rules.h"

/* One attribute: its exact payload size, or how it differs; a nest names its set. Zero: not known. */
#define NEED      0x100 /* required */
#define UP_TO     0x200 /* at most that long, at least 1 */
#define TEXT      0x400 /* so, terminated, and no terminator before the end */
#define NEST(set) (0x800 | (set))
#define MOST(n)   ((n) << 12) /* a number of 1 to 4 octets, at most this, which not every kernel checks */
#define RULE_LOW  0xff

/* one set a paragraph, not one attribute a line */
/* clang-format off */
enum set { IP4, IP6, TUPLE, PROTO, INFO, TCP, DCCP, SCTP, NAT, RANGE, HELP, ADJ, SYN, EXPNAT, CONN, EXPECT, NOTHING, SETS };
static const uint16_t sets[SETS][32] = {
	[IP4] = {[CTA_IP_V4_SRC] = NEED | 4, [CTA_IP_V4_DST] = NEED | 4},
	[IP6] = {[CTA_IP_V6_SRC] = NEED | 16, [CTA_IP_V6_DST] = NEED | 16},
	/* IP4 stands for the set of the family of the message */
	[TUPLE] = {[CTA_TUPLE_IP] = NEED | NEST(IP4), [CTA_TUPLE_PROTO] = NEED | NEST(PROTO), [CTA_TUPLE_ZONE] = 2},
	[PROTO] = {[CTA_PROTO_NUM] = NEED | 1, [CTA_PROTO_SRC_PORT] = 2, [CTA_PROTO_DST_PORT] = 2,
		[CTA_PROTO_ICMP_ID] = 2, [CTA_PROTO_ICMP_TYPE] = 1, [CTA_PROTO_ICMP_CODE] = 1,
		[CTA_PROTO_ICMPV6_ID] = 2, [CTA_PROTO_ICMPV6_TYPE] = 1, [CTA_PROTO_ICMPV6_CODE] = 1},
	[INFO] = {[CTA_PROTOINFO_TCP] = NEST(TCP), [CTA_PROTOINFO_DCCP] = NEST(DCCP), [CTA_PROTOINFO_SCTP] = NEST(SCTP)},
	[TCP] = {[CTA_PROTOINFO_TCP_STATE] = 1 | MOST(9), [CTA_PROTOINFO_TCP_WSCALE_ORIGINAL] = 1 | MOST(14),
		[CTA_PROTOINFO_TCP_WSCALE_REPLY] = 1 | MOST(14), [CTA_PROTOINFO_TCP_FLAGS_ORIGINAL] = 2,
		[CTA_PROTOINFO_TCP_FLAGS_REPLY] = 2},
	[DCCP] = {[CTA_PROTOINFO_DCCP_STATE] = NEED | 1 | MOST(7), [CTA_PROTOINFO_DCCP_ROLE] = NEED | 1 | MOST(1),
		[CTA_PROTOINFO_DCCP_HANDSHAKE_SEQ] = 8},
	[SCTP] = {[CTA_PROTOINFO_SCTP_STATE] = NEED | 1 | MOST(8), [CTA_PROTOINFO_SCTP_VTAG_ORIGINAL] = NEED | 4,
		[CTA_PROTOINFO_SCTP_VTAG_REPLY] = NEED | 4},
	[NAT] = {[CTA_NAT_V4_MINIP] = 4, [CTA_NAT_V4_MAXIP] = 4, [CTA_NAT_PROTO] = NEST(RANGE),
		[CTA_NAT_V6_MINIP] = 16, [CTA_NAT_V6_MAXIP] = 16},
	[RANGE] = {[CTA_PROTONAT_PORT_MIN] = NEED | 2, [CTA_PROTONAT_PORT_MAX] = 2},
	[HELP] = {[CTA_HELP_NAME] = NEED | TEXT | 16, [CTA_HELP_INFO] = UP_TO | 32},
	[ADJ] = {[CTA_SEQADJ_CORRECTION_POS] = NEED | 4, [CTA_SEQADJ_OFFSET_BEFORE] = NEED | 4,
		[CTA_SEQADJ_OFFSET_AFTER] = NEED | 4},
	[SYN] = {[CTA_SYNPROXY_ISN] = NEED | 4, [CTA_SYNPROXY_ITS] = NEED | 4, [CTA_SYNPROXY_TSOFF] = NEED | 4},
	[CONN] = {[CTA_TUPLE_ORIG] = NEED | NEST(TUPLE), [CTA_TUPLE_REPLY] = NEST(TUPLE), [CTA_STATUS] = 4,
		[CTA_PROTOINFO] = NEST(INFO), [CTA_HELP] = NEST(HELP), [CTA_NAT_SRC] = NEST(NAT),
		[CTA_NAT_DST] = NEST(NAT), [CTA_TIMEOUT] = 4, [CTA_MARK] = 4, [CTA_ID] = 4, [CTA_ZONE] = 2,
		[CTA_TUPLE_MASTER] = NEST(TUPLE), [CTA_SEQ_ADJ_ORIG] = NEST(ADJ), [CTA_SEQ_ADJ_REPLY] = NEST(ADJ),
		[CTA_MARK_MASK] = 4, [CTA_LABELS] = UP_TO | 16, [CTA_LABELS_MASK] = UP_TO | 16,
		[CTA_SYNPROXY] = NEST(SYN)},
	[EXPECT] = {[CTA_EXPECT_MASTER] = NEST(TUPLE), [CTA_EXPECT_TUPLE] = NEED | NEST(TUPLE),
		[CTA_EXPECT_MASK] = NEST(TUPLE), [CTA_EXPECT_TIMEOUT] = 4, [CTA_EXPECT_ID] = 4,
		[CTA_EXPECT_HELP_NAME] = TEXT | 16, [CTA_EXPECT_ZONE] = 2, [CTA_EXPECT_FLAGS] = 4,
		[CTA_EXPECT_CLASS] = 4, [CTA_EXPECT_NAT] = NEST(EXPNAT), [CTA_EXPECT_FN] = TEXT | 32},
	[EXPNAT] = {[CTA_EXPECT_NAT_DIR] = NEED | 4 | MOST(1), [CTA_EXPECT_NAT_TUPLE] = NEED | NEST(TUPLE)},
};
/* clang-format on */

/* What may be asked, by whom: flags besides NLM_F_REQUEST, and attributes a new object needs beyond its set's. Neither
 * dumps nor flushes: they have messages of their own. */
static const struct request_rule {
	unsigned int from;
	uint16_t type, flags;
	enum set set;
	uint32_t extra; /* bits of attribute types, when NLM_F_CREATE is set */
} may_send[] = {
#define CT(what)  (NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_##what)
#define EXP(what) (NFNL_SUBSYS_CTNETLINK_EXP << 8 | IPCTNL_MSG_EXP_##what)
#define NEW_FLAGS (NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL | NLM_F_REPLACE)
	{R_SYNC, CT(NEW), NEW_FLAGS, CONN, 1U << CTA_TUPLE_REPLY | 1U << CTA_TIMEOUT},
	{R_SERVING, CT(DELETE), NLM_F_ACK, CONN, 0},
	{R_SYNC, CT(GET), NLM_F_ACK, CONN, 0},
	{R_SYNC, CT(GET_STATS), 0, NOTHING, 0},
	{R_SYNC, EXP(NEW), NEW_FLAGS, EXPECT, 1U << CTA_EXPECT_MASTER | 1U << CTA_EXPECT_MASK},
	{R_SYNC, EXP(DELETE), NLM_F_ACK, EXPECT, 0},
	{R_SYNC, EXP(GET), NLM_F_ACK, EXPECT, 0},
};

static bool walk(struct rd r, enum set set, uint8_t family, uint32_t extra);

static bool
attr_ok(const struct nla *a, uint16_t rule, uint8_t family)
{
	size_t size = rule & RULE_LOW;
	bool nested = (a->flags & NLA_F_NESTED) != 0;
	const uint8_t *last = a->data + a->len - 1;

	if (rule == 0 || a->flags & NLA_F_NET_BYTEORDER || nested != ((rule & NEST(0)) != 0))
		return false;
	if (nested)
		return walk(nla_nested(a), size == IP4 && family == AF_INET6 ? IP6 : (enum set)size, family, 0);
	if (rule & TEXT)
		return a->len > 1 && a->len <= size && memchr(a->data, '\0', a->len) == last;
	if (a->len == 0 || (rule & UP_TO ? a->len > size : a->len != size))
		return false;
	return rule >> 12 == 0 || (memcmp(a->data, "\0\0\0", a->len - 1U) == 0 && *last <= rule >> 12);
}

/* Recursion is as deep as the table is: four. */
static bool
walk(struct rd r, enum set set, uint8_t family, uint32_t extra)
{
	uint32_t seen = 0;
	struct nla a;

	while (nla_next(&r, &a)) {
		if (a.type > 31 || seen & 1U << a.type || !attr_ok(&a, sets[set][a.type], family))
			return false;
		seen |= 1U << a.type;
	}
	if (r.bad)
		return false;
	for (unsigned int type = 0; type < 32; type++)
		if ((sets[set][type] & NEED || extra & 1U << type) && (seen & 1U << type) == 0)
			return false;
	return true;
}

/* 0 or the refusal. */
static int
judge(enum role from, const struct nlmsghdr *nlh, struct rd body)
{
	struct nfgenmsg nfg;
	const struct request_rule *rule = may_send;
	const struct request_rule *end = may_send + sizeof(may_send) / sizeof(may_send[0]);

	rd_copy(&body, &nfg, sizeof(nfg));
	if (body.bad)
		return -EBADMSG;
	while (rule < end && rule->type != nlh->nlmsg_type)
		rule++;
	if (rule == end || (rule->from & 1U << from) == 0 || nlh->nlmsg_flags & ~(NLM_F_REQUEST | rule->flags) ||
	    (nlh->nlmsg_flags & NLM_F_REQUEST) == 0 || nlh->nlmsg_pid != 0)
		return -EPERM;
	if ((nfg.nfgen_family != AF_INET && nfg.nfgen_family != AF_INET6) || nfg.version != 0 || nfg.res_id != 0)
		return -EBADMSG;
	return walk(body, rule->set, nfg.nfgen_family, nlh->nlmsg_flags & NLM_F_CREATE ? rule->extra : 0) ? 0
													  : -EBADMSG;
}

int
guard_batch(enum role from, const void *data, size_t len)
{
	struct rd r = rd_init(data, len), body;
	struct nlmsghdr nlh;
	int err = 0;

	while (err == 0 && nl_next(&r, &nlh, &body))
		err = judge(from, &nlh, body);
	return err != 0 ? err : r.bad || len % NLMSG_ALIGNTO != 0 ? -EBADMSG : 0;
}

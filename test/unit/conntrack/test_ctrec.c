/* The decoder: a full message, every truncation of it, and damaged ones. */
#include "ctrec.h"
#include "nl.h"

#include "cmt.h"
#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

static void
put_tuple(struct nlmsghdr *nlh, uint16_t type, const char *src, const char *dst, uint16_t sport, uint16_t dport)
{
	struct nlattr *t = mnl_attr_nest_start(nlh, type), *n = mnl_attr_nest_start(nlh, CTA_TUPLE_IP);

	mnl_attr_put_u32(nlh, CTA_IP_V4_SRC, inet_addr(src));
	mnl_attr_put_u32(nlh, CTA_IP_V4_DST, inet_addr(dst));
	mnl_attr_nest_end(nlh, n);
	n = mnl_attr_nest_start(nlh, CTA_TUPLE_PROTO);
	mnl_attr_put_u8(nlh, CTA_PROTO_NUM, IPPROTO_SCTP);
	mnl_attr_put_u16(nlh, CTA_PROTO_SRC_PORT, htons(sport));
	mnl_attr_put_u16(nlh, CTA_PROTO_DST_PORT, htons(dport));
	mnl_attr_nest_end(nlh, n);
	mnl_attr_put_u16(nlh, CTA_TUPLE_ZONE, htons(9));
	mnl_attr_nest_end(nlh, t);
}

static void
put_counters(struct nlmsghdr *nlh, uint16_t type, uint64_t packets, uint64_t bytes)
{
	struct nlattr *n = mnl_attr_nest_start(nlh, type);

	mnl_attr_put_u64(nlh, CTA_COUNTERS_PACKETS, htobe64(packets));
	mnl_attr_put_u64(nlh, CTA_COUNTERS_BYTES, htobe64(bytes));
	mnl_attr_nest_end(nlh, n);
}

static void
put_sctp(struct nlmsghdr *nlh)
{
	struct nlattr *n = mnl_attr_nest_start(nlh, CTA_PROTOINFO), *s = mnl_attr_nest_start(nlh, CTA_PROTOINFO_SCTP);

	mnl_attr_put_u8(nlh, CTA_PROTOINFO_SCTP_STATE, 4);
	mnl_attr_put_u32(nlh, CTA_PROTOINFO_SCTP_VTAG_ORIGINAL, htonl(5));
	mnl_attr_put_u32(nlh, CTA_PROTOINFO_SCTP_VTAG_REPLY, htonl(6));
	mnl_attr_nest_end(nlh, s);
	mnl_attr_nest_end(nlh, n);
}

static struct nlmsghdr *
message(void *buf)
{
	static const uint32_t labels[4] = {1u << 3, 0, 1u << 31, 0};
	struct nlmsghdr *nlh = nl_request(buf, NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_NEW, NLM_F_CREATE, AF_INET);
	struct nlattr *n;

	put_tuple(nlh, CTA_TUPLE_ORIG, "1.1.1.1", "2.2.2.2", 1, 2);
	put_tuple(nlh, CTA_TUPLE_REPLY, "2.2.2.2", "1.1.1.1", 2, 1);
	mnl_attr_put_u32(nlh, CTA_STATUS, htonl(IPS_ASSURED | IPS_SEEN_REPLY));
	mnl_attr_put_u32(nlh, CTA_TIMEOUT, htonl(77));
	mnl_attr_put_u32(nlh, CTA_MARK, htonl(0xdeadbeef));
	put_counters(nlh, CTA_COUNTERS_ORIG, 3, UINT64_MAX);
	put_counters(nlh, CTA_COUNTERS_REPLY, 4, 5);
	put_sctp(nlh);
	mnl_attr_put_u16(nlh, CTA_ZONE, htons(65535));
	n = mnl_attr_nest_start(nlh, CTA_HELP);
	mnl_attr_put_strz(nlh, CTA_HELP_NAME, "ftp");
	mnl_attr_nest_end(nlh, n);
	mnl_attr_put(nlh, CTA_LABELS, sizeof(labels), labels);
	mnl_attr_put_u32(nlh, 200, 0); /* from the future */
	mnl_attr_put_u32(nlh, CTA_ID, htonl(12345));
	return nlh;
}

static void
everything(void **state)
{
	uint8_t buf[NL_MSG_MAX];
	struct ct_rec rec;

	(void)state;
	assert_int_equal(ct_rec_decode(&rec, message(buf)), 0);
	assert_int_equal(rec.family, AF_INET);
	assert_int_equal(rec.type, IPCTNL_MSG_CT_NEW);
	assert_int_equal(rec.orig.proto, IPPROTO_SCTP);
	assert_int_equal(rec.orig.sport, 1);
	assert_int_equal(rec.reply.dport, 1);
	assert_int_equal(rec.orig.zone, 9);
	assert_int_equal(rec.zone, 65535);
	assert_int_equal(rec.mark, 0xdeadbeef);
	assert_int_equal(rec.timeout, 77);
	assert_true(rec.count[0].bytes == UINT64_MAX);
	assert_int_equal(rec.count[1].packets, 4);
	assert_int_equal(rec.state, 4);
	assert_int_equal(rec.vtag[1], 6);
	assert_int_equal(rec.helper.len, 3);
	assert_memory_equal(rec.helper.p, "ftp", 3);
	assert_true(ct_rec_label(&rec, 3));
	assert_true(ct_rec_label(&rec, 95));
	assert_false(ct_rec_label(&rec, 96));
	assert_false(ct_rec_label(&rec, 100000));
	assert_int_equal(rec.id, 12345);
}

/* Every shorter message is either refused or decodes without reading past its end (the sanitizers watch). */
static void
truncated(void **state)
{
	uint8_t buf[NL_MSG_MAX];
	const struct nlmsghdr *whole = message(buf);
	struct ct_rec rec;
	unsigned refused = 0;

	(void)state;
	for (uint32_t len = 0; len < whole->nlmsg_len; len++) {
		struct nlmsghdr *cut = malloc(len < sizeof(*cut) ? sizeof(*cut) : len);

		memcpy(cut, buf, len < sizeof(*cut) ? sizeof(*cut) : len);
		cut->nlmsg_len = len;
		refused += ct_rec_decode(&rec, cut) < 0;
		free(cut);
	}
	assert_true(refused > whole->nlmsg_len / 2);
}

static void
wrong_size(void **state)
{
	uint8_t buf[NL_MSG_MAX];
	struct nlmsghdr *nlh = nl_request(buf, NFNL_SUBSYS_CTNETLINK << 8, 0, AF_INET);
	struct ct_rec rec;

	(void)state;
	mnl_attr_put_u16(nlh, CTA_MARK, 5);
	assert_int_equal(ct_rec_decode(&rec, nlh), -EBADMSG);
	nlh = nl_request(buf, NFNL_SUBSYS_CTNETLINK << 8, 0, AF_INET);
	mnl_attr_put_u64(nlh, CTA_MARK, 5);
	assert_int_equal(ct_rec_decode(&rec, nlh), -EBADMSG);
	nlh = nl_request(buf, NFNL_SUBSYS_CTNETLINK << 8, 0, AF_INET);
	mnl_attr_put(nlh, CTA_TUPLE_ORIG, 3, "abc");
	assert_int_equal(ct_rec_decode(&rec, nlh), -EBADMSG);
}

static void
damaged(void **state)
{
	uint8_t buf[NL_MSG_MAX], copy[NL_MSG_MAX];
	uint32_t len = message(buf)->nlmsg_len;
	struct exp_rec exp;
	struct ct_rec rec;

	(void)state;
	srand(2);
	for (int i = 0; i < 20000; i++) {
		struct nlmsghdr *nlh = (struct nlmsghdr *)(void *)copy;

		memcpy(copy, buf, len);
		for (int k = 0; k < 1 + i % 4; k++)
			copy[16 + (unsigned)rand() % (len - 16)] = (uint8_t)rand();
		if (ct_rec_decode(&rec, nlh) == 0)
			for (unsigned bit = 0; bit < 1100; bit += 7)
				(void)ct_rec_label(&rec, bit);
		(void)exp_rec_decode(&exp, nlh);
	}
}

static void
nat(void **state)
{
	struct ct_rec rec = {.status = IPS_SRC_NAT_DONE | IPS_DST_NAT_DONE,
			     .orig = {.proto = IPPROTO_UDP, .sport = 1, .dport = 2},
			     .reply = {.proto = IPPROTO_UDP, .sport = 2, .dport = 1}};

	(void)state;
	assert_false(ct_rec_snat(&rec));
	assert_false(ct_rec_dnat(&rec));
	rec.reply.dport = 7;
	assert_true(ct_rec_snat(&rec));
	assert_false(ct_rec_dnat(&rec));
	rec.reply.src.u.w[0] = 1;
	rec.reply.src.family = AF_INET;
	assert_true(ct_rec_dnat(&rec));
	rec.status = 0;
	assert_false(ct_rec_snat(&rec));
	assert_false(ct_rec_dnat(&rec));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything), cmocka_unit_test(truncated), cmocka_unit_test(wrong_size),
		cmocka_unit_test(damaged),    cmocka_unit_test(nat),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

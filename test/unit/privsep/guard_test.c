/*
 * The guard: what libnetfilter_conntrack builds passes, and nothing that is malformed, unknown, incomplete or not
 * allowed does. The table of single faults starts from one message in which everything is right.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netlink.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <libnetfilter_conntrack/libnetfilter_conntrack.h>
#include <libnetfilter_conntrack/libnetfilter_conntrack_tcp.h>
#include <string.h>

#include "guard.h"

#define CT(op)  (NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_##op)
#define EXP(op) (NFNL_SUBSYS_CTNETLINK_EXP << 8 | IPCTNL_MSG_EXP_##op)

struct m {
	union {
		uint8_t bytes[2048];
		struct nlmsghdr h;
	};
};

static struct nfgenmsg *
gen(struct m *m)
{
	return (struct nfgenmsg *)(m->bytes + NLMSG_HDRLEN);
}

static void
start(struct m *m, uint16_t type, uint16_t flags, uint8_t family)
{
	memset(m, 0, sizeof(*m));
	m->h = (struct nlmsghdr){NLMSG_LENGTH(sizeof(struct nfgenmsg)), type, NLM_F_REQUEST | flags, 1, 0};
	gen(m)->nfgen_family = family;
}

/* Appends one attribute; content NULL: zeros. Its offset. */
static size_t
attr(struct m *m, uint16_t type, const void *content, size_t len)
{
	size_t at = m->h.nlmsg_len;
	struct nlattr *a = (struct nlattr *)(m->bytes + at);

	a->nla_type = type;
	a->nla_len = (uint16_t)(NLA_HDRLEN + len);
	if (content != NULL)
		memcpy(a + 1, content, len);
	m->h.nlmsg_len += NLA_ALIGN(a->nla_len);
	return at;
}

static void
end(struct m *m, size_t at)
{
	((struct nlattr *)(m->bytes + at))->nla_len = (uint16_t)(m->h.nlmsg_len - at);
}

static size_t
nest(struct m *m, uint16_t type)
{
	return attr(m, type | NLA_F_NESTED, NULL, 0);
}

static void
tuple(struct m *m, uint16_t type, bool v6)
{
	size_t t = nest(m, type), n = nest(m, CTA_TUPLE_IP);

	attr(m, v6 ? CTA_IP_V6_SRC : CTA_IP_V4_SRC, NULL, v6 ? 16 : 4);
	attr(m, v6 ? CTA_IP_V6_DST : CTA_IP_V4_DST, NULL, v6 ? 16 : 4);
	end(m, n);
	n = nest(m, CTA_TUPLE_PROTO);
	attr(m, CTA_PROTO_NUM, NULL, 1);
	attr(m, CTA_PROTO_SRC_PORT, NULL, 2);
	end(m, n);
	end(m, t);
}

static void
create(struct m *m, bool v6)
{
	start(m, CT(NEW), NLM_F_CREATE | NLM_F_EXCL, v6 ? AF_INET6 : AF_INET);
	tuple(m, CTA_TUPLE_ORIG, v6);
	tuple(m, CTA_TUPLE_REPLY, v6);
	attr(m, CTA_TIMEOUT, NULL, 4);
}

static void
create_expect(struct m *m, bool v6)
{
	start(m, EXP(NEW), NLM_F_CREATE, v6 ? AF_INET6 : AF_INET);
	tuple(m, CTA_EXPECT_MASTER, v6);
	tuple(m, CTA_EXPECT_TUPLE, v6);
	tuple(m, CTA_EXPECT_MASK, v6);
	attr(m, CTA_EXPECT_TIMEOUT, NULL, 4);
}

static int
judge(const struct m *m)
{
	return guard_batch(ROLE_SYNC, m->bytes, m->h.nlmsg_len);
}

static void
the_plain_ones_pass(void **state)
{
	struct m m;

	(void)state;
	for (int v6 = 0; v6 < 2; v6++) {
		create(&m, v6);
		assert_int_equal(judge(&m), 0);
		create_expect(&m, v6);
		assert_int_equal(judge(&m), 0);
		for (int i = 0; i < 4; i++) {
			start(&m, (const uint16_t[]){CT(GET), CT(DELETE), EXP(GET), EXP(DELETE)}[i], NLM_F_ACK,
			      v6 ? AF_INET6 : AF_INET);
			tuple(&m, i < 2 ? CTA_TUPLE_ORIG : CTA_EXPECT_TUPLE, v6);
			assert_int_equal(judge(&m), 0);
		}
	}
}

/* Of what a sync worker may ask, a stats worker may delete flows, and nobody else anything. */
static void
how_full_the_table_is(void **state)
{
	struct m m;

	(void)state;
	start(&m, CT(GET_STATS), 0, AF_INET);
	assert_int_equal(judge(&m), 0);
	assert_int_equal(guard_batch(ROLE_STATS, m.bytes, m.h.nlmsg_len), -EPERM);
	start(&m, CT(GET_STATS), NLM_F_DUMP, AF_INET);
	assert_int_equal(judge(&m), -EPERM);
	start(&m, CT(GET_STATS), 0, AF_INET);
	tuple(&m, CTA_TUPLE_ORIG, false);
	assert_int_equal(judge(&m), -EBADMSG);
}

static void
by_sender(void **state)
{
	const uint16_t types[] = {CT(NEW), CT(GET), CT(DELETE), EXP(NEW), EXP(GET), EXP(DELETE)};

	(void)state;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		for (enum role r = ROLE_PARENT; r < ROLE_MAX; r++) {
			struct m m;
			int want = r == ROLE_SYNC || (r == ROLE_STATS && types[i] == CT(DELETE)) ? 0 : -EPERM;

			if (types[i] == CT(NEW))
				create(&m, false);
			else if (types[i] == EXP(NEW))
				create_expect(&m, false);
			else {
				start(&m, types[i], 0, AF_INET);
				tuple(&m, i < 3 ? CTA_TUPLE_ORIG : CTA_EXPECT_TUPLE, false);
			}
			assert_int_equal(guard_batch(r, m.bytes, m.h.nlmsg_len), want);
		}
}

/* Everything that the library writes for a flow with all attributes that replication knows. */
static void
the_librarys_messages_pass(void **state)
{
	struct nf_conntrack *ct = nfct_new();
	struct m m;
	int i;

	(void)state;
	nfct_set_attr_u8(ct, ATTR_L3PROTO, AF_INET);
	nfct_set_attr_u32(ct, ATTR_IPV4_SRC, inet_addr("10.0.0.1"));
	nfct_set_attr_u32(ct, ATTR_IPV4_DST, inet_addr("10.0.0.2"));
	nfct_set_attr_u8(ct, ATTR_L4PROTO, IPPROTO_TCP);
	nfct_set_attr_u16(ct, ATTR_PORT_SRC, 1);
	nfct_set_attr_u16(ct, ATTR_PORT_DST, 2);
	nfct_setobjopt(ct, NFCT_SOPT_SETUP_REPLY);
	nfct_set_attr_u8(ct, ATTR_TCP_STATE, TCP_CONNTRACK_ESTABLISHED);
	for (i = ATTR_TCP_FLAGS_ORIG; i <= ATTR_TCP_MASK_REPL; i++)
		nfct_set_attr_u8(ct, (enum nf_conntrack_attr)i, 8);
	nfct_set_attr_u8(ct, ATTR_TCP_WSCALE_ORIG, 7);
	nfct_set_attr_u8(ct, ATTR_TCP_WSCALE_REPL, 7);
	nfct_set_attr_u32(ct, ATTR_TIMEOUT, 100);
	nfct_set_attr_u32(ct, ATTR_MARK, 5);
	nfct_set_attr_u32(ct, ATTR_STATUS, 0xe);
	nfct_set_attr_u16(ct, ATTR_ZONE, 3);
	nfct_set_attr_u32(ct, ATTR_SNAT_IPV4, inet_addr("192.0.2.1"));
	nfct_set_attr_u16(ct, ATTR_SNAT_PORT, 9);
	nfct_set_attr_u32(ct, ATTR_DNAT_IPV4, inet_addr("192.0.2.2"));
	for (i = ATTR_ORIG_NAT_SEQ_CORRECTION_POS; i <= ATTR_REPL_NAT_SEQ_OFFSET_AFTER; i++)
		nfct_set_attr_u32(ct, (enum nf_conntrack_attr)i, 1);
	nfct_set_attr(ct, ATTR_HELPER_NAME, "ftp");
	nfct_set_attr_u8(ct, ATTR_MASTER_L3PROTO, AF_INET);
	nfct_set_attr_u32(ct, ATTR_MASTER_IPV4_SRC, 1);
	nfct_set_attr_u32(ct, ATTR_MASTER_IPV4_DST, 2);
	nfct_set_attr_u8(ct, ATTR_MASTER_L4PROTO, IPPROTO_TCP);
	nfct_set_attr_u16(ct, ATTR_MASTER_PORT_SRC, 1);
	nfct_set_attr_u16(ct, ATTR_MASTER_PORT_DST, 2);
	start(&m, CT(NEW), NLM_F_CREATE | NLM_F_EXCL, AF_INET);
	assert_int_equal(nfct_nlmsg_build(&m.h, ct), 0);
	assert_true(m.h.nlmsg_len > 300);
	assert_int_equal(judge(&m), 0);
	nfct_destroy(ct);
}

/* One fault each, in the message of create(); attributes sit at fixed places. */
#define ATTR_AT 20 /* CTA_TUPLE_ORIG; +4 its IP nest; +8 source */
static const struct fault {
	const char *what;
	size_t at;
	uint8_t size;
	uint32_t value;
	int answer;
} faults[] = {
	{"another subsystem", 4, 2, NFNL_SUBSYS_NFTABLES << 8, -EPERM},
	{"the queue", 4, 2, NFNL_SUBSYS_QUEUE << 8 | 1, -EPERM},
	{"time-outs", 4, 2, NFNL_SUBSYS_CTNETLINK_TIMEOUT << 8, -EPERM},
	{"counters reset", 4, 2, CT(GET_CTRZERO), -EPERM},
	{"statistics", 4, 2, CT(GET_STATS), -EPERM},
	{"a control message", 4, 2, NLMSG_DONE, -EPERM},
	{"no request", 6, 2, NLM_F_CREATE, -EPERM},
	{"a dump", 6, 2, NLM_F_REQUEST | NLM_F_DUMP | NLM_F_ECHO, -EPERM},
	{"an echo", 6, 2, NLM_F_REQUEST | NLM_F_ECHO, -EPERM},
	{"a port id", 12, 4, 1, -EPERM},
	{"no family", 16, 1, AF_UNSPEC, -EBADMSG},
	{"another family", 16, 1, AF_BRIDGE, -EBADMSG},
	{"the other family", 16, 1, AF_INET6, -EBADMSG},
	{"another version", 17, 1, 1, -EBADMSG},
	{"a resource id", 18, 2, 1, -EBADMSG},
	{"longer than there is", 0, 4, 4000, -EBADMSG},
	{"shorter than a header", 0, 4, 19, -EBADMSG},
	{"cut in an attribute", 0, 4, 90, -EBADMSG},
	{"cut before the reply", 0, 4, 20 + 52, -EBADMSG},
	{"attribute shorter than its header", ATTR_AT, 2, 3, -EBADMSG},
	{"attribute of length 0", ATTR_AT, 2, 0, -EBADMSG},
	{"attribute past the end", ATTR_AT, 2, 2000, -EBADMSG},
	{"attribute into the next one", ATTR_AT, 2, 60, -EBADMSG},
	{"attribute type 0", ATTR_AT + 2, 2, NLA_F_NESTED, -EBADMSG},
	{"unknown attribute", ATTR_AT + 2, 2, 31 | NLA_F_NESTED, -EBADMSG},
	{"attribute beyond the table", ATTR_AT + 2, 2, 33 | NLA_F_NESTED, -EBADMSG},
	{"not allowed here", ATTR_AT + 2, 2, CTA_SECCTX, -EBADMSG},
	{"a nest that says it is none", ATTR_AT + 2, 2, CTA_TUPLE_ORIG, -EBADMSG},
	{"byte-order flag", ATTR_AT + 2, 2, CTA_TUPLE_ORIG | NLA_F_NESTED | NLA_F_NET_BYTEORDER, -EBADMSG},
	{"the same twice", ATTR_AT + 2, 2, CTA_TUPLE_REPLY | NLA_F_NESTED, -EBADMSG},
	{"inner nest past its outer one", ATTR_AT + 4, 2, 60, -EBADMSG},
	{"address too short", ATTR_AT + 8, 2, 7, -EBADMSG},
	{"address too long", ATTR_AT + 8, 2, 12, -EBADMSG},
	{"address of the other family", ATTR_AT + 10, 2, CTA_IP_V6_SRC, -EBADMSG},
	{"a nest instead of an address", ATTR_AT + 10, 2, CTA_IP_V4_SRC | NLA_F_NESTED, -EBADMSG},
	{"no destination", ATTR_AT + 18, 2, CTA_IP_V4_SRC, -EBADMSG},
	{"no protocol", ATTR_AT + 30, 2, CTA_PROTO_DST_PORT, -EBADMSG},
	{"no timeout", 20 + 2 * 44 + 2, 2, CTA_MARK, -EBADMSG},
};

static void
single_faults(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		const struct fault *f = &faults[i];
		struct m m;
		size_t len;
		int r;

		create(&m, false);
		len = m.h.nlmsg_len;
		assert_int_equal(len, 20 + 2 * 44 + 8);
		memcpy(m.bytes + f->at, &f->value, f->size);
		r = guard_batch(ROLE_SYNC, m.bytes, len);
		if (r != f->answer)
			fail_msg("%s: %d, not %d", f->what, r, f->answer);
	}
}

/* Values that some kernels use as an index, or to shift by, without a look. */
static void
states_and_scales(void **state)
{
	static const struct {
		uint16_t nest, at;
		uint8_t most;
	} octets[] = {
		{CTA_PROTOINFO_TCP, CTA_PROTOINFO_TCP_STATE, 9},
		{CTA_PROTOINFO_TCP, CTA_PROTOINFO_TCP_WSCALE_ORIGINAL, 14},
		{CTA_PROTOINFO_TCP, CTA_PROTOINFO_TCP_WSCALE_REPLY, 14},
		{CTA_PROTOINFO_SCTP, CTA_PROTOINFO_SCTP_STATE, 8},
		{CTA_PROTOINFO_DCCP, CTA_PROTOINFO_DCCP_STATE, 7},
		{CTA_PROTOINFO_DCCP, CTA_PROTOINFO_DCCP_ROLE, 1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(octets) / sizeof(octets[0]); i++)
		for (int v = 0; v < 256; v++) {
			uint8_t octet = (uint8_t)v;
			size_t info, n;
			struct m m;

			create(&m, false);
			info = nest(&m, CTA_PROTOINFO);
			n = nest(&m, octets[i].nest);
			attr(&m, octets[i].at, &octet, 1);
			if (octets[i].nest == CTA_PROTOINFO_SCTP) {
				attr(&m, CTA_PROTOINFO_SCTP_VTAG_ORIGINAL, NULL, 4);
				attr(&m, CTA_PROTOINFO_SCTP_VTAG_REPLY, NULL, 4);
			}
			if (octets[i].nest == CTA_PROTOINFO_DCCP)
				attr(&m,
				     octets[i].at == CTA_PROTOINFO_DCCP_STATE ? CTA_PROTOINFO_DCCP_ROLE
									      : CTA_PROTOINFO_DCCP_STATE,
				     NULL, 1);
			end(&m, n);
			end(&m, info);
			assert_int_equal(judge(&m) == 0, v <= octets[i].most);
		}
}

static void
flags_by_operation(void **state)
{
	struct m m;

	(void)state;
	for (int i = 0; i < 4; i++)
		for (uint16_t flag = NLM_F_MULTI; flag <= NLM_F_APPEND; flag = (uint16_t)(flag << 1)) {
			start(&m, (const uint16_t[]){CT(GET), CT(DELETE), EXP(GET), EXP(DELETE)}[i], flag, AF_INET);
			tuple(&m, i < 2 ? CTA_TUPLE_ORIG : CTA_EXPECT_TUPLE, false);
			assert_int_equal(judge(&m) == 0, flag == NLM_F_ACK);
		}
}

static void
nothing_without_a_tuple(void **state)
{
	struct m m;

	(void)state;
	for (int i = 0; i < 6; i++) {
		start(&m, (const uint16_t[]){CT(GET), CT(DELETE), CT(NEW), EXP(GET), EXP(DELETE), EXP(NEW)}[i], 0,
		      AF_INET);
		assert_int_equal(judge(&m), -EBADMSG); /* a flush, or a dump */
		attr(&m, i < 3 ? CTA_ID : CTA_EXPECT_ID, NULL, 4);
		assert_int_equal(judge(&m), -EBADMSG);
	}
}

/* The kernel crashes on an expectation without mask. */
static void
expectations_are_complete(void **state)
{
	const uint16_t parts[] = {CTA_EXPECT_MASTER, CTA_EXPECT_TUPLE, CTA_EXPECT_MASK};
	struct m m;
	size_t n;

	(void)state;
	for (int missing = 0; missing < 3; missing++) {
		start(&m, EXP(NEW), NLM_F_CREATE, AF_INET);
		for (int i = 0; i < 3; i++)
			if (i != missing)
				tuple(&m, parts[i], false);
		assert_int_equal(judge(&m), -EBADMSG);
	}
	create_expect(&m, false);
	n = nest(&m, CTA_EXPECT_NAT);
	attr(&m, CTA_EXPECT_NAT_DIR, NULL, 4);
	end(&m, n);
	assert_int_equal(judge(&m), -EBADMSG);
	tuple(&m, CTA_EXPECT_NAT_TUPLE, false);
	end(&m, n);
	attr(&m, CTA_EXPECT_FN, "nat-follow-master", 18);
	assert_int_equal(judge(&m), 0);
}

/* The kernel takes any number for the direction, and finds the master's tuple by it. */
static void
expectations_have_two_directions(void **state)
{
	static const uint32_t directions[] = {0, 1, 2, 3, 0x100, 0x10000, 0x1000000, 0x1000001, UINT32_MAX};

	(void)state;
	for (size_t i = 0; i < sizeof(directions) / sizeof(directions[0]); i++) {
		uint32_t dir = htonl(directions[i]);
		struct m m;
		size_t n;

		create_expect(&m, i % 2 == 0);
		n = nest(&m, CTA_EXPECT_NAT);
		attr(&m, CTA_EXPECT_NAT_DIR, &dir, sizeof(dir));
		tuple(&m, CTA_EXPECT_NAT_TUPLE, i % 2 == 0);
		end(&m, n);
		assert_int_equal(judge(&m) == 0, directions[i] < 2);
	}
}

static void
strings_end(void **state)
{
	const struct {
		const char *text;
		size_t len;
		bool good;
	} names[] = {{"ftp", 4, true},
		     {"ftp", 3, false},
		     {"f\0p", 4, false},
		     {"", 1, false},
		     {"0123456789abcde", 16, true},
		     {"0123456789abcdef", 17, false},
		     {"", 0, false}};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct m m;
		size_t n;

		create(&m, true);
		n = nest(&m, CTA_HELP);
		attr(&m, CTA_HELP_NAME, names[i].text, names[i].len);
		end(&m, n);
		assert_int_equal(judge(&m) == 0, names[i].good);
	}
}

static void
variable_lengths(void **state)
{
	(void)state;
	for (size_t len = 0; len < 20; len++) {
		struct m m;

		create(&m, false);
		attr(&m, CTA_LABELS, NULL, len);
		assert_int_equal(judge(&m) == 0, len >= 1 && len <= 16);
	}
}

/* Every prefix of a good message is bad, and so is every message with something behind it. */
static void
lengths(void **state)
{
	struct m m;
	uint32_t len;

	(void)state;
	create(&m, false);
	len = m.h.nlmsg_len;
	for (uint32_t n = 1; n < len; n++)
		assert_int_equal(guard_batch(ROLE_SYNC, m.bytes, n), -EBADMSG);
	for (uint32_t n = 0; n < len; n++) {
		create(&m, false);
		m.h.nlmsg_len = n;
		assert_true(guard_batch(ROLE_SYNC, m.bytes, len) < 0);
	}
	create(&m, false);
	assert_int_equal(guard_batch(ROLE_SYNC, m.bytes, len), 0);
	for (uint32_t extra = 1; extra < 20; extra++)
		assert_int_equal(guard_batch(ROLE_SYNC, m.bytes, len + extra), -EBADMSG);
	memcpy(m.bytes + len, m.bytes, len);
	assert_int_equal(guard_batch(ROLE_SYNC, m.bytes, 2 * len), 0);
	m.bytes[len + 16] = AF_UNIX;
	assert_int_equal(guard_batch(ROLE_SYNC, m.bytes, 2 * len), -EBADMSG);
	assert_int_equal(guard_batch(ROLE_SYNC, m.bytes, 0), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_plain_ones_pass),
		cmocka_unit_test(by_sender),
		cmocka_unit_test(how_full_the_table_is),
		cmocka_unit_test(the_librarys_messages_pass),
		cmocka_unit_test(single_faults),
		cmocka_unit_test(states_and_scales),
		cmocka_unit_test(flags_by_operation),
		cmocka_unit_test(nothing_without_a_tuple),
		cmocka_unit_test(expectations_are_complete),
		cmocka_unit_test(expectations_have_two_directions),
		cmocka_unit_test(strings_end),
		cmocka_unit_test(variable_lengths),
		cmocka_unit_test(lengths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

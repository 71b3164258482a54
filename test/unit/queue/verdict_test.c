/*
 * The octets that go to the kernel, read back by libmnl, libnetfilter_queue and libnetfilter_conntrack; the checksums
 * of edited packets are compared with those that libnetfilter_queue computes.
 */
#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <libnetfilter_conntrack/libnetfilter_conntrack.h>
#include <libnetfilter_queue/libnetfilter_queue.h>
#include <libnetfilter_queue/libnetfilter_queue_ipv4.h>
#include <libnetfilter_queue/libnetfilter_queue_tcp.h>
#include <libnetfilter_queue/libnetfilter_queue_udp.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_queue.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

#include "rig.h"

static uint8_t msg[1 << 16], pkt[1 << 15];
static struct out out;

struct made {
	struct nlattr *attr[NFQA_MAX + 1];
	unsigned int n;
	uint16_t queue;
	uint32_t verdict, id;
};

static int
count_attr(const struct nlattr *a, void *data)
{
	(void)a;
	++*(unsigned int *)data;
	return MNL_CB_OK;
}

/* The message in out, as a verdict. */
static struct made
read_verdict(void)
{
	const struct nlmsghdr *h = (const struct nlmsghdr *)out.bytes;
	const struct nfgenmsg *g = mnl_nlmsg_get_payload(h);
	struct made m = {.queue = ntohs(g->res_id)};
	const struct nfqnl_msg_verdict_hdr *v;

	assert_false(out.bad);
	assert_true(mnl_nlmsg_ok(h, (int)out.len));
	assert_int_equal(h->nlmsg_len, out.len);
	assert_int_equal(h->nlmsg_type, NFNL_SUBSYS_QUEUE << 8 | NFQNL_MSG_VERDICT);
	assert_int_equal(h->nlmsg_flags, NLM_F_REQUEST);
	assert_int_equal(h->nlmsg_pid, 0);
	assert_int_equal(nfq_nlmsg_parse(h, m.attr), MNL_CB_OK);
	mnl_attr_parse(h, sizeof(*g), count_attr, &m.n);
	assert_non_null(m.attr[NFQA_VERDICT_HDR]);
	assert_int_equal(mnl_attr_get_payload_len(m.attr[NFQA_VERDICT_HDR]), sizeof(*v));
	v = mnl_attr_get_payload(m.attr[NFQA_VERDICT_HDR]);
	m.verdict = ntohl(v->verdict);
	m.id = ntohl(v->id);
	return m;
}

/* An expectation: the content of a nest, as the message of its own that the library reads; whole: it is one. */
static struct nf_expect *
read_expect(uint8_t family, const struct nlattr *nested)
{
	uint8_t buf[4096];
	struct nlmsghdr *h = mnl_nlmsg_put_header(buf);
	struct nfgenmsg *g = mnl_nlmsg_put_extra_header(h, sizeof(*g));
	struct nf_expect *e = nfexp_new();

	assert_non_null(e);
	g->nfgen_family = family;
	memcpy(mnl_nlmsg_get_payload_tail(h), mnl_attr_get_payload(nested), mnl_attr_get_payload_len(nested));
	h->nlmsg_len += mnl_attr_get_payload_len(nested);
	assert_int_equal(nfexp_nlmsg_parse(h, e), 0);
	return e;
}

/* A tuple of an expectation, as text; v6 or not. */
static void
check_tuple(const struct nf_expect *e, enum nf_expect_attr which, uint8_t family, uint8_t proto, const char *src,
	    uint16_t sport, const char *dst, uint16_t dport)
{
	const struct nf_conntrack *ct = nfexp_get_attr(e, which);
	bool v4 = family == AF_INET;
	uint8_t a[16], b[16];

	assert_non_null(ct);
	inet_pton(family, src, a);
	inet_pton(family, dst, b);
	assert_int_equal(nfct_get_attr_u8(ct, ATTR_L4PROTO), proto);
	assert_memory_equal(nfct_get_attr(ct, v4 ? ATTR_IPV4_SRC : ATTR_IPV6_SRC), a, v4 ? 4 : 16);
	assert_memory_equal(nfct_get_attr(ct, v4 ? ATTR_IPV4_DST : ATTR_IPV6_DST), b, v4 ? 4 : 16);
	assert_int_equal(ntohs(nfct_get_attr_u16(ct, ATTR_PORT_SRC)), sport);
	assert_int_equal(ntohs(nfct_get_attr_u16(ct, ATTR_PORT_DST)), dport);
}

struct setting {
	struct rig_flow flow;
	struct queue_conf conf;
	struct packet packet;
};

static void
set_up(struct setting *s, uint8_t kind, uint8_t family, uint8_t proto, uint16_t dport, bool nated, const void *payload,
       size_t len, uint32_t ct_info)
{
	size_t n;

	s->flow = rig_flow(family, proto, dport, nated);
	s->flow.ct_info = ct_info;
	s->conf = (struct queue_conf){.kind = kind, .family = family, .proto = proto, .queue = 9};
	n = rig_packet(pkt, &s->flow, payload, len);
	assert_int_equal(rig_read(msg, rig_message(msg, 1234567, &s->flow, pkt, n), &s->packet), OK);
}

static void
plain(void **state)
{
	struct made m;

	(void)state;
	for (int accept = 0; accept < 2; accept++) {
		verdict_plain(&out, 65535, UINT32_MAX - 1, accept);
		m = read_verdict();
		assert_int_equal(m.n, 1);
		assert_int_equal(m.queue, 65535);
		assert_int_equal(m.verdict, accept);
		assert_int_equal(m.id, UINT32_MAX - 1);
	}
}

static void
nothing_wanted(void **state)
{
	struct setting s;
	struct msg_verdict v = {.accept = 1};

	(void)state;
	set_up(&s, HELPER_FTP, AF_INET, IPPROTO_TCP, 21, false, "NOOP\r\n", 6, 0);
	verdict_full(&out, &s.conf, &s.packet, &v);
	assert_int_equal(read_verdict().n, 1);
	v.accept = 0;
	s.conf.priv_len = 4;
	verdict_full(&out, &s.conf, &s.packet, &v);
	assert_int_equal(read_verdict().n, 1);
	assert_int_equal(read_verdict().verdict, 0);
}

/* Of the flow: helper name, private data, timeout; never anything else. */
static void
flow_part(void **state)
{
	struct setting s;
	struct msg_verdict v = {.accept = 1, .timeout = 300, .priv_len = 24, .priv = "private data of the flow"};
	struct nf_conntrack *ct = nfct_new();
	struct made m;
	unsigned int n = 0;

	(void)state;
	set_up(&s, HELPER_AMANDA, AF_INET, IPPROTO_UDP, 10080, false, "x", 1, 3);
	s.conf.priv_len = 24;
	verdict_full(&out, &s.conf, &s.packet, &v);
	m = read_verdict();
	assert_int_equal(m.n, 2);
	assert_non_null(m.attr[NFQA_CT]);
	mnl_attr_parse_nested(m.attr[NFQA_CT], count_attr, &n);
	assert_int_equal(n, 2);
	assert_int_equal(nfct_payload_parse(mnl_attr_get_payload(m.attr[NFQA_CT]),
					    mnl_attr_get_payload_len(m.attr[NFQA_CT]), AF_INET, ct),
			 0);
	assert_string_equal(nfct_get_attr(ct, ATTR_HELPER_NAME), "amanda");
	assert_memory_equal(nfct_get_attr(ct, ATTR_HELPER_INFO), v.priv, 24);
	assert_int_equal(nfct_get_attr_u32(ct, ATTR_TIMEOUT), 300);
	nfct_destroy(ct);
	/* an expected flow has no private data, but the nest that an expectation needs */
	s.packet.facts.has_master = 1;
	v.timeout = 0;
	verdict_full(&out, &s.conf, &s.packet, &v);
	m = read_verdict();
	assert_int_equal(mnl_attr_get_payload_len(m.attr[NFQA_CT]), 0);
}

static void
expectation(void **state)
{
	static const struct {
		uint8_t kind, family, proto;
		uint32_t ct_info;
		struct msg_expect e;
		const char *src, *dst, *src_mask, *dst_mask;
		bool nated;
		int direction;
	} cases[] = {
#define FLOW(kind, family, proto, info) HELPER_##kind, AF_##family, IPPROTO_##proto, info
#define ONES4                           "255.255.255.255"
#define ONES6                           "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"
#define HOSTS4                          ONES4, ONES4
#define HOSTS6                          ONES6, ONES6
#define FROM_ALL4                       "0.0.0.0", ONES4
#define FROM_ALL6                       "::", ONES6
#define PLAIN                           false, -1
#define EXPECT(src, dst, proto, permanent, follow, sport, dport, nat_port) \
	{REF_##src, REF_##dst, IPPROTO_##proto, permanent, follow, 0, sport, dport, nat_port, {0}}
		{FLOW(FTP, INET, TCP, 0), EXPECT(REPLY_SRC, REPLY_DST, TCP, 0, 0, 0, 40000, 0), "10.2.0.2", "10.1.0.2",
		 HOSTS4, PLAIN},
		{FLOW(FTP, INET, TCP, 0), EXPECT(REPLY_SRC, REPLY_DST, TCP, 0, 0, 0, 40000, 40001), "10.2.0.2",
		 "10.2.0.1", HOSTS4, true, 1},
		{FLOW(FTP, INET6, TCP, 3), EXPECT(ORIG_SRC, ORIG_DST, TCP, 0, 0, 0, 40000, 40002), "fd01::2", "fd02::2",
		 HOSTS6, true, 0},
		{FLOW(MDNS, INET6, UDP, 2), EXPECT(ANY, ORIG_SRC, UDP, 1, 0, 5353, 41001, 0), "::", "fd01::2",
		 FROM_ALL6, PLAIN},
		{FLOW(SSDP, INET, UDP, 2), EXPECT(ANY, ORIG_SRC, UDP, 1, 1, 0, 41001, 0), "0.0.0.0", "10.1.0.2",
		 FROM_ALL4, PLAIN},
		{FLOW(TNS, INET, TCP, 3),
		 {REF_ORIG_SRC, REF_FOREIGN, IPPROTO_TCP, 0, 0, 0, 0, 1600, 0, {10, 9, 9, 9}},
		 "10.1.0.2",
		 "10.9.9.9",
		 HOSTS4,
		 PLAIN},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct setting s;
		struct msg_verdict v = {.accept = 1, .n_expect = 1, .expect = {cases[i].e}};
		uint8_t family = cases[i].family, proto = cases[i].e.proto;
		struct nf_expect *e;
		struct made m;

		set_up(&s, cases[i].kind, family, cases[i].proto, 5353, cases[i].nated, "x", 1, cases[i].ct_info);
		s.conf.flags = QUEUE_FOREIGN;
		assert_int_equal(policy_judge(&s.conf, &s.packet, &v), OK);
		verdict_full(&out, &s.conf, &s.packet, &v);
		m = read_verdict();
		assert_int_equal(m.n, 3);
		assert_int_equal(m.id, 1234567);
		assert_int_equal(m.queue, 9);
		assert_int_equal(mnl_attr_get_payload_len(m.attr[NFQA_CT]), 0);
		e = read_expect(family, m.attr[NFQA_EXP]);
		check_tuple(e, ATTR_EXP_EXPECTED, family, proto, cases[i].src, cases[i].e.sport, cases[i].dst,
			    cases[i].e.dport);
		check_tuple(e, ATTR_EXP_MASK, family, proto, cases[i].src_mask, cases[i].e.sport != 0 ? 65535 : 0,
			    cases[i].dst_mask, 65535);
		assert_int_equal(nfexp_get_attr_u32(e, ATTR_EXP_CLASS), 0);
		assert_true(nfexp_attr_is_set(e, ATTR_EXP_CLASS) > 0);
		assert_int_equal(nfexp_get_attr_u32(e, ATTR_EXP_FLAGS), cases[i].e.permanent);
		assert_int_equal(nfexp_attr_is_set(e, ATTR_EXP_HELPER_NAME) > 0, cases[i].e.follow);
		if (cases[i].e.follow)
			assert_string_equal(nfexp_get_attr(e, ATTR_EXP_HELPER_NAME), "ssdp");
		assert_int_equal(nfexp_attr_is_set(e, ATTR_EXP_FN) > 0, cases[i].direction >= 0);
		assert_int_equal(nfexp_attr_is_set(e, ATTR_EXP_NAT_TUPLE) > 0, cases[i].direction >= 0);
		assert_int_equal(nfexp_attr_is_set(e, ATTR_EXP_TIMEOUT), 0);
		assert_int_equal(nfexp_attr_is_set(e, ATTR_EXP_ZONE), 0);
		if (cases[i].direction >= 0) {
			assert_string_equal(nfexp_get_attr(e, ATTR_EXP_FN), "nat-follow-master");
			assert_int_equal(nfexp_get_attr_u32(e, ATTR_EXP_NAT_DIR), cases[i].direction);
			check_tuple(e, ATTR_EXP_NAT_TUPLE, family, proto,
				    family == AF_INET ? "0.0.0.0" : "::", cases[i].e.nat_port,
				    family == AF_INET ? "0.0.0.0" : "::", 0);
		}
		nfexp_destroy(e);
	}
}

/* An expectation by a request of its own: the same, with its master and zone. */
static void
expectation_alone(void **state)
{
	struct setting s;
	struct msg_expect want = {REF_ORIG_SRC, REF_ORIG_DST, IPPROTO_TCP, 0, 0, 0, 0, 5000, 5001, {0}};
	const struct nlmsghdr *h = (const struct nlmsghdr *)out.bytes;
	struct nf_expect *e = nfexp_new();

	(void)state;
	set_up(&s, HELPER_AMANDA, AF_INET, IPPROTO_UDP, 10080, true, "x", 1, 3);
	s.packet.zone = htons(12);
	verdict_expect(&out, &s.conf, &s.packet, &want);
	assert_false(out.bad);
	assert_int_equal(h->nlmsg_len, out.len);
	assert_int_equal(h->nlmsg_type, NFNL_SUBSYS_CTNETLINK_EXP << 8 | IPCTNL_MSG_EXP_NEW);
	assert_int_equal(h->nlmsg_flags, NLM_F_REQUEST | NLM_F_CREATE | NLM_F_EXCL);
	assert_int_equal(nfexp_nlmsg_parse(h, e), 0);
	check_tuple(e, ATTR_EXP_MASTER, AF_INET, IPPROTO_UDP, "10.1.0.2", 41001, "10.2.0.2", 10080);
	check_tuple(e, ATTR_EXP_EXPECTED, AF_INET, IPPROTO_TCP, "10.1.0.2", 0, "10.2.0.2", 5000);
	check_tuple(e, ATTR_EXP_MASK, AF_INET, IPPROTO_TCP, ONES4, 0, ONES4, 65535);
	check_tuple(e, ATTR_EXP_NAT_TUPLE, AF_INET, IPPROTO_TCP, "0.0.0.0", 5001, "0.0.0.0", 0);
	assert_int_equal(nfexp_get_attr_u32(e, ATTR_EXP_NAT_DIR), 0);
	assert_int_equal(nfexp_get_attr_u16(e, ATTR_EXP_ZONE), 12);
	nfexp_destroy(e);
}

/* The packet in the verdict, on its own memory; its checksums and lengths are those that the library computes. */
static uint8_t *
edited(size_t *len)
{
	struct made m = read_verdict();
	uint8_t *ip;

	assert_non_null(m.attr[NFQA_PAYLOAD]);
	*len = mnl_attr_get_payload_len(m.attr[NFQA_PAYLOAD]);
	assert_non_null(ip = malloc(*len));
	memcpy(ip, mnl_attr_get_payload(m.attr[NFQA_PAYLOAD]), *len);
	return ip;
}

static void
check_headers(uint8_t *ip, size_t len, bool v4, bool tcp)
{
	struct tcphdr *th = (struct tcphdr *)(ip + (v4 ? 20 : 40));
	struct udphdr *uh = (struct udphdr *)th;
	uint16_t have = tcp ? th->check : uh->check;

	if (v4) {
		struct iphdr *h = (struct iphdr *)ip;
		uint16_t check = h->check;

		assert_int_equal(ntohs(h->tot_len), len);
		nfq_ip_set_checksum(h);
		assert_int_equal(h->check, check);
		if (tcp)
			nfq_tcp_compute_checksum_ipv4(th, h);
		else
			nfq_udp_compute_checksum_ipv4(uh, h);
	} else {
		struct ip6_hdr *h = (struct ip6_hdr *)ip;

		assert_int_equal(ntohs(h->ip6_plen), len - 40);
		if (tcp)
			nfq_tcp_compute_checksum_ipv6(th, h);
		else
			nfq_udp_compute_checksum_ipv6(uh, h);
	}
	assert_int_equal(have, tcp ? th->check : uh->check);
	if (!tcp)
		assert_int_equal(ntohs(uh->len), len - (v4 ? 20 : 40));
}

static void
edited_packets(void **state)
{
	static const struct {
		uint8_t family, proto;
		const char *before, *after;
		uint16_t at, old_len;
		const char *put;
	} cases[] = {
		{AF_INET, IPPROTO_TCP, "PORT 10,1,0,2,220,83\r\n", "PORT 10,2,0,1,220,83\r\n", 5, 8, "10,2,0,1"},
		{AF_INET, IPPROTO_TCP, "PORT 10,1,0,2,220,83\r\n", "PORT 192,168,100,200,220,83\r\n", 5, 8,
		 "192,168,100,200"},
		{AF_INET, IPPROTO_TCP, "PORT 10,1,0,2,220,83\r\n", "PORT 1,2,220,83\r\n", 5, 8, "1,2"},
		{AF_INET, IPPROTO_TCP, "PORT 10,1,0,2,220,83\r", "PORT 10,1,0,3,220,83\r", 12, 1, "3"}, /* odd length */
		{AF_INET6, IPPROTO_TCP, "|2|fd01::2|5|", "|2|fd02::1|5|", 3, 7, "fd02::1"},
		{AF_INET, IPPROTO_UDP, "CONNECT DATA 1000", "CONNECT DATA 55555", 13, 4, "55555"},
		{AF_INET6, IPPROTO_UDP, "CONNECT DATA 1000 MESG 7", "CONNECT DATA 1 MESG 7", 13, 4, "1"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct setting s;
		struct msg_verdict v = {.accept = 1, .n_edits = 1};
		size_t len, head;
		uint8_t *ip;

		set_up(&s, cases[i].proto == IPPROTO_TCP ? HELPER_FTP : HELPER_AMANDA, cases[i].family, cases[i].proto,
		       21, true, cases[i].before, strlen(cases[i].before), 3);
		v.edit[0] = (struct msg_edit){.offset = s.packet.facts.payload + cases[i].at,
					      .old_len = cases[i].old_len,
					      .new_len = (uint16_t)strlen(cases[i].put)};
		memcpy(v.edit[0].bytes, cases[i].put, v.edit[0].new_len);
		assert_int_equal(policy_judge(&s.conf, &s.packet, &v), OK);
		verdict_full(&out, &s.conf, &s.packet, &v);
		assert_int_equal(read_verdict().n, 3);
		assert_int_equal(mnl_attr_get_payload_len(read_verdict().attr[NFQA_CT]), 0);
		ip = edited(&len);
		head = s.packet.facts.payload;
		assert_int_equal(len, head + strlen(cases[i].after));
		assert_memory_equal(ip + head, cases[i].after, len - head);
		check_headers(ip, len, cases[i].family == AF_INET, cases[i].proto == IPPROTO_TCP);
		free(ip);
	}
}

/* When the length changes nothing is said of the flow that the kernel may refuse, and then forget the change. */
static void
growth_alone(void **state)
{
	static const char *const put[] = {"10,2,0,1", "10,2,0,111", "1,2"};

	(void)state;
	for (size_t i = 0; i < sizeof(put) / sizeof(put[0]); i++) {
		struct setting s;
		struct msg_verdict v = {.accept = 1, .n_edits = 1, .priv_len = 24};
		struct made m;

		set_up(&s, HELPER_FTP, AF_INET, IPPROTO_TCP, 21, true, "PORT 10,1,0,2,220,83\r\n", 22, 0);
		s.conf.priv_len = 24;
		v.edit[0] = (struct msg_edit){
			.offset = s.packet.facts.payload + 5, .old_len = 8, .new_len = (uint16_t)strlen(put[i])};
		memcpy(v.edit[0].bytes, put[i], v.edit[0].new_len);
		assert_int_equal(policy_judge(&s.conf, &s.packet, &v), OK);
		verdict_full(&out, &s.conf, &s.packet, &v);
		m = read_verdict();
		assert_non_null(m.attr[NFQA_PAYLOAD]);
		assert_non_null(m.attr[NFQA_CT]);
		assert_int_equal(mnl_attr_get_payload_len(m.attr[NFQA_CT]) > 0, i == 0);
	}
}

/* Two edits; what stays in between and around them does. */
static void
two_edits(void **state)
{
	struct setting s;
	struct msg_verdict v = {.accept = 1, .n_edits = 2};
	size_t len;
	uint8_t *ip;

	(void)state;
	set_up(&s, HELPER_AMANDA, AF_INET, IPPROTO_UDP, 10080, true, "DATA 1000 MESG 1001 INDEX 1002\n", 31, 3);
	v.edit[0] = (struct msg_edit){s.packet.facts.payload + 5, 4, 5, "20000"};
	v.edit[1] = (struct msg_edit){s.packet.facts.payload + 26, 4, 1, "7"};
	assert_int_equal(policy_judge(&s.conf, &s.packet, &v), OK);
	verdict_full(&out, &s.conf, &s.packet, &v);
	ip = edited(&len);
	assert_int_equal(len, 28 + 29);
	assert_memory_equal(ip + 28, "DATA 20000 MESG 1001 INDEX 7\n", 29);
	check_headers(ip, len, true, false);
	free(ip);
}

/* A UDP packet without a checksum keeps none; a checksum that comes out as zero is written as all ones. */
static void
udp_checksums(void **state)
{
	struct setting s;
	struct msg_verdict v = {.accept = 1, .n_edits = 1};
	bool seen_ones = false;

	(void)state;
	set_up(&s, HELPER_AMANDA, AF_INET, IPPROTO_UDP, 10080, true, "1234", 4, 3);
	v.edit[0] = (struct msg_edit){s.packet.facts.payload, 4, 4, "5678"};
	memset(pkt + 26, 0, 2);
	assert_int_equal(rig_read(msg, rig_message(msg, 1, &s.flow, pkt, 32), &s.packet), OK);
	verdict_full(&out, &s.conf, &s.packet, &v);
	{
		size_t len;
		uint8_t *ip = edited(&len);

		assert_memory_equal(ip + 26, "\0\0", 2);
		free(ip);
	}
	pkt[26] = 1;
	for (unsigned int port = 0; port < 65536 && !seen_ones; port++) {
		size_t len;
		uint8_t *ip;

		pkt[20] = (uint8_t)(port >> 8);
		pkt[21] = (uint8_t)port;
		assert_int_equal(rig_read(msg, rig_message(msg, 1, &s.flow, pkt, 32), &s.packet), OK);
		verdict_full(&out, &s.conf, &s.packet, &v);
		ip = edited(&len);
		assert_true(ip[26] != 0 || ip[27] != 0);
		seen_ones = ip[26] == 0xff && ip[27] == 0xff;
		free(ip);
	}
	assert_true(seen_ones);
}

/* What follows the UDP datagram in the packet stays, and is no part of the checksum; IP options stay. */
static void
unusual_headers(void **state)
{
	static const uint8_t packet[] = {0x46, 0,  0,  40, 0,   0,   0,   0,   64,  17,  0,    0,    10,   2,
					 0,    2,  10, 1,  0,   2,   1,   1,   1,   1,   0x27, 0x60, 0xa0, 0x29,
					 0,    12, 1,  1,  '1', '2', '3', '4', 'T', 'A', 'I',  'L'};
	struct setting s;
	struct msg_verdict v = {.accept = 1, .n_edits = 1};
	struct iphdr *h;
	size_t len;
	uint8_t *ip;
	uint16_t check;

	(void)state;
	set_up(&s, HELPER_AMANDA, AF_INET, IPPROTO_UDP, 10080, true, "x", 1, 3);
	assert_int_equal(rig_read(msg, rig_message(msg, 1, &s.flow, packet, sizeof(packet)), &s.packet), OK);
	assert_int_equal(s.packet.facts.payload_len, 4);
	v.edit[0] = (struct msg_edit){s.packet.facts.payload, 4, 5, "56789"};
	verdict_full(&out, &s.conf, &s.packet, &v);
	ip = edited(&len);
	assert_int_equal(len, 41);
	assert_memory_equal(ip + 20, packet + 20, 4);
	assert_memory_equal(ip + 32, "56789TAIL", 9);
	assert_int_equal(ip[29], 13);
	h = (struct iphdr *)ip;
	check = h->check;
	nfq_ip_set_checksum(h);
	assert_int_equal(h->check, check);
	h->tot_len = htons(37); /* for the library the datagram ends with the packet */
	memcpy(&check, ip + 30, 2);
	nfq_udp_compute_checksum_ipv4((struct udphdr *)(ip + 24), h);
	assert_memory_equal(ip + 30, &check, 2);
	free(ip);
}

/* TNS counts its own octets: those of the packet, and of the text of a redirect. */
static void
tns_lengths(void **state)
{
	static const char redirect[] = "\0\x1f\0\0\5\0\0\0\0\x15(HOST=1.2.3.4)(PORT=5)";
	static const char data[] = "\0\x1f\0\0\6\0\0\0\0\0(HOST=1.2.3.4)(PORT=5)!";

	(void)state;
	for (int is_data = 0; is_data < 2; is_data++) {
		struct setting s;
		struct msg_verdict v = {.accept = 1, .n_edits = 1};
		uint8_t *ip;
		size_t len;

		set_up(&s, HELPER_TNS, AF_INET, IPPROTO_TCP, 1521, true, is_data ? data : redirect, 31, 3);
		v.edit[0] = (struct msg_edit){s.packet.facts.payload + 16, 7, 11, "10.20.30.40"};
		assert_int_equal(policy_judge(&s.conf, &s.packet, &v), OK);
		verdict_full(&out, &s.conf, &s.packet, &v);
		ip = edited(&len);
		assert_int_equal(len, 40 + 35);
		assert_memory_equal(ip + 40, "\0\x23", 2);
		assert_memory_equal(ip + 48, is_data ? "\0\0" : "\0\x19", 2);
		check_headers(ip, len, true, true);
		free(ip);
	}
}

/* The longest packet that may be edited fits with the most that can be said beside it. */
static void
the_longest(void **state)
{
	static uint8_t payload[MSG_EDIT_MAX - 60];
	struct setting s;
	struct msg_verdict v = {.accept = 1, .n_expect = 1, .n_edits = 1, .priv_len = 32};

	(void)state;
	memset(payload, '1', sizeof(payload));
	set_up(&s, HELPER_FTP, AF_INET6, IPPROTO_TCP, 21, true, payload, sizeof(payload), 3);
	assert_int_equal(s.packet.facts.len, MSG_EDIT_MAX);
	s.conf.priv_len = 32;
	v.expect[0] = (struct msg_expect){REF_ORIG_SRC, REF_ORIG_DST, IPPROTO_TCP, 0, 0, 0, 0, 40000, 40001, {0}};
	v.edit[0] = (struct msg_edit){s.packet.facts.payload, 1, 64, "1"};
	verdict_full(&out, &s.conf, &s.packet, &v);
	assert_int_equal(mnl_attr_get_payload_len(read_verdict().attr[NFQA_PAYLOAD]), MSG_EDIT_MAX + 63);
	s.packet.facts.len += 4000; /* what does not fit is said, not cut */
	verdict_full(&out, &s.conf, &s.packet, &v);
	assert_true(out.bad);
}

/* As libnetfilter_queue would have it, but in one message. */
static void
bind_message(void **state)
{
	const struct nlmsghdr *h = (const struct nlmsghdr *)out.bytes;
	struct queue_conf c = {
		.kind = HELPER_TFTP, .family = AF_INET6, .queue = 300, .queue_len = 2048, .flags = QUEUE_FAIL_OPEN};
	char buf[512] = "";
	struct nlmsghdr *want = nfq_nlmsg_put(buf, NFQNL_MSG_CONFIG, 300);

	(void)state;
	want->nlmsg_flags |= NLM_F_ACK;
	want->nlmsg_seq = BIND_SEQ;
	nfq_nlmsg_cfg_put_cmd(want, AF_INET6, NFQNL_CFG_CMD_BIND);
	nfq_nlmsg_cfg_put_params(want, NFQNL_COPY_PACKET, 0xffff);
	mnl_attr_put_u32(want, NFQA_CFG_FLAGS, htonl(NFQA_CFG_F_CONNTRACK | NFQA_CFG_F_FAIL_OPEN));
	mnl_attr_put_u32(want, NFQA_CFG_MASK, UINT32_MAX);
	nfq_nlmsg_cfg_put_qmaxlen(want, 2048);
	verdict_bind(&out, &c);
	assert_false(out.bad);
	assert_int_equal(h->nlmsg_len, want->nlmsg_len);
	assert_memory_equal(h, want, want->nlmsg_len);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain),        cmocka_unit_test(nothing_wanted),    cmocka_unit_test(flow_part),
		cmocka_unit_test(expectation),  cmocka_unit_test(expectation_alone), cmocka_unit_test(edited_packets),
		cmocka_unit_test(two_edits),    cmocka_unit_test(udp_checksums),     cmocka_unit_test(unusual_headers),
		cmocka_unit_test(tns_lengths),  cmocka_unit_test(the_longest),       cmocka_unit_test(bind_message),
		cmocka_unit_test(growth_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

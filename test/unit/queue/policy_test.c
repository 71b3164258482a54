/*
 * What each helper may answer: for each helper and situation exactly the pairs of addresses that the specification has,
 * one good answer, and from it every single fault with the breach that it is.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "rig.h"

#define REFS(src, dst) (1ULL << ((src)*8 + (dst)))

/* A packet of a helper's flow; the pairs that may be expected from it, and one expectation that is good. */
static const struct situation {
	const char *what;
	uint8_t kind, family, proto, has_master;
	uint32_t ct_info;
	uint16_t dport;
	uint64_t refs;
	struct msg_expect good;
	bool translated; /* when the flow is translated it may be expected, with nat_port: */
	uint16_t nat_port;
	int direction;
} situations[] = {
#define FLOW(kind, family, proto, master, info, dport) HELPER_##kind, AF_##family, IPPROTO_##proto, master, info, dport
#define REPLY                                          REF_REPLY_SRC, REF_REPLY_DST
#define ORIG                                           REF_ORIG_SRC, REF_ORIG_DST
#define ASKER                                          REF_ANY, REF_ORIG_SRC
#define PAIR(pair)                                     REFS(pair)
#define BOTH                                           (PAIR(REPLY) | PAIR(ORIG))
#define GOOD(pair, proto, permanent, follow, sport, dport)                    \
	{                                                                     \
		pair, IPPROTO_##proto, permanent, follow, 0, sport, dport, 0, \
		{                                                             \
			0                                                     \
		}                                                             \
	}
#define NO_NAT  false, 0, -1
#define NOTHING 0, {0}, NO_NAT
	{"ftp client", FLOW(FTP, INET, TCP, 0, 0, 21), PAIR(REPLY), GOOD(REPLY, TCP, 0, 0, 0, 40000), true, 40001, 1},
	{"ftp server", FLOW(FTP, INET6, TCP, 0, 3, 21), PAIR(ORIG), GOOD(ORIG, TCP, 0, 0, 0, 40000), true, 40001, 0},
	{"tftp new", FLOW(TFTP, INET, UDP, 0, 2, 69), PAIR(REPLY), GOOD(REPLY, UDP, 0, 0, 0, 41001), true, 41001, 1},
	{"tftp reply", FLOW(TFTP, INET6, UDP, 0, 3, 69), PAIR(REPLY), GOOD(REPLY, UDP, 0, 0, 0, 41001), true, 41001, 1},
	{"rpc over UDP", FLOW(RPC, INET, UDP, 0, 3, 111), PAIR(ORIG), GOOD(ORIG, TCP, 1, 0, 0, 2049), true, 2049, 0},
	{"rpc over TCP", FLOW(RPC, INET, TCP, 0, 3, 111), PAIR(ORIG), GOOD(ORIG, UDP, 1, 0, 0, 2049), true, 2049, 0},
	{"rpc call", FLOW(RPC, INET, TCP, 0, 0, 111), NOTHING},
	{"tns", FLOW(TNS, INET, TCP, 0, 3, 1521), PAIR(ORIG), GOOD(ORIG, TCP, 0, 0, 0, 5000), true, 5001, 0},
	{"tns client", FLOW(TNS, INET, TCP, 0, 0, 1521), NOTHING},
	{"sane", FLOW(SANE, INET, TCP, 0, 3, 6566), PAIR(ORIG), GOOD(ORIG, TCP, 0, 0, 0, 5000), true, 5001, 0},
	{"sane client", FLOW(SANE, INET, TCP, 0, 0, 6566), NOTHING},
	{"amanda", FLOW(AMANDA, INET, UDP, 0, 3, 10080), PAIR(ORIG), GOOD(ORIG, TCP, 0, 0, 0, 5000), true, 5001, 0},
	{"amanda client", FLOW(AMANDA, INET, UDP, 0, 0, 10080), NOTHING},
	{"mdns", FLOW(MDNS, INET6, UDP, 0, 2, 5353), PAIR(ASKER), GOOD(ASKER, UDP, 1, 0, 5353, 41001), NO_NAT},
	{"mdns answer", FLOW(MDNS, INET, UDP, 0, 3, 5353), NOTHING},
	{"slp", FLOW(SLP, INET, UDP, 0, 2, 427), PAIR(ASKER), GOOD(ASKER, UDP, 1, 0, 427, 41001), NO_NAT},
	{"dhcpv6", FLOW(DHCPV6, INET6, UDP, 0, 2, 547), PAIR(ASKER), GOOD(ASKER, UDP, 1, 0, 0, 546), NO_NAT},
	{"ssdp search", FLOW(SSDP, INET, UDP, 0, 2, 1900), PAIR(ASKER), GOOD(ASKER, UDP, 1, 1, 0, 41001), NO_NAT},
	{"ssdp location", FLOW(SSDP, INET, UDP, 1, 1, 41001), PAIR(ASKER), GOOD(ASKER, TCP, 1, 1, 0, 8080), NO_NAT},
	{"ssdp subscribe", FLOW(SSDP, INET, TCP, 1, 0, 8080), BOTH, GOOD(REPLY, TCP, 0, 1, 0, 9090), true, 9091, 1},
	{"ssdp notify", FLOW(SSDP, INET, TCP, 1, 0, 9090), BOTH, GOOD(ORIG, TCP, 0, 1, 0, 9090), true, 9090, 0},
	{"ssdp over TCP, answer", FLOW(SSDP, INET, TCP, 1, 3, 9090), NOTHING},
};
#define N_SITUATIONS (sizeof(situations) / sizeof(situations[0]))

static uint8_t msg[1 << 16], pkt[1 << 15];

static void
read_packet(struct packet *p, const struct situation *s, bool nated, const char *payload)
{
	struct rig_flow f = rig_flow(s->family, s->proto, s->dport, nated);
	size_t len;

	f.ct_info = s->ct_info;
	f.has_master = s->has_master;
	len = rig_packet(pkt, &f, payload, strlen(payload));
	assert_int_equal(rig_read(msg, rig_message(msg, 1, &f, pkt, len), p), OK);
}

static struct queue_conf
conf_of(const struct situation *s)
{
	return (struct queue_conf){.kind = s->kind, .family = s->family, .proto = s->proto, .min_port = 1024};
}

static struct msg_verdict
verdict_of(const struct situation *s, bool nated)
{
	struct msg_verdict v = {.accept = 1, .n_expect = 1, .expect = {s->good}};

	if (nated)
		v.expect[0].nat_port = s->nat_port;
	if (nated && s->good.dport == 41001 && s->good.dst == REF_REPLY_DST)
		v.expect[0].dport = 50001; /* the port that the outside knows */
	return v;
}

static enum count
judge(const struct situation *s, bool nated, const struct msg_verdict *v)
{
	struct queue_conf c = conf_of(s);
	struct packet p;

	read_packet(&p, s, nated, "payload");
	return policy_judge(&c, &p, v);
}

static void
good_ones(void **state)
{
	(void)state;
	for (const struct situation *s = situations; s < situations + N_SITUATIONS; s++)
		for (int nated = 0; nated < 2; nated++) {
			struct msg_verdict v = verdict_of(s, nated), none = {.accept = 1};
			struct queue_conf c = conf_of(s);
			struct packet p;
			enum count want = s->refs == 0 ? BREACH_ADDRESS : !nated || s->translated ? OK : BREACH_NAT;

			if (judge(s, nated, &v) != want)
				fail_msg("%s: %d, not %d", s->what, judge(s, nated, &v), want);
			assert_int_equal(judge(s, nated, &none), OK);
			read_packet(&p, s, nated, "payload");
			assert_int_equal(policy_nat_direction(&c, &p, &v.expect[0]), nated ? s->direction : -1);
		}
}

static void
exactly_these_addresses(void **state)
{
	(void)state;
	for (const struct situation *s = situations; s < situations + N_SITUATIONS; s++)
		for (unsigned int src = 0; src < 8; src++)
			for (unsigned int dst = 0; dst < 8; dst++) {
				struct msg_verdict v = verdict_of(s, false);
				bool listed = (s->refs & REFS(src, dst)) != 0;

				v.expect[0].src = (uint8_t)src;
				v.expect[0].dst = (uint8_t)dst;
				if ((judge(s, false, &v) == BREACH_ADDRESS) == listed)
					fail_msg("%s: %u to %u", s->what, src, dst);
			}
}

#define FAULT(nated, want, change)                                                                     \
	do {                                                                                           \
		struct msg_verdict v = verdict_of(s, nated);                                           \
		change;                                                                                \
		if (judge(s, nated, &v) != (want))                                                     \
			fail_msg("%s: %s: %d, not %d", s->what, #change, judge(s, nated, &v), (want)); \
	} while (0)

/* One thing at a time. */
static void
single_faults(void **state)
{
	(void)state;
	for (const struct situation *s = situations; s < situations + N_SITUATIONS; s++) {
		struct msg_expect g = s->good;
		bool said = g.dport != 41001 && g.dport != 546 && strcmp(s->what, "ssdp notify") != 0;
		bool both = s->kind == HELPER_RPC;

		if (s->refs == 0)
			continue;
		FAULT(false, BREACH_PROTO, v.expect[0].proto = IPPROTO_ICMP);
		FAULT(false, BREACH_PROTO, v.expect[0].proto = 0);
		FAULT(false, both ? OK : BREACH_PROTO, v.expect[0].proto = g.proto ^ IPPROTO_TCP ^ IPPROTO_UDP);
		FAULT(false, BREACH_FLAGS, v.expect[0].class = 1);
		FAULT(false, BREACH_FLAGS, v.expect[0].permanent = 2);
		FAULT(false, BREACH_FLAGS, v.expect[0].follow = 2);
		FAULT(false, g.permanent ? OK : BREACH_FLAGS, v.expect[0].permanent = 1);
		FAULT(false, g.follow ? OK : BREACH_FLAGS, v.expect[0].follow = 1);
		FAULT(false, OK, v.expect[0].permanent = v.expect[0].follow = 0);
		FAULT(false, BREACH_PORT, v.expect[0].dport = 0);
		FAULT(false, BREACH_PORT, v.expect[0].dport = 1023);
		FAULT(false, said ? OK : BREACH_PORT, v.expect[0].dport = 1024);
		FAULT(false, BREACH_PORT, v.expect[0].sport = 20);
		FAULT(false, g.sport != 0 ? BREACH_PORT : OK, v.expect[0].sport = 0);
		FAULT(false, BREACH_NAT, v.expect[0].nat_port = 40000);
		FAULT(false, BREACH_ADDRESS, v.expect[0].address[0] = 1);
		FAULT(false, BREACH_COUNT, v.n_expect = 4);
		FAULT(false, s->kind == HELPER_AMANDA ? OK : BREACH_COUNT, v.n_expect = 3;
		      v.expect[2] = v.expect[1] = g);
		FAULT(false, BREACH_VERDICT, v.accept = 0);
		FAULT(false, BREACH_VERDICT, v.accept = 2);
		FAULT(false, BREACH_PRIVATE, v.priv_len = 1);
		FAULT(false, BREACH_EDIT, v.n_edits = 1);
		FAULT(false, BREACH_EDIT, v.n_edits = 255);
		if (!s->translated)
			continue;
		FAULT(true, BREACH_NAT, v.expect[0].nat_port = 0);
		FAULT(true, BREACH_NAT, v.expect[0].nat_port = 1023);
		FAULT(true, said ? OK : BREACH_NAT, v.expect[0].nat_port = 1024);
	}
}

/* Every expectation of an answer is looked at. */
static void
several(void **state)
{
	const struct situation *s = situations;
	struct queue_conf c;
	struct packet p;
	struct msg_verdict v;

	(void)state;
	while (s->kind != HELPER_AMANDA)
		s++;
	v = verdict_of(s, false);
	v.n_expect = 3;
	v.expect[1] = v.expect[2] = v.expect[0];
	c = conf_of(s);
	read_packet(&p, s, false, "CONNECT");
	assert_int_equal(policy_judge(&c, &p, &v), OK);
	v.expect[1].dport = 1;
	assert_int_equal(policy_judge(&c, &p, &v), BREACH_PORT);
	v.expect[1] = v.expect[0];
	v.expect[2].src = REF_ANY;
	assert_int_equal(policy_judge(&c, &p, &v), BREACH_ADDRESS);
	v.expect[2] = v.expect[0];
	c.expect_max = 2;
	assert_int_equal(policy_judge(&c, &p, &v), BREACH_COUNT);
	v.n_expect = 2;
	assert_int_equal(policy_judge(&c, &p, &v), OK);
}

static void
settings(void **state)
{
	struct situation s = situations[0];
	struct queue_conf c = conf_of(&s);
	struct msg_verdict v = verdict_of(&s, false), drop = {.accept = 0};
	struct packet p;

	(void)state;
	read_packet(&p, &s, false, "PORT");
	v.expect[0].dport = 22;
	assert_int_equal(policy_judge(&c, &p, &v), BREACH_PORT);
	c.min_port = 0;
	assert_int_equal(policy_judge(&c, &p, &v), OK);
	v.expect[0].dport = 0;
	assert_int_equal(policy_judge(&c, &p, &v), BREACH_PORT);
	/* where anybody may come the least port is 1024 unless configured */
	for (size_t i = 0; strcmp(s.what, "ssdp location") != 0; i++)
		s = situations[i];
	v = verdict_of(&s, false);
	read_packet(&p, &s, false, "HTTP");
	c = conf_of(&s);
	c.min_port = 0;
	v.expect[0].dport = 1023;
	assert_int_equal(policy_judge(&c, &p, &v), BREACH_PORT);
	v.expect[0].dport = 1024;
	assert_int_equal(policy_judge(&c, &p, &v), OK);
	c.min_port = 80;
	v.expect[0].dport = 80;
	assert_int_equal(policy_judge(&c, &p, &v), OK);
	s = situations[0];
	c = conf_of(&s);
	c.min_port = 0;
	read_packet(&p, &s, false, "PORT");
	/* other hosts, by value: only where configured, and not translated */
	v = verdict_of(&s, false);
	v.expect[0].dst = REF_FOREIGN;
	memcpy(v.expect[0].address, "\x0a\x63\0\1", 4);
	assert_int_equal(policy_judge(&c, &p, &v), BREACH_ADDRESS);
	c.flags = QUEUE_FOREIGN;
	assert_int_equal(policy_judge(&c, &p, &v), OK);
	memset(v.expect[0].address, 0, 4);
	assert_int_equal(policy_judge(&c, &p, &v), BREACH_ADDRESS);
	memcpy(v.expect[0].address, "\x0a\x63\0\1", 4);
	v.expect[0].nat_port = 40000;
	read_packet(&p, &s, true, "PORT");
	assert_int_equal(policy_judge(&c, &p, &v), BREACH_NAT);
	/* dropping: only where configured, and with nothing else */
	read_packet(&p, &s, false, "PORT");
	assert_int_equal(policy_judge(&c, &p, &drop), BREACH_VERDICT);
	c.flags = QUEUE_MAY_DROP;
	assert_int_equal(policy_judge(&c, &p, &drop), OK);
	drop.n_expect = 1;
	assert_int_equal(policy_judge(&c, &p, &drop), BREACH_COUNT);
	drop.n_expect = 0;
	drop.n_edits = 1;
	assert_int_equal(policy_judge(&c, &p, &drop), BREACH_EDIT);
	c.priv_len = 24;
	v = (struct msg_verdict){.accept = 1, .priv_len = 24};
	assert_int_equal(policy_judge(&c, &p, &v), OK);
	v.priv_len = 0;
	assert_int_equal(policy_judge(&c, &p, &v), BREACH_PRIVATE);
}

static void
timeouts(void **state)
{
	static const uint32_t values[] = {1, 2, 4, 5, 30, 31, 120, 299, 300, 301, 600, 65535, 65536 + 300, UINT32_MAX};

	(void)state;
	for (const struct situation *s = situations; s < situations + N_SITUATIONS; s++)
		for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
			struct msg_verdict v = {.accept = 1, .timeout = values[i]};
			uint32_t t = values[i];
			bool ok = (s->kind == HELPER_AMANDA && s->ct_info == 3 && t == 300) ||
				  (s->kind == HELPER_DHCPV6 && (t == 1 || t == 4 || t == 30 || t == 120 || t == 600));

			if (judge(s, false, &v) != (ok ? OK : BREACH_TIMEOUT))
				fail_msg("%s: %u", s->what, t);
		}
}

/* The packet is "PORT 10,1,0,2,220,83\r\n" of ftp: the text at 5, 16 letters, payload of 23. */
static const struct edit_case {
	const char *what;
	enum count want;
	struct {
		int at;
		const char *old, *new; /* by their lengths: what stands in the packet decides */
	} edit[2];
} edits[] = {
	{"same length", OK, {{5, "10,1,0,2,220,83", "10,2,0,1,220,83"}}},
	{"longer", OK, {{5, "10,1,0,2,220,83", "192,168,200,201,220,83"}}},
	{"shorter", OK, {{5, "10,1,0,2,220,83", "1,2,3,4,5,6"}}},
	{"two", OK, {{5, "10,1,0,2", "10,2,0,1"}, {14, "220,83", "1,1"}}},
	{"two that touch", OK, {{5, "10,", "11,"}, {8, "1,0", "2,0"}}},
	{"last octet, which is no number", BREACH_TEXT, {{21, "\n", "1"}}},
	{"before the payload", BREACH_EDIT, {{-1, "1", "2"}}},
	{"over its end", BREACH_EDIT, {{21, "12", "12"}}},
	{"behind it", BREACH_EDIT, {{22, "1", "2"}}},
	{"overlapping", BREACH_EDIT, {{5, "10,1", "10,2"}, {8, "1", "2"}}},
	{"unsorted", BREACH_EDIT, {{14, "220", "221"}, {5, "10", "11"}}},
	{"nothing replaced", BREACH_EDIT, {{5, "", "1"}}},
	{"nothing put there", BREACH_EDIT, {{5, "10", ""}}},
	{"letters", BREACH_TEXT, {{5, "10", "xy"}}},
	{"a line end", BREACH_TEXT, {{5, "10,1", "1\r\nD"}}},
	{"a delimiter that is not there", BREACH_TEXT, {{5, "10", "|1"}}},
	{"the command", BREACH_TEXT, {{0, "PORT", "1234"}}},
	{"one letter of it as delimiter", OK, {{3, "T", "T"}}},
	{"two delimiters", BREACH_TEXT, {{2, "RT", "RT"}}},
	{"a blank", BREACH_TEXT, {{4, " 10", "110"}}},
	{"grows by 49",
	 OK,
	 {{5, "10,1,0,2,220,83", "1111111111111111111111111111111111111111111111111111111111111111"}}},
	{"grows by 65",
	 BREACH_GROWTH,
	 {{5, "10,1,0,2,220", "1111111111111111111111111111111111111111111111111111111111111111"},
	  {18, "8", "11111111111111"}}},
};

static void
edit_cases(void **state)
{
	struct queue_conf c = conf_of(situations);
	struct packet p;

	(void)state;
	for (const struct edit_case *e = edits; e < edits + sizeof(edits) / sizeof(edits[0]); e++) {
		struct msg_verdict v = {.accept = 1};

		read_packet(&p, situations, true, "PORT 10,1,0,2,220,83\r\n");
		for (int i = 0; i < 2 && e->edit[i].old != NULL; i++) {
			struct msg_edit *to = &v.edit[v.n_edits++];

			to->offset = (uint32_t)((int)p.facts.payload + e->edit[i].at);
			to->old_len = (uint16_t)strlen(e->edit[i].old);
			to->new_len = (uint16_t)strlen(e->edit[i].new);
			memcpy(to->bytes, e->edit[i].new, to->new_len);
		}
		if (policy_judge(&c, &p, &v) != e->want)
			fail_msg("%s: %d, not %d", e->what, policy_judge(&c, &p, &v), e->want);
	}
}

/* Where text may be edited at all, and where its length may change. */
static void
edits_by_flow(void **state)
{
	(void)state;
	for (const struct situation *s = situations; s < situations + N_SITUATIONS; s++)
		for (int nated = 0; nated < 2; nated++) {
			struct queue_conf c = conf_of(s);
			struct packet p;
			struct msg_verdict v = {.accept = 1, .n_edits = 1};
			bool edits_text = (s->kind == HELPER_FTP || s->kind == HELPER_TNS || s->kind == HELPER_AMANDA ||
					   (s->kind == HELPER_SSDP && s->proto == IPPROTO_TCP)) &&
					  nated;
			bool adjusted = s->proto == IPPROTO_UDP || s->family == AF_INET;

			read_packet(&p, s, nated, "12345");
			v.edit[0] = (struct msg_edit){.offset = p.facts.payload, .old_len = 5, .new_len = 5};
			memset(v.edit[0].bytes, '7', 10);
			assert_int_equal(policy_judge(&c, &p, &v), edits_text ? OK : BREACH_EDIT);
			v.edit[0].new_len = 6;
			assert_int_equal(policy_judge(&c, &p, &v), !edits_text ? BREACH_EDIT
								   : adjusted  ? OK
									       : BREACH_GROWTH);
			v.edit[0].new_len = 4;
			assert_int_equal(policy_judge(&c, &p, &v), !edits_text ? BREACH_EDIT
								   : adjusted  ? OK
									       : BREACH_GROWTH);
			v.edit[0].old_len = 65;
			assert_int_equal(policy_judge(&c, &p, &v), BREACH_EDIT);
			v.edit[0].old_len = 5;
			p.data = NULL; /* longer than MSG_EDIT_MAX */
			assert_int_equal(policy_judge(&c, &p, &v), BREACH_EDIT);
		}
}

static void
names(void **state)
{
	(void)state;
	assert_string_equal(helper_name(HELPER_AMANDA), "amanda");
	assert_string_equal(helper_name(HELPER_TNS), "tns");
	assert_string_equal(helper_name(HELPER_KINDS), "?");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_ones),     cmocka_unit_test(exactly_these_addresses),
		cmocka_unit_test(single_faults), cmocka_unit_test(several),
		cmocka_unit_test(settings),      cmocka_unit_test(timeouts),
		cmocka_unit_test(edit_cases),    cmocka_unit_test(edits_by_flow),
		cmocka_unit_test(names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

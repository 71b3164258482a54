/*
 * Random flows and expectations survive the wire and the kernel's message format: decoding what was encoded gives the
 * same object, and what was written as a ctnetlink request reads back the same.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <arpa/inet.h>
#include <linux/netlink.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "flow_nl.h"
#include "guard.h"
#include "wire.h"

#define ROUNDS 100000

static uint64_t seed = 0x9e3779b97f4a7c15;

static uint32_t
any(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)(seed >> 16);
}

static bool
maybe(void)
{
	return any() % 4 == 0;
}

static void
fill(void *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		((uint8_t *)p)[i] = (uint8_t)any();
}

static void
any_side(struct flow *f, struct flow_side *s)
{
	const unsigned int words = flow_words(f);

	memset(s, 0, sizeof(*s));
	f->side = s;
	if (maybe())
		f->have |= FLOW_LABELS;
	if (maybe())
		f->have |= FLOW_SEQADJ;
	if (maybe())
		f->have |= FLOW_SYNPROXY;
	else if (maybe())
		f->have |= FLOW_SYNPROXY_ZERO;
	if (maybe())
		f->have |= FLOW_HELPER;
	if (maybe())
		f->have |= FLOW_MASTER;
	fill(s->label, sizeof(s->label));
	fill(s->seqadj, sizeof(s->seqadj));
	s->its = any() | 1;
	s->isn = any();
	s->tsoff = any();
	for (unsigned int i = 0; i <= any() % 11; i++)
		s->helper[i] = (char)('a' + any() % 26);
	s->master_l4 = 6;
	s->master_has_ports = 1;
	fill(s->master_port, sizeof(s->master_port));
	fill(s->master_addr, 8 * words);
	if (!(f->have & FLOW_SIDE))
		f->side = NULL;
}

static void
any_proto(struct flow *f)
{
	static const uint8_t protos[] = {6, 6, 17, 132, 33, 1, 58, 47, 50, 136};
	static const uint8_t types[] = {8, 0, 13, 14, 15, 16, 17, 18}, types6[] = {128, 129, 139, 140};
	uint8_t *type;

	f->l4 = protos[any() % sizeof(protos)];
	if (f->l4 == 6 || f->l4 == 132 || f->l4 == 33) {
		f->have |= maybe() ? 0 : FLOW_STATE;
		f->state = f->have & FLOW_STATE ? (uint8_t)(any() % 8) : 0;
	}
	if (f->l4 == 6 && f->have & FLOW_STATE && maybe()) {
		f->have |= FLOW_WSCALE;
		for (int i = 0; i < 2; i++)
			f->wscale[i] = (uint8_t)(any() % 15); /* RFC 7323 */
	}
	if (f->l4 == 132 && f->have & FLOW_STATE)
		fill(f->vtag, sizeof(f->vtag));
	if (f->l4 == 33 && f->have & FLOW_STATE)
		f->dccp_role = any() & 1;
	if (f->l4 == 47 || f->l4 == 50 || f->l4 == 136)
		return; /* without ports on the wire */
	f->have |= FLOW_PORTS;
	fill(f->port, 4);
	type = (uint8_t *)&f->port[1];
	if (f->l4 == 1)
		type[0] = types[any() % sizeof(types)];
	if (f->l4 == 58)
		type[0] = types6[any() % sizeof(types6)];
}

static struct flow
any_flow(struct flow_side *s)
{
	struct flow f = {.l3 = maybe() ? AF_INET6 : AF_INET, .have = FLOW_STATUS, .status = any() & 0xffff};
	struct flow_nat nat = {.snat = maybe(), .dnat = maybe(), .spat = maybe(), .dpat = maybe()};

	fill(f.addr, 8 * flow_words(&f));
	any_proto(&f);
	fill(nat.snat_addr, 4 * flow_words(&f));
	fill(nat.dnat_addr, 4 * flow_words(&f));
	nat.spat_port = (uint16_t)any();
	nat.dpat_port = (uint16_t)any();
	if (nat.snat || nat.dnat || nat.spat || nat.dpat)
		f.status |= 0x180;
	flow_derive_reply(&f, &nat);
	if (!maybe()) {
		f.have |= FLOW_TIMEOUT;
		f.timeout = any();
	}
	if (maybe()) {
		f.have |= FLOW_MARK;
		f.mark = any();
	}
	if (maybe()) {
		f.have |= FLOW_ZONE;
		f.zone = (uint16_t)(any() | 1);
	}
	any_side(&f, s);
	return f;
}

static void
over_the_wire(void **state)
{
	const struct wire_enc_opts o = {.wscale = true};
	struct flow_side side, side2;
	uint8_t buf[WIRE_MSG_MAX];
	unsigned int unknown;

	(void)state;
	for (int i = 0; i < ROUNDS; i++) {
		const struct flow f = any_flow(&side);
		struct flow g;
		const int n = wire_enc_flow(&f, WIRE_CT_NEW, 0, 1, &o, buf, sizeof(buf));

		assert_true(n > 0 && n % 4 == 0);
		assert_int_equal(wire_dec_flow(buf + 8, (size_t)n - 8, &g, &side2, &unknown), WIRE_OK);
		assert_int_equal(unknown, 0);
		assert_int_equal(g.have, f.have);
		assert_true(flow_equal(&f, &g));
		assert_true(!(f.have & FLOW_TIMEOUT) || f.timeout == g.timeout);
	}
}

static void
check_options(const struct flow *f, uint8_t *buf, size_t size)
{
	const struct wire_enc_opts o = {.wscale = false, .no_timeout = true};
	const int n = wire_enc_flow(f, WIRE_CT_NEW, 0, 1, &o, buf, size);
	struct flow_side side;
	struct flow g;

	assert_true(n > 0);
	assert_int_equal(wire_dec_flow(buf + 8, (size_t)n - 8, &g, &side, NULL), WIRE_OK);
	assert_int_equal(g.have, f->have & ~(uint32_t)(FLOW_TIMEOUT | FLOW_WSCALE));
}

static void
options(void **state)
{
	struct flow_side side;
	uint8_t buf[WIRE_MSG_MAX];

	(void)state;
	for (int i = 0; i < ROUNDS / 10; i++) {
		const struct flow f = any_flow(&side);

		check_options(&f, buf, sizeof(buf));
	}
}

/* The reply tuple of a create request is the untranslated one: translation stands in attributes of its own. */
static void
as_kernel_request(void **state)
{
	const uint32_t lost = FLOW_SYNPROXY_ZERO; /* need not be said */
	const struct flow_nl_opts o = {.timeout = 0};
	struct flow_side side, side2;
	uint8_t buf[2048] __attribute__((aligned(4)));

	(void)state;
	for (int i = 0; i < ROUNDS; i++) {
		struct flow f = any_flow(&side), g;
		const int n = flow_to_nl(&f, FLOW_NL_CREATE, &o, 1, buf, sizeof(buf));

		if (!(f.have & FLOW_TIMEOUT)) {
			assert_true(n < 0);
			continue;
		}
		assert_true(n > 0 && n % 4 == 0);
		assert_int_equal(((struct nlmsghdr *)buf)->nlmsg_len, n);
		assert_int_equal(flow_from_nl((const struct nlmsghdr *)buf, &g, &side2), 0);
		f.have &= ~lost;
		f.status = (f.status & 0x2406) | 8;
		flow_derive_reply(&f, NULL);
		g.have |= f.have & FLOW_PORTS;
		f.have |= g.have & FLOW_PORTS; /* keys of GRE, ports of UDP-Lite: always asked for by the kernel */
		assert_int_equal(g.have, f.have);
		assert_true(flow_equal(&f, &g));
		assert_int_equal(f.timeout, g.timeout);
	}
}

/* A request that the guard of the wall refuses ends the worker: none of ours may be one. */
static void
past_the_guard(void **state)
{
	struct flow_side side;
	uint8_t buf[2048] __attribute__((aligned(4)));

	(void)state;
	for (int i = 0; i < ROUNDS; i++) {
		const struct flow_nl_opts o = {.timeout = maybe() ? 60 : 0, .tcp_liberal = maybe()};
		const enum flow_nl_op op = (enum flow_nl_op)(any() % 4);
		struct flow f = any_flow(&side);
		int n;

		f.have |= maybe() ? FLOW_ID : 0;
		f.state = (uint8_t)any();
		fill(f.wscale, sizeof(f.wscale));
		if ((n = flow_to_nl(&f, op, &o, any(), buf, sizeof(buf))) >= 0)
			assert_int_equal(guard_batch(ROLE_SYNC, buf, (size_t)n), 0);
	}
}

static void
any_tuple(const struct expect *e, struct flow_tuple *t, uint8_t l4)
{
	const size_t len = e->l3 == AF_INET ? 4 : 16;

	fill(t->src, len);
	fill(t->dst, len);
	t->l4 = l4;
	t->sport = (uint16_t)any();
	t->dport = (uint16_t)any();
}

static struct expect
any_expect(void)
{
	struct expect e = {
		.l3 = maybe() ? AF_INET6 : AF_INET, .have = EXPECT_TIMEOUT, .timeout = any(), .flags = any() & 7};
	const uint8_t l4 = maybe() ? 17 : 6;

	any_tuple(&e, &e.master, l4);
	any_tuple(&e, &e.tuple, l4);
	any_tuple(&e, &e.mask, l4);
	if (maybe()) {
		e.have |= EXPECT_CLASS;
		e.class = any();
	}
	if (maybe()) {
		e.have |= EXPECT_NAT;
		any_tuple(&e, &e.nat, l4);
		e.nat_dir = any() & 1;
	}
	if (maybe()) {
		e.have |= EXPECT_HELPER;
		strcpy(e.helper, "ftp");
	}
	if (maybe()) {
		e.have |= EXPECT_FN;
		strcpy(e.fn, "nat-follow-master");
	}
	return e;
}

static void
expectations(void **state)
{
	const struct wire_enc_opts o = {.wscale = false};
	uint8_t buf[WIRE_MSG_MAX] __attribute__((aligned(4)));

	(void)state;
	for (int i = 0; i < ROUNDS; i++) {
		struct expect e = any_expect(), g;
		int n = expect_to_nl(&e, FLOW_NL_CREATE, 0, 1, buf, sizeof(buf));

		assert_true(n > 0);
		assert_int_equal(guard_batch(ROLE_SYNC, buf, (size_t)n), 0);
		assert_int_equal(expect_from_nl((const struct nlmsghdr *)buf, &g), 0);
		assert_true(expect_same_key(&e, &g));
		assert_int_equal(e.timeout, g.timeout);
		n = wire_enc_expect(&e, WIRE_EXP_NEW, 0, 1, &o, buf, sizeof(buf));
		assert_true(n > 0);
		assert_int_equal(wire_dec_expect(buf + 8, (size_t)n - 8, &g, NULL), WIRE_OK);
		if (e.l3 == AF_INET6) { /* version 1 has no attribute for these addresses */
			memset(e.nat.src, 0, sizeof(e.nat.src));
			memset(e.nat.dst, 0, sizeof(e.nat.dst));
		}
		assert_true(expect_same_key(&e, &g));
	}
}

/* Names end up in logs, on terminals, in XML, and in the name of a module to load: others are left out. */
static void
names_are_printable(void **state)
{
	static const char *const good[] = {"ftp", "Q.931", "sip-5060", "netbios-ns", "~!"}, *const bad[] = {"ftp\n",
													    "\33[2J",
													    "a b",
													    "\x7f",
													    "\xc3\xa4",
													    "\t"};
	const struct wire_enc_opts o = {.wscale = true};
	struct flow_side side = {.master_l4 = 0}, got_side;
	struct flow got, f = {.l3 = AF_INET, .l4 = 6, .have = FLOW_HELPER | FLOW_PORTS | FLOW_REPLY, .side = &side};
	uint8_t buf[2048];

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]) + sizeof(bad) / sizeof(bad[0]); i++) {
		bool fine = i < sizeof(good) / sizeof(good[0]);
		int n;

		memset(side.helper, 0, sizeof(side.helper));
		strcpy(side.helper, fine ? good[i] : bad[i - sizeof(good) / sizeof(good[0])]);
		n = wire_enc_flow(&f, WIRE_CT_NEW, 0, 1, &o, buf, sizeof(buf));
		assert_true(n > 8);
		assert_int_equal(wire_dec_flow(buf + 8, (size_t)n - 8, &got, &got_side, NULL), WIRE_OK);
		assert_int_equal((got.have & FLOW_HELPER) != 0, fine);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(over_the_wire),  cmocka_unit_test(options),      cmocka_unit_test(as_kernel_request),
		cmocka_unit_test(past_the_guard), cmocka_unit_test(expectations), cmocka_unit_test(names_are_printable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

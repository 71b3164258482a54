/* Kernel messages into a sink: what is hidden, what caused by ourselves, and expectations that come before their
 * masters.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>

#include "flow_nl.h"
#include "flows.h"
#include "intake.h"
#include "settings.h"
#include "store_sink.h"

static const struct flow_nl_opts AS_IT_IS;

struct ctx {
	struct conf conf;
	struct clock now;
	struct store store;
	struct store_sink to;
	struct intake in;
};

/* Ignores this protocol, or accepts these TCP states only; 0: hides nothing. */
static struct ctx *
made(void **state, int proto, uint16_t states)
{
	static struct ctx c;
	struct sink to;

	c = (struct ctx){.to = {&c.store, &c.now}};
	conf_init(&c.conf);
	c.conf.expect_sync = true;
	if (proto != 0) {
		c.conf.filter.proto_policy = FILTER_IGNORE;
		c.conf.filter.proto[proto / 8] |= (uint8_t)(1 << proto % 8);
	}
	if (states != 0) {
		c.conf.filter.state_policy = FILTER_ACCEPT;
		c.conf.filter.tcp_states = states;
	}
	clock_set(&c.now, 100000);
	assert_int_equal(store_init(&c.store, 1000), 0);
	to = store_sink(&c.to);
	assert_int_equal(intake_init(&c.in, &c.conf, &to), 0);
	c.in.portid = 4711;
	*state = &c;
	return &c;
}

static int
teardown(void **state)
{
	struct ctx *c = *state;

	intake_clear(&c->in);
	store_clear(&c->store);
	conf_clear(&c->conf);
	return 0;
}

static void
event(struct ctx *c, uint8_t *buf, int n, uint32_t portid)
{
	assert_true(n > 0);
	((struct nlmsghdr *)(void *)buf)->nlmsg_pid = portid;
	intake_events(&c->in, &(struct msg){.data = buf, .len = (uint32_t)n});
}

static void
flow_event(struct ctx *c, enum flow_nl_op op, uint32_t nr, uint8_t tcp, uint32_t portid)
{
	_Alignas(8) uint8_t buf[1024];
	struct flow f = flow_nr(nr);

	f.state = tcp;
	event(c, buf, flow_to_nl(&f, op, &AS_IT_IS, 0, buf, sizeof(buf)), portid);
}

static void
flow_reported(struct ctx *c, uint8_t tcp)
{
	flow_event(c, FLOW_NL_CREATE, 1, tcp, 0);
}

static struct expect
expect_of(uint32_t nr)
{
	struct flow f = flow_nr(nr);
	struct expect e = {.have = EXPECT_TIMEOUT,
			   .l3 = AF_INET,
			   .timeout = 60,
			   .master = {.l4 = f.l4, .sport = f.port[0], .dport = f.port[1]},
			   .tuple = {.l4 = IPPROTO_TCP, .dport = 7},
			   .mask = {.l4 = 0xff, .dport = 0xffff}};

	e.master.src[0] = f.addr[0];
	e.master.dst[0] = f.addr[1];
	return e;
}

static void
expect_reported(struct ctx *c)
{
	_Alignas(8) uint8_t buf[1024];
	struct expect e = expect_of(1);

	event(c, buf, expect_to_nl(&e, FLOW_NL_CREATE, 60, 0, buf, sizeof(buf)), 0);
}

static const struct cache_stats *
flows(struct ctx *c)
{
	return cache_stats(c->store.t.of[SLOT_FLOW]);
}

/* --- events --- */

static void
many_in_one_record(void **state)
{
	struct ctx *c = made(state, 0, 0);
	_Alignas(8) uint8_t buf[65536];
	uint32_t len = 0;

	for (uint32_t nr = 0; nr < 100; nr++) {
		struct flow f = flow_nr(nr);

		len += (uint32_t)flow_to_nl(&f, FLOW_NL_CREATE, &AS_IT_IS, 0, buf + len, sizeof(buf) - len);
	}
	intake_events(&c->in, &(struct msg){.data = buf, .len = len});
	assert_int_equal(c->in.count.events, 100);
	assert_int_equal(flows(c)->active, 100);
	intake_events(&c->in, &(struct msg){.data = buf, .len = len - 4}); /* the last one is cut */
	assert_int_equal(c->in.count.events, 199);
}

/* What we write and flush ourselves is not news. */
static void
own_events(void **state)
{
	struct ctx *c = made(state, 0, 0);

	flow_event(c, FLOW_NL_CREATE, 1, 3, c->in.portid);
	assert_int_equal(flows(c)->active, 0);
	flow_event(c, FLOW_NL_CREATE, 1, 3, 99);
	assert_int_equal(flows(c)->active, 1);
	c->in.portid = 0; /* not known: everything is others' */
	flow_event(c, FLOW_NL_CREATE, 2, 3, 0);
	assert_int_equal(flows(c)->active, 2);
}

/* What is hidden in one state is deleted in any. */
static void
hidden_by_state(void **state)
{
	struct ctx *c = made(state, 0, 1 << 3);

	flow_event(c, FLOW_NL_CREATE, 1, 1, 0);
	assert_int_equal(flows(c)->active, 0);
	assert_int_equal(c->in.count.filtered, 1);
	flow_event(c, FLOW_NL_CREATE, 1, 3, 0);
	assert_int_equal(flows(c)->active, 1);
	flow_event(c, FLOW_NL_DELETE, 1, 7, 0);
	assert_int_equal(flows(c)->active, 0);
	assert_int_equal(c->in.count.filtered, 1);
}

static void
not_a_flow(void **state)
{
	struct ctx *c = made(state, 0, 0);
	struct {
		struct nlmsghdr h;
		uint8_t rest[4];
	} m = {.h = {.nlmsg_len = sizeof(m), .nlmsg_type = 1 << 8}}, other = {.h = {.nlmsg_len = sizeof(m)}};

	intake_events(&c->in, &(struct msg){.data = &m, .len = sizeof(m)});
	intake_events(&c->in, &(struct msg){.data = &other, .len = sizeof(other)});
	assert_int_equal(c->in.count.unknown, 2);
	intake_dump(&c->in, SLOT_FLOW, &(struct msg){.data = &m, .len = sizeof(m)});
	assert_int_equal(c->in.count.dump_unknown, 1);
	assert_int_equal(flows(c)->active, 0);
}

/* A dump of one table has nothing of the other. */
static void
dump_of_the_other_table(void **state)
{
	struct ctx *c = made(state, 0, 0);
	_Alignas(8) uint8_t buf[1024];
	struct flow f = flow_nr(1);
	int n = flow_to_nl(&f, FLOW_NL_CREATE, &AS_IT_IS, 0, buf, sizeof(buf));

	intake_dump(&c->in, SLOT_EXPECT, &(struct msg){.data = buf, .len = (uint32_t)n});
	assert_int_equal(flows(c)->active, 0);
	assert_int_equal(c->in.count.dump_unknown, 1);
	intake_dump(&c->in, SLOT_FLOW, &(struct msg){.data = buf, .len = (uint32_t)n});
	assert_int_equal(flows(c)->active, 1);
	assert_int_equal(c->store.silent, 1);
}

/* A helper that translates may have shifted its master's sequence numbers: no event tells. */
static void
master_is_looked_at(void **state)
{
	struct ctx *c = made(state, 0, 0);
	_Alignas(8) uint8_t buf[1024];
	struct expect e = expect_of(1);
	struct flow_side side = {.seqadj = {{1, 2, 3}, {0}}};
	struct flow f = flow_nr(1);
	uint32_t slot;
	int n;

	flow_reported(c, 3);
	e.have |= EXPECT_NAT;
	e.nat = e.master;
	event(c, buf, expect_to_nl(&e, FLOW_NL_CREATE, 60, 0, buf, sizeof(buf)), 0);
	assert_true(c->in.look_len > 0);
	f.have |= FLOW_SEQADJ;
	f.side = &side;
	n = flow_to_nl(&f, FLOW_NL_CREATE, &AS_IT_IS, 0, buf, sizeof(buf));
	assert_true(n > 0);
	intake_answer(&c->in, &(struct msg){.data = buf, .len = (uint32_t)n});
	slot = cache_find(c->store.t.of[SLOT_FLOW], &f);
	assert_true(cache_entry(c->store.t.of[SLOT_FLOW], slot)->flow.have & FLOW_SEQADJ);
}

/* --- expectations before their masters --- */

static void
hidden_master(void **state)
{
	struct ctx *c = made(state, IPPROTO_TCP, 0);

	expect_reported(c);
	assert_int_equal(c->store.early.n, 1);
	flow_reported(c, 3);
	assert_int_equal(c->store.early.n, 0);
	assert_int_equal(c->in.count.filtered, 2);
	assert_int_equal(cache_stats(c->store.t.of[SLOT_EXPECT])->active, 0);
}

/* One that is hidden in the state it has now may come yet. */
static void
master_in_a_hidden_state(void **state)
{
	struct ctx *c = made(state, 0, 1 << 3);

	expect_reported(c);
	flow_reported(c, 1);
	assert_int_equal(c->store.early.n, 1);
	flow_reported(c, 3);
	assert_int_equal(c->store.early.n, 0);
	assert_int_equal(c->in.count.filtered, 1);
	assert_int_equal(cache_stats(c->store.t.of[SLOT_EXPECT])->active, 1);
}

int
main(void)
{
#define T(f) cmocka_unit_test_teardown(f, teardown)
	const struct CMUnitTest tests[] = {
		T(many_in_one_record),      T(own_events),          T(hidden_by_state), T(not_a_flow),
		T(dump_of_the_other_table), T(master_is_looked_at), T(hidden_master),   T(master_in_a_hidden_state)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

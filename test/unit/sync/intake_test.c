/* Events of expectations that come before their masters, and a filter that hides the masters. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "flows.h"
#include "rig.h"

static const struct flow_nl_opts AS_IT_IS;

static void
flow_reported(struct sync *s, uint8_t state)
{
	_Alignas(8) uint8_t buf[1024];
	struct flow f = flow_nr(1);
	int n;

	f.state = state;
	n = flow_to_nl(&f, FLOW_NL_CREATE, &AS_IT_IS, 0, buf, sizeof(buf));
	assert_true(n > 0);
	intake_events(s, &(struct msg){.data = buf, .len = (uint32_t)n});
}

static void
expect_reported(struct sync *s)
{
	_Alignas(8) uint8_t buf[1024];
	struct flow f = flow_nr(1);
	struct expect e = {.have = EXPECT_TIMEOUT,
			   .l3 = AF_INET,
			   .timeout = 60,
			   .master = {.l4 = f.l4, .sport = f.port[0], .dport = f.port[1]},
			   .tuple = {.l4 = IPPROTO_TCP, .dport = 7},
			   .mask = {.l4 = 0xff, .dport = 0xffff}};
	int n;

	e.master.src[0] = f.addr[0];
	e.master.dst[0] = f.addr[1];
	n = expect_to_nl(&e, FLOW_NL_CREATE, 60, 0, buf, sizeof(buf));
	assert_true(n > 0);
	intake_events(s, &(struct msg){.data = buf, .len = (uint32_t)n});
}

/* A rig that ignores this protocol, or accepts these TCP states only. */
static struct rig
filtering(int proto, uint16_t states)
{
	struct rig rig = rig_new(false);
	struct conf_filter *conf = &rig.s->conf.filter;

	if (proto != 0) {
		conf->proto_policy = FILTER_IGNORE;
		conf->proto[proto / 8] |= (uint8_t)(1 << proto % 8);
	}
	if (states != 0) {
		conf->state_policy = FILTER_ACCEPT;
		conf->tcp_states = states;
	}
	filter_free(rig.s->filter);
	rig.s->filter = filter_new(conf);
	assert_non_null(rig.s->filter);
	rig.s->filtering = proto != 0 || states != 0;
	return rig;
}

static void
hidden_master(void **state)
{
	struct rig rig = filtering(IPPROTO_TCP, 0);

	(void)state;
	expect_reported(rig.s);
	assert_int_equal(rig.s->store.early.n, 1);
	flow_reported(rig.s, 3);
	assert_int_equal(rig.s->store.early.n, 0);
	assert_int_equal(rig.s->count.filtered, 2);
	assert_int_equal(cache_stats(rig.s->store.t.of[SLOT_EXPECT])->active, 0);
	rig_free(&rig);
}

/* One that is hidden in the state it has now may come yet. */
static void
master_in_a_hidden_state(void **state)
{
	struct rig rig = filtering(0, 1 << 3);

	(void)state;
	expect_reported(rig.s);
	flow_reported(rig.s, 1);
	assert_int_equal(rig.s->store.early.n, 1);
	flow_reported(rig.s, 3);
	assert_int_equal(rig.s->store.early.n, 0);
	assert_int_equal(rig.s->count.filtered, 1);
	assert_int_equal(cache_stats(rig.s->store.t.of[SLOT_EXPECT])->active, 1);
	rig_free(&rig);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(hidden_master), cmocka_unit_test(master_in_a_hidden_state)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Events against dumps: whoever comes first, the caches end up with what the kernel has, and peers hear of differences.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>

#include "flows.h"
#include "store.h"

struct ctx {
	struct store s;
	struct mode *m;
	struct conf conf;
};

static void
event(void *arg, enum mode_event e)
{
	(void)arg;
	(void)e;
}

static int
setup(void **state)
{
	struct ctx *c = calloc(1, sizeof(*c));
	struct mode_env env = {&c->s, &c->s.t, event, store_unqueued};

	assert_int_equal(store_init(&c->s, 100), 0);
	c->conf.resend_queue_size = 1000;
	c->conf.ack_window_size = 300;
	c->m = c->s.mode = ftfw_new(&c->conf, &env, 1, 0);
	*state = c;
	return 0;
}

static int
teardown(void **state)
{
	struct ctx *c = *state;

	c->m->ops->free(c->m);
	store_clear(&c->s);
	free(c);
	return 0;
}

/* Takes what waits to be sent; everything is acknowledged at once. */
static unsigned int
announced(struct ctx *c, uint32_t *slot)
{
	struct mode_item it;
	unsigned int n = 0;
	uint32_t last = 0;

	while (c->m->ops->next(c->m, &it, 10000)) {
		last = it.seq;
		if (it.kind == ITEM_CONTROL)
			continue;
		if (slot != NULL)
			*slot = it.slot;
		n++;
	}
	struct wire_head ack = {.version = 1, .type = WIRE_CTL, .flags = WIRE_ACK, .len = 16, .to = last};
	static uint32_t seq = 100;

	ack.seq = seq++;
	c->m->ops->recv(c->m, 0, &ack, 10000);
	return n;
}

static void
happens(struct ctx *c, enum sink_op op, uint32_t nr)
{
	struct flow f = flow_nr(nr);

	store_flow(&c->s, op, &f, false, 5);
}

static void
dumped(struct ctx *c, uint32_t nr, uint8_t state)
{
	struct flow f = flow_nr(nr);

	f.state = state;
	store_flow_dumped(&c->s, &f, 5);
}

static void
end(struct ctx *c, bool complete)
{
	store_dump_end(&c->s, complete);
	while (!store_sweep(&c->s, SLOT_FLOW, 3))
		;
}

static uint64_t
active(const struct ctx *c)
{
	return cache_stats(c->s.t.of[SLOT_FLOW])->active;
}

static uint64_t
total(const struct ctx *c)
{
	return cache_stats(c->s.t.of[SLOT_FLOW])->total;
}

static void
test_destroyed_while_dumped(void **state)
{
	struct ctx *c = *state;

	happens(c, SINK_NEW, 1);
	announced(c, NULL);
	store_dump_begin(&c->s, true);
	happens(c, SINK_DEL, 1); /* known */
	happens(c, SINK_DEL, 2); /* not yet known: to us, but to a peer, from before we started */
	assert_int_equal(announced(c, NULL), 2);
	dumped(c, 1, 3); /* the dump looked earlier */
	dumped(c, 2, 3);
	assert_int_equal(active(c), 0);
	end(c, true);
	assert_int_equal(total(c), 0);
	assert_int_equal(announced(c, NULL), 0);
}

/* Its deletion still waits to be acknowledged, it came back unseen, and now it is destroyed once more. */
static void
test_destroyed_again_while_dumped(void **state)
{
	struct ctx *c = *state;

	happens(c, SINK_NEW, 1);
	announced(c, NULL);
	happens(c, SINK_DEL, 1);
	store_dump_begin(&c->s, true);
	happens(c, SINK_DEL, 1);
	dumped(c, 1, 3); /* the dump looked earlier */
	assert_int_equal(active(c), 0);
	end(c, true);
	assert_int_equal(announced(c, NULL), 1);
	assert_int_equal(total(c), 0);
}

static void
test_event_beats_dump(void **state)
{
	struct ctx *c = *state;
	struct flow f = flow_nr(1);

	store_dump_begin(&c->s, true);
	f.state = 7;
	store_flow(&c->s, SINK_NEW, &f, false, 5);
	dumped(c, 1, 3);
	end(c, true);
	assert_int_equal(cache_entry(c->s.t.of[SLOT_FLOW], cache_find(c->s.t.of[SLOT_FLOW], &f))->flow.state, 7);
	assert_int_equal(announced(c, NULL), 1);
}

static void
test_only_differences(void **state)
{
	struct ctx *c = *state;
	uint32_t slot;

	for (uint32_t i = 0; i < 10; i++)
		happens(c, SINK_NEW, i);
	assert_int_equal(announced(c, NULL), 10);
	store_dump_begin(&c->s, true);
	for (uint32_t i = 1; i < 10; i++) /* 0 has vanished */
		dumped(c, i, i == 4 ? 5 : 3);
	dumped(c, 20, 3);
	end(c, true);
	assert_int_equal(announced(c, &slot), 3);
	assert_int_equal(active(c), 10);
	assert_int_equal(total(c), 10); /* the vanished one is announced, acknowledged, gone */
	assert_int_equal(c->s.silent, 1);
	/* nothing has changed: nothing is said */
	store_dump_begin(&c->s, true);
	for (uint32_t i = 1; i < 10; i++)
		dumped(c, i, i == 4 ? 5 : 3);
	dumped(c, 20, 3);
	end(c, true);
	assert_int_equal(announced(c, NULL), 0);
}

static void
test_incomplete_dump_deletes_nothing(void **state)
{
	struct ctx *c = *state;

	for (uint32_t i = 0; i < 5; i++)
		happens(c, SINK_NEW, i);
	announced(c, NULL);
	store_dump_begin(&c->s, true);
	happens(c, SINK_DEL, 9);
	assert_int_equal(announced(c, NULL), 1);
	dumped(c, 1, 3);
	end(c, false);
	assert_int_equal(active(c), 5);
	assert_int_equal(total(c), 5); /* no tombstone stays */
	assert_int_equal(announced(c, NULL), 0);
}

/* A dump counts extra zeros that events leave out as no difference. */
static void
test_zeros(void **state)
{
	struct ctx *c = *state;
	struct flow f = flow_nr(1);

	happens(c, SINK_NEW, 1);
	announced(c, NULL);
	store_dump_begin(&c->s, true);
	f.have |= FLOW_MARK | FLOW_SYNPROXY_ZERO;
	store_flow_dumped(&c->s, &f, 5);
	end(c, true);
	assert_int_equal(announced(c, NULL), 0);
	store_dump_begin(&c->s, true);
	f.mark = 5;
	store_flow_dumped(&c->s, &f, 5);
	end(c, true);
	assert_int_equal(announced(c, NULL), 1);
}

static void
test_silent_flows(void **state)
{
	struct ctx *c = *state;

	store_dump_begin(&c->s, false);
	dumped(c, 1, 3);
	dumped(c, 2, 3);
	dumped(c, 3, 3);
	end(c, true);
	assert_int_equal(announced(c, NULL), 0); /* the start-up dump: a bulk send follows */
	assert_int_equal(c->s.silent, 3);
	happens(c, SINK_UPD, 1);
	happens(c, SINK_DEL, 2);
	assert_int_equal(c->s.silent, 1);
	store_flush(&c->s, 1);
	assert_int_equal(c->s.silent, 0);
	assert_int_equal(total(c), 0);
}

static void
test_filtered_flow_stays(void **state)
{
	struct ctx *c = *state;
	struct flow f = flow_nr(1);

	happens(c, SINK_NEW, 1);
	store_dump_begin(&c->s, true);
	store_flow_filtered(&c->s, &f);
	end(c, true);
	assert_int_equal(active(c), 1);
}

/* What we wrote ourselves is a peer's: not new here, and not announced. What we deleted ourselves is not announced
 * either, nor counted when it was not here. */
static void
test_own(void **state)
{
	struct ctx *c = *state;
	struct flow f = flow_nr(1), g = flow_nr(2);

	store_flow(&c->s, SINK_NEW, &f, true, 5);
	store_flow(&c->s, SINK_UPD, &f, true, 5);
	store_flow(&c->s, SINK_DEL, &f, true, 5);
	store_flow(&c->s, SINK_NEW, &g, false, 5);
	assert_int_equal(active(c), 1);
	store_flow(&c->s, SINK_DEL, &g, true, 5);
	assert_int_equal(total(c), 0);
	assert_int_equal(cache_stats(c->s.t.of[SLOT_FLOW])->delete_failed, 0);
	assert_int_equal(announced(c, NULL), 0);
}

/* A flow that a peer wrote last ends here for want of packets, which the peer sees: it is not told to end it. */
static void
test_end_of_a_peers_flow(void **state)
{
	struct ctx *c = *state;
	struct flow f = flow_nr(1);

	happens(c, SINK_NEW, 1);
	assert_int_equal(announced(c, NULL), 1);
	f.state = 5;
	store_flow(&c->s, SINK_UPD, &f, true, 5);
	assert_int_equal(cache_entry(c->s.t.of[SLOT_FLOW], cache_find(c->s.t.of[SLOT_FLOW], &f))->flow.state, 5);
	happens(c, SINK_DEL, 1);
	assert_int_equal(total(c), 0);
	assert_int_equal(announced(c, NULL), 0);
	happens(c, SINK_NEW, 1);
	store_flow(&c->s, SINK_UPD, &f, true, 5);
	happens(c, SINK_UPD, 1); /* its packets come here again */
	happens(c, SINK_DEL, 1);
	assert_int_equal(announced(c, NULL), 1);
}

/* Where peers' flows are written into the kernel, what only a dump showed may be theirs. */
static void
test_end_of_an_unreported_flow(void **state)
{
	struct ctx *c = *state;

	c->s.injected = true;
	store_dump_begin(&c->s, false);
	happens(c, SINK_DEL, 4);
	for (uint32_t i = 1; i <= 3; i++)
		dumped(c, i, 3);
	end(c, true);
	happens(c, SINK_UPD, 3);
	assert_int_equal(announced(c, NULL), 1);
	happens(c, SINK_DEL, 1);
	happens(c, SINK_DEL, 3);
	store_dump_begin(&c->s, true); /* 2 has vanished */
	end(c, true);
	assert_int_equal(announced(c, NULL), 1); /* the end of 3 */
	assert_int_equal(total(c), 0);
}

static void
test_knows(void **state)
{
	struct ctx *c = *state;
	struct flow f = flow_nr(1), other = flow_nr(1);

	other.addr[REPL_DST] = htonl(0xcb007101);
	assert_false(store_knows(&c->s, &f));
	happens(c, SINK_NEW, 1);
	assert_true(store_knows(&c->s, &f));
	assert_false(store_knows(&c->s, &other));
	happens(c, SINK_DEL, 1);
	assert_false(store_knows(&c->s, &f));
}

/* A flow that nobody saw begin: its end is counted, not announced. */
static void
test_end_of_unknown(void **state)
{
	const struct expect e = {.l3 = AF_INET, .tuple = {.l4 = IPPROTO_TCP}};
	struct ctx *c = *state;

	happens(c, SINK_DEL, 1);
	assert_int_equal(cache_stats(c->s.t.of[SLOT_FLOW])->delete_failed, 1);
	assert_int_equal(cache_stats(c->s.t.of[SLOT_FLOW])->delete_missing, 1);
	store_expect(&c->s, SINK_DEL, &e, false, 5);
	assert_int_equal(cache_stats(c->s.t.of[SLOT_EXPECT])->delete_missing, 1);
	assert_int_equal(announced(c, NULL), 0);
}

/* We flushed the kernel, and the events about it were lost: peers keep what they have. */
static void
test_own_flush(void **state)
{
	struct ctx *c = *state;

	happens(c, SINK_NEW, 1);
	happens(c, SINK_NEW, 2);
	announced(c, NULL);
	c->s.flushed = true;
	store_dump_begin(&c->s, true);
	dumped(c, 7, 3);
	end(c, true);
	assert_int_equal(announced(c, NULL), 1); /* the new one */
	assert_int_equal(total(c), 1);
}

static void
test_full(void **state)
{
	struct ctx *c = *state;

	for (uint32_t i = 0; i < 120; i++)
		happens(c, SINK_NEW, i);
	assert_int_equal(active(c), 100);
	assert_int_equal(c->s.full, 20);
	assert_int_equal(cache_stats(c->s.t.of[SLOT_FLOW])->no_space, 20);
	happens(c, SINK_UPD, 5);
	happens(c, SINK_DEL, 6);
	assert_int_equal(active(c), 99);
}

static void
test_reborn(void **state)
{
	struct ctx *c = *state;
	struct flow f = flow_nr(1);
	uint32_t slot;

	happens(c, SINK_NEW, 1);
	announced(c, NULL);
	happens(c, SINK_DEL, 1);
	happens(c, SINK_NEW, 1);
	assert_int_equal(announced(c, &slot), 1);
	assert_int_equal(cache_entry(c->s.t.of[SLOT_FLOW], slot)->change, ENTRY_NEW);
	assert_int_equal(cache_find(c->s.t.of[SLOT_FLOW], &f), slot);
	assert_int_equal(active(c), 1);
}

static void
test_expectations(void **state)
{
	struct ctx *c = *state;
	struct flow f = flow_nr(1);
	struct expect e = {.l3 = AF_INET};

	e.master = (struct flow_tuple){.l4 = f.l4, .sport = f.port[0], .dport = f.port[1]};
	e.master.src[0] = f.addr[0];
	e.master.dst[0] = f.addr[1];
	e.tuple.l4 = IPPROTO_TCP;
	assert_false(store_has_master(&c->s, &e));
	happens(c, SINK_NEW, 1);
	assert_true(store_has_master(&c->s, &e));
	store_expect(&c->s, SINK_NEW, &e, false, 5);
	assert_int_equal(announced(c, NULL), 2);
	store_dump_begin(&c->s, true);
	store_expect_dumped(&c->s, &e, 5);
	store_dump_end(&c->s, true);
	assert_true(store_sweep(&c->s, SLOT_EXPECT, 10));
	assert_int_equal(announced(c, NULL), 0);
	store_dump_begin(&c->s, true);
	store_dump_end(&c->s, true);
	assert_true(store_sweep(&c->s, SLOT_EXPECT, 10));
	assert_int_equal(announced(c, NULL), 1);
	assert_int_equal(cache_stats(c->s.t.of[SLOT_EXPECT])->total, 0);
}

/* Two tunnels between two hosts would be one, without keys, at the peer; the one without keys is told. */
static void
test_keys_stay_here(void **state)
{
	struct ctx *c = *state;
	struct flow f = flow_nr(1);

	f.l4 = IPPROTO_GRE;
	f.have &= ~(uint32_t)FLOW_STATE;
	for (uint16_t key = 0; key < 3; key++) {
		f.port[0] = htons(key);
		f.port[1] = htons((uint16_t)(key * 7));
		store_flow(&c->s, SINK_NEW, &f, false, 5);
	}
	assert_int_equal(active(c), 3);
	assert_int_equal(announced(c, NULL), 1);
	assert_int_equal(c->s.unsent, 2);
}

/* A zone of one direction: not what the peer would make of it. Two such flows are two. */
static void
test_one_way_zones_stay_here(void **state)
{
	struct ctx *c = *state;
	struct flow f[3] = {flow_nr(1), flow_nr(1), flow_nr(1)};

	f[0].have |= FLOW_ZONE_ORIG;
	f[0].zone = 3;
	f[1].have |= FLOW_ZONE_REPLY;
	f[1].zone = 3;
	for (int i = 0; i < 3; i++)
		store_flow(&c->s, SINK_NEW, &f[i], false, 5);
	assert_int_equal(active(c), 3);
	assert_int_equal(announced(c, NULL), 1);
	assert_int_equal(c->s.unsent, 2);
	store_send(&c->s, SLOT_FLOW, cache_find(c->s.t.of[SLOT_FLOW], &f[0]));
	assert_int_equal(announced(c, NULL), 0);
	store_flow(&c->s, SINK_DEL, &f[0], false, 5);
	assert_int_equal(announced(c, NULL), 0);
	assert_int_equal(total(c), 2);
	assert_int_not_equal(cache_find(c->s.t.of[SLOT_FLOW], &f[1]), SLOT_NONE);
	store_flow(&c->s, SINK_DEL, &f[2], false, 5);
	assert_int_equal(announced(c, NULL), 1);
}

static struct expect
expect_of(uint32_t nr, uint16_t port)
{
	struct flow f = flow_nr(nr);
	struct expect e = {.l3 = AF_INET, .tuple = {.l4 = IPPROTO_TCP, .dport = port}};

	e.master = (struct flow_tuple){.l4 = f.l4, .sport = f.port[0], .dport = f.port[1]};
	e.master.src[0] = f.addr[0];
	e.master.dst[0] = f.addr[1];
	return e;
}

/* What a flow's first packet makes the kernel expect is reported before the flow. */
static void
test_expectation_before_master(void **state)
{
	struct ctx *c = *state;
	struct expect e = expect_of(1, 7), used = expect_of(1, 8), other = expect_of(2, 9);

	assert_true(store_expect_early(&c->s, &e, 5));
	assert_true(store_expect_early(&c->s, &used, 5));
	assert_true(store_expect_early(&c->s, &other, 5));
	assert_true(store_expect_early_gone(&c->s, &used));
	assert_false(store_expect_early_gone(&c->s, &used));
	assert_int_equal(cache_stats(c->s.t.of[SLOT_EXPECT])->active, 0);
	assert_int_equal(announced(c, NULL), 0);
	happens(c, SINK_NEW, 3);
	assert_int_equal(announced(c, NULL), 1);
	happens(c, SINK_NEW, 1);
	assert_int_equal(announced(c, NULL), 2);
	assert_int_equal(cache_stats(c->s.t.of[SLOT_EXPECT])->active, 1);
	assert_int_not_equal(cache_find(c->s.t.of[SLOT_EXPECT], &e), SLOT_NONE);
	assert_false(store_expect_early_gone(&c->s, &e));
	happens(c, SINK_UPD, 1);
	assert_int_equal(cache_stats(c->s.t.of[SLOT_EXPECT])->created, 1);
}

/* Masters that never come (a filter hides them) do not keep others from being remembered. */
static void
test_early_expectations_are_bounded(void **state)
{
	struct ctx *c = *state;
	struct expect e;

	for (uint16_t i = 0; i < STORE_EARLY; i++) {
		e = expect_of(50, i);
		assert_true(store_expect_early(&c->s, &e, 5));
	}
	e = expect_of(1, 1);
	assert_false(store_expect_early(&c->s, &e, 5)); /* in the place of the oldest */
	happens(c, SINK_NEW, 1);
	assert_int_equal(cache_stats(c->s.t.of[SLOT_EXPECT])->active, 1);
	happens(c, SINK_NEW, 50);
	assert_int_equal(cache_stats(c->s.t.of[SLOT_EXPECT])->active, STORE_EARLY);
}

/* A master that the filter hides, or that is over, takes what waits for it along. */
static void
test_early_expectations_end_with_master(void **state)
{
	struct ctx *c = *state;
	struct expect hidden[2] = {expect_of(1, 7), expect_of(1, 8)}, over = expect_of(2, 9), other = expect_of(3, 9);
	struct flow f = flow_nr(1);

	assert_true(store_expect_early(&c->s, &hidden[0], 5));
	assert_true(store_expect_early(&c->s, &over, 5));
	assert_true(store_expect_early(&c->s, &hidden[1], 5));
	assert_true(store_expect_early(&c->s, &other, 5));
	assert_int_equal(store_early_drop(&c->s, &f, 5), 2);
	assert_int_equal(store_early_drop(&c->s, &f, 5), 0);
	assert_int_equal(c->s.early.n, 2);
	happens(c, SINK_DEL, 2);
	assert_int_equal(c->s.early.n, 1);
	happens(c, SINK_NEW, 1); /* others that use the tuple again */
	happens(c, SINK_NEW, 2);
	assert_int_equal(cache_stats(c->s.t.of[SLOT_EXPECT])->active, 0);
	happens(c, SINK_NEW, 3);
	assert_int_equal(cache_stats(c->s.t.of[SLOT_EXPECT])->active, 1);
	assert_int_equal(c->s.early.n, 0);
}

/* Their ends may be among the events that were lost, or are not reported after a flush. */
static void
test_early_expectations_end_with_dump_and_flush(void **state)
{
	struct ctx *c = *state;
	struct expect e = expect_of(1, 7);

	assert_true(store_expect_early(&c->s, &e, 5));
	store_dump_begin(&c->s, true);
	assert_int_equal(c->s.early.n, 0);
	end(c, true);
	for (unsigned int tables = 1; tables <= 2; tables++) {
		assert_true(store_expect_early(&c->s, &e, 5));
		store_flush(&c->s, tables);
		assert_int_equal(c->s.early.n, 0);
	}
	happens(c, SINK_NEW, 1);
	assert_int_equal(cache_stats(c->s.t.of[SLOT_EXPECT])->active, 0);
}

/* A master that is never reported (it is hidden since long, or in a zone that the expectation does not name). */
static void
test_early_expectations_age(void **state)
{
	struct ctx *c = *state;
	struct expect old = expect_of(1, 7), young = expect_of(2, 7);
	struct flow f = flow_nr(3), reused = flow_nr(1);

	assert_true(store_expect_early(&c->s, &old, 5));
	assert_true(store_expect_early(&c->s, &young, 6));
	store_flow(&c->s, SINK_NEW, &f, false, 5 + STORE_EARLY_LIFE);
	assert_int_equal(c->s.early.n, 2);
	store_flow(&c->s, SINK_NEW, &reused, false, 6 + STORE_EARLY_LIFE);
	assert_int_equal(c->s.early.n, 1);
	assert_int_equal(cache_stats(c->s.t.of[SLOT_EXPECT])->active, 0);
	store_flow(&c->s, SINK_UPD, &f, false, 7 + STORE_EARLY_LIFE);
	assert_int_equal(c->s.early.n, 0);
}

/* Random events, and dumps that show the kernel as it was a while ago: the cache follows the kernel. */
static void
test_random(void **state)
{
	struct ctx *c = *state;
	bool kernel[40] = {0}, snapshot[40];
	uint32_t seed = 7, pos = 0, slot, n = 0;

	for (int round = 0; round < 400; round++) {
		uint32_t at = 0;

		store_dump_begin(&c->s, true);
		for (uint32_t i = 0; i < 40; i++)
			snapshot[i] = kernel[i];
		for (int step = 0; step < 60; step++) {
			uint32_t nr = (seed = seed * 1103515245 + 12345) >> 16 & 31;

			if (step % 3 == 0 && at < 40) { /* the dump is a step behind */
				if (snapshot[at])
					dumped(c, at, 3);
				at++;
			} else if (seed >> 24 & 1) {
				happens(c, kernel[nr] ? SINK_DEL : SINK_NEW, nr);
				kernel[nr] = !kernel[nr];
			}
			if (step == 30)
				announced(c, NULL);
		}
		for (; at < 40; at++)
			if (snapshot[at])
				dumped(c, at, 3);
		end(c, true);
	}
	announced(c, NULL);
	for (uint32_t i = 0; i < 40; i++) {
		struct flow f = flow_nr(i);

		n += kernel[i];
		assert_int_equal(cache_find(c->s.t.of[SLOT_FLOW], &f) != SLOT_NONE, kernel[i]);
	}
	assert_int_equal(active(c), n);
	while ((slot = cache_walk(c->s.t.of[SLOT_FLOW], &pos)) != SLOT_NONE)
		assert_int_equal(cache_entry(c->s.t.of[SLOT_FLOW], slot)->flags & ENTRY_DEAD, 0);
}

/* A deletion that a mode without repetition has just handed out leaves with the sweep, once. */
static void
test_deletion_in_passing(void **state)
{
	struct ctx *c = *state;
	struct mode_env env = {&c->s, &c->s.t, event, store_unqueued};
	struct mode_item it;

	c->m->ops->free(c->m);
	c->m = c->s.mode = notrack_new(&c->conf, &env, 1, 0);
	happens(c, SINK_NEW, 1);
	while (c->m->ops->next(c->m, &it, 0))
		;
	store_dump_begin(&c->s, true);
	happens(c, SINK_DEL, 1);
	assert_true(c->m->ops->next(c->m, &it, 0)); /* the last one of this turn */
	end(c, true);
	assert_int_equal(total(c), 0);
	happens(c, SINK_NEW, 2);
	assert_true(c->m->ops->next(c->m, &it, 0));
	assert_false(c->m->ops->next(c->m, &it, 0));
	assert_int_equal(active(c), 1);
	assert_int_equal(total(c), 1);
	store_dump_begin(&c->s, true);
	happens(c, SINK_DEL, 2);
	assert_true(c->m->ops->next(c->m, &it, 0));
	end(c, true);
	assert_false(c->m->ops->next(c->m, &it, 0));
	assert_int_equal(total(c), 0);
}

/* Ours is what the kernel itself reports as alive, while we are the one that serves. */
static void
test_owns(void **state)
{
	struct ctx *c = *state;
	struct flow f = flow_nr(1), begun = flow_nr(2), silent = flow_nr(3), theirs = flow_nr(4);

	store_flow(&c->s, SINK_NEW, &f, false, 5);
	assert_true(store_owns(&c->s, &f));
	begun.status = 0x8; /* not answered yet */
	store_flow(&c->s, SINK_NEW, &begun, false, 5);
	assert_false(store_owns(&c->s, &begun));
	store_dump_begin(&c->s, false);
	store_flow_dumped(&c->s, &silent, 5);
	store_flow_dumped(&c->s, &f, 5);
	store_dump_end(&c->s, true);
	while (!store_sweep(&c->s, SLOT_FLOW, 100))
		;
	assert_false(store_owns(&c->s, &silent));
	assert_false(store_owns(&c->s, &theirs));
	assert_true(store_owns(&c->s, &f));
	store_flow(&c->s, SINK_UPD, &f, true, 6); /* written for a peer */
	assert_false(store_owns(&c->s, &f));
	store_flow(&c->s, SINK_UPD, &f, false, 6);
	assert_true(store_owns(&c->s, &f));
	f.state = 7; /* TIME_WAIT */
	store_flow(&c->s, SINK_UPD, &f, false, 6);
	assert_false(store_owns(&c->s, &f));
	store_flow(&c->s, SINK_DEL, &f, false, 6);
	assert_false(store_owns(&c->s, &f));
}

/* What was reported before we handed over may have moved on at the other node. */
static void
test_owns_until_the_hand_over(void **state)
{
	struct ctx *c = *state;
	struct flow f = flow_nr(1);

	store_flow(&c->s, SINK_NEW, &f, false, 5);
	for (int i = 0; i < 100; i++) {
		store_hand_over(&c->s);
		assert_false(store_owns(&c->s, &f));
		store_flow(&c->s, SINK_UPD, &f, false, 5);
		assert_true(store_owns(&c->s, &f));
	}
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_destroyed_while_dumped),
		T(test_destroyed_again_while_dumped),
		T(test_event_beats_dump),
		T(test_only_differences),
		T(test_incomplete_dump_deletes_nothing),
		T(test_zeros),
		T(test_silent_flows),
		T(test_filtered_flow_stays),
		T(test_own),
		T(test_end_of_a_peers_flow),
		T(test_end_of_an_unreported_flow),
		T(test_knows),
		T(test_end_of_unknown),
		T(test_own_flush),
		T(test_full),
		T(test_reborn),
		T(test_expectations),
		T(test_one_way_zones_stay_here),
		T(test_keys_stay_here),
		T(test_owns),
		T(test_owns_until_the_hand_over),
		T(test_expectation_before_master),
		T(test_early_expectations_are_bounded),
		T(test_early_expectations_end_with_master),
		T(test_early_expectations_end_with_dump_and_flush),
		T(test_early_expectations_age),
		T(test_random),
		T(test_deletion_in_passing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

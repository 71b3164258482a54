/* NOTRACK and ALARM: what is sent, when, and what of a peer's messages counts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "rig.h"

static struct ctx *
with_flows(struct mode *(*mode_new)(const struct conf *, const struct mode_env *, uint32_t, uint64_t))
{
	struct ctx *c = ctx_new(mode_new, (struct conf){.refresh_time = 10}, 5, 100000);

	while (c->n_flows < 100)
		one_more_flow(c);
	return c;
}

static int
setup_notrack(void **state)
{
	*state = with_flows(notrack_new);
	return 0;
}

static int
setup_alarm(void **state)
{
	*state = with_flows(alarm_new);
	return 0;
}

static unsigned int
drain(struct ctx *c)
{
	struct mode_item it;
	unsigned int n = 0;

	for (; c->m->ops->next(c->m, &it, c->now); n++) {
		c->it = it;
		for (int i = 0; it.kind == ITEM_FLOW && i < 100; i++)
			c->sent[i] += c->slot[i] == it.slot;
	}
	return n;
}

static void
test_notrack_sends_once(void **state)
{
	struct ctx *c = *state;

	assert_int_equal(drain(c), 1);
	assert_int_equal(c->it.flags, WIRE_ALIVE);
	c->m->ops->change(c->m, SLOT_FLOW, c->slot[1]);
	c->m->ops->change(c->m, SLOT_FLOW, c->slot[1]);
	assert_int_equal(drain(c), 1);
	assert_int_equal(c->it.flags, 0);
	assert_int_equal(c->it.seq, 6);
	assert_int_equal(drain(c), 0);
	c->now += 1000;
	c->m->ops->tick(c->m, c->now);
	assert_int_equal(drain(c), 1);
	assert_int_equal(c->it.flags, WIRE_ALIVE);
}

static void
test_deletion_is_kept_until_encoded(void **state)
{
	struct ctx *c = *state;
	struct mode_item it;

	drain(c);
	cache_bury(c->t.of[SLOT_FLOW], c->slot[1]);
	c->m->ops->change(c->m, SLOT_FLOW, c->slot[1]);
	assert_true(c->m->ops->next(c->m, &it, c->now));
	assert_int_equal(it.slot, c->slot[1]);
	assert_int_equal(cache_entry(c->t.of[SLOT_FLOW], it.slot)->change, ENTRY_DEL);
	assert_int_equal(cache_stats(c->t.of[SLOT_FLOW])->total, 100);
	assert_false(c->m->ops->next(c->m, &it, c->now));
	assert_int_equal(cache_stats(c->t.of[SLOT_FLOW])->total, 99);
	/* reborn between being handed out and the next call: stays */
	struct flow f = flow_nr(2);

	cache_bury(c->t.of[SLOT_FLOW], c->slot[2]);
	c->m->ops->change(c->m, SLOT_FLOW, c->slot[2]);
	assert_true(c->m->ops->next(c->m, &it, c->now));
	cache_revive(c->t.of[SLOT_FLOW], c->slot[2], &f, 1);
	c->m->ops->change(c->m, SLOT_FLOW, c->slot[2]);
	assert_int_equal(drain(c), 1);
	assert_int_equal(cache_stats(c->t.of[SLOT_FLOW])->active, 99);
}

static void
test_notrack_receives(void **state)
{
	struct ctx *c = *state;
	struct mode_stats s;

	assert_true(in(c, WIRE_CT_NEW, 0, 100, 0, 0));
	assert_int_equal(c->events, MODE_PEER_NEW);
	assert_true(in(c, WIRE_CT_UPD, WIRE_HELLO, 105, 0, 0)); /* an FT-FW peer */
	assert_true(in(c, WIRE_CT_DEL, 0, 90, 0, 0));           /* before: processed all the same */
	assert_false(in(c, WIRE_CTL, WIRE_ACK, 91, 0, 0));
	assert_false(in(c, WIRE_CTL, WIRE_ALIVE, 92, 0, 0));
	assert_int_equal(c->events, MODE_PEER_NEW);
	assert_false(in(c, WIRE_CTL, WIRE_RESYNC, 93, 0, 0));
	assert_int_equal(c->events, MODE_PEER_NEW | MODE_RESYNC_ASKED);
	c->m->ops->stats(c->m, &s, c->now);
	assert_int_equal(s.lost, 5);
	assert_int_equal(s.before, 1);
	assert_int_equal(s.malformed, 1);
	/* silent for a while: whatever it missed, it gets */
	c->events = 0;
	c->now += 6000;
	assert_true(in(c, WIRE_CT_NEW, 0, 94, 0, 0));
	assert_int_equal(c->events, MODE_PEER_NEW);
}

/* Every entry once in RefreshTime, evenly. */
static void
test_alarm_refreshes(void **state)
{
	struct ctx *c = *state;
	unsigned int most = 0, n;

	assert_int_equal(drain(c), 0); /* no signs of life */
	for (int i = 0; i < 110; i++) {
		c->now += 100;
		c->m->ops->tick(c->m, c->now);
		n = drain(c);
		most = n > most ? n : most;
	}
	for (int i = 0; i < 100; i++)
		assert_in_range(c->sent[i], 1, 2);
	assert_in_range(most, 1, 3);
	assert_int_equal(c->it.flags, 0);
}

/* A RefreshTime of weeks is not one of a moment. */
static void
test_alarm_refreshes_rarely(void **state)
{
	struct ctx *c = *state;

	c->m->ops->free(c->m);
	c->conf.refresh_time = 4294968; /* s; milliseconds: 704 more than 32 bits hold */
	c->m = alarm_new(&c->conf, &(struct mode_env){c, &c->t, on_event, on_unqueued}, 5, c->now);
	c->now += 1000;
	c->m->ops->tick(c->m, c->now);
	assert_int_equal(drain(c), 0);
}

static void
test_alarm_receives(void **state)
{
	struct ctx *c = *state;
	struct mode_stats s;

	assert_true(in(c, WIRE_CT_NEW, 0, 7, 0, 0));
	assert_true(in(c, WIRE_CT_NEW, 0, 3, 0, 0));
	assert_false(in(c, WIRE_CT_NEW, WIRE_HELLO, 8, 0, 0));
	assert_false(in(c, WIRE_CTL, WIRE_RESYNC, 9, 0, 0));
	assert_false(in(c, WIRE_CTL, 0, 9, 0, 0));
	c->m->ops->stats(c->m, &s, c->now);
	assert_int_equal(s.bad_type, 1);
	assert_int_equal(s.lost + s.before, 0);
	assert_int_equal(c->events, 0);
	c->m->ops->ask(c->m);
	assert_int_equal(drain(c), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_notrack_sends_once, setup_notrack, teardown),
		cmocka_unit_test_setup_teardown(test_deletion_is_kept_until_encoded, setup_notrack, teardown),
		cmocka_unit_test_setup_teardown(test_notrack_receives, setup_notrack, teardown),
		cmocka_unit_test_setup_teardown(test_alarm_refreshes, setup_alarm, teardown),
		cmocka_unit_test_setup_teardown(test_alarm_refreshes_rarely, setup_alarm, teardown),
		cmocka_unit_test_setup_teardown(test_alarm_receives, setup_alarm, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

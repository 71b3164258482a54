/* Send and resend queues over cache slots: order, ranges, wrap of numbers, limit, dead entries. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>

#include "flows.h"
#include "rsq.h"

struct ctx {
	struct tables t;
	struct mode_env env;
	struct txq tx;
	struct rsq rs;
	uint32_t slot[20];
	unsigned int unqueued;
};

static void
unqueued(void *arg, enum slot_kind kind, uint32_t slot)
{
	struct ctx *c = arg;

	assert_int_equal(kind, SLOT_FLOW);
	c->unqueued++;
	cache_drop(c->t.flows, slot);
}

static int
setup(void **state)
{
	struct cache_conf conf = {.limit = 100};
	struct ctx *c = calloc(1, sizeof(*c));

	c->t = (struct tables){cache_new(&conf), xcache_new(&conf)};
	c->env = (struct mode_env){.arg = c, .tables = &c->t, .unqueued = unqueued};
	txq_init(&c->tx, &c->t);
	rsq_init(&c->rs, &c->env, 10);
	for (uint32_t i = 0; i < 20; i++) {
		struct flow f = flow_nr(i);

		assert_int_equal(cache_insert(c->t.flows, &f, 0, &c->slot[i]), 0);
	}
	*state = c;
	return 0;
}

static int
teardown(void **state)
{
	struct ctx *c = *state;

	cache_free(c->t.flows);
	xcache_free(c->t.expects);
	free(c);
	return 0;
}

static void
sent(struct ctx *c, unsigned int i, uint32_t seq)
{
	struct mode_item it = {.kind = ITEM_FLOW, .slot = c->slot[i], .seq = seq};

	rsq_put(&c->rs, &it);
}

static void
sent_control(struct ctx *c, uint8_t flags, uint32_t seq)
{
	struct mode_item it = {.kind = ITEM_CONTROL, .flags = flags, .seq = seq, .from = seq};

	rsq_put(&c->rs, &it);
}

static void
test_tx_order(void **state)
{
	struct ctx *c = *state;
	struct mode_item it;

	txq_put(&c->tx, SLOT_FLOW, c->slot[3]);
	txq_put(&c->tx, SLOT_FLOW, c->slot[1]);
	txq_put_control(&c->tx, WIRE_NACK, 5, 6);
	assert_int_equal(txq_len(&c->tx), 3);
	assert_true(txq_take(&c->tx, false, &it));
	assert_int_equal(it.kind, ITEM_CONTROL);
	assert_int_equal(it.flags, WIRE_NACK);
	assert_false(txq_take(&c->tx, false, &it));
	assert_true(txq_take(&c->tx, true, &it));
	assert_int_equal(it.slot, c->slot[3]);
	assert_int_equal(cache_entry(c->t.flows, it.slot)->queue, QUEUE_NONE);
	assert_true(txq_take(&c->tx, true, &it));
	assert_int_equal(it.slot, c->slot[1]);
	assert_false(txq_take(&c->tx, true, &it));
}

/* Numbers wrap in the middle of an acknowledged range. */
static void
test_ack_wraps(void **state)
{
	struct ctx *c = *state;

	for (unsigned int i = 0; i < 8; i++)
		sent(c, i, 0xfffffffcu + i);
	cache_bury(c->t.flows, c->slot[4]);
	rsq_ack(&c->rs, 0xfffffffeu, 1);
	assert_int_equal(rsq_len(&c->rs), 4);
	assert_int_equal(c->unqueued, 1);
	assert_int_equal(c->rs.slots[SLOT_FLOW].head, c->slot[0]);
	assert_int_equal(c->rs.slots[SLOT_FLOW].tail, c->slot[7]);
	rsq_ack(&c->rs, 0x10000000, 0x20000000); /* nothing there */
	assert_int_equal(rsq_len(&c->rs), 4);
	rsq_ack(&c->rs, 0xfffffff0u, 0x100);
	assert_int_equal(rsq_len(&c->rs), 0);
}

static void
test_nack_moves(void **state)
{
	struct ctx *c = *state;
	struct mode_item it;
	bool more;

	for (unsigned int i = 0; i < 6; i++)
		sent(c, i, 10 + i);
	sent_control(c, WIRE_ACK, 16);
	assert_int_equal(rsq_nack(&c->rs, 11, 16, 3, &c->tx, &more), 3);
	assert_true(more);
	assert_int_equal(rsq_nack(&c->rs, 11, 16, 3, &c->tx, &more), 2);
	assert_false(more);
	assert_int_equal(rsq_len(&c->rs), 1);
	assert_true(txq_take(&c->tx, true, &it));
	assert_int_equal(it.flags, WIRE_ACK);
	for (unsigned int i = 1; i < 6; i++) {
		assert_true(txq_take(&c->tx, true, &it));
		assert_int_equal(it.slot, c->slot[i]);
	}
}

static void
test_limit(void **state)
{
	struct ctx *c = *state;

	cache_bury(c->t.flows, c->slot[0]);
	for (unsigned int i = 0; i < 12; i++)
		sent(c, i, 100 + i);
	assert_int_equal(rsq_len(&c->rs), 10);
	assert_int_equal(c->rs.overflows, 2);
	assert_int_equal(c->rs.overflow_seq, 101);
	assert_int_equal(c->unqueued, 1); /* the dead one is given up */
	assert_int_equal(c->rs.slots[SLOT_FLOW].head, c->slot[2]);
}

static void
test_requeue_and_clear(void **state)
{
	struct ctx *c = *state;

	for (unsigned int i = 0; i < 5; i++)
		sent(c, i, i);
	sent_control(c, WIRE_RESYNC, 5);
	rsq_requeue(&c->rs, &c->tx);
	assert_int_equal(rsq_len(&c->rs), 0);
	assert_int_equal(txq_len(&c->tx), 6);
	sent(c, 10, 20);
	cache_bury(c->t.flows, c->slot[10]);
	rsq_clear(&c->rs);
	assert_int_equal(rsq_len(&c->rs), 0);
	assert_int_equal(c->unqueued, 1);
}

static void
test_control_bound(void **state)
{
	struct ctx *c = *state;
	struct mode_item it;

	for (uint32_t i = 0; i < CTLQ_MAX + 5; i++)
		txq_put_control(&c->tx, WIRE_ACK, i, i);
	assert_int_equal(txq_len(&c->tx), CTLQ_MAX);
	assert_true(txq_take(&c->tx, true, &it));
	assert_int_equal(it.from, 5);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_tx_order, setup, teardown),
		cmocka_unit_test_setup_teardown(test_ack_wraps, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nack_moves, setup, teardown),
		cmocka_unit_test_setup_teardown(test_limit, setup, teardown),
		cmocka_unit_test_setup_teardown(test_requeue_and_clear, setup, teardown),
		cmocka_unit_test_setup_teardown(test_control_bound, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

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
	cache_drop(c->t.of[SLOT_FLOW], slot);
}

static int
setup(void **state)
{
	struct ctx *c = calloc(1, sizeof(*c));

	assert_int_equal(tables_init(&c->t, 100), 0);
	c->env = (struct mode_env){.arg = c, .tables = &c->t, .unqueued = unqueued};
	txq_init(&c->tx, &c->t);
	rsq_init(&c->rs, &c->env, 10);
	for (uint32_t i = 0; i < 20; i++) {
		struct flow f = flow_nr(i);

		assert_int_equal(cache_insert(c->t.of[SLOT_FLOW], &f, 0, &c->slot[i]), 0);
	}
	*state = c;
	return 0;
}

static int
teardown(void **state)
{
	struct ctx *c = *state;

	tables_clear(&c->t);
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
	assert_int_equal(cache_entry(c->t.of[SLOT_FLOW], it.slot)->queue, QUEUE_NONE);
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
	cache_bury(c->t.of[SLOT_FLOW], c->slot[4]);
	rsq_ack(&c->rs, 0xfffffffeu, 1, 0, 1);
	assert_int_equal(rsq_len(&c->rs), 4);
	assert_int_equal(c->unqueued, 1);
	assert_int_equal(c->rs.slots[SLOT_FLOW].head, c->slot[0]);
	assert_int_equal(c->rs.slots[SLOT_FLOW].tail, c->slot[7]);
	rsq_ack(&c->rs, 0x10000000, 0x20000000, 0, 1); /* nothing there */
	assert_int_equal(rsq_len(&c->rs), 4);
	rsq_ack(&c->rs, 0xfffffff0u, 0x100, 0, 1);
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

	cache_bury(c->t.of[SLOT_FLOW], c->slot[0]);
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
	cache_bury(c->t.of[SLOT_FLOW], c->slot[10]);
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

/* A long queue with holes in it, as a forger leaves it: a range costs what it moves, not what lies before it. */
#define LONG 40000
struct long_ctx {
	struct ctx c;
	uint32_t slot[LONG];
};

static struct long_ctx *
long_queue(uint32_t first_seq)
{
	struct long_ctx *l = calloc(1, sizeof(*l));

	assert_int_equal(tables_init(&l->c.t, LONG), 0);
	l->c.env = (struct mode_env){.arg = &l->c, .tables = &l->c.t, .unqueued = unqueued};
	txq_init(&l->c.tx, &l->c.t);
	rsq_init(&l->c.rs, &l->c.env, LONG);
	for (uint32_t i = 0; i < LONG; i++) {
		struct flow f = flow_nr(i);
		struct mode_item it = {.kind = ITEM_FLOW, .seq = first_seq + i};

		assert_int_equal(cache_insert(l->c.t.of[SLOT_FLOW], &f, 0, &it.slot), 0);
		l->slot[i] = it.slot;
		rsq_put(&l->c.rs, &it);
	}
	return l;
}

static void
long_free(struct long_ctx *l)
{
	tables_clear(&l->c.t);
	free(l);
}

#define COST_MAX (RSQ_BUCKETS + 256)

static void
test_cost_of_ranges(void **state)
{
	const uint32_t first[] = {1, 0xffffffffU - LONG / 2};

	(void)state;
	for (size_t k = 0; k < 2; k++) {
		struct long_ctx *l = long_queue(first[k]);
		struct rsq *rs = &l->c.rs;
		uint64_t before = rs->looked_at;

		for (uint32_t i = 0; i < 100; i++) { /* one in the middle, one near the end, again and again */
			rsq_ack(rs, first[k] + LONG / 2 + i, first[k] + LONG / 2 + i, 0, 1);
			rsq_ack(rs, first[k] + LONG - 200 + i, first[k] + LONG - 200 + i, 0, 1);
		}
		assert_int_equal(rsq_len(rs), LONG - 200);
		assert_true(rs->looked_at - before <= 200 * COST_MAX);
		rsq_ack(rs, first[k] + 1, first[k] + LONG - 2, 0, 1); /* all but the ends */
		assert_int_equal(rsq_len(rs), 2);
		before = rs->looked_at;
		for (uint32_t i = 0; i < 100; i++)
			rsq_ack(rs, first[k] + 1 + i, first[k] + LONG - 2, 0, 1);
		assert_true(rs->looked_at - before <= 100 * COST_MAX);
		assert_int_equal(rsq_len(rs), 2);
		rsq_ack(rs, first[k], first[k] + LONG, 0, 1);
		assert_int_equal(rsq_len(rs), 0);
		long_free(l);
	}
}

/* What the queue knows of where ranges begin stays right, whatever leaves it: compared with a plain list of numbers. */
static void
test_ranges_at_random(void **state)
{
	const uint32_t first = 0xffffffffU - 5000;
	struct long_ctx *l = long_queue(first);
	static bool there[LONG];
	uint32_t r = 7;
	bool more;

	(void)state;
	memset(there, true, sizeof(there));
	for (unsigned int round = 0; rsq_len(&l->c.rs) > 0 && round < 20000; round++) {
		uint32_t from, n, expected = 0, len = rsq_len(&l->c.rs);

		r = r * 1664525 + 1013904223;
		from = (r >> 8) % LONG;
		n = r % 3 == 0 ? there[from] : (r >> 3) % 40;
		for (uint32_t i = from; i < from + n && i < LONG; i++) {
			expected += there[i];
			there[i] = false;
		}
		if (r % 3 == 2)
			assert_int_equal(rsq_nack(&l->c.rs, first + from, first + from + n - 1, LONG, &l->c.tx, &more),
					 expected);
		else if (r % 3 == 1)
			rsq_ack(&l->c.rs, first + from, first + from + n - 1, 0, 1);
		else if (n == 1)
			rsq_remove(&l->c.rs, SLOT_FLOW, l->slot[from]);
		assert_int_equal(len - rsq_len(&l->c.rs), expected);
	}
	assert_true(rsq_len(&l->c.rs) < LONG / 100);
	long_free(l);
}

/* The oldest goes when its number lies too far behind. */
static void
test_span(void **state)
{
	struct ctx *c = *state;

	sent(c, 0, 5);
	sent(c, 1, 5 + RSQ_BUCKETS / 2);
	sent(c, 2, 5 + RSQ_BUCKETS);
	assert_int_equal(rsq_len(&c->rs), 2);
	assert_int_equal(c->rs.overflow_seq, 5);
	rsq_ack(&c->rs, 5, 5 + RSQ_BUCKETS, 0, 1);
	assert_int_equal(rsq_len(&c->rs), 0);
}

static void
test_control_ranges(void **state)
{
	struct ctx *c = *state;
	struct rsq rs;
	bool more;

	rsq_init(&rs, &c->env, 2000);
	for (uint32_t i = 0; i < 1000; i++)
		rsq_put(&rs, &(struct mode_item){.kind = ITEM_CONTROL, .flags = WIRE_ACK, .seq = i, .from = i});
	rsq_ack(&rs, 100, 899, 0, 1);
	assert_int_equal(rs.control.len, 200);
	assert_int_equal(ctlq_at(&rs.control, 99)->seq, 99);
	assert_int_equal(ctlq_at(&rs.control, 100)->seq, 900);
	assert_int_equal(rsq_nack(&rs, 50, 949, 10, &c->tx, &more), 0);
	assert_int_equal(rs.control.len, 100);
	assert_int_equal(ctlq_at(&rs.control, 49)->seq, 49);
	assert_int_equal(ctlq_at(&rs.control, 50)->seq, 950);
	assert_int_equal(c->tx.control.len, 100);
	assert_int_equal(ctlq_at(&c->tx.control, 50)->from, 900);
}

/* What was dropped half a round of the numbers ago does not lie ahead. */
static void
test_dropped_long_ago(void **state)
{
	struct ctx *c = *state;
	uint32_t seq = 1;

	for (unsigned int i = 0; i < 12; i++)
		sent(c, i, seq++);
	assert_true(rsq_dropped(&c->rs, 2));
	assert_false(rsq_dropped(&c->rs, 3));
	for (; seq < 0xf0000000u; seq += 0x100000) {
		sent_control(c, WIRE_ACK, seq);
		rsq_ack(&c->rs, seq, seq, 0, 1);
		assert_false(rsq_dropped(&c->rs, seq));
	}
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
		cmocka_unit_test_setup_teardown(test_control_ranges, setup, teardown),
		cmocka_unit_test_setup_teardown(test_span, setup, teardown),
		cmocka_unit_test_setup_teardown(test_dropped_long_ago, setup, teardown),
		cmocka_unit_test(test_cost_of_ranges),
		cmocka_unit_test(test_ranges_at_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* When everything is sent and asked for: once for many who want it, and seldom for one who wants it often. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "bulk.h"
#include "fakes.h"

struct ctx {
	struct fake_mode mode;
	struct clock now;
	struct heard_log log;
	struct tables tables;
	struct bulk b;
	bool complete;
	unsigned int announced, kernel_reads;
};

static bool
complete(void *arg)
{
	return ((struct ctx *)arg)->complete;
}

static void
announce(void *arg, enum slot_kind kind, uint32_t slot)
{
	struct ctx *c = arg;

	assert_int_equal(kind, SLOT_FLOW);
	assert_int_equal(slot, c->announced);
	c->announced++;
}

static void
read_kernel(void *arg)
{
	((struct ctx *)arg)->kernel_reads++;
}

static int
setup(void **state)
{
	static struct ctx c;

	c = (struct ctx){.mode = {.mode = {&fake_ops}, .ready = true, .credit = 100}, .complete = true};
	clock_set(&c.now, 100000);
	heard_log_open(&c.log);
	assert_int_equal(tables_init(&c.tables, 10000), 0);
	c.b = (struct bulk){.env = {&c, complete, announce, NULL},
			    .log = &c.log.log,
			    .clock = &c.now,
			    .mode = &c.mode.mode,
			    .tables = &c.tables};
	*state = &c;
	return 0;
}

static int
teardown(void **state)
{
	struct ctx *c = *state;

	tables_clear(&c->tables);
	heard_log_close(&c->log);
	return 0;
}

static void
holds(struct ctx *c, uint32_t n)
{
	for (uint32_t nr = 0; nr < n; nr++) {
		const struct flow f = flow_nr(nr);
		uint32_t slot;

		assert_int_equal(cache_insert(c->tables.of[SLOT_FLOW], &f, 100, &slot), 0);
	}
}

static void
wait(struct ctx *c, uint64_t ms)
{
	clock_set(&c->now, c->now.ms + ms);
	bulk_turn(&c->b);
}

/* All of it goes, in steps that the mode allows. */
static void
in_steps(void **state)
{
	struct ctx *c = *state;

	holds(c, 250);
	bulk_want(&c->b, BULK_OPERATOR);
	bulk_turn(&c->b);
	assert_int_equal(c->announced, 100);
	c->mode.credit = 0; /* the peer is behind */
	wait(c, 10);
	assert_int_equal(c->announced, 100);
	assert_in_range(bulk_due(&c->b), c->now.ms + 1, c->now.ms + 100);
	c->mode.credit = 100;
	wait(c, 10);
	wait(c, 10);
	assert_int_equal(c->announced, 250);
	assert_true(bulk_due(&c->b) == NEVER);
	assert_int_equal(c->b.sent, 1);
	assert_int_equal(heard_lines(&c->log, "sending bulk update"), 1);
}

/* Half of a table would be taken for all of it. */
static void
not_before_the_table_is_known(void **state)
{
	struct ctx *c = *state;

	c->complete = false;
	bulk_want(&c->b, BULK_OPERATOR);
	bulk_turn(&c->b);
	c->complete = true;
	c->mode.ready = false;
	bulk_turn(&c->b);
	assert_int_equal(c->b.sent, 0);
	c->mode.ready = true;
	bulk_turn(&c->b);
	assert_int_equal(c->b.sent, 1);
}

/* A new peer asks by itself a moment later. */
static void
one_for_both(void **state)
{
	struct ctx *c = *state;

	bulk_want(&c->b, BULK_UNASKED);
	bulk_turn(&c->b);
	assert_int_equal(c->b.sent, 0);
	assert_in_range(bulk_due(&c->b), c->now.ms + 1, c->now.ms + 1000);
	bulk_want(&c->b, BULK_ASKED);
	bulk_turn(&c->b);
	assert_int_equal(c->b.sent, 1);
	wait(c, 60000);
	assert_int_equal(c->b.sent, 1);
}

/* A demand in each turn of a second. */
static uint64_t
served_in_a_second(struct ctx *c)
{
	const uint64_t before = c->b.sent;

	wait(c, 10000);
	for (int i = 0; i < 1000; i++) {
		bulk_want(&c->b, BULK_ASKED);
		wait(c, 1);
	}
	return c->b.sent - before;
}

static void
demands_turn_by_turn(void **state)
{
	struct ctx *c = *state;

	assert_in_range(served_in_a_second(c), 1, 20); /* though there is nothing to send */
	c->b.env.read_kernel = read_kernel;            /* each costs a dump of the kernel's table */
	assert_in_range(served_in_a_second(c), 1, 2);
	assert_in_range(c->kernel_reads, 1, 2);
	assert_int_equal(c->announced, 0);
}

/* An operator does not wait for the pause that peers are held to. */
static void
operators_at_once(void **state)
{
	struct ctx *c = *state;

	holds(c, 5000);
	c->mode.credit = 10000;
	for (uint64_t n = 1; n < 4; n++) {
		c->announced = 0;
		bulk_want(&c->b, BULK_OPERATOR);
		bulk_turn(&c->b);
		assert_int_equal(c->b.sent, n);
		bulk_turn(&c->b);
	}
}

static void
asking(void **state)
{
	struct ctx *c = *state;

	c->mode.ready = false;
	bulk_ask(&c->b, false);
	bulk_turn(&c->b);
	assert_int_equal(c->mode.asked, 0); /* nobody would hear it */
	c->mode.ready = true;
	bulk_turn(&c->b);
	assert_int_equal(c->mode.asked, 1);
	for (int i = 0; i < 9; i++) {
		bulk_ask(&c->b, false);
		wait(c, 1000);
	}
	assert_int_equal(c->mode.asked, 1);
	bulk_ask(&c->b, true);
	bulk_turn(&c->b);
	assert_int_equal(c->mode.asked, 2);
	assert_int_equal(c->b.asked, 2);
	wait(c, 60000);
	assert_int_equal(c->mode.asked, 2);
}

/* ALARM repeats by itself. */
static void
modes_without(void **state)
{
	static const struct mode_ops ops = {.ready = fake_ready, .credit = fake_credit, .ask = fake_ask};
	struct ctx *c = *state;

	c->mode.mode.ops = &ops;
	bulk_want(&c->b, BULK_OPERATOR);
	bulk_ask(&c->b, true);
	wait(c, 60000);
	assert_int_equal(c->b.sent + c->mode.asked, 0);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {T(in_steps),          T(not_before_the_table_is_known),
					   T(one_for_both),      T(demands_turn_by_turn),
					   T(operators_at_once), T(asking),
					   T(modes_without)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

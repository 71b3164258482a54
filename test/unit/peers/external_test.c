/* The external caches: what peers say of a flow, what they stop saying, and what does not fit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "external.h"
#include "fakes.h"

static struct clock now;

static int
teardown(void **state)
{
	external_free(*state);
	return 0;
}

static struct external *
made(void **state, uint32_t limit, uint32_t lifetime)
{
	const struct external_conf conf = {limit, lifetime};

	clock_set(&now, 100000);
	*state = external_new(&conf, &now);
	assert_non_null(*state);
	return *state;
}

static void
source_says(struct external *x, unsigned int source, enum entry_change change, uint32_t nr)
{
	const struct applier a = external_applier(x);
	struct apply_batch b;

	b.flow[0] = flow_nr(nr);
	b.change[0] = (uint8_t)change;
	b.n = 1;
	b.source = source;
	a.flows(a.arg, &b);
}

static void
says(struct external *x, enum entry_change change, uint32_t nr)
{
	source_says(x, 0, change, nr);
}

static struct entry *
entry_of(struct external *x, uint32_t nr)
{
	const struct cache *c = external_tables(x)->of[SLOT_FLOW];
	const struct flow f = flow_nr(nr);
	uint32_t slot = cache_find(c, &f);

	return slot == SLOT_NONE ? NULL : cache_entry(c, slot);
}

static bool
asks(struct external *x)
{
	const struct applier a = external_applier(x);

	return a.turn(a.arg);
}

/* What a peer deletes is gone; what it deletes and we never had is counted. */
static void
deleted_twice(void **state)
{
	struct external *x = made(state, 100, 0);
	const struct applier a = external_applier(x);
	const struct cache_stats *flows = a.stats(a.arg, SLOT_FLOW), *expects = a.stats(a.arg, SLOT_EXPECT);
	const struct expect e = some_expect();

	says(x, ENTRY_NEW, 1);
	says(x, ENTRY_DEL, 1);
	assert_int_equal(flows->deleted, 1);
	assert_int_equal(flows->delete_failed, 0);
	says(x, ENTRY_DEL, 1);
	assert_int_equal(flows->deleted, 1);
	assert_int_equal(flows->delete_failed, 1);
	assert_int_equal(flows->delete_missing, 1);
	a.expect(a.arg, 0, ENTRY_NEW, &e);
	a.expect(a.arg, 0, ENTRY_DEL, &e);
	a.expect(a.arg, 0, ENTRY_DEL, &e);
	assert_int_equal(expects->deleted, 1);
	assert_int_equal(expects->delete_failed, 1);
	assert_int_equal(expects->delete_missing, 1);
}

/* A commit that has written an entry must see that it is another one now. */
static void
news_unmark(void **state)
{
	struct external *x = made(state, 100, 0);

	says(x, ENTRY_NEW, 1);
	for (int change = ENTRY_NEW; change <= ENTRY_UPD; change++) {
		entry_of(x, 1)->gen = 9;
		says(x, (enum entry_change)change, 1);
		assert_int_equal(entry_of(x, 1)->gen, 0);
	}
}

/* In one batch, a flow that ends and begins anew is there. */
static void
order_in_a_batch(void **state)
{
	struct external *x = made(state, 100, 0);
	const struct applier a = external_applier(x);
	const uint8_t change[] = {ENTRY_NEW, ENTRY_DEL, ENTRY_NEW};
	struct apply_batch b = {.source = 0};

	for (b.n = 0; b.n < 3; b.n++) {
		b.flow[b.n] = flow_nr(1);
		b.change[b.n] = change[b.n];
	}
	a.flows(a.arg, &b);
	assert_non_null(entry_of(x, 1));
	assert_int_equal(a.stats(a.arg, SLOT_FLOW)->active, 1);
}

/* What a peer does not repeat goes, and nothing does where peers do not repeat. */
static void
expires(void **state)
{
	struct external *x = made(state, 100, 60);

	says(x, ENTRY_NEW, 1);
	says(x, ENTRY_NEW, 2);
	for (int s = 0; s < 70; s += 10) {
		clock_set(&now, now.ms + 10000);
		says(x, ENTRY_UPD, 2);
		for (int i = 0; i < 10; i++) {
			asks(x);
			clock_set(&now, now.ms + 300);
		}
	}
	assert_null(entry_of(x, 1));
	assert_non_null(entry_of(x, 2));
	external_free(x);
	x = made(state, 100, 0);
	says(x, ENTRY_NEW, 1);
	clock_set(&now, now.ms + 1000000000);
	asks(x);
	asks(x);
	assert_non_null(entry_of(x, 1));
}

/* What did not fit is counted, and asked for once when there is room again. */
static void
full(void **state)
{
	struct external *x = made(state, 80, 0);

	for (uint32_t nr = 0; nr < 85; nr++)
		says(x, ENTRY_NEW, nr);
	assert_int_equal(external_full(x).refused, 5);
	assert_int_equal(external_full(x).refused, 0);
	assert_false(asks(x));
	for (uint32_t nr = 0; nr < 10; nr++)
		says(x, ENTRY_DEL, nr);
	assert_true(asks(x));
	assert_false(asks(x));
}

static void
flushed(void **state)
{
	struct external *x = made(state, 80, 0);
	const struct applier a = external_applier(x);
	const struct expect e = some_expect();

	for (uint32_t nr = 0; nr < 50; nr++)
		says(x, ENTRY_NEW, nr);
	a.expect(a.arg, 0, ENTRY_NEW, &e);
	external_flush(x, 1 << SLOT_EXPECT);
	assert_int_equal(a.stats(a.arg, SLOT_EXPECT)->active, 0);
	assert_int_equal(a.stats(a.arg, SLOT_FLOW)->active, 50);
	external_flush(x, 1 << SLOT_FLOW);
	assert_int_equal(a.stats(a.arg, SLOT_FLOW)->active, 0);
}

/* Whose the flows numbered first to first + n - 1 are. */
static unsigned int
are_there(struct external *x, uint32_t first, uint32_t n)
{
	unsigned int there = 0;

	for (uint32_t nr = first; nr < first + n; nr++)
		there += entry_of(x, nr) != NULL;
	return there;
}

/* One who fills the cache gives up to those who come later what is more than an equal share, and no more. */
static void
shares(void **state)
{
	struct external *x = made(state, 900, 0);
	struct external_full full;

	for (uint32_t nr = 0; nr < 2000; nr++)
		source_says(x, 5, ENTRY_NEW, nr);
	assert_int_equal(external_held(x, SLOT_FLOW, 5), 900);
	for (uint32_t nr = 5000; nr < 5400; nr++)
		source_says(x, 1, ENTRY_NEW, nr);
	assert_int_equal(are_there(x, 5000, 400), 400);
	for (uint32_t nr = 5400; nr < 6000; nr++)
		source_says(x, 1, ENTRY_NEW, nr);
	assert_int_equal(external_held(x, SLOT_FLOW, 1), 450);
	for (uint32_t nr = 9000; nr < 9300; nr++)
		source_says(x, 2, ENTRY_NEW, nr);
	assert_int_equal(are_there(x, 9000, 300), 300);
	for (int i = 0; i < 3; i++) /* and who goes on takes nothing back */
		for (uint32_t nr = 20000; nr < 21000; nr++)
			source_says(x, 5, ENTRY_NEW, nr);
	assert_int_equal(are_there(x, 9000, 300), 300);
	assert_in_range(external_held(x, SLOT_FLOW, 1), 300, 450);
	assert_in_range(external_held(x, SLOT_FLOW, 5), 300, 450);
	full = external_full(x);
	assert_true(full.refused > 0 && full.displaced >= 750);
	assert_true(external_tables(x)->of[SLOT_EXPECT] != NULL);
	external_flush(x, 3);
	for (unsigned int i = 0; i < APPLY_SOURCES; i++)
		assert_int_equal(external_held(x, SLOT_FLOW, i), 0);
}

/* Flows do not take the place of expectations, nor the other way round. */
static void
shares_of_each_kind(void **state)
{
	struct external *x = made(state, 100, 0);
	const struct applier a = external_applier(x);
	const struct expect e = some_expect();

	for (uint32_t nr = 0; nr < 200; nr++)
		source_says(x, 5, ENTRY_NEW, nr);
	a.expect(a.arg, 5, ENTRY_NEW, &e);
	assert_int_equal(external_held(x, SLOT_EXPECT, 5), 1);
	a.expect(a.arg, 5, ENTRY_DEL, &e);
	assert_int_equal(external_held(x, SLOT_EXPECT, 5), 0);
}

/* A flow that moves to another node is that node's from then on. */
static void
whose_it_is(void **state)
{
	struct external *x = made(state, 100, 60);

	source_says(x, 3, ENTRY_NEW, 1);
	source_says(x, 4, ENTRY_UPD, 1);
	assert_int_equal(external_held(x, SLOT_FLOW, 3), 0);
	assert_int_equal(external_held(x, SLOT_FLOW, 4), 1);
	source_says(x, 4, ENTRY_NEW, 1);
	assert_int_equal(external_held(x, SLOT_FLOW, 4), 1);
	source_says(x, 3, ENTRY_DEL, 1);
	assert_int_equal(external_held(x, SLOT_FLOW, 4), 0);
	source_says(x, 3, ENTRY_NEW, 1);
	clock_set(&now, now.ms + 100000);
	asks(x);
	assert_int_equal(external_held(x, SLOT_FLOW, 3), 0);
}

int
main(void)
{
#define T(f) cmocka_unit_test_teardown(f, teardown)
	const struct CMUnitTest tests[] = {
		T(deleted_twice), T(news_unmark), T(order_in_a_batch),    T(expires),    T(full),
		T(flushed),       T(shares),      T(shares_of_each_kind), T(whose_it_is)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

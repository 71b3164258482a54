/* Reconciliation with the kernel's tables: when the next one is due, what it tells the peers, what HashLimit kept out.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "flows.h"
#include "rig.h"

#define MINUTE 60000

static int
setup(void **state)
{
	static struct rig rig;

	rig = rig_new(false);
	*state = &rig;
	return 0;
}

static int
teardown(void **state)
{
	rig_free(*state);
	return 0;
}

/* One table was read, and what it did not show is swept. */
static void
read_to_end(struct sync *s)
{
	struct msg_dump_done d = {.id = s->resync.id};

	assert_int_equal(s->resync.state, RESYNC_DUMP);
	resync_dump_done(s, &d);
	while (s->resync.state == RESYNC_SWEEP)
		resync_turn(s);
}

/* The kernel's table is read and shows flows 0 to n - 1. */
static void
read_kernel(struct sync *s, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		struct flow f = flow_nr(i);

		store_flow_dumped(&s->store, &f, s->clock.s);
	}
	read_to_end(s); /* flows */
	read_to_end(s); /* expectations */
	assert_int_equal(s->resync.state, RESYNC_IDLE);
}

static void
happens(struct sync *s, enum store_op op, uint32_t nr, bool own)
{
	struct flow f = flow_nr(nr);

	store_flow(&s->store, op, &f, own, s->clock.s);
}

static uint64_t
wait_for_due(struct sync *s)
{
	uint64_t due = resync_due(s), pause = due - s->clock.ms;

	assert_true(due != NEVER);
	s->clock.ms = due;
	resync_turn(s);
	return pause;
}

static bool
end_is_announced(struct sync *s, uint32_t nr)
{
	struct flow f = flow_nr(nr);
	uint32_t slot = cache_find(s->store.t.of[SLOT_FLOW], &f);

	return slot != SLOT_NONE && cache_entry(s->store.t.of[SLOT_FLOW], slot)->flags & ENTRY_DEAD &&
	       cache_entry(s->store.t.of[SLOT_FLOW], slot)->queue == QUEUE_TX;
}

/* A look at silent flows after the pause; it takes so many ms and shows n flows. The pause. */
static uint64_t
look(struct sync *s, uint64_t took, uint32_t n)
{
	uint64_t pause = wait_for_due(s);

	s->clock.ms += took;
	read_kernel(s, n);
	return pause;
}

/* Looks at silent flows cost the same part of the time, however large the table, and become rare while they find
 * nothing; one that was held up postpones the next one by a minute at most. */
static void
test_pause(void **state)
{
	struct sync *s = ((struct rig *)*state)->s;

	resync_start(s, true);
	read_kernel(s, 9);
	assert_int_equal(look(s, 0, 9), 2000);
	assert_int_equal(look(s, 0, 9), 4000);
	assert_int_equal(look(s, 0, 8), 8000); /* one had ended */
	assert_int_equal(look(s, 100, 7), 2000);
	assert_int_equal(look(s, 5000, 6), 10000);
	for (uint64_t pause = MINUTE; pause < 5 * (uint64_t)MINUTE; pause *= 2)
		assert_int_equal(look(s, 0, 6), pause);
	assert_int_equal(look(s, 0, 6), 5 * MINUTE);
	assert_int_equal(look(s, 0, 6), 5 * MINUTE);
	for (uint32_t nr = 0; nr < 6; nr++)
		happens(s, STORE_UPD, nr, false);
	look(s, 0, 6);
	assert_true(resync_due(s) == NEVER);
}

/* Those that the kernel does report, as the ones of a commit, are not looked at more often because the last of them
 * has ended a moment before its event came. */
static void
test_told(void **state)
{
	struct sync *s = ((struct rig *)*state)->s;

	resync_start(s, true);
	read_kernel(s, 30);
	assert_int_equal(look(s, 0, 30), 2000);
	for (uint32_t nr = 29; nr > 20; nr--)
		happens(s, STORE_DEL, nr, false);
	assert_int_equal(look(s, 0, 20), 4000);
	assert_int_equal(look(s, 0, 19), 8000);
	assert_int_equal(look(s, 0, 19), 2000);
}

/* What a take-over empties and reads again is as silent as it was. */
static void
test_silent_taken_over(void **state)
{
	struct sync *s = ((struct rig *)*state)->s;

	resync_start(s, true);
	read_kernel(s, 1);
	s->takeover = TAKEOVER_COMMIT;
	commit_start(s->commit, CTL_TABLE_CT);
	while (commit_running(s->commit))
		verbs_turn(s);
	read_kernel(s, 1);
	assert_int_equal(s->store.silent, 1);
	assert_true(resync_due(s) != NEVER);
}

/* A flush of expectations deletes no flow: one that has ended unseen is told. */
static void
test_expectations_flushed(void **state)
{
	struct sync *s = ((struct rig *)*state)->s;

	resync_start(s, true);
	read_kernel(s, 2);
	s->store.flushed = CTL_TABLE_EXP;
	s->flushed_at = s->clock.ms;
	verbs_flushed(s, 1, 0);
	assert_int_equal(s->resync.state, RESYNC_IDLE); /* and needs no look */
	look(s, 0, 1);
	assert_true(end_is_announced(s, 1));
}

/* The read-back after a commit is not told to the peers, but for what has ended. */
static void
test_quiet(void **state)
{
	struct sync *s = ((struct rig *)*state)->s;

	resync_start(s, true);
	read_kernel(s, 2);
	resync_start(s, true);
	assert_false(s->store.announce);
	read_kernel(s, 1);
	assert_true(end_is_announced(s, 1));
}

/* The kernel deletes them at our request and does not say so. */
static void
test_silent_flushed(void **state)
{
	struct sync *s = ((struct rig *)*state)->s;

	resync_start(s, true);
	read_kernel(s, 1);
	s->store.flushed = CTL_TABLE_CT;
	s->flushed_at = s->clock.ms;
	s->flows_flush = 1;
	verbs_flushed(s, 1, 0);
	read_kernel(s, 0);
	assert_int_equal(cache_stats(s->store.t.of[SLOT_FLOW])->total, 0);
}

/* What is missing right after we flushed the kernel's table went that way; what is missing later ended by itself. */
static void
test_flushed_long_ago(void **state)
{
	struct sync *s = ((struct rig *)*state)->s;

	resync_start(s, true);
	read_kernel(s, 0);
	for (uint32_t nr = 1; nr < 3; nr++) {
		happens(s, STORE_NEW, nr, false);
		s->store.flushed = CTL_TABLE_CT;
		s->flushed_at = s->clock.ms;
		s->clock.ms += nr == 1 ? 1000 : MINUTE;
		resync_start(s, false);
		read_kernel(s, 0);
		assert_int_equal(end_is_announced(s, nr), nr == 2);
	}
}

/* What did not fit is looked for when there is room again. */
static void
test_made_up(void **state)
{
	struct sync *s = ((struct rig *)*state)->s;
	const uint32_t limit = s->conf.hash_limit;

	resync_start(s, true);
	read_kernel(s, 0);
	for (uint32_t nr = 0; nr < limit + 10; nr++)
		happens(s, STORE_NEW, nr, false);
	resync_turn(s);
	assert_true(resync_due(s) == NEVER);
	for (uint32_t nr = 0; nr < limit / 4; nr++)
		happens(s, STORE_DEL, nr, true);
	resync_turn(s);
	assert_in_range(wait_for_due(s), 0, 15000);
	assert_int_equal(s->resync.state, RESYNC_DUMP);
	read_kernel(s, limit / 2);
	resync_turn(s);
	assert_int_not_equal(s->resync.state, RESYNC_DUMP); /* once */
}

/* Where peers' flows are written into the kernel, a look for silent ones does not tell them what it finds; lost events
 * are made up for aloud, and no look comes before. */
static void
test_not_told(void **state)
{
	struct rig rig = rig_new(true);
	struct sync *s = rig.s;

	(void)state;
	resync_start(s, true);
	read_kernel(s, 1);
	wait_for_due(s);
	assert_false(s->store.announce);
	resync_in(s, 30000); /* while it runs */
	read_kernel(s, 1);
	assert_int_equal(wait_for_due(s), 30000);
	assert_true(s->store.announce);
	rig_free(&rig);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {T(test_pause),
					   T(test_told),
					   T(test_silent_taken_over),
					   T(test_silent_flushed),
					   T(test_expectations_flushed),
					   T(test_quiet),
					   T(test_flushed_long_ago),
					   T(test_made_up),
					   cmocka_unit_test(test_not_told)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

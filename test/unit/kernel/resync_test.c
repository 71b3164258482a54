/* Reconciliation with the kernel's tables: when the next one is due, what it tells the peers, what HashLimit kept out.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>

#include "flows.h"
#include "resync.h"
#include "settings.h"

#define MINUTE 60000

/* A resync with a store whose news go to a queue, in an environment that takes notes. */
struct ctx {
	struct resync r;
	struct store *s; /* r.store */
	struct store store;
	struct conf conf;
	struct mode *mode;
	struct clock now;
	struct log log;
	unsigned int asked, completed, done;
	bool busy, again;
};

static void
ask(void *arg, const struct msg_dump_start *d)
{
	struct ctx *c = arg;

	assert_int_equal(d->id, c->r.id);
	c->asked++;
}

static void
complete(void *arg)
{
	((struct ctx *)arg)->completed++;
}

static void
done(void *arg)
{
	((struct ctx *)arg)->done++;
}

static bool
busy(void *arg)
{
	return ((struct ctx *)arg)->busy;
}

static void
again(void *arg)
{
	((struct ctx *)arg)->again = true;
}

static void
on_mode_event(void *arg, enum mode_event e)
{
	(void)arg;
	(void)e;
}

static void
unqueued(void *arg, enum slot_kind kind, uint32_t slot)
{
	store_unqueued(&((struct ctx *)arg)->store, kind, slot);
}

static int
setup(void **state)
{
	static struct ctx c;
	const struct mode_env env = {&c, &c.store.t, on_mode_event, unqueued};

	c = (struct ctx){.log = {.fd = -1, .fd_err = -1, .form = LF_RECORD}, .s = &c.store};
	clock_set(&c.now, 100000);
	conf_init(&c.conf);
	c.conf.mode = MODE_FTFW;
	c.conf.resend_queue_size = 512;
	assert_int_equal(store_init(&c.store, 4096), 0);
	c.mode = c.store.mode = ftfw_new(&c.conf, &env, 1, c.now.ms);
	c.r = (struct resync){.conf = {.limit = 4096, .overrun_resync = 30, .expects = true},
			      .env = {&c, ask, complete, done, busy, again},
			      .log = &c.log,
			      .clock = &c.now,
			      .store = &c.store};
	resync_init(&c.r);
	*state = &c;
	return 0;
}

static int
teardown(void **state)
{
	struct ctx *c = *state;

	c->mode->ops->free(c->mode);
	store_clear(&c->store);
	conf_clear(&c->conf);
	return 0;
}

/* One table was read, and what it did not show is swept. */
static void
read_to_end(struct ctx *c)
{
	struct msg_dump_done d = {.id = c->r.id};

	assert_int_equal(c->r.state, RESYNC_DUMP);
	resync_dump_done(&c->r, &d);
	while (c->r.state == RESYNC_SWEEP)
		resync_turn(&c->r);
}

/* The kernel's table is read and shows flows 0 to n - 1. */
static void
read_kernel(struct ctx *c, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		struct flow f = flow_nr(i);

		store_flow_dumped(c->s, &f, c->now.s);
	}
	read_to_end(c); /* flows */
	read_to_end(c); /* expectations */
	assert_int_equal(c->r.state, RESYNC_IDLE);
}

static void
happens(struct ctx *c, enum sink_op op, uint32_t nr, bool own)
{
	struct flow f = flow_nr(nr);

	store_flow(c->s, op, &f, own, c->now.s);
}

static uint64_t
wait_for_due(struct ctx *c)
{
	uint64_t due = resync_due(&c->r), pause = due - c->now.ms;

	assert_true(due != NEVER);
	c->now.ms = due;
	resync_turn(&c->r);
	return pause;
}

static bool
end_is_announced(struct ctx *c, uint32_t nr)
{
	struct flow f = flow_nr(nr);
	uint32_t slot = cache_find(c->s->t.of[SLOT_FLOW], &f);

	return slot != SLOT_NONE && cache_entry(c->s->t.of[SLOT_FLOW], slot)->flags & ENTRY_DEAD &&
	       cache_entry(c->s->t.of[SLOT_FLOW], slot)->queue == QUEUE_TX;
}

/* A look at silent flows after the pause; it takes so many ms and shows n flows. The pause. */
static uint64_t
look(struct ctx *c, uint64_t took, uint32_t n)
{
	uint64_t pause = wait_for_due(c);

	c->now.ms += took;
	read_kernel(c, n);
	return pause;
}

/* Looks at silent flows cost the same part of the time, however large the table, and become rare while they find
 * nothing; one that was held up postpones the next one by a minute at most. */
static void
test_pause(void **state)
{
	struct ctx *c = *state;

	resync_start(&c->r, true);
	read_kernel(c, 9);
	assert_int_equal(look(c, 0, 9), 2000);
	assert_int_equal(look(c, 0, 9), 4000);
	assert_int_equal(look(c, 0, 8), 8000); /* one had ended */
	assert_int_equal(look(c, 100, 7), 2000);
	assert_int_equal(look(c, 5000, 6), 10000);
	for (uint64_t pause = MINUTE; pause < 5 * (uint64_t)MINUTE; pause *= 2)
		assert_int_equal(look(c, 0, 6), pause);
	assert_int_equal(look(c, 0, 6), 5 * MINUTE);
	assert_int_equal(look(c, 0, 6), 5 * MINUTE);
	for (uint32_t nr = 0; nr < 6; nr++)
		happens(c, SINK_UPD, nr, false);
	look(c, 0, 6);
	assert_true(resync_due(&c->r) == NEVER);
}

/* Those that the kernel does report, as the ones of a commit, are not looked at more often because the last of them
 * has ended a moment before its event came. */
static void
test_told(void **state)
{
	struct ctx *c = *state;

	resync_start(&c->r, true);
	read_kernel(c, 30);
	assert_int_equal(look(c, 0, 30), 2000);
	for (uint32_t nr = 29; nr > 20; nr--)
		happens(c, SINK_DEL, nr, false);
	assert_int_equal(look(c, 0, 20), 4000);
	assert_int_equal(look(c, 0, 19), 8000);
	assert_int_equal(look(c, 0, 19), 2000);
}

/* The read-back after a commit is not told to the peers, but for what has ended. */
static void
test_quiet(void **state)
{
	struct ctx *c = *state;

	resync_start(&c->r, true);
	read_kernel(c, 2);
	resync_start(&c->r, true);
	assert_false(c->s->announce);
	read_kernel(c, 1);
	assert_true(end_is_announced(c, 1));
}

/* What is missing right after we flushed the kernel's table went that way; what is missing later ended by itself. */
static void
test_flushed_long_ago(void **state)
{
	struct ctx *c = *state;

	resync_start(&c->r, true);
	read_kernel(c, 0);
	for (uint32_t nr = 1; nr < 3; nr++) {
		happens(c, SINK_NEW, nr, false);
		resync_flushed(&c->r, 1 << SLOT_FLOW);
		c->now.ms += nr == 1 ? 1000 : MINUTE;
		resync_start(&c->r, false);
		read_kernel(c, 0);
		assert_int_equal(end_is_announced(c, nr), nr == 2);
	}
}

/* What did not fit is looked for when there is room again. */
static void
test_made_up(void **state)
{
	struct ctx *c = *state;
	const uint32_t limit = c->r.conf.limit;

	resync_start(&c->r, true);
	read_kernel(c, 0);
	for (uint32_t nr = 0; nr < limit + 10; nr++)
		happens(c, SINK_NEW, nr, false);
	resync_turn(&c->r);
	assert_true(resync_due(&c->r) == NEVER);
	for (uint32_t nr = 0; nr < limit / 4; nr++)
		happens(c, SINK_DEL, nr, true);
	resync_turn(&c->r);
	assert_in_range(wait_for_due(c), 0, 15000);
	assert_int_equal(c->r.state, RESYNC_DUMP);
	read_kernel(c, limit / 2);
	resync_turn(&c->r);
	assert_int_not_equal(c->r.state, RESYNC_DUMP); /* once */
}

/* Where peers' flows are written into the kernel, a look for silent ones does not tell them what it finds; lost events
 * are made up for aloud, and no look comes before. */
static void
test_not_told(void **state)
{
	struct ctx *c = *state;

	c->s->injected = true;
	resync_start(&c->r, true);
	read_kernel(c, 1);
	wait_for_due(c);
	assert_false(c->s->announce);
	resync_in(&c->r, 30000); /* while it runs */
	read_kernel(c, 1);
	assert_int_equal(wait_for_due(c), 30000);
	assert_true(c->s->announce);
}

/* A flush of expectations deletes no flow: one that has ended unseen is told. */
static void
test_expectations_flushed(void **state)
{
	struct ctx *c = *state;

	resync_start(&c->r, true);
	read_kernel(c, 2);
	resync_flushed(&c->r, 1 << SLOT_EXPECT);
	look(c, 0, 1);
	assert_true(end_is_announced(c, 1));
}

/* The start: the worker serves when the first one is done, and nobody is told of what it shows. */
static void
test_first(void **state)
{
	struct ctx *c = *state;

	assert_true(resync_due(&c->r) == NEVER);
	resync_start(&c->r, true);
	assert_false(c->s->announce);
	assert_false(resync_reads(&c->r, c->r.id + 1));
	assert_int_equal(c->completed, 0);
	read_kernel(c, 1);
	assert_int_equal(c->completed, 1);
	resync_start(&c->r, false);
	assert_true(c->s->announce);
	read_kernel(c, 1);
	assert_int_equal(c->completed, 1);
	assert_int_equal(c->done, 2);
	assert_int_equal(c->r.count.resyncs, 1);
}

/* Asked for while one runs: one more, aloud if anybody wants it so; its number is known before. */
static void
test_one_more(void **state)
{
	struct ctx *c = *state;
	uint32_t next;

	resync_start(&c->r, true);
	assert_int_equal(resync_next(&c->r), 1);
	resync_start(&c->r, true);
	resync_start(&c->r, false);
	next = resync_next(&c->r);
	assert_int_equal(next, 2);
	read_to_end(c);
	read_to_end(c);
	assert_int_equal(c->r.state, RESYNC_DUMP);
	assert_int_equal(c->r.serial, next);
	assert_true(c->s->announce);
	read_kernel(c, 0);
	assert_int_equal(c->done, 2);
}

/* A dump that the kernel interrupted may lack entries: again, and what it lacks is kept if it never succeeds. */
static void
test_interrupted(void **state)
{
	struct ctx *c = *state;
	unsigned int dumps = 0;

	resync_start(&c->r, true);
	read_kernel(c, 2);
	resync_start(&c->r, false);
	for (; c->r.state == RESYNC_DUMP && c->r.kind == SLOT_FLOW; dumps++) {
		struct msg_dump_done d = {.id = c->r.id, .interrupted = 1};

		resync_dump_done(&c->r, &d);
		resync_turn(&c->r);
	}
	assert_in_range(dumps, 2, 10);
	read_to_end(c);
	assert_int_equal(cache_stats(c->s->t.of[SLOT_FLOW])->active, 2);
}

static void
test_refused(void **state)
{
	struct ctx *c = *state;
	struct msg_dump_done d;

	resync_start(&c->r, true);
	read_kernel(c, 2);
	resync_start(&c->r, false);
	d = (struct msg_dump_done){.id = c->r.id, .err = -EBUSY};
	resync_dump_done(&c->r, &d);
	resync_turn(&c->r);
	read_to_end(c);
	assert_int_equal(cache_stats(c->s->t.of[SLOT_FLOW])->active, 2);
	assert_in_range(wait_for_due(c), 1000, 10000); /* once more, soon */
	read_kernel(c, 1);
	assert_int_equal(cache_stats(c->s->t.of[SLOT_FLOW])->active, 1);
}

/* Looks can wait for a commit; lost events cannot. */
static void
test_busy(void **state)
{
	struct ctx *c = *state;

	resync_start(&c->r, true);
	read_kernel(c, 2);
	c->busy = true;
	wait_for_due(c);
	assert_int_equal(c->r.state, RESYNC_IDLE);
	resync_in(&c->r, 0);
	resync_turn(&c->r);
	assert_int_equal(c->r.state, RESYNC_DUMP);
}

static void
lost(struct ctx *c, bool own)
{
	const struct msg_overrun o = {.count = 1, .bufsize = 4096};

	resync_overrun(&c->r, &o, own);
}

/* After calm, or at once where our own work was the cause. */
static void
test_lost_events(void **state)
{
	struct ctx *c = *state;

	resync_start(&c->r, true);
	read_kernel(c, 0);
	lost(c, false);
	assert_int_equal(resync_due(&c->r) - c->now.ms, 30000);
	lost(c, true);
	assert_int_equal(resync_due(&c->r) - c->now.ms, 1000);
	assert_int_equal(c->r.count.overruns, 2);
	wait_for_due(c);
	assert_true(c->s->announce); /* peers hear what the dump finds */
}

/* While a dump runs that was to be quiet: what it finds may be what was lost. */
static void
test_lost_while_reading(void **state)
{
	struct ctx *c = *state;

	resync_start(&c->r, true);
	read_kernel(c, 0);
	resync_start(&c->r, true);
	assert_false(c->s->announce);
	lost(c, false);
	assert_true(c->s->announce);
	read_kernel(c, 0);
	assert_true(resync_due(&c->r) != NEVER);
}

/* Events were lost a moment before the dump that is due anyway: others still wait to be read that are older than the
 * dump. A flow that has ended is back with them, its end being one of the lost ones. */
static void
test_stale_events(void **state)
{
	struct ctx *c = *state;
	const struct cache_stats *flows = cache_stats(c->s->t.of[SLOT_FLOW]);

	resync_start(&c->r, true);
	read_kernel(c, 0);
	lost(c, false);
	c->now.ms = resync_due(&c->r) - 1;
	lost(c, false);
	c->now.ms++;
	resync_turn(&c->r);
	happens(c, SINK_NEW, 1, false); /* which the kernel does not have any more */
	read_kernel(c, 0);
	assert_int_equal(flows->active, 1);
	assert_in_range(wait_for_due(c), 1, 30000);
	read_kernel(c, 0);
	assert_int_equal(flows->active, 0);
	assert_true(resync_due(&c->r) == NEVER); /* nothing was lost since */
}

/* The same where no dump is wanted. */
static void
test_lost_and_not_made_up(void **state)
{
	struct ctx *c = *state;

	c->r.conf.overrun_resync = 0;
	resync_start(&c->r, true);
	read_kernel(c, 0);
	lost(c, false);
	resync_start(&c->r, false);
	read_kernel(c, 0);
	assert_true(resync_due(&c->r) == NEVER);
}

/* What we have written is read back by itself, when the client has had its answer; by then nobody may take the caches
 * for complete. */
static void
test_read_back(void **state)
{
	struct ctx *c = *state;
	uint32_t serial;

	resync_start(&c->r, true);
	read_kernel(c, 0);
	resync_soon(&c->r);
	serial = resync_next(&c->r);
	assert_int_equal(c->r.state, RESYNC_IDLE);
	assert_true(resync_owes(&c->r));
	resync_turn(&c->r);
	assert_int_equal(c->r.state, RESYNC_IDLE);
	assert_in_range(wait_for_due(c), 10, 500);
	assert_int_equal(c->r.serial, serial);
	assert_false(c->s->announce);
	read_kernel(c, 0);
	assert_false(resync_owes(&c->r));
	assert_int_equal(resync_next(&c->r), serial);
}

/* The script says -c, -f, -R: one dump serves, and what the commit created is told by -B alone. */
static void
test_read_back_by_request(void **state)
{
	struct ctx *c = *state;
	uint32_t serial;

	resync_start(&c->r, true);
	read_kernel(c, 0);
	c->asked = 0;
	resync_soon(&c->r);
	serial = resync_next(&c->r);
	resync_start(&c->r, false);
	assert_int_equal(resync_next(&c->r), serial);
	assert_false(c->s->announce);
	read_kernel(c, 0);
	assert_true(resync_due(&c->r) == NEVER || c->r.soon == NEVER);
	assert_int_equal(c->asked, 2); /* both tables */
	resync_soon(&c->r);            /* but what was lost is told */
	lost(c, false);
	resync_start(&c->r, false);
	assert_true(c->s->announce);
}

/* Without internal cache a dump tells nothing of what was lost, and all of it would be sent as new. */
static void
test_direct(void **state)
{
	struct ctx *c = *state;

	c->r.conf.direct = true;
	resync_init(&c->r);
	assert_true(c->r.first_done);
	lost(c, false);
	assert_true(resync_due(&c->r) == NEVER);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {T(test_pause),
					   T(test_told),
					   T(test_quiet),
					   T(test_flushed_long_ago),
					   T(test_made_up),
					   T(test_not_told),
					   T(test_expectations_flushed),
					   T(test_first),
					   T(test_one_more),
					   T(test_interrupted),
					   T(test_refused),
					   T(test_busy),
					   T(test_lost_events),
					   T(test_lost_while_reading),
					   T(test_direct),
					   T(test_stale_events),
					   T(test_lost_and_not_made_up),
					   T(test_read_back),
					   T(test_read_back_by_request)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

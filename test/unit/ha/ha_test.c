/* Roles, commits, flushes and the purge timer, in an environment that takes notes of what is asked of it, in order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "flows.h"
#include "ha.h"

/* One letter each: B bulk, A ask, C committed, S superseded, T table done, R reread aloud, q read back,
 * I and E caches emptied, F flush of a table, D batch of deletions, W batch written. */
struct ctx {
	struct ha *h;
	struct clock now;
	struct log log;
	struct tables internal, external;
	char did[200];
	uint32_t last_write, answered, last_flush;
	bool fails; /* the kernel does not take everything */
	bool silent;
	uint32_t serial;
	unsigned int handed_over;
	bool room_asked;
	uint32_t flushed_id;
	int flushed_err;
};

static void
note(struct ctx *c, char what)
{
	size_t len = strlen(c->did);

	assert_true(len + 1 < sizeof(c->did));
	c->did[len] = what;
}

#define NOTES(name, letter)         \
	static void name(void *arg) \
	{                           \
		note(arg, letter);  \
	}
NOTES(bulk, 'B')
NOTES(ask, 'A')
NOTES(committed, 'C')
NOTES(superseded, 'S')

static bool
ready(void *arg)
{
	(void)arg;
	return true;
}

static bool
write_batch(void *arg, uint32_t id, const void *data, size_t len)
{
	struct ctx *c = arg;

	assert_true(data != NULL && len > 0);
	note(c, 'W');
	c->last_write = id;
	return true;
}

static bool
ask_room(void *arg, const void *data, size_t len)
{
	struct ctx *c = arg;

	assert_true(data != NULL && len > 0);
	c->room_asked = true;
	ha_room(c->h, NULL, 0);
	return true;
}

static uint32_t
held(void *arg, unsigned int source)
{
	const struct ctx *c = arg;

	return source == 0 ? (uint32_t)cache_stats(c->external.of[SLOT_FLOW])->total : 0;
}

static void
remove_batch(void *arg, uint32_t id, const void *data, size_t len)
{
	struct ctx *c = arg;

	assert_true(data != NULL && len > 0);
	note(c, 'D');
	c->last_flush = id;
}

static void
flush_table(void *arg, uint32_t id, const struct msg_flush *f)
{
	struct ctx *c = arg;

	(void)f;
	note(c, 'F');
	c->last_flush = id;
}

static void
flushing(void *arg, unsigned int tables)
{
	(void)arg;
	(void)tables;
}

static void
hand_over(void *arg)
{
	((struct ctx *)arg)->handed_over++;
}

static bool
owns(void *arg, const struct flow *f)
{
	(void)arg;
	(void)f;
	return false;
}

static void
flush_caches(void *arg, unsigned int caches, unsigned int tables)
{
	assert_true(tables != 0);
	if (caches & HA_INTERNAL)
		note(arg, 'I');
	if (caches & HA_EXTERNAL)
		note(arg, 'E');
}

static uint32_t
reread(void *arg, bool quiet)
{
	struct ctx *c = arg;

	note(c, quiet ? 'q' : 'R');
	return ++c->serial;
}

static uint32_t
read_back(void *arg)
{
	struct ctx *c = arg;

	note(c, 'q');
	return ++c->serial;
}

static void
table_done(void *arg, const struct commit_result *r)
{
	assert_int_equal(r->failed > 0, ((struct ctx *)arg)->fails);
	note(arg, 'T');
}

static void
flushed(void *arg, uint32_t id, int err)
{
	struct ctx *c = arg;

	c->flushed_id = id;
	c->flushed_err = err;
}

static uint64_t
usec(void *arg)
{
	return ((struct ctx *)arg)->now.ms * 1000;
}

static bool
silent(void *arg)
{
	return ((struct ctx *)arg)->silent;
}

static struct ctx *
made(void **state, struct ha_conf conf)
{
	static struct ctx c;
	const struct ha_env env = {.arg = &c,
				   .ready = ready,
				   .commit = write_batch,
				   .ask_room = ask_room,
				   .remove = remove_batch,
				   .flush_table = flush_table,
				   .flushing = flushing,
				   .hand_over = hand_over,
				   .owns = owns,
				   .held = held,
				   .flush_caches = flush_caches,
				   .reread = reread,
				   .read_back = read_back,
				   .bulk = bulk,
				   .ask = ask,
				   .table_done = table_done,
				   .committed = committed,
				   .superseded = superseded,
				   .flushed = flushed,
				   .usec = usec,
				   .silent = silent};
	struct ha_parts parts = {&c.log, &c.now, &c.internal, &c.external};

	c = (struct ctx){.log = {.fd = -1, .fd_err = -1, .form = LF_RECORD}};
	clock_set(&c.now, 100000);
	assert_int_equal(tables_init(&c.internal, 10000), 0);
	assert_int_equal(tables_init(&c.external, 10000), 0);
	conf.tables = COMMIT_FLOWS;
	conf.purge_timeout = 60;
	assert_non_null(c.h = ha_new(&conf, &parts, &env));
	*state = &c;
	return &c;
}

static int
teardown(void **state)
{
	struct ctx *c = *state;

	ha_free(c->h);
	tables_clear(&c->internal);
	tables_clear(&c->external);
	return 0;
}

static void
holds(struct tables *t, uint32_t n)
{
	for (uint32_t nr = 0; nr < n; nr++) {
		const struct flow f = flow_nr(nr);
		uint32_t slot;

		assert_int_equal(cache_insert(t->of[SLOT_FLOW], &f, 100, &slot), 0);
	}
}

/* Everything that was written is answered; so is what follows, up to the end. */
static void
kernel_answers(struct ctx *c)
{
	while (ha_commit_running(c->h)) {
		ha_turn(c->h);
		while (c->answered < c->last_write)
			ha_commit_result(c->h, ++c->answered, NULL, 0);
	}
}

static void
did(struct ctx *c, const char *what)
{
	assert_string_equal(c->did, what);
	memset(c->did, 0, sizeof(c->did));
}

/* Who asked is answered when the state is in the kernel: reading it back and telling the peers follow by themselves. */
static void
primary(void **state)
{
	struct ctx *c = made(state, (struct ha_conf){.injects = false});
	struct ha_stats st;

	holds(&c->external, 100);
	assert_true(ha_role(c->h, HA_PRIMARY));
	did(c, "");
	kernel_answers(c);
	did(c, "WTqEIC");
	assert_true(ha_reading(c->h));
	ha_reread(c->h, c->serial - 1, false); /* one that had begun before */
	did(c, "");
	assert_true(ha_reading(c->h));
	ha_reread(c->h, c->serial, false);
	assert_false(ha_reading(c->h));
	did(c, "B");
	ha_reread(c->h, c->serial + 1, false);
	did(c, "");
	assert_int_equal(c->handed_over, 0);
	ha_stats(c->h, &st);
	assert_int_equal(st.role, HA_PRIMARY);
	assert_int_equal(st.commits.count, 1);
	assert_int_equal(st.commits.committed, 100);
	assert_false(st.purge_armed);
}

/* What the kernel had no room for is not thrown away: the same request tries again. */
static void
primary_not_whole(void **state)
{
	struct ctx *c = made(state, (struct ha_conf){.injects = false});
	const struct msg_error full = {.seq = 1, .err = -ENOMEM};

	c->fails = true;
	holds(&c->external, 10);
	assert_true(ha_role(c->h, HA_PRIMARY));
	while (ha_commit_running(c->h)) {
		ha_turn(c->h);
		while (c->answered < c->last_write)
			ha_commit_result(c->h, ++c->answered, &full, 1);
	}
	assert_null(strchr(c->did, 'E'));
	assert_non_null(strchr(c->did, 'q'));
}

/* With peers' states in the kernel there is nothing to write. */
static void
primary_at_once(void **state)
{
	struct ctx *c = made(state, (struct ha_conf){.injects = true});

	assert_false(ha_role(c->h, HA_PRIMARY));
	did(c, "qEI");
	ha_reread(c->h, c->serial, false);
	did(c, "B");
}

static void
primary_without_caches(void **state)
{
	struct ctx *c = made(state, (struct ha_conf){.injects = true, .direct = true});

	assert_false(ha_role(c->h, HA_PRIMARY));
	did(c, "EIB");
}

/* A table that could not be read says nothing: the peers are not told that everything is gone. */
static void
primary_unread(void **state)
{
	struct ctx *c = made(state, (struct ha_conf){.injects = true});

	ha_role(c->h, HA_PRIMARY);
	ha_reread(c->h, c->serial, true);
	did(c, "qEI");
}

/* Backup again before the end: the commit stops, who waits is told, the caches stay. */
static void
backup_meanwhile(void **state)
{
	struct ctx *c = made(state, (struct ha_conf){.injects = false});
	struct ha_stats st;

	holds(&c->external, 5000);
	assert_true(ha_role(c->h, HA_PRIMARY));
	ha_turn(c->h);
	ha_turn(c->h);
	did(c, "WWWW");
	assert_false(ha_role(c->h, HA_BACKUP));
	did(c, "SA");
	for (uint32_t id = 1; id <= 4; id++)
		ha_commit_result(c->h, id, NULL, 0);
	while (ha_turn(c->h))
		;
	did(c, "TqC");
	ha_stats(c->h, &st);
	assert_int_equal(st.role, HA_BACKUP);
	assert_true(st.purge_armed);
	assert_int_equal(c->handed_over, 1);
	ha_reread(c->h, c->serial, false);
	did(c, "");
}

static void
fault_asks_nobody(void **state)
{
	struct ctx *c = made(state, (struct ha_conf){.injects = false});

	assert_false(ha_role(c->h, HA_FAULT));
	did(c, "");
	assert_int_equal(ha_due(c->h), c->now.ms + 60000);
}

/* A commit alone: the 1.4.x script says itself what follows. */
static void
commit_alone(void **state)
{
	struct ctx *c = made(state, (struct ha_conf){.injects = false});

	holds(&c->external, 10);
	assert_true(ha_commit(c->h, COMMIT_FLOWS));
	assert_int_equal(ha_flush_caches(c->h, HA_EXTERNAL, COMMIT_FLOWS), -EBUSY);
	assert_int_equal(ha_flush_caches(c->h, HA_INTERNAL, COMMIT_FLOWS), 0);
	did(c, "I");
	kernel_answers(c);
	did(c, "WTqC");
	ha_reread(c->h, c->serial, false);
	did(c, "");
	assert_int_equal(ha_flush_caches(c->h, HA_INTERNAL | HA_EXTERNAL, COMMIT_FLOWS), 0);
	did(c, "IE");
}

/* The purge comes once, at its time; a commit or a flush of the caches calls it off. */
static void
purge(void **state)
{
	struct ctx *c = made(state, (struct ha_conf){.injects = false});

	ha_purge(c->h);
	clock_set(&c->now, c->now.ms + 30000);
	ha_purge(c->h); /* not put off */
	ha_turn(c->h);
	did(c, "");
	clock_set(&c->now, ha_due(c->h));
	assert_int_equal(c->now.ms, 160000);
	ha_turn(c->h);
	did(c, "FI");
	ha_turn(c->h);
	did(c, "");
	ha_purge(c->h);
	ha_commit(c->h, COMMIT_FLOWS);
	assert_true(ha_due(c->h) == NEVER);
	kernel_answers(c);
	ha_purge(c->h);
	ha_flush_caches(c->h, HA_EXTERNAL, COMMIT_FLOWS);
	assert_true(ha_due(c->h) != NEVER);
	ha_flush_caches(c->h, HA_INTERNAL, COMMIT_FLOWS);
	assert_true(ha_due(c->h) == NEVER);
}

/* With a filter, what it hides stays in the kernel, and the cache says what goes: events will empty it. */
static void
purge_with_a_filter(void **state)
{
	struct ctx *c = made(state, (struct ha_conf){.filters = true});

	holds(&c->internal, 10);
	ha_purge(c->h);
	clock_set(&c->now, ha_due(c->h));
	ha_turn(c->h);
	ha_turn(c->h);
	did(c, "D");
}

/* A commit writes what a flush has just deleted: it ends the flush, and who waits for that is told. */
static void
commit_ends_a_flush(void **state)
{
	struct ctx *c = made(state, (struct ha_conf){.filters = true});
	uint32_t id;

	holds(&c->internal, 4000);
	holds(&c->external, 4000);
	for (int as_role = 0; as_role < 2; as_role++) {
		id = ha_flush_kernel(c->h, COMMIT_FLOWS);
		ha_turn(c->h);
		did(c, "D");
		assert_true(as_role ? ha_role(c->h, HA_PRIMARY) : ha_commit(c->h, COMMIT_FLOWS));
		assert_int_equal(c->flushed_id, id);
		assert_int_equal(c->flushed_err, -ECANCELED);
		kernel_answers(c);
		memset(c->did, 0, sizeof(c->did));
	}
}

/* The kernel does not report the end of flows that are older than the listener: they are looked for. */
static void
flush_of_silent_flows(void **state)
{
	struct ctx *c = made(state, (struct ha_conf){.injects = false});
	uint32_t id = ha_flush_kernel(c->h, COMMIT_FLOWS);

	ha_flush_result(c->h, id, 0);
	did(c, "F");
	c->silent = true;
	id = ha_flush_kernel(c->h, COMMIT_FLOWS);
	ha_flush_result(c->h, id, 0);
	did(c, "FR");
	id = ha_flush_kernel(c->h, COMMIT_EXPECTS);
	ha_flush_result(c->h, id, 0);
	did(c, "F"); /* no flow ends with its expectations */
	assert_int_equal(c->flushed_id, id);
}

int
main(void)
{
#define T(f) cmocka_unit_test_teardown(f, teardown)
	const struct CMUnitTest tests[] = {
		T(primary),        T(primary_not_whole),   T(primary_at_once),     T(primary_without_caches),
		T(primary_unread), T(backup_meanwhile),    T(fault_asks_nobody),   T(commit_alone),
		T(purge),          T(purge_with_a_filter), T(commit_ends_a_flush), T(flush_of_silent_flows)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

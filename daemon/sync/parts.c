/*
 * The parts, and what they ask of each other. After the start they call each other through here.
 */
#include <errno.h>
#include <stdio.h>
#include <time.h>

#include "sync.h"
#include "settings.h"

#define FAILED_MS 60000

static_assert((int)HA_PRIMARY == CTL_ROLE_PRIMARY && (int)HA_BACKUP == CTL_ROLE_BACKUP &&
		      (int)HA_FAULT == CTL_ROLE_FAULT,
	      "roles of the control protocol");
static_assert((int)HA_INTERNAL == CTL_INTERNAL && (int)HA_EXTERNAL == CTL_EXTERNAL, "caches of the control protocol");
static_assert(CTL_TABLE_CT == 1 << SLOT_FLOW && CTL_TABLE_EXP == 1 << SLOT_EXPECT &&
		      (int)COMMIT_FLOWS == CTL_TABLE_CT && (int)COMMIT_EXPECTS == CTL_TABLE_EXP,
	      "tables of the control protocol");

/* --- to the parent --- */

static bool
wall_takes(void *arg)
{
	return wall_ready(&((struct sync *)arg)->wall);
}

static int
request(struct sync *s, uint32_t type, enum asker who, uint32_t id, const void *data, size_t len)
{
	return wall_send(&s->wall, type, (uint32_t)who << ASKER_SHIFT | id, data, len);
}

static bool
commit_batch(void *arg, uint32_t id, const void *data, size_t len)
{
	return wall_takes(arg) && request(arg, MSG_REQUEST_QUIET, ASK_COMMIT, id, data, len) == 0;
}

static bool
inject_batch(void *arg, uint32_t id, const void *data, size_t len)
{
	return wall_takes(arg) && request(arg, MSG_REQUEST, ASK_INJECT, id, data, len) == 0;
}

static bool
ask_room(void *arg, const void *data, size_t len)
{
	return wall_takes(arg) && request(arg, MSG_REQUEST, ASK_ROOM, 1, data, len) == 0;
}

static void
remove_batch(void *arg, uint32_t id, const void *data, size_t len)
{
	request(arg, MSG_REQUEST, ASK_FLUSH, id, data, len);
}

static void
flush_table(void *arg, uint32_t id, const struct msg_flush *f)
{
	request(arg, MSG_FLUSH, ASK_FLUSH, id, f, sizeof(*f));
}

static void
ask_dump(void *arg, const struct msg_dump_start *d)
{
	wall_send(&((struct sync *)arg)->wall, MSG_DUMP_START, 0, d, sizeof(*d));
}

static void
open_link(void *arg, unsigned int i)
{
	opener_ask(&((struct sync *)arg)->opener, i);
}

static void
stop_daemon(void *arg)
{
	wall_send(&((struct sync *)arg)->wall, MSG_STOP, 0, NULL, 0);
}

static void
say_serving(void *arg)
{
	wall_send(&((struct sync *)arg)->wall, MSG_READY, READY_SERVING, NULL, 0);
}

/* --- kernel side --- */

static void
resync_done(void *arg)
{
	struct sync *s = arg;

	ha_reread(s->ha, s->resync.serial, s->resync.failed);
	control_resynced(s->control, s->resync.serial, s->resync.failed);
}

static bool
committing(void *arg)
{
	return ha_commit_running(((struct sync *)arg)->ha);
}

static void
turn_again(void *arg)
{
	loop_again(((struct sync *)arg)->loop);
}

static int
make_kernel(struct sync *s)
{
	struct sink to;

	if (store_init(&s->store, s->conf.hash_limit) < 0)
		return -ENOMEM;
	s->store.injected = s->conf.disable_external_cache && s->conf.poll_secs == 0;
	s->store_sink = (struct store_sink){&s->store, &s->clock};
	to = conf_direct(&s->conf) ? direct_sink(s) : store_sink(&s->store_sink);
	s->resync = (struct resync){
		.conf = {.poll_secs = s->conf.poll_secs,
			 .limit = s->conf.hash_limit,
			 .overrun_resync = s->conf.overrun_resync,
			 .expects = s->conf.expect_sync,
			 .direct = conf_direct(&s->conf)},
		.env = {s, ask_dump, say_serving, resync_done, committing, turn_again},
		.log = s->log,
		.clock = &s->clock,
		.store = &s->store,
	};
	resync_init(&s->resync);
	return intake_init(&s->intake, &s->conf, &to);
}

/* --- peers' side --- */

static bool
inject_knows(void *arg, const struct flow *f)
{
	return store_knows(&((struct sync *)arg)->store, f);
}

static void
inject_failed(void *arg, const char *what, int err, const struct flow *f, const struct expect *e)
{
	struct sync *s = arg;
	uint64_t hidden;
	char line[64];

	if (s->clock.ms >= s->inject_failures_until) { /* injection has no end at which to start over: once a minute */
		if ((hidden = failures_end(&s->inject_failures)) > 0)
			log_put(s->log, LV_WARNING, "%llu more entries of peers could not be written",
				(unsigned long long)hidden);
		s->inject_failures_until = s->clock.ms + FAILED_MS;
	}
	snprintf(line, sizeof(line), "%s %s entry", what, f != NULL ? "ct" : "exp");
	failures_note(&s->inject_failures, s->log, LV_WARNING, line, err, f, e);
}

static void
helper_missing(void *arg, const char *name)
{
	log_put(((struct sync *)arg)->log, LV_WARNING,
		"helper `%s' is not known to this kernel: its flows go without it", name);
}

static int
make_applier(struct sync *s)
{
	const struct external_conf conf = {
		.limit = s->conf.hash_limit,
		.lifetime = s->conf.mode == MODE_ALARM && !s->conf.disable_external_cache ? s->conf.cache_timeout : 0,
	};
	const struct inject_env env = {s, inject_batch, inject_knows, inject_failed, helper_missing};

	if ((s->external = external_new(&conf, &s->clock)) == NULL)
		return -ENOMEM;
	s->apply = external_applier(s->external);
	if (!s->conf.disable_external_cache)
		return 0;
	if ((s->inject = inject_new(&env, s->conf.tcp_window_tracking)) == NULL)
		return -ENOMEM;
	s->apply = inject_applier(s->inject);
	return 0;
}

static bool
serving(void *arg)
{
	return !sync_replaced(arg);
}

static void
unqueued(void *arg, enum slot_kind kind, uint32_t slot)
{
	store_unqueued(&((struct sync *)arg)->store, kind, slot);
}

static bool
complete(void *arg)
{
	const struct sync *s = arg;

	return s->resync.first_done && !resync_owes(&s->resync) && !ha_reading(s->ha);
}

static void
announce(void *arg, enum slot_kind kind, uint32_t slot)
{
	struct store *s = &((struct sync *)arg)->store;
	const struct entry *e = cache_entry(s->t.of[kind], slot);

	if ((e->flags & ENTRY_DEAD) == 0 || e->queue != QUEUE_NONE) /* else its end is not for the peers */
		store_send(s, kind, slot);
}

static void
read_kernel(void *arg)
{
	resync_start(&((struct sync *)arg)->resync, true);
}

static int
make_peers(struct sync *s)
{
	const struct peers_parts parts = {s->log, s->loop, &s->clock, &s->conf, &s->store.t, s->apply};
	const struct peers_env env = {
		s, serving, open_link, unqueued, complete, announce, conf_direct(&s->conf) ? read_kernel : NULL};
	int r = peers_new(&s->peers, &parts, &env);

	if (r == 0)
		s->store.mode = peers_mode(s->peers);
	return r;
}

/* --- HA --- */

static void
flushing(void *arg, unsigned int tables)
{
	resync_flushed(&((struct sync *)arg)->resync, tables);
}

static void
hand_over(void *arg)
{
	store_hand_over(&((struct sync *)arg)->store);
}

static bool
owns(void *arg, const struct flow *f)
{
	return store_owns(&((struct sync *)arg)->store, f);
}

static uint32_t
held(void *arg, unsigned int source)
{
	return external_held(((struct sync *)arg)->external, SLOT_FLOW, source);
}

static void
empty_caches(void *arg, unsigned int caches, unsigned int tables)
{
	struct sync *s = arg;

	if (caches & HA_INTERNAL)
		store_flush(&s->store, tables);
	if (caches & HA_EXTERNAL)
		external_flush(s->external, tables);
}

static uint32_t
reread(void *arg, bool quiet)
{
	struct sync *s = arg;

	resync_start(&s->resync, quiet);
	return resync_next(&s->resync);
}

static uint32_t
read_back(void *arg)
{
	struct sync *s = arg;

	resync_soon(&s->resync);
	return resync_next(&s->resync);
}

static void
send_all(void *arg)
{
	peers_bulk(((struct sync *)arg)->peers, BULK_OPERATOR);
}

static void
ask_all(void *arg)
{
	peers_ask(((struct sync *)arg)->peers, true);
}

static void
table_done(void *arg, const struct commit_result *r)
{
	const struct ctl_commit cc = {
		.table = r->table, .committed = r->committed, .failed = r->failed, .usec = r->usec};

	control_table_done(((struct sync *)arg)->control, &cc);
}

static void
committed(void *arg)
{
	control_committed(((struct sync *)arg)->control);
}

static void
superseded(void *arg)
{
	control_superseded(((struct sync *)arg)->control);
}

static void
flushed(void *arg, uint32_t id, int err)
{
	control_flushed(((struct sync *)arg)->control, id, err);
}

static uint64_t
usec(void *arg)
{
	struct timespec ts;

	(void)arg;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

static bool
have_silent(void *arg)
{
	return ((struct sync *)arg)->store.silent > 0;
}

static int
make_ha(struct sync *s)
{
	const struct ha_conf conf = {
		.commit = {s->conf.commit_timeout, s->conf.tcp_window_tracking},
		.purge_timeout = s->conf.purge_timeout,
		.tables = CTL_TABLE_CT | (s->conf.expect_sync ? CTL_TABLE_EXP : 0U),
		.injects = s->inject != NULL,
		.direct = conf_direct(&s->conf),
		.filters = filter_hides(&s->conf.filter),
	};
	const struct ha_parts parts = {s->log, &s->clock, &s->store.t, external_tables(s->external)};
	const struct ha_env env = {
		.arg = s,
		.ready = wall_takes,
		.commit = commit_batch,
		.ask_room = ask_room,
		.remove = remove_batch,
		.flush_table = flush_table,
		.flushing = flushing,
		.hand_over = hand_over,
		.owns = owns,
		.held = held,
		.flush_caches = empty_caches,
		.reread = reread,
		.read_back = read_back,
		.bulk = send_all,
		.ask = ask_all,
		.table_done = table_done,
		.committed = committed,
		.superseded = superseded,
		.flushed = flushed,
		.usec = usec,
		.silent = have_silent,
	};

	return (s->ha = ha_new(&conf, &parts, &env)) != NULL ? 0 : -ENOMEM;
}

/* --- operators --- */

static bool
do_commit(void *arg, unsigned int tables)
{
	return ha_commit(((struct sync *)arg)->ha, tables);
}

static bool
do_role(void *arg, unsigned int role)
{
	return ha_role(((struct sync *)arg)->ha, (enum ha_role)role);
}

static int
do_flush_caches(void *arg, unsigned int caches, unsigned int tables)
{
	return ha_flush_caches(((struct sync *)arg)->ha, caches, tables);
}

static uint32_t
do_flush_kernel(void *arg, unsigned int tables)
{
	return ha_flush_kernel(((struct sync *)arg)->ha, tables);
}

static uint32_t
do_resync(void *arg, unsigned int tables)
{
	struct sync *s = arg;

	if (tables & CTL_TABLE_CT)
		log_put(s->log, LV_NOTICE, "resync with master conntrack table");
	if (tables & CTL_TABLE_EXP)
		log_put(s->log, LV_NOTICE, "resync with master expect table");
	return reread(s, false);
}

static void
do_purge(void *arg)
{
	ha_purge(((struct sync *)arg)->ha);
}

static void
figures(void *arg, struct ctl_stats *st)
{
	sync_figures(arg, st);
}

static bool
control_message(void *arg, uint32_t i, struct mode_item *it)
{
	struct mode *mode = peers_mode(((struct sync *)arg)->peers);

	return mode->ops->waiting(mode, i, it);
}

static int
make_control(struct sync *s)
{
	const struct control_parts parts = {s->log,   s->loop,     &s->clock,
					    &s->conf, &s->store.t, external_tables(s->external)};
	const struct control_env env = {
		.arg = s,
		.commit = do_commit,
		.role = do_role,
		.flush_caches = do_flush_caches,
		.flush_kernel = do_flush_kernel,
		.resync = do_resync,
		.ask = ask_all,
		.send = send_all,
		.purge = do_purge,
		.stop = stop_daemon,
		.figures = figures,
		.waiting = control_message,
	};

	return (s->control = control_new(&parts, &env)) != NULL ? 0 : -ENOMEM;
}

/* --- all of them --- */

int
parts_start(struct sync *s)
{
	int r = make_kernel(s);

	if (r == 0)
		r = make_applier(s);
	if (r == 0)
		r = make_peers(s);
	if (r == 0)
		r = make_ha(s);
	return r == 0 ? make_control(s) : r;
}

void
parts_free(struct sync *s)
{
	control_free(s->control);
	ha_free(s->ha);
	inject_free(s->inject);
	peers_free(s->peers);
	external_free(s->external);
	intake_clear(&s->intake);
	store_clear(&s->store);
	if (s->have_conf)
		conf_clear(&s->conf);
}

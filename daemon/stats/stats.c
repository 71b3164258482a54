/*
 * The statistics role: wires the kernel's intake, its cache, the flow log and the control server. No peers, nothing is
 * written into the kernel but what operators ask for.
 */
#include "stats.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "blob.h"
#include "control.h"
#include "flowlog.h"
#include "flush.h"
#include "intake.h"
#include "resync.h"
#include "roles.h"
#include "serve.h"
#include "store_sink.h"
#include "walls.h"

#define LOST_MS 60000 /* between two lines about lost ones */

struct stats {
	struct serve serve;
	struct conf conf;
	bool have_conf;
	uint64_t started_at;
	int left_out, walls_logged; /* enum jail_wall: what our own jail lacks; what was said of it and the parent's */
	struct store store;
	struct store_sink store_sink;
	struct intake intake;
	struct resync resync;
	struct flush flush;
	struct control *control;
	struct tables none; /* there are no peers */
	struct flowlog *flowlog;
	struct watch *flowlog_watch;
	uint64_t lost_said, lost_at;
	struct figure_watch figures;
};

/* --- what the parts ask of each other --- */

static void
ask_dump(void *arg, const struct msg_dump_start *d)
{
	wall_send(&((struct stats *)arg)->serve.wall, MSG_DUMP_START, 0, d, sizeof(*d));
}

static void
say_serving(void *arg)
{
	wall_send(&((struct stats *)arg)->serve.wall, MSG_READY, READY_SERVING, NULL, 0);
}

static void
resync_done(void *arg)
{
	struct stats *s = arg;

	control_resynced(s->control, s->resync.serial, s->resync.failed);
}

static bool
never(void *arg)
{
	(void)arg;
	return false;
}

static void
turn_again(void *arg)
{
	loop_again(((struct stats *)arg)->serve.loop);
}

static void
ended(void *arg, const struct nlmsghdr *nlh)
{
	struct stats *s = arg;

	if (s->flowlog != NULL)
		flowlog_add(s->flowlog, nlh, time(NULL));
}

static void
missed_end(void *arg, const struct flow *f)
{
	struct stats *s = arg;

	if (s->flowlog != NULL)
		flowlog_add_known(s->flowlog, f, time(NULL));
}

static bool
wall_takes(void *arg)
{
	return wall_ready(&((struct stats *)arg)->serve.wall);
}

static void
remove_batch(void *arg, uint32_t id, const void *data, size_t len)
{
	wall_send(&((struct stats *)arg)->serve.wall, MSG_REQUEST, id, data, len);
}

static void
flush_table(void *arg, uint32_t id, const struct msg_flush *f)
{
	wall_send(&((struct stats *)arg)->serve.wall, MSG_FLUSH, id, f, sizeof(*f));
}

static void
flushing(void *arg, unsigned int tables)
{
	resync_flushed(&((struct stats *)arg)->resync, tables);
}

static void
flushed(void *arg, uint32_t id, int err, bool flows)
{
	(void)flows;
	control_flushed(((struct stats *)arg)->control, id, err);
}

static int
do_flush_caches(void *arg, unsigned int caches, unsigned int tables)
{
	struct stats *s = arg;

	log_put(s->serve.log, LV_NOTICE, "flushing caches");
	if (caches & CTL_INTERNAL)
		store_flush(&s->store, tables);
	return 0;
}

static uint32_t
do_flush_kernel(void *arg, unsigned int tables)
{
	struct stats *s = arg;

	log_put(s->serve.log, LV_NOTICE, "flushing kernel conntrack table");
	return flush_kernel(&s->flush, tables & CTL_TABLE_CT);
}

static uint32_t
do_resync(void *arg, unsigned int tables)
{
	struct stats *s = arg;

	(void)tables;
	log_put(s->serve.log, LV_NOTICE, "resync with master conntrack table");
	resync_start(&s->resync, true);
	return resync_next(&s->resync);
}

static void
stop_daemon(void *arg)
{
	wall_send(&((struct stats *)arg)->serve.wall, MSG_STOP, 0, NULL, 0);
}

static void
put_figures(void *arg, struct ctl_stats *st)
{
	struct stats *s = arg;

	st->stats_mode = 1;
	st->daemon.uptime = (s->serve.clock.ms - s->started_at) / 1000;
	st->internal = *cache_stats(s->store.t.of[SLOT_FLOW]);
	st->traffic = s->intake.traffic;
	st->intake = s->intake.count;
	st->resync = s->resync.count;
	st->netlink = (struct fig_netlink){.catch_failed = s->resync.count.overruns,
					   .flushes = s->flush.count,
					   .buffer_size = s->serve.last.bufsize};
	st->local = *control_counts(s->control);
	st->runtime = (struct fig_runtime){.log_lost = s->serve.log->lost, .wall_refused = s->serve.refused};
	st->status = s->serve.last;
	st->status.left_out |= s->left_out;
	figure_watch(&s->figures, st, s->serve.clock.ms);
}

/* --- the parts --- */

static int
make_kernel(struct stats *s)
{
	struct sink to;

	if (store_init(&s->store, s->conf.hash_limit) < 0)
		return -ENOMEM;
	s->store.missed_end = missed_end;
	s->store.missed_arg = s;
	s->store_sink = (struct store_sink){&s->store, &s->serve.clock};
	to = store_sink(&s->store_sink);
	to.ended = ended;
	to.ended_arg = s;
	s->resync = (struct resync){
		.conf = {.poll_secs = s->conf.poll_secs,
			 .limit = s->conf.hash_limit,
			 .overrun_resync = s->conf.overrun_resync},
		.env = {s, ask_dump, say_serving, resync_done, never, turn_again},
		.log = s->serve.log,
		.clock = &s->serve.clock,
		.store = &s->store,
	};
	resync_init(&s->resync);
	s->flush = (struct flush){
		.env = {s, wall_takes, remove_batch, flush_table, flushing, flushed, s},
		.shown = filter_hides(&s->conf.filter) ? s->store.t.of[SLOT_FLOW] : NULL,
	};
	return intake_init(&s->intake, &s->conf, &to);
}

static int
make_control(struct stats *s)
{
	const struct control_parts parts = {s->serve.log, s->serve.loop, &s->serve.clock,
					    &s->conf,     &s->store.t,   &s->none};
	const struct control_env env = {
		.arg = s,
		.flush_caches = do_flush_caches,
		.flush_kernel = do_flush_kernel,
		.resync = do_resync,
		.stop = stop_daemon,
		.figures = put_figures,
	};

	return (s->control = control_new(&parts, &env)) != NULL ? 0 : -ENOMEM;
}

/* --- what the parent says --- */

static void
on_conf(void *arg, const struct msg *m)
{
	struct stats *s = arg;
	int r = blob_load(&s->conf, m->fd[0]);

	close(m->fd[0]);
	s->have_conf = r == 0;
	if (r < 0) {
		log_put(s->serve.log, LV_ERROR, "stats: the settings cannot be read: %s", strerror(-r));
		serve_leave(&s->serve, 1);
	}
}

static void
flowlog_writable(void *arg, unsigned int ready)
{
	(void)ready;
	watch_want(((struct stats *)arg)->flowlog_watch, 0); /* the turn function sends */
}

static void
on_flowlog(void *arg, const struct msg *m)
{
	struct stats *s = arg;

	if (s->flowlog == NULL && (s->flowlog = flowlog_new(m->fd[0])) != NULL) {
		s->flowlog_watch = watch_new(s->serve.loop, m->fd[0], flowlog_writable, s);
		return;
	}
	close(m->fd[0]);
}

static void
on_start(void *arg, const struct msg *m)
{
	struct stats *s = arg;

	(void)m;
	if (!s->have_conf || make_kernel(s) < 0 || make_control(s) < 0) {
		log_put(s->serve.log, LV_ERROR, "initialization failed: %s", strerror(ENOMEM));
		serve_leave(&s->serve, 1);
		return;
	}
	s->started_at = s->serve.clock.ms;
	if (filter_hides(&s->conf.filter))
		log_put(s->serve.log, LV_NOTICE, "using user-space event filtering");
	resync_start(&s->resync, true);
}

static void
on_client(void *arg, const struct msg *m)
{
	control_client(((struct stats *)arg)->control, m);
}

static void
on_events(void *arg, const struct msg *m)
{
	intake_events(&((struct stats *)arg)->intake, m);
}

static void
on_overrun(void *arg, const struct msg *m)
{
	struct stats *s = arg;
	struct msg_overrun o;

	memcpy(&o, m->data, sizeof(o));
	s->serve.last.bufsize = o.bufsize;
	resync_overrun(&s->resync, &o, false);
}

static void
on_result(void *arg, const struct msg *m)
{
	const struct msg_error *err = m->data;

	flush_result(&((struct stats *)arg)->flush, m->arg, m->len > 0 ? err[0].err : 0);
}

static void
on_dump(void *arg, const struct msg *m)
{
	struct stats *s = arg;

	if (resync_reads(&s->resync, m->arg))
		intake_dump(&s->intake, s->resync.kind, m);
}

static void
on_dump_done(void *arg, const struct msg *m)
{
	struct msg_dump_done d;

	memcpy(&d, m->data, sizeof(d));
	resync_dump_done(&((struct stats *)arg)->resync, &d);
}

static void
on_status(void *arg, const struct msg *m)
{
	struct stats *s = arg;

	(void)m;
	s->intake.portid = s->serve.last.portid;
	walls_log(s->serve.log, s->serve.last.left_out | s->left_out, &s->walls_logged);
}

static void (*const handlers[MSG_MAX])(void *arg, const struct msg *m) = {
	[MSG_CONF] = on_conf,           [MSG_LOG_SINK] = on_flowlog, [MSG_START] = on_start,   [MSG_CLIENT] = on_client,
	[MSG_EVENTS] = on_events,       [MSG_OVERRUN] = on_overrun,  [MSG_RESULT] = on_result, [MSG_DUMP] = on_dump,
	[MSG_DUMP_DONE] = on_dump_done, [MSG_STATUS] = on_status,
};

/* Said when it begins, and once more for each interval in which it went on. */
static void
log_lost(struct stats *s)
{
	const struct flowlog_counts *c = s->flowlog != NULL ? flowlog_counts(s->flowlog) : NULL;

	if (c == NULL || c->lost == s->lost_said || s->serve.clock.ms < s->lost_at)
		return;
	log_put(s->serve.log, LV_WARNING, "%llu lines of the flow log were lost: the disk is too slow",
		(unsigned long long)(c->lost - s->lost_said));
	s->lost_said = c->lost;
	s->lost_at = s->serve.clock.ms + LOST_MS;
}

static uint64_t
turn(void *arg)
{
	struct stats *s = arg;
	uint64_t due, other;

	resync_turn(&s->resync);
	if (flush_turn(&s->flush))
		loop_again(s->serve.loop);
	if (s->flowlog != NULL && flowlog_flush(s->flowlog))
		watch_want(s->flowlog_watch, LOOP_WRITE);
	log_lost(s);
	due = control_turn(s->control);
	other = resync_due(&s->resync);
	return due < other ? due : other;
}

static const struct serve_ops ops = {ROLE_STATS, handlers, turn};

int
stats_role(int wall_fd, struct log *log)
{
	struct stats *s = calloc(1, sizeof(*s));
	struct jail jail = *jail_row(ROLE_STATS);
	int status = 1;

	if (s != NULL)
		serve_prepare(&s->serve, log);
	jail.asked = jail_asked(wall_fd);
	if (s != NULL && (s->left_out = jail_worker(&jail, log)) >= 0) {
		status = serve_run(&s->serve, wall_fd, &ops, s);
		if (s->serve.phase == PHASE_RUN && s->control != NULL) {
			if (s->flowlog != NULL)
				flowlog_flush(s->flowlog);
			control_last_words(s->control);
		}
		control_free(s->control);
		intake_clear(&s->intake);
		store_clear(&s->store);
		watch_free(s->flowlog_watch);
		flowlog_free(s->flowlog);
		if (s->have_conf)
			conf_clear(&s->conf);
		serve_free(&s->serve);
	}
	free(s);
	return status;
}

/*
 * The sync role: puts its parts together, hands them what the parent sends, and lets each do its batched work once a
 * turn. Messages of the parent are judged by the table of the wall like anybody's.
 */
#include "sync.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "blob.h"
#include "later.h"
#include "roles.h"
#include "sync_role.h"
#include "walls.h"

#define RECORDS_PER_TURN 16
#define FULL_LOG_MS      60000

static void
leave(struct sync *s, int status)
{
	s->status = status;
	loop_stop(s->loop);
}

bool
sync_replaced(struct sync *s)
{
	if (!loop_overslept(s->loop) || !wall_closed(&s->wall))
		return false;
	leave(s, s->status);
	return true;
}

static void
on_conf(struct sync *s, const struct msg *m)
{
	int r = blob_load(&s->conf, m->fd[0]);

	close(m->fd[0]);
	if (r < 0) {
		log_put(s->log, LV_ERROR, "sync: the settings cannot be read: %s", strerror(-r));
		leave(s, 1);
		return;
	}
	s->have_conf = true;
}

/* Notices of the start, in the words of 1.4.x where it has them. */
static void
describe(struct sync *s)
{
	const char *later;

	for (unsigned int i = 0; (later = conf_later(&s->conf, i)) != NULL; i++)
		log_put(s->log, LV_NOTICE, LATER_FORMAT, later);
	if (conf_direct(&s->conf))
		log_put(s->log, LV_NOTICE, "disabling internal cache");
	if (s->conf.disable_external_cache)
		log_put(s->log, LV_NOTICE, "disabling external cache");
	if (filter_hides(&s->conf.filter))
		log_put(s->log, LV_NOTICE, "using user-space event filtering");
}

static void
on_start(struct sync *s, const struct msg *m)
{
	int r;

	(void)m;
	if (!s->have_conf) {
		leave(s, 1);
		return;
	}
	if ((r = parts_start(s)) < 0) {
		log_put(s->log, LV_ERROR, "initialization failed: %s", strerror(-r));
		leave(s, 1);
		return;
	}
	s->phase = PHASE_RUN;
	s->started_at = s->clock.ms;
	describe(s);
	peers_start(s->peers);
	if (conf_direct(&s->conf))
		wall_send(&s->wall, MSG_READY, READY_SERVING, NULL, 0);
	else
		resync_start(&s->resync, true);
}

static void
on_channel(struct sync *s, const struct msg *m)
{
	opener_given(&s->opener, m);
}

static void
on_link_wall(struct sync *s, const struct msg *m)
{
	if (!opener_wall(&s->opener, s->loop, m->fd[0]))
		leave(s, 1);
}

static void
link_answer(void *arg, const struct msg *m)
{
	struct sync *s = arg;

	if (m->type == MSG_CHANNEL)
		peers_channel(s->peers, m);
	else
		peers_channel_failed(s->peers, m);
}

static void
on_client(struct sync *s, const struct msg *m)
{
	control_client(s->control, m);
}

static void
on_events(struct sync *s, const struct msg *m)
{
	intake_events(&s->intake, m);
}

static void
on_answer(struct sync *s, const struct msg *m)
{
	if (m->arg >> ASKER_SHIFT == ASK_ROOM)
		ha_room(s->ha, m->data, m->len);
	else if (s->intake.to.looked_at != NULL)
		intake_answer(&s->intake, m);
}

static void
on_overrun(struct sync *s, const struct msg *m)
{
	struct msg_overrun o;

	memcpy(&o, m->data, sizeof(o));
	s->parent.bufsize = o.bufsize;
	resync_overrun(&s->resync, &o, ha_commit_running(s->ha));
}

static void
on_result(struct sync *s, const struct msg *m)
{
	const struct msg_error *err = m->data; /* s->in is aligned for it */
	uint32_t id = m->arg & ASKER_MASK;
	size_t n = m->len / sizeof(err[0]);

	if (m->arg >> ASKER_SHIFT == ASK_COMMIT)
		ha_commit_result(s->ha, id, err, n);
	else if (m->arg >> ASKER_SHIFT == ASK_INJECT && s->inject != NULL)
		inject_on_result(s->inject, id, err, n);
	else if (m->arg >> ASKER_SHIFT == ASK_ROOM)
		ha_room(s->ha, NULL, 0);
	else if (m->arg >> ASKER_SHIFT == ASK_FLUSH)
		ha_flush_result(s->ha, id, n > 0 ? err[0].err : 0);
}

static void
on_dump(struct sync *s, const struct msg *m)
{
	if (resync_reads(&s->resync, m->arg))
		intake_dump(&s->intake, s->resync.kind, m);
}

static void
on_dump_done(struct sync *s, const struct msg *m)
{
	struct msg_dump_done d;

	memcpy(&d, m->data, sizeof(d));
	resync_dump_done(&s->resync, &d);
}

/* While there is little to do the parent and we stay on one processor: waking another takes longer than the work. */
static void
follow(const struct sync *s, uint32_t cpu)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	if (cpu < CPU_SETSIZE)
		CPU_SET(cpu, &one);
	sched_setaffinity(0, sizeof(one), cpu < CPU_SETSIZE ? &one : &s->cpus);
}

static void
on_status(struct sync *s, const struct msg *m)
{
	uint32_t cpu = s->parent.cpu;
	struct ctl_stats st = {.sync = 1};

	memcpy(&s->parent, m->data, sizeof(s->parent));
	s->intake.portid = s->parent.portid;
	s->parent.left_out |= s->left_out;
	walls_log(s->log, s->parent.left_out, &s->walls_logged); /* once; a spare that takes over says it again */
	if (s->parent.cpu != cpu)
		follow(s, s->parent.cpu);
	if (s->control != NULL)
		sync_figures(s, &st);
	wall_send(&s->wall, MSG_READY, READY_ALIVE, NULL, 0);
}

static void (*const handlers[MSG_MAX])(struct sync *s, const struct msg *m) = {
	[MSG_CONF] = on_conf,           [MSG_START] = on_start,   [MSG_CHANNEL] = on_channel,
	[MSG_LINK_WALL] = on_link_wall, [MSG_CLIENT] = on_client, [MSG_EVENTS] = on_events,
	[MSG_OVERRUN] = on_overrun,     [MSG_RESULT] = on_result, [MSG_DUMP] = on_dump,
	[MSG_DUMP_DONE] = on_dump_done, [MSG_STATUS] = on_status, [MSG_ANSWER] = on_answer,
};

static void
take_record(struct sync *s, struct msg *m)
{
	enum admit a = msg_admit(ROLE_PARENT, ROLE_SYNC, s->phase, m);

	if (a == ADMIT_OK && handlers[m->type] != NULL) {
		handlers[m->type](s, m);
		return;
	}
	msg_close_fds(m);
	if (a == ADMIT_OK)
		return;
	s->wall_refused++;
	log_put(s->log, LV_WARNING, "sync: message %u of the parent refused: %s", m->type, msg_admit_name(a));
}

static void
wall_event(void *arg, unsigned int ready)
{
	struct sync *s = arg;
	struct msg m;
	int r = 1;

	if (ready & LOOP_WRITE || sync_replaced(s))
		return; /* the turn function sends */
	for (int i = 0; i < RECORDS_PER_TURN && r > 0; i++)
		if ((r = chan_recv(&s->wall.chan, s->in, sizeof(s->in), &m)) > 0)
			take_record(s, &m);
	if (r < 0 && r != -EBADMSG)
		leave(s, s->status);
}

static void
log_full(struct sync *s)
{
	const uint64_t internal = s->store.full;
	struct external_full full;

	if (s->clock.ms < s->full_logged_at)
		return;
	full = external_full(s->external);
	if (internal == 0 && full.refused == 0 && full.displaced == 0)
		return;
	log_put(s->log, LV_WARNING,
		"HashLimit %u is reached: %llu flows of this node and %llu of the peers were not taken, %llu of those "
		"with "
		"most made room for others'",
		s->conf.hash_limit, (unsigned long long)internal, (unsigned long long)full.refused,
		(unsigned long long)full.displaced);
	s->store.full = 0;
	s->full_logged_at = s->clock.ms + FULL_LOG_MS;
}

/* Said when it begins, and once more for each interval in which it went on. */
static void
log_unsent(struct sync *s)
{
	struct peers_stats ps;
	uint64_t unsent;

	if (s->clock.ms < s->unsent_logged_at)
		return;
	peers_stats(s->peers, &ps);
	if ((unsent = s->store.unsent + ps.uncarried) == s->unsent_logged)
		return;
	log_put(s->log, LV_WARNING,
		"flows that the protocol cannot describe (a zone for one direction only, keys of GRE, ports of "
		"UDP-Lite) "
		"stay here: %llu messages were not sent",
		(unsigned long long)(unsent - s->unsent_logged));
	s->unsent_logged = unsent;
	s->unsent_logged_at = s->clock.ms + FULL_LOG_MS;
}

/* Flows that events tell too little of. What does not fit waits for the next turn. */
static void
send_looks(struct sync *s)
{
	if (s->intake.look_len == 0 || !wall_ready(&s->wall))
		return;
	wall_send(&s->wall, MSG_REQUEST, (uint32_t)ASK_LOOK << ASKER_SHIFT, s->intake.look, s->intake.look_len);
	s->intake.look_len = 0;
}

static uint64_t
min64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static void
turn(void *arg)
{
	struct sync *s = arg;
	uint64_t due = NEVER;

	if (sync_replaced(s))
		return;
	clock_set(&s->clock, loop_now(s->loop));
	wall_flush(&s->wall);
	if (s->phase == PHASE_RUN) {
		send_looks(s);
		resync_turn(&s->resync);
		if (ha_turn(s->ha))
			loop_again(s->loop);
		opener_turn(&s->opener);
		peers_turn(s->peers);
		due = min64(control_turn(s->control), peers_due(s->peers));
		due = min64(due, min64(resync_due(&s->resync), ha_due(s->ha)));
		log_full(s);
		log_unsent(s);
	}
	watch_want(s->wall_watch, LOOP_READ | (wall_ready(&s->wall) ? 0U : LOOP_WRITE));
	if (due >= s->armed) /* waking up early once costs less than setting the timer every turn */
		return;
	s->armed = due;
	timer_arm(s->timer, due > s->clock.ms ? due - s->clock.ms : 1);
}

static void
wake(void *arg)
{
	((struct sync *)arg)->armed = NEVER; /* the turn function follows */
}

static int
serve(struct sync *s)
{
	if ((s->loop = loop_new()) == NULL || (s->timer = timer_new(s->loop, wake, s)) == NULL ||
	    (s->wall_watch = watch_new(s->loop, s->wall.chan.fd, wall_event, s)) == NULL)
		return 1;
	clock_set(&s->clock, loop_now(s->loop));
	watch_want(s->wall_watch, LOOP_READ);
	if (wall_send(&s->wall, MSG_READY, READY_JAILED, NULL, 0) < 0 || loop_run(s->loop, turn, s) < 0)
		return 1;
	if (s->phase == PHASE_RUN)
		control_last_words(s->control);
	return s->status;
}

int
sync_serve(struct sync *s, int wall_fd, struct log *log)
{
	int status;

	s->log = log;
	opener_init(&s->opener, &(struct opener_env){s, link_answer}, log);
	s->wall.chan.fd = wall_fd;
	s->phase = PHASE_SETUP;
	s->parent.cpu = MSG_ALL_CPUS;
	s->armed = NEVER;
	status = serve(s);
	parts_free(s);
	opener_clear(&s->opener);
	watch_free(s->wall_watch);
	timer_free(s->timer);
	loop_free(s->loop);
	wall_clear(&s->wall);
	return status;
}

int
sync_role(int wall_fd, struct log *log)
{
	struct sync *s = calloc(1, sizeof(*s));
	struct jail jail = *jail_row(ROLE_SYNC);
	int status = 1;

	if (s == NULL)
		return status;
	sched_getaffinity(0, sizeof(s->cpus), &s->cpus);
	jail.asked = jail_asked(wall_fd);
	if ((s->left_out = jail_worker(&jail, log)) >= 0)
		status = sync_serve(s, wall_fd, log);
	free(s);
	return status;
}

/* The loop of a serving worker. Messages of the parent are judged by the table of the wall like anybody's. */
#include "serve.h"

#include <errno.h>
#include <string.h>

#define RECORDS_PER_TURN 16

void
serve_leave(struct serve *s, int status)
{
	s->status = status;
	loop_stop(s->loop);
}

bool
serve_replaced(struct serve *s)
{
	if (!loop_overslept(s->loop) || !wall_closed(&s->wall))
		return false;
	serve_leave(s, s->status);
	return true;
}

/* While there is little to do the parent and we stay on one processor: waking another takes longer than the work. */
static void
follow(const struct serve *s, uint32_t cpu)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	if (cpu < CPU_SETSIZE)
		CPU_SET(cpu, &one);
	sched_setaffinity(0, sizeof(one), cpu < CPU_SETSIZE ? &one : &s->cpus);
}

static void
on_status(struct serve *s, const struct msg *m)
{
	uint32_t cpu = s->last.cpu;

	memcpy(&s->last, m->data, sizeof(s->last));
	if (s->last.cpu != cpu)
		follow(s, s->last.cpu);
	wall_send(&s->wall, MSG_READY, READY_ALIVE, NULL, 0);
}

static void
take_record(struct serve *s, struct msg *m)
{
	enum admit a = msg_admit(ROLE_PARENT, s->ops->role, s->phase, m);

	if (a == ADMIT_OK && m->type == MSG_STATUS)
		on_status(s, m);
	if (a == ADMIT_OK && m->type == MSG_START)
		s->phase = PHASE_RUN;
	if (a == ADMIT_OK && s->ops->handlers[m->type] != NULL) {
		s->ops->handlers[m->type](s->arg, m);
		return;
	}
	msg_close_fds(m);
	if (a == ADMIT_OK)
		return;
	s->refused++;
	log_put(s->log, LV_WARNING, "%s: message %u of the parent refused: %s", role_name(s->ops->role), m->type,
		msg_admit_name(a));
}

static void
wall_event(void *arg, unsigned int ready)
{
	struct serve *s = arg;
	struct msg m;
	int r = 1;

	if (ready & LOOP_WRITE || serve_replaced(s))
		return; /* the turn function sends */
	for (int i = 0; i < RECORDS_PER_TURN && r > 0; i++)
		if ((r = chan_recv(&s->wall.chan, s->in, sizeof(s->in), &m)) > 0)
			take_record(s, &m);
	if (r < 0 && r != -EBADMSG)
		serve_leave(s, s->status);
}

static void
turn(void *arg)
{
	struct serve *s = arg;
	uint64_t due = NEVER;

	if (serve_replaced(s))
		return;
	clock_set(&s->clock, loop_now(s->loop));
	wall_flush(&s->wall);
	if (s->phase == PHASE_RUN)
		due = s->ops->turn(s->arg);
	watch_want(s->watch, LOOP_READ | (wall_ready(&s->wall) ? 0U : LOOP_WRITE));
	if (due >= s->armed) /* waking up early once costs less than setting the timer every turn */
		return;
	s->armed = due;
	timer_arm(s->timer, due > s->clock.ms ? due - s->clock.ms : 1);
}

static void
wake(void *arg)
{
	((struct serve *)arg)->armed = NEVER; /* the turn function follows */
}

void
serve_prepare(struct serve *s, struct log *log)
{
	s->log = log;
	sched_getaffinity(0, sizeof(s->cpus), &s->cpus);
}

int
serve_run(struct serve *s, int wall_fd, const struct serve_ops *ops, void *arg)
{
	s->ops = ops;
	s->arg = arg;
	s->wall.chan.fd = wall_fd;
	s->phase = PHASE_SETUP;
	s->last.cpu = MSG_ALL_CPUS;
	s->armed = NEVER;
	if ((s->loop = loop_new()) == NULL || (s->timer = timer_new(s->loop, wake, s)) == NULL ||
	    (s->watch = watch_new(s->loop, wall_fd, wall_event, s)) == NULL)
		return 1;
	clock_set(&s->clock, loop_now(s->loop));
	watch_want(s->watch, LOOP_READ);
	if (wall_send(&s->wall, MSG_READY, READY_JAILED, NULL, 0) < 0 || loop_run(s->loop, turn, s) < 0)
		return 1;
	return s->status;
}

void
serve_free(struct serve *s)
{
	watch_free(s->watch);
	timer_free(s->timer);
	loop_free(s->loop);
	wall_clear(&s->wall);
}

/*
 * What workers may say and what happens then; who serves, who takes over. A worker is
 * never trusted: each message passes the table of the wall, and requests the guard.
 */
#include <signal.h>
#include <sys/wait.h>

#include "guard.h"
#include "parent.h"

struct worker *
server_of(struct parent *p)
{
	for (struct worker *w = p->h.worker; w < p->h.worker + p->h.n_workers; w++)
		if ((w->role == ROLE_SYNC || w->role == ROLE_STATS) && w->phase == PHASE_RUN && w->wall.fd != -1)
			return w;
	return NULL;
}

/* What a serving worker must hear always fits (see loop_once()), unless it has stopped listening for good. */
static void
check_heard(struct parent *p, struct worker *w, uint32_t type, int r)
{
	if (r == 0)
		return;
	if (r != -EPIPE && r != -ECONNRESET)
		log_put(&p->log, LV_ERROR, "worker %s (pid=%d) does not take message %u: %s", role_name(w->role),
			(int)w->pid, type, strerror(-r));
	workers_reap(p);
	worker_gone(p, w);
}

void
tell(struct parent *p, struct worker *w, const struct msg *m)
{
	struct iovec part = {(void *)(uintptr_t)m->data, m->len};

	if (w != NULL && w->wall.fd != -1)
		check_heard(p, w, m->type, chan_sendv(&w->wall, m->type, m->arg, &part, m->len > 0, m->fd, m->nfds));
}

void
forward(struct parent *p, struct worker *w, uint32_t type, uint32_t arg, const struct iovec *part, int n)
{
	for (int i = 0, k; i < n && w->wall.fd != -1; i += k) {
		size_t len = part[i].iov_len;

		for (k = 1; i + k < n && len + part[i + k].iov_len <= MSG_DATA_MAX; k++)
			len += part[i + k].iov_len;
		check_heard(p, w, type,
			    chan_sendv(&w->wall, type, type == MSG_EVENTS ? (uint32_t)k : arg, part + i, (size_t)k,
				       NULL, 0));
	}
}

void
tell_status(struct parent *p)
{
	struct worker *server = server_of(p);
	struct msg_status *s = &p->h.status;

	if (!p->status_changed || server == NULL)
		return;
	p->status_changed = false;
	s->parent_pid = (uint32_t)getpid();
	s->n_workers = p->h.n_workers;
	for (unsigned int i = 0; i < p->h.n_workers; i++) {
		const struct worker *w = &p->h.worker[i];

		s->worker[i] = (struct msg_worker){(int32_t)w->pid, (uint8_t)w->role,
						   w->wall.fd == -1        ? WORKER_DEAD
						   : w->phase == PHASE_RUN ? WORKER_SERVES
									   : WORKER_SPARE,
						   w->index, (uint32_t)w->wall.refused};
	}
	tell(p, server, &(struct msg){.type = MSG_STATUS, .data = s, .len = sizeof(*s)});
}

void
start_worker(struct parent *p, enum role role, uint16_t index)
{
	for (struct worker *w = p->h.worker; w < p->h.worker + p->h.n_workers; w++)
		if (w->role == role && w->index == index && w->phase == PHASE_SETUP && w->wall.fd != -1) {
			w->phase = PHASE_RUN;
			p->status_changed = true;
			p->unanswered = 0;
			p->operator_until = 0;
			if (p->ready)
				log_put(&p->log, LV_WARNING, "a spare %s worker takes over", role_name(role));
			tell(p, w, &(struct msg){.type = MSG_START, .arg = p->h.status.takeovers});
			return;
		}
	log_put(&p->log, LV_ERROR, "no spare %s worker is left: ending, to be started again", role_name(role));
	die(p, EXIT_NO_WORKER);
}

void
worker_gone(struct parent *p, struct worker *w)
{
	if (w->wall.fd == -1)
		return;
	if (w == server_of(p)) {
		p->dump.owner = NULL;
		p->dump.waiting = false;
	}
	close(w->wall.fd);
	w->wall.fd = -1;
	if (w->trigger != -1 && write(w->trigger, "", 1) == -1)
		log_put(&p->log, LV_WARNING, "cannot end worker %s (pid=%d): %s", role_name(w->role), (int)w->pid,
			strerror(errno));
	close(w->trigger);
	w->trigger = -1;
	p->status_changed = true;
	if (w->phase != PHASE_RUN || w->role == ROLE_KEEPER) /* without it, files and hung workers stay */
		return;
	if (!p->ready) {
		log_put(&p->log, LV_ERROR, "conntrackd cannot start, please review your configuration");
		die(p, 1);
	}
	p->h.status.takeovers++;
	start_worker(p, w->role, w->index);
}

void
workers_reap(struct parent *p)
{
	int status;

	for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;)
		for (struct worker *w = p->h.worker; w < p->h.worker + p->h.n_workers; w++) {
			int sig = WIFSIGNALED(status) ? WTERMSIG(status) : 0;

			if (w->pid != pid)
				continue;
			p->status_changed = true;
			p->h.status.worker_deaths++;
			p->h.status.worker_signals += sig != 0;
			log_put(&p->log, LV_ERROR, "child process (pid=%d) has aborted: worker %s, %s %d%s", (int)pid,
				role_name(w->role), sig != 0 ? "signal" : "exit status",
				sig != 0 ? sig : WEXITSTATUS(status),
				sig == SIGSYS ? ", killed by its seccomp filter (the kernel log names the system call)"
					      : "");
			w->pid = 0;
			worker_gone(p, w);
		}
}

static bool
on_ready(struct parent *p, struct worker *w, struct msg *m)
{
	if (m->arg == READY_ALIVE && w == server_of(p))
		p->unanswered = 0;
	if (p->ready || m->arg != READY_SERVING || w != server_of(p))
		return true;
	p->ready = true;
	log_put(&p->log, LV_NOTICE, "initialization completed");
	log_put(&p->log, LV_NOTICE, "-- starting in %s mode --", p->h.daemon ? "daemon" : "console");
	notify_ready(p);
	return true;
}

static bool
on_request(struct parent *p, struct worker *w, struct msg *m)
{
	int fd = m->type == MSG_REQUEST_QUIET ? p->h.quiet : p->h.requests;

	if (guard_batch(w->role, m->data, m->len) != 0)
		return false;
	if (fd == p->h.quiet) /* a commit: its events do not show that there is much to do */
		p->busy_until = now_ns() + CALM_AFTER;
	relay_answers(p, w, fd, m->arg, send(fd, m->data, m->len, 0) == -1 ? -errno : 0);
	return true;
}

static bool
on_flush(struct parent *p, struct worker *w, struct msg *m)
{
	const struct msg_flush *f = m->data;
	uint16_t type = (uint16_t)(f->subsys << 8 | IPCTNL_MSG_CT_DELETE); /* of expectations the same */

	relay_answers(p, w, p->h.requests, m->arg, nl_ask(p->h.requests, type, NLM_F_ACK, f->family));
	return true;
}

static bool
on_dump(struct parent *p, struct worker *w, struct msg *m)
{
	if (p->dump.owner == w || p->dump.waiting)
		return false;
	p->dump.next = *(const struct msg_dump_start *)m->data; /* read() aligned it */
	p->dump.waiting = true;
	dump_next(p);
	return true;
}

/* Nobody but an operator may want that: the service manager does not start again what was stopped. */
static bool
on_stop(struct parent *p, struct worker *w, struct msg *m)
{
	(void)m;
	if (w != server_of(p) || now_ns() > p->operator_until)
		return false;
	log_put(&p->log, LV_NOTICE, "asked to stop; the last client that may was pid %d, uid %u", (int)p->operator.pid,
		p->operator.uid);
	stop(p);
}

/* False: the message, though of good shape, is not allowed. */
static bool (*const handlers[MSG_MAX])(struct parent *, struct worker *, struct msg *) = {
	[MSG_READY] = on_ready, [MSG_REQUEST] = on_request, [MSG_REQUEST_QUIET] = on_request,
	[MSG_FLUSH] = on_flush, [MSG_DUMP_START] = on_dump, [MSG_STOP] = on_stop,
};

/* One message a turn of the loop, so that the kernel's events are read between batches of requests. */
void
worker_readable(struct parent *p, struct worker *w)
{
	struct msg m = {0};
	int r = w->wall.fd == -1 ? 0 : chan_recv(&w->wall, p->in, sizeof(p->in), &m); /* cut off in this turn: 0 */
	enum admit a = r == 1 ? msg_admit(w->role, ROLE_PARENT, w->phase, &m) : ADMIT_LENGTH;

	if (r == 1 && a == ADMIT_OK && (handlers[m.type] == NULL || !handlers[m.type](p, w, &m)))
		a = ADMIT_CONTENT;
	msg_close_fds(&m);
	if (r == 0 || a == ADMIT_OK)
		return;
	if (r == -EPIPE)
		workers_reap(p); /* says why, if it has died */
	else {
		w->wall.refused++;
		log_put(&p->log, LV_ERROR, "worker %s (pid=%d) broke rule %d (%s) with message %u: cut off",
			role_name(w->role), (int)w->pid, (int)a, msg_admit_name(a), m.type);
	}
	worker_gone(p, w);
}

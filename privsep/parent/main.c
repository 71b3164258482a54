/*
 * conntrackd: becomes ctd-start (start/), which does what was typed; takes over from it when it comes back, enters its
 * jail, and then only relays: one poll loop, nothing blocks.
 */
#include <fcntl.h>
#include <limits.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>

#include "parent.h"
#include "sanitize.h"

#define N_FIXED         4    /* descriptors polled before the workers' */
#define KEEPER_PATIENCE 1000 /* ms */

uint64_t
now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000U + (uint64_t)ts.tv_nsec;
}

/* They leave when their wall closes; the log worker writes what it has first. */
static void
end_workers(struct parent *p, enum phase phase)
{
	bool left = true;

	for (int i = 0; i < 100 && left; i++) {
		left = false;
		for (struct worker *w = p->h.worker; w < p->h.worker + p->h.n_workers; w++)
			if (w->phase == phase && w->role != ROLE_KEEPER) {
				close(w->wall.fd);
				w->wall.fd = -1;
				left = left || (w->pid != 0 && waitpid(w->pid, NULL, WNOHANG) == 0);
			}
		poll(NULL, 0, left ? 10 : 0);
	}
}

/* Lock and socket go first, and spares, which have the links' sockets: who has asked for the end hears of it when the
 * worker that serves him leaves, and may start us again. The keeper ends who is left when we do. */
void
die(struct parent *p, int status)
{
	for (struct worker *w = p->h.worker; w < p->h.worker + p->h.n_workers; w++) {
		struct pollfd pfd = {w->wall.fd, POLLIN, 0};

		if (w->role == ROLE_KEEPER && chan_send(&w->wall, MSG_REMOVE, 0, NULL, 0) == 0)
			poll(&pfd, 1, KEEPER_PATIENCE);
	}
	close(p->h.log_fd);
	end_workers(p, PHASE_SETUP);
	end_workers(p, PHASE_RUN);
	_exit(status);
}

static void
notify(struct parent *p, const char *text)
{
	if (p->h.notify >= 0 && send(p->h.notify, text, strlen(text), MSG_DONTWAIT | MSG_NOSIGNAL) == -1)
		log_put(&p->log, LV_WARNING, "cannot tell the service manager %s: %s", text, strerror(errno));
}

/* Who waits for the daemon may not read: then once more, at the next look. */
static void
tell_waiting(struct parent *p)
{
	if (!p->h.daemon || !p->ready || p->told)
		return;
	p->told = send(STDERR_FILENO, "", 1, MSG_DONTWAIT | MSG_NOSIGNAL) == 1 || errno != EAGAIN;
}

void
notify_ready(struct parent *p)
{
	char text[64];

	snprintf(text, sizeof(text), "MAINPID=%d\nREADY=1", (int)getpid());
	notify(p, text);
	tell_waiting(p);
}

void
stop(struct parent *p)
{
	log_put(&p->log, LV_NOTICE, "---- shutdown received ----");
	notify(p, "STOPPING=1");
	die(p, 0);
}

static void
on_signal(struct parent *p)
{
	struct signalfd_siginfo si;

	if (read(p->signals, &si, sizeof(si)) != sizeof(si))
		return;
	if (si.ssi_signo == SIGCHLD)
		workers_reap(p);
	if (si.ssi_signo == SIGTERM || si.ssi_signo == SIGINT)
		stop(p);
	for (unsigned int i = 0; i < p->h.n_workers && si.ssi_signo == SIGHUP; i++)
		if (p->h.worker[i].role == ROLE_LOG && p->h.worker[i].phase == PHASE_RUN)
			tell(p, &p->h.worker[i], &(struct msg){.type = MSG_LOG_REOPEN});
}

/* Tells the service manager that we live, and asks the serving worker whether it does. Looks are counted, not time:
 * when all of us were stopped for long that was one look, and the worker has the others to answer in. */
static void
look(struct parent *p, uint64_t now)
{
	struct worker *server = server_of(p);

	if (now < p->look_at)
		return;
	p->look_at = now + p->h.watchdog;
	p->status_changed = true;
	notify(p, "WATCHDOG=1");
	tell_waiting(p);
	if (server == NULL || ++p->unanswered <= UNANSWERED_MAX)
		return;
	log_put(&p->log, LV_ERROR, "worker %s (pid=%d) gives no sign of life: cut off", role_name(server->role),
		(int)server->pid);
	worker_gone(p, server);
}

/* How long poll may sleep: until the pause in reading events ends, or the next look is due. */
static struct timespec
sleep_time(struct parent *p, uint64_t now)
{
	uint64_t pause = p->look_at - now;

	if (p->pause_until > now && p->pause_until - now < pause)
		pause = p->pause_until - now;
	return (struct timespec){(time_t)(pause / 1000000000U), (long)(pause % 1000000000U)};
}

/* To wake a process on another, sleeping processor takes longer than its work for one event. While there is little to
 * do, the parent and the worker that serves, which reads it in the status, stay on one; under load they use all. */
static void
share_cpu(struct parent *p, uint64_t now)
{
	uint32_t cpu = (uint32_t)sched_getcpu();
	bool shared = p->h.status.cpu != MSG_ALL_CPUS;
	cpu_set_t one;

	if (p->dump.active || p->pause_until > now)
		p->busy_until = now + CALM_AFTER;
	if (shared == (now >= p->busy_until))
		return;
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	sched_setaffinity(0, sizeof(one), shared ? &p->cpus : &one);
	p->h.status.cpu = shared ? MSG_ALL_CPUS : cpu;
	p->status_changed = true;
}

static void
loop_once(struct parent *p, uint64_t now)
{
	struct worker *server = server_of(p);
	struct pollfd server_pf = {server != NULL ? server->wall.fd : -1, POLLOUT, 0};
	struct pollfd pf[N_FIXED + MSG_WORKERS_MAX];
	/* A worker that is behind gets nothing new and is not asked either: what it must hear fits in the rest of
	 * its buffer, so nothing is ever lost or queued here. */
	bool room = poll(&server_pf, 1, 0) == 1;
	struct timespec ts = sleep_time(p, now);

	share_cpu(p, now);
	pf[0] = (struct pollfd){p->signals, POLLIN, 0};
	pf[1] = (struct pollfd){room ? p->h.control : -1, POLLIN, 0};
	pf[2] = (struct pollfd){room && now >= p->pause_until ? p->h.events : -1, POLLIN, 0};
	pf[3] = (struct pollfd){p->dump.active && (room || p->dump.owner == NULL) ? p->h.dumps : -1, POLLIN, 0};
	for (unsigned int i = 0; i < p->h.n_workers; i++)
		pf[N_FIXED + i] = (struct pollfd){p->h.worker[i].wall.fd,
						  &p->h.worker[i] == server && !room ? POLLOUT : POLLIN, 0};
	if (ppoll(pf, N_FIXED + p->h.n_workers, &ts, NULL) < 1)
		return;
	if (pf[2].revents != 0)
		relay_events(p);
	if (pf[3].revents != 0)
		relay_dump(p);
	for (unsigned int i = 0; i < p->h.n_workers; i++)
		if (pf[N_FIXED + i].revents & (POLLIN | POLLHUP | POLLERR))
			worker_readable(p, &p->h.worker[i]);
	if (pf[1].revents != 0)
		relay_client(p);
	if (pf[0].revents != 0)
		on_signal(p);
}

/* The file, and not its name, which may be another's by the time that ctd-start comes back. */
static int
begin(char **argv)
{
	char path[PATH_MAX];
	int self = open("/proc/self/exe", O_PATH);

	if (self != -1 && dup2(self, HANDOVER_FD) != -1 && (self == HANDOVER_FD || close(self) == 0) &&
	    locate(path, sizeof(path), "ctd-start"))
		execv(path, argv);
	fprintf(stderr, "conntrackd: can't run ctd-start: %s\n", strerror(errno));
	return 1;
}

/* ctd-start has made it, so nothing that makes one is here. */
static bool
load_filter(struct parent *p)
{
	static struct sock_filter code[BPF_MAXINSNS];
	ssize_t n = read(p->h.filter, code, sizeof(code));
	struct sock_fprog program = {(unsigned short)(n > 0 ? (size_t)n / sizeof(code[0]) : 0), code};

	if (close(p->h.filter) == 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0)
		return true;
	log_put(&p->log, LV_ERROR, "cannot enter the jail: seccomp: %s", strerror(errno));
	return false;
}

/* It is there to interrupt. */
static void
on_alarm(int sig)
{
	(void)sig;
}

int
main(int argc, char **argv)
{
	static struct parent parent;
	struct parent *p = &parent;
	struct jail jail = JAIL_PARENT(NULL);
	sigset_t set;

	(void)argc;
	if (!handover_take(&p->h, sizeof(p->h), HANDOVER_MAGIC))
		return begin(argv);
	prctl(PR_SET_NAME, "conntrackd");
	p->log = (struct log){p->h.log_fd, p->h.log_fd, LF_RECORD, 0};
	signal(SIGALRM, on_alarm);
	sigfillset(&set); /* those without a meaning here are ignored */
	sigdelset(&set, SIGALRM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	p->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	sched_getaffinity(0, sizeof(p->cpus), &p->cpus);
	jail.asked = p->h.walls;
	if ((p->h.status.left_out = jail_walls(&jail, &p->log)) < 0 || !load_filter(p))
		die(p, 1);
	start_worker(p, p->h.sync ? ROLE_SYNC : ROLE_STATS, 0);
	for (uint64_t now;;) {
		look(p, now = now_ns());
		tell_status(p);
		loop_once(p, now);
	}
}

/*
 * ctd-queue: enters its jail, binds its queues, and then asks workers about packets and answers the kernel: one poll
 * loop, nothing blocks. Started with what queue_handover.h says, never by hand.
 */
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "jail.h"
#include "queue.h"

#define PER_QUEUE (1 + QUEUE_WORKERS) /* descriptors that are polled */

struct program {
	struct queue_handover h;
	struct relay relay;
	int signals;
};

static uint64_t
now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000U + (uint64_t)ts.tv_nsec;
}

static bool
take_handover(struct program *p)
{
	struct queue_handover *h = &p->h;
	bool ok = read(QUEUE_HANDOVER_FD, h, sizeof(*h)) == sizeof(*h) && h->size == sizeof(*h) &&
		  h->n_queues <= MSG_HELPERS_MAX && close(QUEUE_HANDOVER_FD) == 0;

	for (unsigned int i = 0; ok && i < h->n_queues; i++) {
		const struct queue_conf *c = &h->queue[i].conf;

		ok = c->kind < HELPER_KINDS && (c->family == AF_INET || c->family == AF_INET6) &&
		     (c->proto == IPPROTO_TCP || c->proto == IPPROTO_UDP) &&
		     c->priv_len <= sizeof(p->relay.queue[0].slot[0].packet.facts.priv);
	}
	p->relay.log = (struct log){h->log_fd, h->log_fd, LF_RECORD, 0};
	p->relay.n_queues = h->n_queues;
	return ok;
}

static void
leave(struct program *p, int status)
{
	for (unsigned int i = 0; i < p->relay.n_queues; i++)
		relay_stop(&p->relay, &p->relay.queue[i]);
	_exit(status);
}

static void
on_signal(struct program *p)
{
	struct signalfd_siginfo si;

	if (read(p->signals, &si, sizeof(si)) != sizeof(si))
		return;
	if (si.ssi_signo == SIGTERM || si.ssi_signo == SIGINT)
		leave(p, 0);
	for (unsigned int i = 0; i < p->relay.n_queues && si.ssi_signo == SIGUSR1; i++)
		relay_log_counters(&p->relay, &p->relay.queue[i]);
}

static void
loop_once(struct program *p)
{
	struct pollfd pf[2 + MSG_HELPERS_MAX * PER_QUEUE] = {{p->signals, POLLIN, 0}, {p->h.life_fd, POLLIN, 0}};
	uint64_t now = now_ns(), until = now + 60000000000U;
	struct timespec ts;
	int status = 1;

	for (unsigned int i = 0; i < p->relay.n_queues; i++) {
		struct queue *q = &p->relay.queue[i];
		uint64_t at = relay_expire(&p->relay, q, now);

		for (unsigned int w = 0; w < QUEUE_WORKERS; w++) /* answers first: they make room for questions */
			pf[2 + i * PER_QUEUE + w] = (struct pollfd){q->worker[w].wall.fd, POLLIN, 0};
		pf[2 + i * PER_QUEUE + QUEUE_WORKERS] = (struct pollfd){q->netlink, POLLIN, 0};
		until = at < until ? at : until;
		status = q->serving < QUEUE_WORKERS ? 0 : status == 1 && q->netlink != -1 ? EX_TEMPFAIL : status;
	}
	if (status != 0)
		leave(p, status); /* no queue is bound, or none has a worker */
	until = until > now ? until - now : 0;
	ts = (struct timespec){(time_t)(until / 1000000000U), (long)(until % 1000000000U)};
	if (ppoll(pf, 2 + p->relay.n_queues * PER_QUEUE, &ts, NULL) < 1)
		return;
	now = now_ns();
	for (unsigned int i = 0; i < p->relay.n_queues * PER_QUEUE; i++) {
		struct queue *q = &p->relay.queue[i / PER_QUEUE];

		if (pf[2 + i].revents != 0 && i % PER_QUEUE < QUEUE_WORKERS)
			relay_worker(&p->relay, q, i % PER_QUEUE, now);
		else if (pf[2 + i].revents != 0)
			relay_kernel(&p->relay, q, now);
	}
	if (pf[0].revents != 0)
		on_signal(p);
	if (pf[1].revents != 0 && read(p->h.life_fd, &ts, 1) == 0)
		leave(p, 0);
}

int
main(void)
{
	static struct program program;
	struct program *p = &program;
	struct jail jail = jail_queue;
	sigset_t set;

	if (!take_handover(p))
		return 1;
	prctl(PR_SET_NAME, "ctd-queue");
	sigfillset(&set); /* those without a meaning here are ignored */
	sigprocmask(SIG_BLOCK, &set, NULL);
	p->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	jail.last_fd = p->h.last_fd > p->signals ? p->h.last_fd : p->signals;
	jail.asked = p->h.jail_asked;
	if (jail_enter(&jail, &p->relay.log) < 0)
		return 1;
	for (unsigned int i = 0; i < p->relay.n_queues; i++)
		relay_start(&p->relay, i, &p->h);
	for (;;)
		loop_once(p);
}

/*
 * conntrackd, the parent: the one process that keeps CAP_NET_ADMIN. What it holds and the parts it is made of. What
 * arrives from workers and clients is checked before it is used; ctd-start (start/) opened and spawned the rest.
 */
#ifndef PARENT_H
#define PARENT_H

#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "handover.h"
#include "nlmsg.h"

#define DATAGRAM_MAX   4096        /* one ctnetlink event or answer */
#define DUMP_MAX       32768       /* one datagram of a dump */
#define CALM_AFTER     1000000000U /* ns without much to do */
#define UNANSWERED_MAX 10          /* looks without an answer of the serving worker */
#define EXIT_NO_WORKER 75          /* EX_TEMPFAIL: spares used up, the service manager starts us again */

/* Datagrams as recvmmsg() left them, to be forwarded from where they are. */
struct batch {
	struct mmsghdr mm[MSG_EVENTS_MAX];
	struct iovec iov[MSG_EVENTS_MAX];
	uint8_t data[MSG_EVENTS_MAX * DATAGRAM_MAX];
};

struct dump {
	struct worker *owner; /* NULL: nobody waits for it any more, but the kernel has not finished */
	struct msg_dump_start now, next;
	bool active, waiting; /* waiting: next is a successor's, for when the kernel is done */
	uint32_t interrupted;
};

struct parent {
	struct handover h;
	struct log log;
	int signals;
	struct dump dump;
	bool status_changed, ready, told; /* told: who waits for the daemon */
	struct ucred operator;
	uint64_t operator_until; /* ns; a client that may stop us has come not long ago */
	unsigned int unanswered; /* looks since the serving worker gave its last sign of life */
	cpu_set_t cpus;          /* those it may run on */
	uint64_t busy_until, look_at, paid_until, pause_until; /* ns; see pace() for the last two */
	struct batch batch;
	uint8_t in[MSG_DATA_MAX + sizeof(struct msg_hdr)];
};

/* main.c */
void die(struct parent *p, int status) __attribute__((noreturn)); /* the caller has logged why */
void stop(struct parent *p) __attribute__((noreturn));            /* as an operator wants it */
void notify_ready(struct parent *p);
uint64_t now_ns(void);

/* workers.c: what workers say, what they are told, and their ends. */
struct worker *server_of(struct parent *p); /* the sync or stats worker that serves; NULL: none */
void tell(struct parent *p, struct worker *w, const struct msg *m); /* w may be NULL: nobody listens */
void forward(struct parent *p, struct worker *w, uint32_t type, uint32_t arg, const struct iovec *part, int n);
void start_worker(struct parent *p, enum role role, uint16_t index);
void worker_gone(struct parent *p, struct worker *w); /* cut it off; a spare takes over, or the parent ends */
void worker_readable(struct parent *p, struct worker *w);
void workers_reap(struct parent *p);
void tell_status(struct parent *p);

/* relay.c: from the kernel and from clients to the worker that serves. */
int nl_ask(int fd, uint16_t type, uint16_t flags, uint8_t family); /* a request without attributes; 0 or -errno */
void relay_events(struct parent *p);
void relay_answers(struct parent *p, struct worker *w, int fd, uint32_t batch, int err);
void relay_dump(struct parent *p);
void dump_next(struct parent *p);
void relay_client(struct parent *p);

#endif

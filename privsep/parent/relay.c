/*
 * From the kernel and from clients to the worker that serves: events, dumps, answers, control connections. Nothing of a
 * datagram is read but netlink headers.
 */

#include <sys/time.h>

#include "parent.h"

#define EVENT_PRICE 200000U  /* ns of pause for an event that was read at once */
#define PAUSE_MOST  1000000U /* ns */
#define LINGER_MOST 20000    /* us */

/* Up to n datagrams into slots of size bytes; their number, 0 when there is nothing, -ENOBUFS when some were lost. */
static int
nl_read(int fd, struct batch *b, unsigned int n, size_t size)
{
	bool lost = false;
	int got;

	for (unsigned int i = 0; i < n; i++) {
		b->iov[i] = (struct iovec){b->data + i * size, size};
		b->mm[i].msg_hdr = (struct msghdr){.msg_iov = &b->iov[i], .msg_iovlen = 1};
	}
	got = recvmmsg(fd, b->mm, n, MSG_DONTWAIT, NULL);
	for (int i = 0; i < got; i++) {
		b->iov[i].iov_len = b->mm[i].msg_len;
		lost = lost || b->mm[i].msg_hdr.msg_flags & MSG_TRUNC;
	}
	return lost ? -ENOBUFS : got >= 0 ? got : errno == EAGAIN || errno == EINTR ? 0 : -errno;
}

int
nl_ask(int fd, uint16_t type, uint16_t flags, uint8_t family)
{
	struct {
		struct nlmsghdr h;
		struct nfgenmsg g;
	} m = {{sizeof(m), type, (uint16_t)(NLM_F_REQUEST | flags), 0, 0}, {family, NFNETLINK_V0, 0}};

	return send(fd, &m, sizeof(m), 0) == -1 ? -errno : 0;
}

/* The kernel lost events: room for more, as far as the configuration allows; the worker says so and does a resync. */
static void
overrun(struct parent *p, struct worker *w)
{
	uint32_t size = p->h.status.bufsize; /* the kernel doubles what it is given */
	struct msg_overrun m = {++p->h.status.overruns, size, 0, 0};

	m.grown = size <= p->h.events_max / 2 &&
		  setsockopt(p->h.events, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) == 0;
	p->h.status.bufsize = m.bufsize = size << m.grown;
	p->status_changed = true;
	tell(p, w, &(struct msg){.type = MSG_OVERRUN, .data = &m, .len = sizeof(m)});
}

/* Small records cost several times as much an event as large ones. A few events are forwarded at once; when they keep
 * coming the socket is left alone in between, but not for longer than its buffer lasts: a byte a nanosecond is twice
 * what the fastest kernel fills. */
static void
pace(struct parent *p, unsigned int n)
{
	uint64_t now = now_ns(), most = p->h.status.bufsize < PAUSE_MOST ? p->h.status.bufsize : PAUSE_MOST;

	p->paid_until = (p->paid_until > now ? p->paid_until : now) + (n * EVENT_PRICE < most ? n * EVENT_PRICE : most);
	p->pause_until = p->paid_until - PAUSE_MOST;
}

void
relay_events(struct parent *p)
{
	struct worker *w = server_of(p);
	unsigned int sum = 0;

	/* Several batches, because one request record of a worker may cause hundreds of events. After a loss in any
	 * case: the kernel gives the socket nothing more until a read has found it empty, and the one that tells the
	 * loss does not look. */
	for (int i = 0, n = MSG_EVENTS_MAX; w != NULL && ((i < 16 && n == MSG_EVENTS_MAX) || n == -ENOBUFS); i++)
		if ((n = nl_read(p->h.events, &p->batch, MSG_EVENTS_MAX, DATAGRAM_MAX)) > 0) {
			forward(p, w, MSG_EVENTS, 0, p->batch.iov, n);
			sum += (unsigned int)n;
		} else if (n == -ENOBUFS)
			overrun(p, w);
	pace(p, sum);
}

/* The kernel has answered a batch by the time send() returned: its errors, and what GETs asked for, are all here. */
void
relay_answers(struct parent *p, struct worker *w, int fd, uint32_t batch, int err)
{
	static struct msg_error failed[MSG_DATA_MAX / NLMSG_LENGTH(sizeof(struct nfgenmsg)) + 1];
	size_t n_failed = err != 0;
	int n;

	failed[0] = (struct msg_error){0, err};
	while ((n = nl_read(fd, &p->batch, MSG_EVENTS_MAX, DATAGRAM_MAX)) > 0 || n == -ENOBUFS) {
		struct iovec *iov = p->batch.iov;
		int kept = 0;

		for (int i = 0; i < n; i++) {
			struct rd r = rd_init(iov[i].iov_base, iov[i].iov_len), body;
			struct nlmsghdr h;
			struct nlmsgerr e;

			if (!nl_next(&r, &h, &body))
				continue;
			if (h.nlmsg_type != NLMSG_ERROR) {
				iov[kept++] = iov[i];
				continue;
			}
			rd_copy(&body, &e, sizeof(e));
			if (e.error != 0 && n_failed < sizeof(failed) / sizeof(failed[0]))
				failed[n_failed++] = (struct msg_error){e.msg.nlmsg_seq, e.error};
		}
		forward(p, w, MSG_ANSWER, batch, iov, kept);
	}
	tell(p, w, &(struct msg){MSG_RESULT, batch, failed, n_failed * sizeof(failed[0]), {0}, 0});
}

static void
dump_done(struct parent *p, int err)
{
	struct msg_dump_done done = {p->dump.now.id, err, p->dump.interrupted};
	struct worker *w = p->dump.owner;

	p->dump.active = false;
	p->dump.owner = NULL;
	tell(p, w, &(struct msg){.type = MSG_DUMP_DONE, .data = &done, .len = sizeof(done)});
	dump_next(p);
}

void
dump_next(struct parent *p)
{
	struct dump *d = &p->dump;
	uint16_t type = (uint16_t)(d->next.subsys << 8 | IPCTNL_MSG_CT_GET); /* of expectations the same */
	int r;

	if (d->active || !d->waiting)
		return;
	*d = (struct dump){.owner = server_of(p), .now = d->next, .active = true};
	if ((r = nl_ask(p->h.dumps, type, NLM_F_DUMP, d->now.family)) != 0)
		dump_done(p, r);
}

/* Looks for the end of the dump and cuts the datagram there. */
static bool
cut_at_end(struct iovec *iov, struct dump *d, int *err)
{
	const uint8_t *base = iov->iov_base, *at = base;
	struct rd r = rd_init(base, iov->iov_len), body = {0};
	struct nlmsghdr h;

	for (; nl_next(&r, &h, &body); at = r.p) {
		d->interrupted |= (h.nlmsg_flags & NLM_F_DUMP_INTR) != 0;
		if (h.nlmsg_type == NLMSG_DONE || h.nlmsg_type == NLMSG_ERROR)
			break;
	}
	if (at == r.end)
		return false;
	rd_copy(&body, err, rd_left(&body) < sizeof(*err) ? 0 : sizeof(*err));
	iov->iov_len = (size_t)(at - base);
	return true;
}

void
relay_dump(struct parent *p)
{
	int n = nl_read(p->h.dumps, &p->batch, MSG_DATA_MAX / DUMP_MAX, DUMP_MAX), err = n < 0 ? n : 0;
	bool done = n < 0;

	for (int i = 0; i < n; i++) {
		done = done || cut_at_end(&p->batch.iov[i], &p->dump, &err);
		if (p->dump.owner != NULL && p->batch.iov[i].iov_len > 0)
			forward(p, p->dump.owner, MSG_DUMP, p->dump.now.id, &p->batch.iov[i], 1);
	}
	if (done)
		dump_done(p, err);
}

static uint32_t
access_of(const struct parent *p, int fd, const struct ucred *who)
{
	gid_t groups[64];
	socklen_t len = sizeof(groups);

	if (who->uid == 0 || who->uid == getuid())
		return CLIENT_FULL | CLIENT_READ;
	if (p->h.ctl_gid == 0 || getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &len) == -1)
		len = 0;
	for (size_t i = 0; i < len / sizeof(groups[0]); i++)
		if (groups[i] == p->h.ctl_gid)
			return CLIENT_READ;
	return p->h.ctl_gid != 0 && who->gid == p->h.ctl_gid ? CLIENT_READ : 0;
}

/* A client may have sent descriptors that nobody has read. Closed with its connection, a stream that lingers would make
 * us wait, but for a signal. */
static void
drop(int fd)
{
	const struct itimerval soon = {{0, LINGER_MOST}, {0, LINGER_MOST}}, never = {{0, 0}, {0, 0}};

	setitimer(ITIMER_REAL, &soon, NULL);
	close(fd);
	setitimer(ITIMER_REAL, &never, NULL);
}

void
relay_client(struct parent *p)
{
	int fd = accept4(p->h.control, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct worker *w = server_of(p);
	struct ucred who;
	socklen_t len = sizeof(who);

	if (fd == -1)
		return;
	if (w != NULL && getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len) == 0) {
		struct msg_client c = {who.uid, who.gid, access_of(p, fd, &who), who.pid};
		struct iovec part = {&c, sizeof(c)};

		/* may fail without guilt of the worker: only so many descriptors may be on their way to it */
		if (c.access != 0 && chan_sendv(&w->wall, MSG_CLIENT, 0, &part, 1, &fd, 1) == 0 &&
		    c.access & CLIENT_FULL) {
			p->operator= who;
			p->operator_until = now_ns() + UNANSWERED_MAX * p->h.watchdog;
		}
	}
	drop(fd);
}

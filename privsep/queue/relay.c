/*
 * Packets to workers, answers to the kernel. Time is an argument, for the tests.
 */
#include "queue.h"

#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_queue.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

static void
say(struct relay *r, const struct queue *q, enum log_level level, const char *text)
{
	log_put(&r->log, level, "queue %u (%s): %s", q->conf.queue, helper_name(q->conf.kind), text);
}

/* clang-format off */
static const char *const names[COUNTS] = {
	"", "packets", "asked", "answers", "late", "expectations", "edits", "drops", "takeovers", "overruns", "errors",
	"accepted:message", "accepted:noflow", "accepted:truncated", "accepted:segments", "accepted:headers",
	"accepted:fragment", "accepted:empty", "accepted:notours", "accepted:long", "accepted:noworker",
	"accepted:busy", "accepted:channel", "accepted:slow", "accepted:lost", "accepted:answer", "accepted:rate",
	"breach:sequence", "breach:verdict", "breach:count", "breach:flags", "breach:protocol", "breach:address",
	"breach:port", "breach:nat", "breach:edit", "breach:text", "breach:growth", "breach:private", "breach:timeout",
};
/* clang-format on */

void
relay_log_counters(struct relay *r, const struct queue *q)
{
	char text[LOG_TEXT_MAX] = "";

	for (size_t i = N_PACKETS, len = 0; i < COUNTS; i++, len = strlen(text))
		if (q->n[i] != 0 || i == N_PACKETS)
			snprintf(text + len, sizeof(text) - len, "%s%s %llu", len > 0 ? " " : "", names[i],
				 (unsigned long long)q->n[i]);
	say(r, q, LV_NOTICE, text);
}

/* The kernel answers within send(): this never waits. False: see errno. */
static bool
to_kernel(struct relay *r, struct queue *q)
{
	bool ok = !r->out.bad && send(q->netlink, r->out.bytes, r->out.len, MSG_DONTWAIT | MSG_NOSIGNAL) != -1;

	q->n[N_ERRORS] += !ok;
	return ok;
}

static void
accept_as_is(struct relay *r, struct queue *q, uint32_t id, enum count why)
{
	q->n[why]++;
	verdict_plain(&r->out, q->conf.queue, id, true);
	to_kernel(r, q);
}

/* From the oldest on: everything that waits, or (WHY_SLOW) has waited too long. How many there were. */
static unsigned int
accept_waiting(struct relay *r, struct queue *q, uint64_t now, enum count why)
{
	unsigned int n = 0;

	for (; q->oldest != q->seq; q->oldest++) {
		struct slot *s = &q->slot[q->oldest % SLOTS];

		if (s->state != SLOT_WAITING)
			continue;
		if (why == WHY_SLOW && s->deadline > now)
			break;
		s->state = why == WHY_SLOW ? SLOT_LATE : SLOT_IDLE;
		accept_as_is(r, q, s->packet.id, why);
		n++;
	}
	return n;
}

/* The next worker that is there; without one everything is accepted. */
static void
next_worker(struct relay *r, struct queue *q)
{
	for (; q->serving < QUEUE_WORKERS; q->serving++) {
		struct chan *wall = &q->worker[q->serving].wall;

		if (wall->fd != -1 && chan_send(wall, MSG_START, (uint32_t)q->n[N_TAKEOVERS], NULL, 0) == 0) {
			q->worker[q->serving].phase = PHASE_RUN;
			return;
		}
	}
	say(r, q, LV_ERROR, "no worker is left, every packet is accepted unseen from now on");
}

/* What it had to answer is accepted at once. */
static void
cut_off(struct relay *r, struct queue *q, unsigned int i, const char *why)
{
	say(r, q, LV_ERROR, why);
	close(q->worker[i].wall.fd);
	q->worker[i].wall.fd = -1;
	if (i != q->serving)
		return;
	accept_waiting(r, q, 0, WHY_LOST);
	q->n[N_TAKEOVERS]++;
	next_worker(r, q);
}

/* The answer to verdict_bind(), or -EPIPE when the socket is gone. What is not bound is given up, with its workers. */
static void
on_bound(struct relay *r, struct queue *q, int err)
{
	say(r, q, err == 0 ? LV_NOTICE : LV_ERROR,
	    err == 0             ? "the queue is bound"
	    : err == -EINVAL     ? "this kernel has no NFQUEUE (nfnetlink_queue)"
	    : err == -EOPNOTSUPP ? "this kernel's NFQUEUE does not tell flows (CONFIG_NETFILTER_NETLINK_GLUE_CT)"
	    : err == -EPERM      ? "another process has this queue, or CAP_NET_ADMIN is missing"
	    : err == -EBUSY      ? "this queue is configured twice"
	    : err == -EPIPE      ? "its socket is gone"
				 : strerror(-err));
	if (err == 0)
		return;
	q->serving = QUEUE_WORKERS;
	for (unsigned int i = 0; i < QUEUE_WORKERS; q->worker[i++].wall.fd = -1)
		close(q->worker[i].wall.fd);
	close(q->netlink);
	q->netlink = -1;
}

void
relay_start(struct relay *r, unsigned int i, const struct queue_handover *h)
{
	struct queue *q = &r->queue[i];

	q->conf = h->queue[i].conf; /* the rest is zero */
	q->netlink = h->queue[i].netlink;
	q->seq = q->oldest = i << 28 | 1; /* another queue's number is no number here */
	for (unsigned int w = 0; w < QUEUE_WORKERS; w++) {
		q->worker[w].wall.fd = h->queue[i].wall[w];
		q->worker[w].phase = PHASE_SETUP;
	}
	next_worker(r, q);
	verdict_bind(&r->out, &q->conf);
	if (!to_kernel(r, q))
		on_bound(r, q, -errno);
}

/* At most rate a second, and twice that at once. */
static bool
pay(uint64_t *paid_until, uint32_t rate, unsigned int n, uint64_t now)
{
	uint64_t until = (*paid_until > now ? *paid_until : now) + n * (1000000000U / (rate > 0 ? rate : 1));

	if (rate == 0 || until > now + 2000000000U)
		return false;
	*paid_until = until;
	return true;
}

/* The last expectation goes with the verdict, those before it on their own. */
static void
carry_out(struct relay *r, struct queue *q, const struct packet *p, const struct msg_verdict *v)
{
	for (unsigned int i = 0; i + 1 < v->n_expect; i++) {
		verdict_expect(&r->out, &q->conf, p, &v->expect[i]);
		to_kernel(r, q);
	}
	verdict_full(&r->out, &q->conf, p, v);
	to_kernel(r, q);
	q->n[N_EXPECTATIONS] += v->n_expect;
	q->n[N_EDITS] += v->n_edits > 0;
	q->n[N_DROPS] += !v->accept;
}

/* OK, or what is wrong with it; the packet that it is about goes on in any case. Of what came too late it is not known
 * any more, once its place is another's, whether it was answered before. */
static enum count
on_answer(struct relay *r, struct queue *q, unsigned int i, const struct msg_verdict *v, uint64_t now)
{
	struct slot *s = &q->slot[v->seq % SLOTS];
	bool known = s->state != SLOT_IDLE && s->packet.facts.seq == v->seq, waits = known && s->state == SLOT_WAITING;
	uint64_t *flow = &q->flow_paid_until[s->packet.facts.ct_id * 2654435761U / (UINT32_MAX / FLOWS + 1)];
	enum count breach;

	q->n[N_ANSWERS]++;
	if (!known && (q->seq - v->seq <= SLOTS || q->seq - v->seq > q->n[N_ASKED])) /* its age */
		return BREACH_SEQUENCE;
	s->state = known ? SLOT_IDLE : s->state;
	q->n[N_LATE] += !waits;
	if (!waits)
		return OK;
	q->worker[i].slow = 0;
	if ((breach = policy_judge(&q->conf, &s->packet, v)) != OK)
		accept_as_is(r, q, s->packet.id, WHY_ANSWER);
	/* of the flow first: what it may not have costs the others nothing. Flows that share a place share its rate */
	else if (v->n_expect > 0 && !(pay(flow, q->conf.flow_rate, v->n_expect, now) &&
				      pay(&q->paid_until, q->conf.rate, v->n_expect, now)))
		accept_as_is(r, q, s->packet.id, WHY_RATE);
	else
		carry_out(r, q, &s->packet, v);
	if (breach == OK && ++q->worker[i].good % FORGIVE == 0 && q->worker[i].faults > 0)
		q->worker[i].faults--;
	return breach;
}

/* False: there was none. */
static bool
one_answer(struct relay *r, struct queue *q, unsigned int i, uint64_t now)
{
	struct chan *wall = &q->worker[i].wall;
	uint8_t in[sizeof(struct msg_hdr) + sizeof(struct msg_verdict) + 1] __attribute__((aligned(8)));
	struct msg_verdict v;
	struct msg m = {0};
	int got = wall->fd == -1 ? 0 : chan_recv(wall, in, sizeof(in), &m); /* cut off: 0 */
	enum admit a = got == 1 ? msg_admit(ROLE_HELPER, ROLE_QUEUE, q->worker[i].phase, &m) : ADMIT_LENGTH;
	char why[80];
	enum count breach;

	msg_close_fds(&m);
	if (got == 0 || (a == ADMIT_OK && m.type == MSG_READY))
		return got != 0;
	if (a != ADMIT_OK) {
		snprintf(why, sizeof(why), "worker broke rule %d (%s) with message %u: cut off", (int)a,
			 msg_admit_name(a), m.type);
		cut_off(r, q, i, got == -EPIPE ? "a worker has ended" : why);
		return false;
	}
	memcpy(&v, m.data, sizeof(v));
	if ((breach = on_answer(r, q, i, &v, now)) == OK)
		return true;
	q->n[breach]++;
	snprintf(why, sizeof(why), "the worker's answer breaks the policy (%s)", names[breach]);
	if (++q->worker[i].faults >= FAULTS_MAX)
		cut_off(r, q, i, strcat(why, ": cut off"));
	else
		say(r, q, LV_WARNING, why);
	return true;
}

void
relay_worker(struct relay *r, struct queue *q, unsigned int i, uint64_t now)
{
	for (int n = 0; n < SLOTS && one_answer(r, q, i, now); n++)
		;
}

/* OK: the worker has it. */
static enum count
ask(struct queue *q, struct packet *p, uint64_t now)
{
	struct slot *s = &q->slot[q->seq % SLOTS];
	struct iovec part[2] = {{&p->facts, sizeof(p->facts)}, {(void *)(uintptr_t)p->data, p->facts.len}};

	if (q->serving == QUEUE_WORKERS)
		return WHY_NO_WORKER;
	if (p->facts.len > MSG_DATA_MAX - sizeof(p->facts))
		return WHY_LONG;
	if (s->state == SLOT_WAITING)
		return WHY_BUSY;
	p->facts.seq = q->seq;
	if (chan_sendv(&q->worker[q->serving].wall, MSG_PACKET, 0, part, 2, NULL, 0) != 0)
		return WHY_CHANNEL; /* full, or closed, which is read as such */
	s->state = SLOT_WAITING;
	s->deadline = now + DEADLINE_NS;
	s->packet = *p;
	s->packet.data = p->facts.len <= sizeof(s->data) ? memcpy(s->data, p->data, p->facts.len) : NULL;
	q->seq++;
	return OK;
}

static void
on_packet(struct relay *r, struct queue *q, struct rd attrs, uint8_t family, uint64_t now)
{
	struct packet p;
	enum count why = packet_read(attrs, family, &p);

	q->n[N_PACKETS]++;
	if (why == OK && (family != q->conf.family || p.facts.orig.proto != q->conf.proto ||
			  strcmp(p.helper, helper_name(q->conf.kind)) != 0))
		why = WHY_NOT_OURS;
	if (why == OK && (why = ask(q, &p, now)) == OK)
		q->n[N_ASKED]++;
	else if (p.has_id)
		accept_as_is(r, q, p.id, why);
	else
		q->n[N_ERRORS]++; /* there is nothing to answer */
}

/* One message, at in->p. */
static void
on_message(struct relay *r, struct queue *q, struct rd *in, uint64_t now)
{
	struct nlmsghdr h;
	struct nfgenmsg g;
	struct rd body, error;
	int32_t err;

	rd_copy(in, &h, sizeof(h));
	body = error = rd_sub(in, h.nlmsg_len >= sizeof(h) ? h.nlmsg_len - sizeof(h) : SIZE_MAX);
	rd_copy(&error, &err, sizeof(err));
	rd_copy(&body, &g, sizeof(g));
	if (h.nlmsg_type == NLMSG_ERROR && h.nlmsg_seq == BIND_SEQ && !error.bad)
		on_bound(r, q, err);
	else if (h.nlmsg_type == (NFNL_SUBSYS_QUEUE << 8 | NFQNL_MSG_PACKET) && !body.bad)
		on_packet(r, q, body, g.nfgen_family, now);
	else
		q->n[N_ERRORS]++;
}

bool
relay_kernel(struct relay *r, struct queue *q, uint64_t now)
{
	for (int i = 0; i < 32 && q->netlink != -1; i++) { /* then the workers are heard */
		struct sockaddr_nl from = {0};
		struct iovec iov = {r->in, sizeof(r->in)};
		struct msghdr mh = {&from, sizeof(from), &iov, 1, NULL, 0, 0};
		ssize_t n = recvmsg(q->netlink, &mh, MSG_DONTWAIT);
		struct rd in = rd_init(r->in, n > 0 ? (size_t)n : 0);

		if (n == -1 && (errno == EAGAIN || errno == EINTR))
			return false;
		q->n[N_OVERRUNS] += n == -1 && errno == ENOBUFS; /* the kernel dropped, or let pass, what did not fit */
		if (n == 0 || (n == -1 && errno != ENOBUFS))
			on_bound(r, q, -EPIPE);
		else if (n > 0 && (mh.msg_flags & MSG_TRUNC || (from.nl_family == AF_NETLINK && from.nl_pid != 0)))
			q->n[N_ERRORS]++; /* only the kernel is listened to */
		else if (n > 0)
			on_message(r, q, &in, now);
	}
	return q->netlink != -1;
}

uint64_t
relay_expire(struct relay *r, struct queue *q, uint64_t now)
{
	if (q->serving < QUEUE_WORKERS && q->oldest != q->seq && q->slot[q->oldest % SLOTS].deadline <= now)
		relay_worker(r, q, q->serving, now); /* when we stood still, it may not have */
	if (q->serving == QUEUE_WORKERS)
		return UINT64_MAX; /* nothing waits for nobody */
	/* many at once have one cause; and with what is too late its channel may be full, so that nothing is asked */
	q->worker[q->serving].slow +=
		accept_waiting(r, q, now, WHY_SLOW) > 0 || (q->oldest == q->seq && q->n_channel != q->n[WHY_CHANNEL]);
	q->n_channel = q->n[WHY_CHANNEL];
	if (q->worker[q->serving].slow >= SLOW_MAX)
		cut_off(r, q, q->serving, "the worker does not answer in time: cut off");
	return q->oldest != q->seq ? q->slot[q->oldest % SLOTS].deadline : UINT64_MAX;
}

void
relay_stop(struct relay *r, struct queue *q)
{
	accept_waiting(r, q, 0, WHY_LOST);
	q->serving = QUEUE_WORKERS;
	for (int i = 0; i < 1024 && relay_kernel(r, q, 0); i++) /* there may be no end */
		;
	relay_log_counters(r, q);
}

/*
 * The relay beside a kernel and workers that are ends of socketpairs, with a clock that stands still until it is set:
 * deadlines, limits, rates, take-overs.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_queue.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "rig.h"

#define SECOND 1000000000ULL

static struct relay relay;
static struct queue *const q = &relay.queue[0];
static int kernel, worker[QUEUE_WORKERS];
static uint64_t now;
static uint32_t next_id;

static void
pair(int *ours, int *theirs)
{
	int sv[2], size = 16 << 20;

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, sv), 0);
	setsockopt(sv[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	*ours = sv[0];
	*theirs = sv[1];
}

/* A served queue of ftp; the bind message and MSG_START have been heard. */
static int
start(void **state)
{
	static struct queue_handover h;
	uint8_t buf[256];

	(void)state;
	memset(&relay, 0, sizeof(relay));
	memset(&h, 0, sizeof(h));
	relay.log = (struct log){-1, -1, LF_RECORD, 0};
	h.queue[0].conf = (struct queue_conf){.kind = HELPER_FTP,
					      .family = AF_INET,
					      .proto = IPPROTO_TCP,
					      .queue = 5,
					      .rate = 1000,
					      .flow_rate = 1000};
	pair(&kernel, &h.queue[0].netlink);
	for (int i = 0; i < QUEUE_WORKERS; i++)
		pair(&worker[i], &h.queue[0].wall[i]);
	now = 100 * SECOND;
	next_id = 1000;
	relay_start(&relay, 0, &h);
	assert_int_equal(recv(kernel, buf, sizeof(buf), 0), 56);
	assert_int_equal(recv(worker[0], buf, sizeof(buf), 0), sizeof(struct msg_hdr));
	assert_int_equal(((struct msg_hdr *)buf)->type, MSG_START);
	return 0;
}

static int
stop(void **state)
{
	(void)state;
	close(kernel);
	close(q->netlink);
	for (int i = 0; i < QUEUE_WORKERS; i++) {
		close(worker[i]);
		if (q->worker[i].wall.fd != -1)
			close(q->worker[i].wall.fd);
	}
	return 0;
}

/* The kernel queues a packet; queue_packet(): and the relay hears of it. */
static uint32_t
kernel_queues(uint32_t ct_id)
{
	static uint8_t pkt[256], msg[1024];
	struct rig_flow f = rig_flow(AF_INET, IPPROTO_TCP, 21, false);
	size_t n;

	f.helper = "ftp";
	f.ct_id = ct_id;
	n = rig_message(msg, ++next_id, &f, pkt, rig_packet(pkt, &f, "PORT", 4));
	assert_int_equal(send(kernel, msg, n, 0), n);
	return next_id;
}

static uint32_t
queue_packet(uint32_t ct_id)
{
	uint32_t id = kernel_queues(ct_id);

	assert_false(relay_kernel(&relay, q, now));
	return id;
}

/* The sequence number of the question that worker i has. */
static uint32_t
question(int i)
{
	uint8_t buf[1024];
	struct msg_packet p;

	assert_true(recv(worker[i], buf, sizeof(buf), 0) > (ssize_t)(sizeof(struct msg_hdr) + sizeof(p)));
	assert_int_equal(((struct msg_hdr *)buf)->type, MSG_PACKET);
	memcpy(&p, buf + sizeof(struct msg_hdr), sizeof(p));
	return p.seq;
}

static void
say_answer(int i, uint32_t seq, uint8_t n_expect)
{
	struct {
		struct msg_hdr h;
		struct msg_verdict v;
	} m = {{MSG_VERDICT, 0}, {.seq = seq, .accept = 1, .n_expect = n_expect}};

	m.v.expect[0] = (struct msg_expect){REF_REPLY_SRC, REF_REPLY_DST, IPPROTO_TCP, 0, 0, 0, 0, 40000, 0, {0}};
	assert_int_equal(send(worker[i], &m, sizeof(m), 0), sizeof(m));
}

static void
answer(int i, uint32_t seq, uint8_t n_expect)
{
	say_answer(i, seq, n_expect);
	relay_worker(&relay, q, (unsigned int)i, now);
}

/* The id of the next verdict, which has an expectation or not; 0: there is none. */
static uint32_t
verdict(bool with_expectation)
{
	uint8_t buf[1024];
	ssize_t n = recv(kernel, buf, sizeof(buf), MSG_DONTWAIT);
	uint32_t hdr[2];

	if (n == -1)
		return 0;
	assert_int_equal(((struct nlmsghdr *)buf)->nlmsg_type, NFNL_SUBSYS_QUEUE << 8 | NFQNL_MSG_VERDICT);
	assert_int_equal(n > 32, with_expectation);
	memcpy(hdr, buf + 24, sizeof(hdr));
	assert_int_equal(ntohl(hdr[0]), 1);
	return ntohl(hdr[1]);
}

static void
asked_and_answered(void **state)
{
	uint32_t id = queue_packet(1), seq = question(0);

	(void)state;
	assert_int_equal(verdict(false), 0);
	answer(0, seq, 1);
	assert_int_equal(verdict(true), id);
	assert_int_equal(q->n[N_EXPECTATIONS], 1);
	assert_int_equal(relay_expire(&relay, q, now), UINT64_MAX);
}

/* In any order. */
static void
out_of_order(void **state)
{
	uint32_t id[10], seq[10];

	(void)state;
	for (int i = 0; i < 10; i++) {
		id[i] = queue_packet(1);
		seq[i] = question(0);
	}
	for (int i = 9; i >= 0; i--) {
		answer(0, seq[i], 0);
		assert_int_equal(verdict(false), id[i]);
	}
}

/* To the nanosecond; what comes later is no fault, what comes then once more is. */
static void
deadline(void **state)
{
	uint32_t id = queue_packet(1), seq = question(0), later;
	uint64_t first = now;

	(void)state;
	now += SECOND / 10;
	later = queue_packet(1);
	question(0);
	assert_int_equal(relay_expire(&relay, q, now), first + DEADLINE_NS);
	assert_int_equal(relay_expire(&relay, q, first + DEADLINE_NS - 1), first + DEADLINE_NS);
	assert_int_equal(verdict(false), 0);
	assert_int_equal(relay_expire(&relay, q, first + DEADLINE_NS), now + DEADLINE_NS);
	assert_int_equal(verdict(false), id);
	assert_int_equal(verdict(false), 0);
	answer(0, seq, 1);
	assert_int_equal(verdict(false), 0);
	assert_int_equal(q->n[N_LATE], 1);
	assert_int_equal(q->n[BREACH_SEQUENCE], 0);
	answer(0, seq, 1);
	assert_int_equal(q->n[BREACH_SEQUENCE], 1);
	assert_int_equal(relay_expire(&relay, q, UINT64_MAX - 1), UINT64_MAX);
	assert_int_equal(verdict(false), later);
	assert_int_equal(q->n[WHY_SLOW], 2);
}

/* So many times in a row, however many packets it is at once; one answer in time in between and they count anew. A late
 * one is none. */
static void
slow_worker(void **state)
{
	(void)state;
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < SLOW_MAX - 1; i++) {
			uint32_t seq;

			for (int k = 0; k < 3; k++) {
				queue_packet(1);
				seq = question(0);
			}
			now += SECOND;
			relay_expire(&relay, q, now);
			answer(0, seq, 0);
			while (verdict(false) != 0)
				;
		}
		assert_int_equal(q->serving, 0);
		queue_packet(1);
		if (round < 2)
			answer(0, question(0), 0);
	}
	now += SECOND;
	relay_expire(&relay, q, now);
	assert_int_equal(q->serving, 1);
	assert_int_equal(q->n[WHY_SLOW], 9 * (SLOW_MAX - 1) + 1);
	assert_int_equal(q->n[N_LATE], 3 * (SLOW_MAX - 1));
	assert_int_equal(q->n[BREACH_SEQUENCE], 0);
}

/* We stood still for longer than the deadline: what the worker has answered meanwhile counts. */
static void
standstill(void **state)
{
	uint32_t id[40];

	(void)state;
	for (int i = 0; i < 40; i++) {
		id[i] = queue_packet(1);
		say_answer(0, question(0), 1);
	}
	now += SECOND * 6 / 10;
	assert_int_equal(relay_expire(&relay, q, now), UINT64_MAX);
	for (int i = 0; i < 40; i++)
		assert_int_equal(verdict(true), id[i]);
	assert_int_equal(q->serving, 0);
	assert_int_equal(q->worker[0].slow, 0);
	assert_int_equal(q->n[WHY_SLOW], 0);
	/* and what it has not, once */
	for (int i = 0; i < 2 * SLOW_MAX; i++) {
		queue_packet(1);
		question(0);
	}
	now += SECOND;
	relay_expire(&relay, q, now);
	assert_int_equal(q->n[WHY_SLOW], 2 * SLOW_MAX);
	assert_int_equal(q->worker[0].slow, 1);
	assert_int_equal(q->serving, 0);
}

/* 32 packets a turn, and a worker that answers each at once: it is asked all. */
static void
flood(void **state)
{
	(void)state;
	for (int turn = 0; turn < 400; turn++) {
		for (int i = 0; i < 32; i++)
			kernel_queues(1);
		assert_true(relay_kernel(&relay, q, now));
		for (int i = 0; i < 32; i++)
			say_answer(0, question(0), 0);
		relay_worker(&relay, q, 0, now);
		for (int i = 0; i < 32; i++)
			assert_true(verdict(false) > 0);
	}
	assert_int_equal(q->n[N_ASKED], 400 * 32);
	assert_int_equal(q->n[N_ANSWERS], 400 * 32);
	assert_int_equal(q->n[WHY_BUSY], 0);
}

/* Only so many wait; the place of the oldest decides. */
static void
too_many(void **state)
{
	uint32_t seq[SLOTS], id;

	(void)state;
	for (int i = 0; i < SLOTS; i++) {
		queue_packet(1);
		seq[i] = question(0);
	}
	id = queue_packet(1);
	assert_int_equal(verdict(false), id);
	assert_int_equal(q->n[WHY_BUSY], 1);
	answer(0, seq[1], 0);
	verdict(false);
	id = queue_packet(1);
	assert_int_equal(verdict(false), id);
	answer(0, seq[0], 0);
	verdict(false);
	queue_packet(1);
	assert_int_equal(verdict(false), 0);
	assert_int_equal(question(0), seq[0] + SLOTS);
	answer(0, seq[0], 0); /* its place is another's now, so it may have been late */
	assert_int_equal(q->n[BREACH_SEQUENCE], 0);
	assert_int_equal(q->n[N_LATE], 1);
	answer(0, seq[0] - 1, 0); /* never given */
	answer(0, q->seq, 0);
	assert_int_equal(q->n[BREACH_SEQUENCE], 2);
	assert_int_equal(verdict(false), 0);
}

/* Numbers go round; those of other queues are none. */
static void
wrap(void **state)
{
	(void)state;
	q->seq = q->oldest = UINT32_MAX - 2;
	for (int i = 0; i < 6; i++) {
		uint32_t id = queue_packet(1), seq = question(0);

		assert_int_equal(seq, UINT32_MAX - 2 + (uint32_t)i);
		answer(0, seq ^ 1U << 28, 0);
		assert_int_equal(verdict(false), 0);
		answer(0, seq, 1);
		assert_int_equal(verdict(true), id);
	}
	assert_int_equal(q->n[BREACH_SEQUENCE], 6);
}

/* Eight faults, however far apart; the spare has its own count, and then nobody is left. */
static void
faults(void **state)
{
	uint32_t waiting;

	(void)state;
	for (int w = 0; w < QUEUE_WORKERS; w++) {
		uint8_t buf[64];

		for (int i = 0; i < FAULTS_MAX - 1; i++) {
			uint32_t id = queue_packet(1), seq = question(w);

			answer(w, seq, 2);
			assert_int_equal(verdict(false), id);
			queue_packet(1);
			seq = question(w);
			answer(w, seq, 1);
			assert_int_equal(verdict(true), id + 1);
			now += 1000 * SECOND;
		}
		assert_int_equal(q->serving, w);
		waiting = queue_packet(1);
		question(w);
		queue_packet(1);
		answer(w, question(w), 2);
		assert_int_equal(verdict(false), waiting + 1);
		assert_int_equal(verdict(false), waiting);
		assert_int_equal(q->serving, w + 1);
		assert_int_equal(recv(worker[w], buf, sizeof(buf), 0), 0); /* it sees its end */
		if (w == 0)
			assert_int_equal(recv(worker[1], buf, sizeof(buf), 0), sizeof(struct msg_hdr));
		if (w == 0)
			assert_int_equal(((struct msg_hdr *)buf)->type, MSG_START);
	}
	assert_int_equal(q->n[BREACH_COUNT], 2 * FAULTS_MAX);
	assert_int_equal(q->n[WHY_LOST], 2);
	waiting = queue_packet(1);
	assert_int_equal(verdict(false), waiting);
	assert_int_equal(q->n[WHY_NO_WORKER], 1);
	assert_int_equal(relay_expire(&relay, q, now), UINT64_MAX);
}

/* So many good answers make up for a fault, and late ones for none. */
static void
forgiven(void **state)
{
	(void)state;
	for (int round = 0; round < 2 * FAULTS_MAX; round++) {
		queue_packet(1);
		answer(0, question(0), 2);
		verdict(false);
		for (int i = 0; i < FORGIVE; i++) {
			queue_packet(1);
			answer(0, question(0), 0);
			verdict(false);
		}
	}
	assert_int_equal(q->serving, 0);
	assert_int_equal(q->worker[0].faults, 0);
	assert_int_equal(q->n[BREACH_COUNT], 2 * FAULTS_MAX);
	for (int i = 0; i < SLOTS; i++) {
		queue_packet(1);
		question(0);
	}
	relay_expire(&relay, q, now + SECOND);
	for (int i = 0; i < FAULTS_MAX; i++) {
		queue_packet(1);
		answer(0, q->seq - 1, 2);
		for (uint32_t k = 0; k < FORGIVE && q->serving == 0; k++)
			answer(0, q->seq - SLOTS - 1 - k, 0);
	}
	assert_int_equal(q->serving, 1);
}

/* A spare that speaks before its time, or ends, is gone, and nothing else happens; then there is none. */
static void
spare(void **state)
{
	uint32_t id = queue_packet(1), seq = question(0);

	(void)state;
	answer(1, seq, 1); /* not its phase */
	assert_int_equal(q->worker[1].wall.fd, -1);
	assert_int_equal(q->serving, 0);
	assert_int_equal(verdict(false), 0);
	answer(0, seq, 1);
	assert_int_equal(verdict(true), id);
	shutdown(worker[0], SHUT_RDWR);
	relay_worker(&relay, q, 0, now);
	assert_int_equal(q->serving, QUEUE_WORKERS);
	relay_worker(&relay, q, 0, now); /* of a descriptor that is closed already */
}

/* A flow may have flow_rate a second and twice that at once; all flows together the same by rate. */
static void
rates(void **state)
{
	unsigned int made = 0;

	(void)state;
	q->conf.flow_rate = 10;
	q->conf.rate = 15;
	for (int i = 0; i < 30; i++) {
		queue_packet(7);
		answer(0, question(0), 1);
	}
	assert_int_equal(q->n[N_EXPECTATIONS], 20);
	assert_int_equal(q->n[WHY_RATE], 10);
	for (int i = 0; i < 30; i++) {
		queue_packet(8);
		answer(0, question(0), 1);
	}
	assert_int_equal(q->n[N_EXPECTATIONS], 30); /* all of them: 15 a second */
	now += SECOND;
	for (int i = 0; i < 30; i++) {
		queue_packet(7);
		answer(0, question(0), 1);
	}
	made = (unsigned int)q->n[N_EXPECTATIONS];
	assert_int_equal(made, 40);
	queue_packet(9); /* what expects nothing costs nothing */
	answer(0, question(0), 0);
	assert_int_equal(q->n[WHY_RATE], 50);
	q->conf.rate = 0;
	now += 100 * SECOND;
	queue_packet(10);
	answer(0, question(0), 1);
	assert_int_equal(q->n[N_EXPECTATIONS], made);
	for (int i = 0; i < QUEUE_WORKERS; i++)
		assert_int_equal(q->worker[i].faults, 0);
}

/* Of ids that differ in the upper bits only, each has a rate of its own; two flows that share a place do not free each
 * other. */
static void
flow_places(void **state)
{
	const uint32_t k = 2654435761U;
	uint32_t same = 8;

	(void)state;
	q->conf.flow_rate = 1;
	for (uint32_t i = 0; i < 8; i++)
		for (int n = 0; n < 3; n++) {
			queue_packet(7 + i * FLOWS);
			answer(0, question(0), 1);
		}
	assert_int_equal(q->n[N_EXPECTATIONS], 16);
	now += 10 * SECOND;
	while (same * k / (UINT32_MAX / FLOWS + 1) != 7 * k / (UINT32_MAX / FLOWS + 1))
		same++;
	for (int n = 0; n < 20; n++) {
		queue_packet(n % 2 != 0 ? same : 7);
		answer(0, question(0), 1);
	}
	assert_int_equal(q->n[N_EXPECTATIONS], 18);
}

/* A worker that does not read: what does not fit into its channel goes on. */
static void
full_channel(void **state)
{
	unsigned int waiting = 0;
	int size = 1;

	(void)state;
	setsockopt(q->worker[0].wall.fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	for (int i = 0; i < 100; i++) {
		uint32_t id = queue_packet(1), got = verdict(false);

		assert_true(got == 0 || got == id);
		waiting += got == 0;
	}
	assert_true(waiting > 0 && waiting < 50);
	assert_int_equal(q->n[WHY_CHANNEL], 100 - waiting);
	assert_int_equal(q->n[N_ASKED], waiting);
	relay_stop(&relay, q);
	while (verdict(false) != 0)
		waiting--;
	assert_int_equal(waiting, 0);
}

/* At the end what is still in the socket goes on too. */
static void
stopped(void **state)
{
	uint32_t waits = queue_packet(1), first = 0;

	(void)state;
	for (int i = 0; i < 100; i++)
		first = kernel_queues(1) - 99;
	relay_stop(&relay, q);
	assert_int_equal(verdict(false), waits);
	for (uint32_t i = 0; i < 100; i++)
		assert_int_equal(verdict(false), first + i);
	assert_int_equal(verdict(false), 0);
	assert_int_equal(q->n[WHY_NO_WORKER], 100);
}

/* The same, when everything in its channel is too late: then it is cut off, though nothing more is asked. */
static void
full_of_late(void **state)
{
	int size = 1;

	(void)state;
	setsockopt(q->worker[0].wall.fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	for (int i = 0; i < 50; i++) {
		queue_packet(1);
		relay_expire(&relay, q, now);
	}
	assert_true(q->n[WHY_CHANNEL] > 0);
	assert_int_equal(q->worker[0].slow, 0); /* nothing is late yet */
	for (int i = 0; i < SLOW_MAX; i++) {
		assert_int_equal(q->serving, 0);
		now += SECOND;
		queue_packet(1);
		relay_expire(&relay, q, now);
	}
	assert_int_equal(q->serving, 1);
}

static void
kernel_says(int32_t err, uint32_t seq)
{
	struct {
		struct nlmsghdr h;
		struct nlmsgerr e;
	} m = {{sizeof(m), NLMSG_ERROR, 0, seq, 0}, {.error = err}};

	assert_int_equal(send(kernel, &m, sizeof(m), 0), sizeof(m));
}

static void
given_up(void)
{
	uint8_t buf[1024];

	assert_int_equal(q->netlink, -1);
	assert_int_equal(q->serving, QUEUE_WORKERS);
	for (int i = 0; i < QUEUE_WORKERS; i++) {
		assert_int_equal(recv(worker[i], buf, sizeof(buf), 0), 0); /* it sees its end */
		relay_worker(&relay, q, (unsigned int)i, now);
	}
	assert_false(relay_kernel(&relay, q, now));
	assert_int_equal(relay_expire(&relay, q, now), UINT64_MAX);
	relay_stop(&relay, q);
}

static void
kernel_answers(void **state)
{
	(void)state;
	kernel_says(0, BIND_SEQ);
	assert_false(relay_kernel(&relay, q, now));
	kernel_says(-ENOENT, 0);
	kernel_says(-EEXIST, 0);
	assert_false(relay_kernel(&relay, q, now));
	assert_int_equal(q->n[N_ERRORS], 2);
	assert_int_not_equal(q->netlink, -1);
	kernel_says(-EPERM, BIND_SEQ);
	assert_false(relay_kernel(&relay, q, now));
	given_up();
}

static void
socket_gone(void **state)
{
	(void)state;
	shutdown(kernel, SHUT_RDWR);
	assert_false(relay_kernel(&relay, q, now));
	given_up();
}

/* A bind message that cannot even be sent is as good as refused. */
static void
unsent_bind(void **state)
{
	static struct queue_handover h;
	int ends[QUEUE_WORKERS];

	(void)state;
	h.queue[1].conf = q->conf;
	pair(&ends[0], &h.queue[1].netlink);
	close(ends[0]);
	for (int i = 0; i < QUEUE_WORKERS; i++)
		pair(&ends[i], &h.queue[1].wall[i]);
	relay_start(&relay, 1, &h);
	assert_int_equal(relay.queue[1].netlink, -1);
	assert_int_equal(relay.queue[1].serving, QUEUE_WORKERS);
	assert_int_not_equal(q->netlink, -1); /* the other queue is not touched */
	queue_packet(1);
	answer(0, question(0), 1);
	assert_int_not_equal(verdict(true), 0);
	for (int i = 0; i < QUEUE_WORKERS; i++)
		close(ends[i]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(asked_and_answered, start, stop),
		cmocka_unit_test_setup_teardown(out_of_order, start, stop),
		cmocka_unit_test_setup_teardown(deadline, start, stop),
		cmocka_unit_test_setup_teardown(slow_worker, start, stop),
		cmocka_unit_test_setup_teardown(too_many, start, stop),
		cmocka_unit_test_setup_teardown(wrap, start, stop),
		cmocka_unit_test_setup_teardown(faults, start, stop),
		cmocka_unit_test_setup_teardown(spare, start, stop),
		cmocka_unit_test_setup_teardown(rates, start, stop),
		cmocka_unit_test_setup_teardown(full_channel, start, stop),
		cmocka_unit_test_setup_teardown(kernel_answers, start, stop),
		cmocka_unit_test_setup_teardown(standstill, start, stop),
		cmocka_unit_test_setup_teardown(flood, start, stop),
		cmocka_unit_test_setup_teardown(forgiven, start, stop),
		cmocka_unit_test_setup_teardown(flow_places, start, stop),
		cmocka_unit_test_setup_teardown(stopped, start, stop),
		cmocka_unit_test_setup_teardown(full_of_late, start, stop),
		cmocka_unit_test_setup_teardown(socket_gone, start, stop),
		cmocka_unit_test_setup_teardown(unsent_bind, start, stop),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

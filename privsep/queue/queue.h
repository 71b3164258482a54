/*
 * ctd-queue, the privileged end of the helpers' queues: what it holds and the parts it is made of. Packets come from
 * the kernel with anything in them, answers from workers that may be taken over; both are checked here. Time is an
 * argument, in nanoseconds of a clock that only goes forward. Nothing allocates, nothing blocks, and nothing waits for
 * a worker: a packet that cannot be asked about is accepted.
 */
#ifndef QUEUE_H
#define QUEUE_H

#include "chan.h"
#include "helper_msg.h"
#include "log.h"
#include "msg_rules.h"
#include "nlattr.h"
#include "queue_handover.h"

#define SLOTS       128                   /* packets of a queue that its worker may keep waiting */
#define FLOWS       1024                  /* flows of a queue whose rate is remembered */
#define DEADLINE_NS 500000000U            /* for an answer; later the packet is accepted */
#define FAULTS_MAX  8                     /* breaches until a worker is cut off */
#define FORGIVE     256                   /* good answers that make up for one */
#define SLOW_MAX    32                    /* times in a row that answers did not come in time, until it is */
#define IN_MAX      (MSG_DATA_MAX + 8192) /* the longest message of a queue */
#define OUT_MAX     (MSG_EDIT_MAX + 2048) /* and to the kernel */
#define BIND_SEQ    1
#define STATUS_NAT  0x30 /* source or destination is translated */

/*
 * What is counted for each queue, by the names in relay.c. Why a packet was accepted without its helper's answer:
 * MESSAGE attributes that do not parse, NO_FLOW lacking flow, state or octets, TRUNCATED by the kernel, SEGMENTS
 * several in one packet, HEADERS that do not fit packet or flow, or IPv6 extension headers, FRAGMENT, EMPTY no payload,
 * NOT_OURS another helper's flow, LONG for a message, NO_WORKER, BUSY too many wait, CHANNEL is full, SLOW no answer in
 * time, LOST the worker has ended, ANSWER breaks the policy, RATE too many expectations.
 * BREACH: what of an answer breaks the policy. SEQUENCE no such packet waits, VERDICT neither accept nor an allowed
 * drop, COUNT of expectations, FLAGS and class, PROTO not the helper's, ADDRESS no pair of this helper and direction,
 * PORT zero, below the minimum or not the one that the flow proves, NAT the listener's real port or no translation
 * possible, EDIT not allowed or outside the payload or unsorted, TEXT that is no address or port, GROWTH that the
 * kernel cannot compensate, PRIVATE data's length, TIMEOUT.
 */
/* clang-format off */
enum count {
	OK, N_PACKETS, N_ASKED, N_ANSWERS, N_LATE, N_EXPECTATIONS, N_EDITS, N_DROPS, N_TAKEOVERS, N_OVERRUNS, N_ERRORS,
	WHY_MESSAGE, WHY_NO_FLOW, WHY_TRUNCATED, WHY_SEGMENTS, WHY_HEADERS, WHY_FRAGMENT, WHY_EMPTY, WHY_NOT_OURS,
	WHY_LONG, WHY_NO_WORKER, WHY_BUSY, WHY_CHANNEL, WHY_SLOW, WHY_LOST, WHY_ANSWER, WHY_RATE, BREACH_SEQUENCE,
	BREACH_VERDICT, BREACH_COUNT, BREACH_FLAGS, BREACH_PROTO, BREACH_ADDRESS, BREACH_PORT, BREACH_NAT, BREACH_EDIT,
	BREACH_TEXT, BREACH_GROWTH, BREACH_PRIVATE, BREACH_TIMEOUT, COUNTS
};
/* clang-format on */

struct packet {
	uint32_t id, l4; /* the kernel's, for the verdict; offset of the TCP or UDP header */
	bool has_id;     /* without it there is nothing to answer */
	uint16_t zone;
	struct msg_packet facts; /* what the helper is told */
	char helper[16];         /* that the flow has */
	const uint8_t *data;     /* facts.len octets from the IP header on; borrowed */
};

/* A message to the kernel in the making. bad: it did not fit, and must not be sent. */
struct out {
	uint8_t bytes[OUT_MAX] __attribute__((aligned(8)));
	size_t len;
	bool bad;
};

struct slot {
	enum { SLOT_IDLE, SLOT_WAITING, SLOT_LATE } state;
	uint64_t deadline;
	struct packet packet;
	uint8_t data[MSG_EDIT_MAX]; /* packet.data points here, or is NULL when the packet is longer */
};

struct queue {
	struct queue_conf conf;
	int netlink; /* -1: given up */
	struct {
		struct chan wall; /* fd -1: none, or cut off */
		enum phase phase;
		unsigned int faults, slow, good;
	} worker[QUEUE_WORKERS]; /* in the order in which they serve */
	unsigned int serving;    /* QUEUE_WORKERS: nobody, everything is accepted */
	uint32_t seq, oldest;    /* next to give; nothing before oldest waits */
	struct slot slot[SLOTS]; /* by seq */
	/* n_channel: of n[WHY_CHANNEL] at the last turn; the others: for expectations, as the rates allow; of flows by
	 * the upper bits of the multiplied id, which depend on all of it */
	uint64_t n[COUNTS], n_channel, paid_until, flow_paid_until[FLOWS];
};

struct relay {
	struct log log;
	unsigned int n_queues;
	struct queue queue[MSG_HELPERS_MAX];
	struct out out;
	uint8_t in[IN_MAX];
};

/* packet.c: the attributes of a message of that family. OK or the reason to accept the packet unseen. */
enum count packet_read(struct rd attrs, uint8_t family, struct packet *p);

/* policy.c: what a helper may answer. OK or the first breach. v is of the right length, and nothing else is known of
 * it; p->data is NULL when the packet is longer than MSG_EDIT_MAX. seq is not looked at. */
enum count policy_judge(const struct queue_conf *c, const struct packet *p, const struct msg_verdict *v);
/* Of an expectation that passed: whether the expected flow runs as the master's replies; -1: no translation. */
int policy_nat_direction(const struct queue_conf *c, const struct packet *p, const struct msg_expect *e);
int policy_growth(const struct msg_verdict *v); /* octets that the edits add */
const char *helper_name(uint8_t kind);          /* as registered */

/* verdict.c: messages to the kernel, byte by byte, of answers that passed the policy. The kernel checks next to nothing
 * here: an expectation without mask crashes it, a rewritten packet is sent on as it is. */
void verdict_plain(struct out *o, uint16_t queue, uint32_t id, bool accept);
/* With private data, timeout, the last expectation and the edited packet. */
void verdict_full(struct out *o, const struct queue_conf *c, const struct packet *p, const struct msg_verdict *v);
/* A request of its own for an expectation, whose flow is in the table. */
void verdict_expect(struct out *o, const struct queue_conf *c, const struct packet *p, const struct msg_expect *e);
/* Binds and configures in one message: between two the kernel would drop packets. Acknowledged as BIND_SEQ. */
void verdict_bind(struct out *o, const struct queue_conf *c);

/* relay.c */
/* Takes queue i over from h, binds it and tells its first worker to start. A queue that cannot be bound, then or when
 * the kernel says so, or whose socket is gone later, is logged and given up: closed, with its workers. */
void relay_start(struct relay *r, unsigned int i, const struct queue_handover *h);
/* The netlink socket is readable: some messages are taken. Whether there may be more. */
bool relay_kernel(struct relay *r, struct queue *q, uint64_t now);
/* The wall of worker i is readable, or closed: as many messages are taken as packets may wait. To be called before
 * relay_kernel(), which asks more. */
void relay_worker(struct relay *r, struct queue *q, unsigned int i, uint64_t now);
/* Accepts what waited too long, after the answers that are there. When to be called again; UINT64_MAX: no need. */
uint64_t relay_expire(struct relay *r, struct queue *q, uint64_t now);
/* Accepts everything that waits, for workers and in the netlink socket. */
void relay_stop(struct relay *r, struct queue *q);
void relay_log_counters(struct relay *r, const struct queue *q);

#endif

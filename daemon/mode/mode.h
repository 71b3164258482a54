/*
 * A replication mode: which changes become messages, in what order, and what received sequence numbers and control
 * messages mean. Works on cache slots and message headers only: encoding and sockets are the sync role's, time is an
 * argument (milliseconds, monotonic). Headers come from the network and are not trusted.
 */
#ifndef MODE_H
#define MODE_H

#include "conf.h"
#include "slotq.h"
#include "speech.h"
#include "wire.h"

/* What the mode tells its owner; all are hints for work that the owner does later, in one go. */
enum mode_event {
	MODE_PEER_NEW = 1,        /* a peer was heard for the first time or has restarted: it knows nothing */
	MODE_PEER_KNOWS_US = 2,   /* our start was confirmed: recovery of losses works from now on */
	MODE_RESYNC_ASKED = 4,    /* the peer wants everything */
	MODE_STATE_LOST = 8,      /* the peer missed messages that we no longer hold */
	MODE_PEER_LOST_OURS = 16, /* we missed messages that the peer can no longer repeat: ask for everything */
};

struct mode_env {
	void *arg;
	const struct tables *tables; /* internal caches */
	void (*event)(void *arg, enum mode_event e);
	/* A dead entry has left the queues: its deletion is known to the peer or given up. */
	void (*unqueued)(void *arg, enum slot_kind kind, uint32_t slot);
};

/* The next message to send. */
enum item_kind { ITEM_FLOW, ITEM_EXPECT, ITEM_CONTROL };
struct mode_item {
	enum item_kind kind;
	uint32_t slot; /* flows, expectations: encode its content of now, type by its change */
	uint8_t flags;
	uint32_t seq, from, to;
};

/* Of all peers together. in_sync: of every one that lives. */
struct mode_stats {
	uint64_t lost, before, malformed, bad_type;
	uint64_t overflows; /* entries dropped because the resend queue was full */
	uint32_t tx_len, rs_len;
	uint32_t unacked; /* state messages sent and not acknowledged */
	bool peer_known, in_sync;
	uint64_t heard; /* time of the last acceptable message, 0: never */
};

/* Peers are told apart by small numbers, which the owner gives (by source address: links.h). */
#define MODE_PEERS   16
#define MODE_LIVE_MS 10000 /* a peer that was silent so long is not waited for */

/* known: it has said something that is of use here; in_sync: it is known, hears us, and speaks as we do; speaks: enum
 * speaks; heard: 0: never */
struct mode_peer {
	bool known, in_sync;
	uint8_t speaks;
	uint64_t heard, lost, before;
};

struct mode;
struct mode_ops {
	void (*free)(struct mode *m);
	/* The entry changed and is to be sent. */
	void (*change)(struct mode *m, enum slot_kind kind, uint32_t slot);
	/* The entry is about to leave the cache for other reasons (flush): take it out of the queues. */
	void (*forget)(struct mode *m, enum slot_kind kind, uint32_t slot);
	/* Judges a header received from a peer, < MODE_PEERS: true when the message is state to be decoded. */
	bool (*recv)(struct mode *m, unsigned int peer, const struct wire_head *h, uint64_t now);
	/* The number will be another peer's. */
	void (*forget_peer)(struct mode *m, unsigned int peer);
	/* The next message to send, which the owner will send; false: none now. */
	bool (*next)(struct mode *m, struct mode_item *it, uint64_t now);
	/* Time has passed; returns when to call again. */
	uint64_t (*tick)(struct mode *m, uint64_t now);
	/* Asks the peers for everything they have. */
	void (*ask)(struct mode *m);
	/* State may be sent: peers are ready for it. */
	bool (*ready)(const struct mode *m, uint64_t now);
	/* How many more state messages the peer can take now without being flooded. */
	uint32_t (*credit)(struct mode *m, uint64_t now);
	void (*stats)(const struct mode *m, struct mode_stats *s, uint64_t now);
	void (*peer)(const struct mode *m, unsigned int peer, struct mode_peer *p, uint64_t now);
	/* Who acknowledges so has just received what we sent: nobody else can know our numbers. */
	bool (*acknowledges)(const struct mode *m, const struct wire_head *h);
	/* The i-th control message waiting for acknowledgement (entries waiting have queue QUEUE_RS). False: no more.
	 */
	bool (*waiting)(struct mode *m, uint32_t i, struct mode_item *it);
	/* Modes without repetition: the number of a message that its owner sends at once, past the queue. NULL
	 * elsewhere. */
	uint32_t (*direct)(struct mode *m, uint64_t now);
	bool bulk; /* peers ask for everything, and get it */
};
struct mode {
	const struct mode_ops *ops;
};

/* first_seq: the number of the first message; 1.4.x uses the time of day in seconds. FT-FW: one that nobody can guess:
 * it proves acknowledgements, and keeps those for other nodes of a group apart from ours. NULL: no memory. */
struct mode *ftfw_new(const struct conf *conf, const struct mode_env *env, uint32_t first_seq, uint64_t now);
struct mode *notrack_new(const struct conf *conf, const struct mode_env *env, uint32_t first_seq, uint64_t now);
struct mode *alarm_new(const struct conf *conf, const struct mode_env *env, uint32_t first_seq, uint64_t now);

/* Sequence arithmetic modulo 2^32. */
static inline bool
seq_before(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) < 0;
}

#endif

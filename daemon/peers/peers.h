/*
 * The other firewalls: links, their sockets, datagrams in and out. What the mode has to send goes out, what comes in
 * goes to the applier, and everything is sent and asked for when that is needed.
 */
#ifndef PEERS_H
#define PEERS_H

#include "applier.h"
#include "bulk.h"
#include "link.h"
#include "loop.h"
#include "msg_rules.h"
#include "notice.h"

struct peers_env {
	void *arg;
	/* Something can be read. False: it is not ours to take any more, nor may the peers hear another word. */
	bool (*serving)(void *arg);
	/* The sockets of link i are wanted; answered by peers_channel() or peers_channel_failed(). */
	void (*open_link)(void *arg, unsigned int i);
	/* See mode.h: a dead entry of the internal cache needs no more sending. */
	void (*unqueued)(void *arg, enum slot_kind kind, uint32_t slot);
	/* See bulk.h. */
	bool (*complete)(void *arg);
	void (*announce)(void *arg, enum slot_kind kind, uint32_t slot);
	void (*read_kernel)(void *arg);
};

/* What it works with; all of it stays the owner's. */
struct peers_parts {
	struct log *log;
	struct loop *loop;
	const struct clock *clock;
	const struct conf *conf;
	const struct tables *internal;
	struct applier apply;
};

struct peers_stats {
	uint64_t malformed[WIRE_ERRORS], unknown_attrs;
	uint64_t unsendable; /* messages that could not be built, or that no link took */
	uint64_t uncarried;  /* of peers_direct: the protocol has no words for them */
	uint64_t resyncs_sent, resyncs_served;
};

struct peers;
/* -ENOMEM */
int peers_new(struct peers **p, const struct peers_parts *parts, const struct peers_env *env);
void peers_free(struct peers *p); /* NULL is fine */
/* Asks for the links' sockets. */
void peers_start(struct peers *p);
struct mode *peers_mode(const struct peers *p);

/* Messages of the parent about link m->arg; the first one's descriptors are taken. */
void peers_channel(struct peers *p, const struct msg *m);
void peers_channel_failed(struct peers *p, const struct msg *m);

/* One datagram of a peer (mode.h). True: in it was a message of the protocol. */
bool peers_datagram(struct peers *p, unsigned int peer, const uint8_t *data, size_t len);
/* Without internal cache: one message past the queue. f or e is NULL. */
void peers_direct(struct peers *p, enum entry_change change, const struct flow *f, const struct expect *e);
void peers_bulk(struct peers *p, enum bulk_why why); /* everything to the peers */
void peers_ask(struct peers *p, bool by_operator);   /* and from them */
/* Once a turn. */
void peers_turn(struct peers *p);
uint64_t peers_due(const struct peers *p);

void peers_stats(const struct peers *p, struct peers_stats *st);
const struct links *peers_links(const struct peers *p);
enum odds peers_odds(const struct peers *p, unsigned int peer); /* see notice.h */

#endif

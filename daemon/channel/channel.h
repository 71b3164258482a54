/*
 * One dedicated link to the peers: messages go into datagrams, datagrams come out. The sockets are opened, bound and
 * connected by the parent; nothing here can name an address. What arrives may come from anyone who reaches the port:
 * the source is handed out with it, to be judged (senders.h).
 */
#ifndef CHANNEL_H
#define CHANNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "figures.h"
#include "setup.h"

#define CHANNEL_MSG_MAX 1536 /* longest single message */

struct channel_conf {
	const struct msg_link *link;
	uint32_t mtu;
};

/* Who sent a datagram. family 0: the socket does not say. */
struct channel_from {
	uint8_t family;
	uint8_t addr[16]; /* network order */
	uint16_t port;    /* host order */
};

/* False: not taken, and not counted as received. */
typedef bool (*channel_rx)(void *arg, const struct channel_from *from, const uint8_t *data, size_t len);

struct channel;
/* What a kind of link does. */
struct channel_ops {
	uint8_t *(*room)(struct channel *c);
	void (*add)(struct channel *c, size_t len);
	int (*flush)(struct channel *c);
	int (*recv)(struct channel *c, unsigned int max, channel_rx fn, void *arg);
	size_t (*move)(struct channel *c, struct channel *to);
	void (*free)(struct channel *c);
};
struct channel {
	const struct channel_ops *ops;
	struct fig_link stats;
	int send_error; /* -errno of the last datagram that could not be sent, or that nobody took; 0: none yet */
	/* Owned. What the peer sends from the link's port comes in on tx, which is connected to that, the rest on rx.
	 */
	int rx, tx;
};

/* UDP and multicast. Takes over both descriptors (also on failure). NULL: no memory, or an MTU nothing fits in. */
struct channel *udp_new(const struct channel_conf *conf, int rx, int tx);

/* CHANNEL_MSG_MAX octets to build the next message in; NULL while the link does not take more. */
static inline uint8_t *
channel_room(struct channel *c)
{
	return c->ops->room(c);
}

/* The message built in channel_room() has len octets; a full datagram goes to the socket by itself. */
static inline void
channel_add(struct channel *c, size_t len)
{
	c->ops->add(c, len);
}

/* Sends what was added. 0, or -EAGAIN: the rest waits for the tx descriptor to become writable. */
static inline int
channel_flush(struct channel *c)
{
	return c->ops->flush(c);
}

/* Hands at most max waiting datagrams of either socket to fn. How many there were. */
static inline int
channel_recv(struct channel *c, unsigned int max, channel_rx fn, void *arg)
{
	return c->ops->recv(c, max, fn, arg);
}

/* What this link could not send goes to another one. Octets moved. */
static inline size_t
channel_move(struct channel *c, struct channel *to)
{
	return c->ops->move(c, to);
}

static inline void
channel_free(struct channel *c)
{
	if (c != NULL)
		c->ops->free(c);
}

#endif

/*
 * The dedicated links together: all receive, one sends. Watches the state of their devices, changes the sending link
 * when its device goes down or when the peer is heard on another one, and asks for new sockets when a device is back
 * under another index. Used by the sync role.
 */
#ifndef LINK_H
#define LINK_H

#include "senders.h"

enum link_status { LINK_DOWN, LINK_NO_CARRIER, LINK_RUNNING };

struct link {
	const struct msg_link *conf;
	struct channel *channel; /* NULL until the parent opened it */
	uint32_t ifindex;
	uint8_t status; /* enum link_status */
	bool reopen;
	struct fig_link past;       /* of channels that were replaced */
	uint64_t refused;           /* datagrams */
	uint64_t failed, failed_at; /* datagrams that could not be sent or that nobody took, as last looked at; when
				     * there were more, 0: never */
	/* The last message of the protocol on it; heard 0: none. */
	uint64_t heard;
	unsigned int peer;
};

/* What the links need from their owner. */
struct links_env {
	void *arg;
	void (*opened)(void *arg, unsigned int i);        /* link i has a new channel */
	void (*closing)(void *arg, unsigned int i);       /* its descriptors are about to be closed */
	void (*dedicated)(void *arg, const char *ifname); /* the sending link changed; NULL: there is none */
	enum link_status (*probe)(void *arg, const struct link *l, uint32_t *ifindex);
	/* A datagram of a peer; true: in it was a message of the protocol. */
	bool (*datagram)(void *arg, unsigned int peer, const uint8_t *data, size_t len);
	/* See senders.h. */
	int (*proves)(void *arg, const uint8_t *data, size_t len);
	void (*forget_peer)(void *arg, unsigned int peer);
};

struct links {
	struct links_env env;
	struct link link[MSG_LINKS_MAX];
	struct senders senders;
	unsigned int n, active;
	bool usable; /* the active link's device can send */
	bool none;   /* that there is none was the last thing said */
};

void links_init(struct links *ls, const struct conf *conf, const struct links_env *env);
void links_clear(struct links *ls);
/* Link i has new sockets, which are taken over. 0, -EINVAL, -ENOMEM (or an MTU too small for any message), -ENODEV
 * (still those of a device that is gone). */
int links_open(struct links *ls, unsigned int i, const struct msg_channel *mc, int rx, int tx);
/* Looks at the devices; to be called a few times a second. */
void links_poll(struct links *ls, uint64_t now);
/* Takes at most max datagrams from the sockets of link i, hands on those of peers, and sends where the peer sends.
 * How many there were. */
unsigned int links_recv(struct links *ls, unsigned int i, unsigned int max, uint64_t now);
/* The same for one datagram that has already been read. True: it was taken. */
bool links_datagram(struct links *ls, unsigned int i, const struct channel_from *from, const uint8_t *data, size_t len,
		    uint64_t now);
/* Link i leads to a peer that speaks, but another one is being sent to: unicast links serve one at a time. */
bool links_unserved(const struct links *ls, unsigned int i, uint64_t now);
/* Where to send; NULL while there is no usable link. */
struct channel *links_active(const struct links *ls);
struct fig_link links_stats(const struct links *ls, unsigned int i);

/* probe of the real thing: asks the kernel by ioctl on the link's own socket, which lives in the parent's network. */
enum link_status link_probe(void *arg, const struct link *l, uint32_t *ifindex);

#endif

/*
 * The dedicated links together: all receive, one sends. Watches the state of their devices, changes the sending link
 * when its device goes down or when the peer is heard on another one, and asks for new sockets when a device is back
 * under another index. Used by the sync role.
 */
#ifndef LINK_H
#define LINK_H

#include "channel.h"
#include "conf.h"

enum link_status { LINK_DOWN, LINK_NO_CARRIER, LINK_RUNNING };

struct link {
	const struct msg_link *conf;
	struct channel *channel; /* NULL until the parent opened it */
	uint32_t ifindex;
	uint8_t status; /* enum link_status */
	bool any_source, reopen;
	struct channel_stats past; /* of channels that were replaced */
};

/* What the links need from their owner. */
struct links_env {
	void *arg;
	void (*opened)(void *arg, unsigned int i);        /* link i has a new channel */
	void (*closing)(void *arg, unsigned int i);       /* its descriptors are about to be closed */
	void (*dedicated)(void *arg, const char *ifname); /* the sending link changed; NULL: there is none */
	enum link_status (*probe)(void *arg, const struct link *l, uint32_t *ifindex);
};

struct links {
	struct links_env env;
	struct link link[MSG_LINKS_MAX];
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
void links_poll(struct links *ls);
/* A valid message came in on link i: the peer sends there, so do we. */
void links_heard(struct links *ls, unsigned int i);
/* Where to send; NULL while there is no usable link. */
struct channel *links_active(const struct links *ls);
struct channel_stats links_stats(const struct links *ls, unsigned int i);

/* probe of the real thing: asks the kernel by ioctl on the link's own socket, which lives in the parent's network. */
enum link_status link_probe(void *arg, const struct link *l, uint32_t *ifindex);

#endif

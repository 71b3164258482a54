/*
 * nfnetlink conversations behind a seam: dumps, single requests, and batches whose errors are matched by sequence
 * number. The seam is two verbs, so tests can answer with whatever a kernel, or something worse, might say.
 */
#ifndef NL_H
#define NL_H

#include <linux/netlink.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define NL_RECV_SIZE (64 * 1024) /* Linux fills up to 32 KiB per dump read */
#define NL_MSG_MAX   2048        /* largest request of ours */
#define NL_BATCH_MAX 512         /* requests per batch, at most */

struct nl_ops {
	/* Sends one datagram; -errno. */
	ssize_t (*send)(void *ctx, const void *data, size_t len);
	/* Receives one datagram of at most size bytes and returns its full length, even when it did not fit; -errno. */
	ssize_t (*recv)(void *ctx, void *data, size_t size, bool block);
};

struct nl {
	const struct nl_ops *ops;
	void *ctx;
	int fd;
	uint32_t seq;     /* of the next request */
	bool interrupted; /* the last dump was inconsistent (NLM_F_DUMP_INTR) */
	bool delivered;   /* the last conversation handed out a message */
	unsigned window;  /* answers that fit the receive buffer */
	uint8_t *in;      /* NL_RECV_SIZE bytes */
};

/* One message of an answer; a negative return ends the conversation with that error. */
typedef int (*nl_msg_fn)(void *arg, const struct nlmsghdr *nlh);

/* A netlink socket subscribed to groups, as a bit mask (0: for requests). -errno. */
int nl_open(struct nl *nl, uint32_t groups);
/* The same over a seam. -ENOMEM. */
int nl_open_ops(struct nl *nl, const struct nl_ops *ops, void *ctx);
void nl_close(struct nl *nl);

/* Asks for a receive buffer, beyond the system limit when allowed; returns the size the kernel reports. */
int nl_set_buffer(struct nl *nl, int bytes);

/* Puts an nfnetlink header into buf (NL_MSG_MAX bytes). type is subsystem << 8 | message. */
struct nlmsghdr *nl_request(void *buf, uint16_t type, uint16_t flags, uint8_t family);

/* Sends a dump request and hands every entry to fn. nl->interrupted tells whether it may be incomplete. */
int nl_dump(struct nl *nl, struct nlmsghdr *req, nl_msg_fn fn, void *arg);

/* Sends a request and waits for its acknowledgement; fn (may be NULL) sees messages that come before it. */
int nl_talk(struct nl *nl, struct nlmsghdr *req, nl_msg_fn fn, void *arg);

/* Receives one datagram of events and hands each message to fn. -EAGAIN when there is none and block is false. */
int nl_events(struct nl *nl, bool block, nl_msg_fn fn, void *arg);

/* Requests collected for one send. */
struct nl_batch {
	struct nl *nl;
	uint8_t *buf;
	size_t len;
	unsigned count, max;
};

struct nl_batch_ops {
	/* Request nth of the batch (from 0) was refused with err (positive errno). */
	void (*refused)(void *arg, unsigned nth, int err);
	/* A message that answers request nth; may be NULL. */
	int (*answer)(void *arg, unsigned nth, const struct nlmsghdr *nlh);
};

/* max: at most that many requests, cut to what the receive buffer can hold answers for. -ENOMEM. */
int nl_batch_init(struct nl_batch *b, struct nl *nl, unsigned max);
void nl_batch_done(struct nl_batch *b);

/* Where the next request (NL_MSG_MAX bytes at most) is built; not in the batch before nl_batch_add(). */
void *nl_batch_room(struct nl_batch *b);
/* Adds the request built there; it is request count - 1 afterwards. */
void nl_batch_add(struct nl_batch *b);
static inline bool
nl_batch_full(const struct nl_batch *b)
{
	return b->count >= b->max;
}

/* Sends everything, waits until all of it is answered, and empties the batch. Errors of single requests go to
 * ops->refused; the return value is about the conversation itself. */
int nl_batch_flush(struct nl_batch *b, const struct nl_batch_ops *ops, void *arg);

#endif

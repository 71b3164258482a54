/*
 * Serving side of ctl_msg.h: connections, requests cut from bytes, who may ask what, answers in slices, deadlines.
 * What a verb does is the owner's (the sync role): it fills frames and never waits. A client may send anything, slowly,
 * and read nothing: it costs one of a bounded number of places and bounded memory, for a bounded time. Who stands still
 * leaves when others wait for a place; half of the places are for those who may act.
 */
#ifndef CTL_H
#define CTL_H

#include "ctl_msg.h"
#include "log.h"
#include "loop.h"

#define CTL_CLIENTS_MAX 32
#define CTL_READERS_MAX 16    /* of those, clients that may only read */
#define CTL_READERS_UID 4     /* of those, of one user */
#define CTL_REQUEST_MS  5000  /* for the whole request */
#define CTL_PROGRESS_MS 30000 /* an answer must move on in this time */
#define CTL_STALL_MS    2000  /* and in this, when others want the place */

struct ctl;
struct ctl_client {
	struct ctl_request req;
	struct msg_client who;
	/* the verb's own notes */
	bool streaming; /* call more() whenever there is room */
	bool waiting;   /* the answer depends on something that is going on */
	uint32_t step;
	uint32_t pos;
	void *priv; /* struct conn of ctl.c */
};

struct ctl_ops {
	void (*begin)(void *arg, struct ctl_client *c);
	void (*more)(void *arg, struct ctl_client *c);
	void (*gone)(void *arg, struct ctl_client *c); /* the client left before its answer was complete */
	/* The client lost its place to another; idle: for so many milliseconds it had taken nothing. */
	void (*displaced)(void *arg, const struct msg_client *who, uint64_t idle);
};

struct ctl *ctl_new(struct loop *loop, const struct ctl_ops *ops, void *arg); /* NULL: no memory */
void ctl_free(struct ctl *t);
/* Takes fd over. -EUSERS: too many clients (it was told, and closed). */
int ctl_accept(struct ctl *t, int fd, const struct msg_client *who);
/* Once a turn: lets streaming answers go on, drops clients that are late. Returns when to call again (loop_now()). */
uint64_t ctl_turn(struct ctl *t);
const struct fig_local *ctl_counts(const struct ctl *t);
/* Calls fn for every client that waits. */
void ctl_each_waiting(struct ctl *t, void (*fn)(void *arg, struct ctl_client *c), void *arg);

/* Octets that a frame's payload may have now: 0 or CTL_PAYLOAD_MAX. */
size_t ctl_room(const struct ctl_client *c);
/* Where to build a payload of at most ctl_room() octets, and saying how many there are. */
uint8_t *ctl_payload(struct ctl_client *c);
void ctl_put(struct ctl_client *c, enum ctl_record type, size_t len);
/* Small frames always fit. */
void ctl_answer(struct ctl_client *c, enum ctl_record type, const void *data, size_t len);
void ctl_done(struct ctl_client *c);
void ctl_fail(struct ctl_client *c, enum ctl_why why, int err, const char *text);

#endif

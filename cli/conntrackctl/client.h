/*
 * One request to the daemon and the frames of its answer. The daemon is not trusted: every frame's type and length is
 * checked before anybody sees it, and silence has a limit.
 */
#ifndef CLIENT_H
#define CLIENT_H

#include "buf.h"
#include "ctl_msg.h"

struct client;

/* Connects. silence: milliseconds that may pass without a byte from the daemon, -1: any. NULL: *err is -errno. */
struct client *client_new(const char *path, int silence, int *err);
/* Takes over a connected stream socket. NULL: no memory; the caller then still owns fd. */
struct client *client_from(int fd, int silence);
void client_free(struct client *c); /* NULL is fine */

/* A descriptor that becomes readable when the daemon's process has ended; negative: it cannot be watched from here. */
int client_daemon(const struct client *c);

/* -ETIMEDOUT or -errno of sending. */
int client_ask(struct client *c, const struct ctl_request *q);
/* Next frame; *payload is borrowed until the next call. -ETIMEDOUT, -EPIPE (closed at the edge of a frame),
 * -ECONNRESET (in the middle of one), -EBADMSG (no frame of this protocol), -errno of receiving. */
int client_next(struct client *c, struct ctl_frame *f, const uint8_t **payload);

/* After client_next() failed: the daemon is that of conntrack-tools 1.4.x. */
bool client_is_old(const struct client *c);
/* Next piece of its answer; *text is borrowed until the next call. -EPIPE at the end. */
int client_text(struct client *c, const uint8_t **text, size_t *len);

/* A flow of a CTL_R_FLOW frame, copied and checked; flow.side is NULL or &side. */
struct flow_rec {
	uint32_t age, updated, expires;
	struct flow flow;
	struct flow_side side;
};
/* Next flow of a payload: 1, 0 at the end, -EBADMSG. */
int client_flow(struct rd *r, struct flow_rec *rec);
/* Next expectation, strings terminated: 1, 0 at the end, -EBADMSG. */
int client_expect(struct rd *r, struct ctl_expect *e);

#endif

/*
 * The client's end of the control socket.
 */
#include "client.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#define ROOM (4 * (sizeof(struct ctl_frame) + CTL_PAYLOAD_MAX))

struct client {
	int fd, silence;
	bool framed, reset; /* a frame was handed out; the daemon left without reading all that we had said */
	size_t at, have;    /* what is not yet handed out: buf[at .. have) */
	uint8_t buf[ROOM];
};

int
client_daemon(const struct client *c)
{
	struct ucred who;
	socklen_t len = sizeof(who);

	if (getsockopt(c->fd, SOL_SOCKET, SO_PEERCRED, &who, &len) == -1)
		return -errno;
	return (int)syscall(SYS_pidfd_open, who.pid, 0);
}

/* Exact length of a frame's payload, or the size of the records it is a row of; 0: free (checked record by record). */
static const struct {
	uint32_t len;
	bool row;
} shape[] = {
	[CTL_R_STATS] = {sizeof(struct ctl_stats), false},   [CTL_R_FLOW] = {8, true},
	[CTL_R_EXPECT] = {sizeof(struct ctl_expect), true},  [CTL_R_RSQUEUE] = {sizeof(struct ctl_rsq), true},
	[CTL_R_COMMIT] = {sizeof(struct ctl_commit), false}, [CTL_DONE] = {0, false},
	[CTL_FAIL] = {sizeof(struct ctl_fail), false},
};

static int
wait_for(const struct client *c, short events)
{
	struct pollfd p = {c->fd, events, 0};
	int n;

	do
		n = poll(&p, 1, c->silence);
	while (n == -1 && errno == EINTR);
	return n > 0 ? 0 : n == 0 ? -ETIMEDOUT : -errno;
}

struct client *
client_from(int fd, int silence)
{
	struct client *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return NULL;
	c->fd = fd;
	c->silence = silence;
	return c;
}

/* A full backlog makes connect() wait; SO_SNDTIMEO bounds that. */
static int
connect_to(const char *path, int silence)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	struct timeval tv = {silence / 1000, silence % 1000 * 1000};
	int fd, r;

	if (strlen(path) >= sizeof(sa.sun_path))
		return -ENAMETOOLONG;
	memcpy(sa.sun_path, path, strlen(path) + 1);
	if ((fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) == -1)
		return -errno;
	if (silence >= 0)
		setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
	if (connect(fd, (const struct sockaddr *)&sa, sizeof(sa)) == 0)
		return fd;
	r = errno == EAGAIN ? -ETIMEDOUT : -errno;
	close(fd);
	return r;
}

struct client *
client_new(const char *path, int silence, int *err)
{
	int fd = connect_to(path, silence);
	struct client *c = NULL;

	if (fd < 0) {
		*err = fd;
		return NULL;
	}
	if ((c = client_from(fd, silence)) == NULL) {
		close(fd);
		*err = -ENOMEM;
	}
	return c;
}

void
client_free(struct client *c)
{
	if (c != NULL)
		close(c->fd);
	free(c);
}

int
client_ask(struct client *c, const struct ctl_request *q)
{
	const uint8_t *p = (const uint8_t *)q;
	size_t left = sizeof(*q);
	ssize_t n;
	int r;

	while (left > 0) {
		if ((r = wait_for(c, POLLOUT)) < 0)
			return r;
		n = send(c->fd, p, left, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n == -1 && errno != EAGAIN && errno != EINTR)
			return -errno;
		p += n > 0 ? n : 0;
		left -= n > 0 ? (size_t)n : 0;
	}
	return 0;
}

/* Makes sure that n octets (at most ROOM) wait at c->at. -EPIPE: closed before the first of them. */
static int
fill(struct client *c, size_t n)
{
	ssize_t got;
	int r;

	if (c->at + n > ROOM) {
		memmove(c->buf, c->buf + c->at, c->have - c->at);
		c->have -= c->at;
		c->at = 0;
	}
	while (c->have - c->at < n) {
		if ((r = wait_for(c, POLLIN)) < 0)
			return r;
		got = recv(c->fd, c->buf + c->have, ROOM - c->have, MSG_DONTWAIT);
		if (got == 0)
			return c->have == c->at ? -EPIPE : -ECONNRESET;
		if (got == -1 && errno == ECONNRESET) {
			c->reset = true;
			return c->have == c->at ? -EPIPE : -ECONNRESET;
		}
		if (got == -1 && errno != EAGAIN && errno != EINTR)
			return -errno;
		c->have += got > 0 ? (size_t)got : 0;
	}
	return 0;
}

static bool
frame_ok(const struct ctl_frame *f)
{
	if (f->type == CTL_R_NONE || f->type >= CTL_R_MAX || f->len > CTL_PAYLOAD_MAX)
		return false;
	return shape[f->type].row ? f->len % shape[f->type].len == 0 : f->len == shape[f->type].len;
}

int
client_next(struct client *c, struct ctl_frame *f, const uint8_t **payload)
{
	int r;

	if (c->at == c->have)
		c->at = c->have = 0;
	if ((r = fill(c, sizeof(*f))) < 0)
		return r;
	memcpy(f, c->buf + c->at, sizeof(*f));
	if (!frame_ok(f))
		return -EBADMSG;
	if ((r = fill(c, sizeof(*f) + f->len)) < 0)
		return r;
	c->framed = true;
	*payload = c->buf + c->at + sizeof(*f);
	c->at += sizeof(*f) + f->len;
	return 0;
}

/* It reads four octets of a request and answers, if at all, with text. */
bool
client_is_old(const struct client *c)
{
	if (c->framed)
		return false;
	return c->have > 0 ? c->buf[0] >= ' ' && c->buf[0] < 0x7f : c->reset;
}

int
client_text(struct client *c, const uint8_t **text, size_t *len)
{
	int r;

	if (c->at == c->have) {
		c->at = c->have = 0;
		if ((r = fill(c, 1)) < 0)
			return r;
	}
	*text = c->buf + c->at;
	*len = c->have - c->at;
	c->at = c->have;
	return 0;
}

/* The part of a record behind its head: the flow, and the side block if it says so. */
static int
flow_body(struct rd r, struct flow_rec *rec)
{
	struct flow *f = &rec->flow;

	memset(f, 0, sizeof(*f));
	rd_copy(&r, f, offsetof(struct flow, addr));
	f->side = NULL;
	if (f->l3 != AF_INET && f->l3 != AF_INET6)
		return -EBADMSG;
	rd_copy(&r, f->addr, sizeof(uint32_t) * 4 * flow_words(f));
	if (f->have & FLOW_SIDE) {
		rd_copy(&r, &rec->side, sizeof(rec->side));
		rec->side.helper[sizeof(rec->side.helper) - 1] = '\0';
		f->side = &rec->side;
	}
	return r.bad || rd_left(&r) >= 8 ? -EBADMSG : 1;
}

int
client_flow(struct rd *r, struct flow_rec *rec)
{
	struct ctl_flow head;
	struct rd body;

	if (rd_left(r) == 0)
		return 0;
	rd_copy(r, &head, sizeof(head));
	if (r->bad || head.len % 8 != 0 || head.len < sizeof(head))
		return -EBADMSG;
	body = rd_sub(r, head.len - sizeof(head));
	if (body.bad)
		return -EBADMSG;
	rec->age = head.age;
	rec->updated = head.updated;
	rec->expires = head.expires;
	return flow_body(body, rec);
}

int
client_expect(struct rd *r, struct ctl_expect *e)
{
	if (rd_left(r) == 0)
		return 0;
	rd_copy(r, e, sizeof(*e));
	e->expect.helper[sizeof(e->expect.helper) - 1] = '\0';
	e->expect.fn[sizeof(e->expect.fn) - 1] = '\0';
	return r->bad || (e->expect.l3 != AF_INET && e->expect.l3 != AF_INET6) ? -EBADMSG : 1;
}

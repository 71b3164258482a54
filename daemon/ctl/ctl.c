/*
 * The control server. Runs in the sync worker; bytes come from any local user who may open the socket.
 */
#include "ctl.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define SMALL_RESERVE 16384 /* behind a full frame, room for the small ones that end an answer */
#define OUT_SIZE      (sizeof(struct ctl_frame) + CTL_PAYLOAD_MAX + SMALL_RESERVE)

struct conn {
	struct ctl_client client;
	struct ctl *owner;
	struct watch *watch;
	int fd; /* -1: free */
	bool begun, ending;
	size_t got;               /* octets of client.req */
	uint64_t deadline, moved; /* moved: when it last took or gave something */
	size_t out_len, out_sent;
	uint8_t *out;
};

struct ctl {
	struct loop *loop;
	struct ctl_ops ops;
	void *arg;
	struct fig_local counts;
	struct conn conn[CTL_CLIENTS_MAX];
};

static const uint8_t may_read[CTL_VERB_MAX] = {[CTL_STATS] = 1, [CTL_RSQUEUE] = 1, [CTL_DUMP] = 1};

static struct conn *
conn_of(const struct ctl_client *c)
{
	return c->priv;
}

struct ctl *
ctl_new(struct loop *loop, const struct ctl_ops *ops, void *arg)
{
	struct ctl *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return NULL;
	t->loop = loop;
	t->ops = *ops;
	t->arg = arg;
	for (int i = 0; i < CTL_CLIENTS_MAX; i++)
		t->conn[i].fd = -1;
	return t;
}

static void
conn_close(struct conn *k)
{
	if (k->begun && !k->ending)
		k->owner->ops.gone(k->owner->arg, &k->client);
	watch_free(k->watch);
	close(k->fd);
	free(k->out);
	memset(k, 0, sizeof(*k));
	k->fd = -1;
}

void
ctl_free(struct ctl *t)
{
	if (t == NULL)
		return;
	for (int i = 0; i < CTL_CLIENTS_MAX; i++)
		if (t->conn[i].fd >= 0)
			conn_close(&t->conn[i]);
	free(t);
}

/* Sends what there is. False: the connection is closed. */
static bool
conn_send(struct conn *k)
{
	while (k->out_sent < k->out_len) {
		ssize_t n = send(k->fd, k->out + k->out_sent, k->out_len - k->out_sent, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN) {
			watch_want(k->watch, LOOP_READ | LOOP_WRITE);
			return true;
		}
		if (n <= 0) {
			conn_close(k);
			return false;
		}
		k->out_sent += (size_t)n;
		k->moved = loop_now(k->owner->loop);
		k->deadline = k->moved + CTL_PROGRESS_MS;
	}
	k->out_len = k->out_sent = 0;
	if (k->ending) {
		conn_close(k);
		return false;
	}
	watch_want(k->watch, LOOP_READ);
	return true;
}

static void
append(struct conn *k, enum ctl_record type, const void *data, size_t len)
{
	struct ctl_frame f = {(uint32_t)type, (uint32_t)len};

	if (k->out_len + sizeof(f) + len > OUT_SIZE)
		return; /* only a verb that ignores ctl_room() could get here */
	memcpy(k->out + k->out_len, &f, sizeof(f));
	if (data != NULL)
		memcpy(k->out + k->out_len + sizeof(f), data, len);
	k->out_len += sizeof(f) + len;
}

size_t
ctl_room(const struct ctl_client *c)
{
	return conn_of(c)->out_len == 0 ? CTL_PAYLOAD_MAX : 0;
}

uint8_t *
ctl_payload(struct ctl_client *c)
{
	return conn_of(c)->out + sizeof(struct ctl_frame);
}

void
ctl_put(struct ctl_client *c, enum ctl_record type, size_t len)
{
	append(conn_of(c), type, NULL, len);
}

void
ctl_answer(struct ctl_client *c, enum ctl_record type, const void *data, size_t len)
{
	append(conn_of(c), type, data, len);
}

static void
finish(struct conn *k)
{
	k->client.streaming = k->client.waiting = false;
	k->ending = true;
	k->deadline = loop_now(k->owner->loop) + CTL_PROGRESS_MS;
	watch_want(k->watch, LOOP_READ | LOOP_WRITE);
}

void
ctl_done(struct ctl_client *c)
{
	append(conn_of(c), CTL_DONE, NULL, 0);
	finish(conn_of(c));
}

void
ctl_fail(struct ctl_client *c, enum ctl_why why, int err, const char *text)
{
	struct ctl_fail f = {.why = (uint32_t)why, .err = err};

	strncpy(f.text, text, sizeof(f.text) - 1);
	append(conn_of(c), CTL_FAIL, &f, sizeof(f));
	finish(conn_of(c));
}

static void
begin(struct conn *k)
{
	const struct ctl_request *r = &k->client.req;
	struct ctl *t = k->owner;

	k->begun = true;
	k->moved = loop_now(t->loop);
	k->deadline = UINT64_MAX;
	if (r->magic != CTL_MAGIC || r->verb == CTL_NONE || r->verb >= CTL_VERB_MAX) {
		t->counts.unknown++;
		ctl_fail(&k->client, CTL_WHY_BAD_REQUEST, -EBADMSG,
			 "this daemon does not know the request: it is of another version than the program that asks");
	} else if (may_read[r->verb] && r->layout != ctl_layout()) {
		t->counts.unknown++;
		ctl_fail(&k->client, CTL_WHY_LAYOUT, -EPROTO,
			 "this daemon is of another build than the program that asks: restart the daemon");
	} else if ((k->client.who.access & CLIENT_FULL) == 0 &&
		   (!may_read[r->verb] || (k->client.who.access & CLIENT_READ) == 0)) {
		t->counts.denied++;
		ctl_fail(&k->client, CTL_WHY_DENIED, -EACCES, "not allowed for this user");
	} else
		t->ops.begin(t->arg, &k->client);
}

/* A client of another version need not have more to say. */
static bool
head_is_wrong(const struct conn *k)
{
	return k->got >= offsetof(struct ctl_request, layout) && k->client.req.magic != CTL_MAGIC;
}

static bool
start_answer(struct conn *k)
{
	if ((k->out = malloc(OUT_SIZE)) == NULL) {
		k->owner->counts.read_failed++;
		conn_close(k);
		return false;
	}
	begin(k);
	return true;
}

/* Anything behind the request, or the end of the stream, ends the connection. False: it is closed. */
static bool
conn_read(struct conn *k)
{
	uint8_t over;
	bool complete = k->begun;
	void *at = complete ? &over : (uint8_t *)&k->client.req + k->got;
	ssize_t n = recv(k->fd, at, complete ? 1 : sizeof(k->client.req) - k->got, MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return true;
	if (n <= 0 || complete) {
		if (!k->begun)
			k->owner->counts.read_failed++;
		conn_close(k);
		return false;
	}
	k->got += (size_t)n;
	return (k->got < sizeof(k->client.req) && !head_is_wrong(k)) || start_answer(k);
}

static void
conn_ready(void *arg, unsigned int ready)
{
	struct conn *k = arg;

	if (ready & LOOP_READ && !conn_read(k))
		return;
	if (ready & LOOP_WRITE)
		conn_send(k);
}

static bool
is_reader(const struct msg_client *who)
{
	return (who->access & CLIENT_FULL) == 0;
}

static unsigned int
readers_of(const struct ctl *t, const uint32_t *uid)
{
	unsigned int n = 0;

	for (int i = 0; i < CTL_CLIENTS_MAX; i++) {
		const struct conn *k = &t->conn[i];

		n += k->fd >= 0 && is_reader(&k->client.who) && (uid == NULL || k->client.who.uid == *uid);
	}
	return n;
}

/* It waits for the client, not the client for us. */
static uint64_t
idle(const struct conn *k)
{
	return k->out_len > 0 || !k->begun ? loop_now(k->owner->loop) - k->moved : 0;
}

/* Of those who are in the newcomer's way, who may be sent away for it: who stands still, a reader for somebody who may
 * act, and a reader whose user would still have more places than the newcomer's. */
static bool
may_displace(const struct ctl *t, const struct msg_client *who, const struct conn *k)
{
	const struct msg_client *other = &k->client.who;
	unsigned int own = readers_of(t, &who->uid);

	if (!is_reader(who))
		return is_reader(other) || idle(k) >= CTL_STALL_MS;
	if (!is_reader(other) || (own >= CTL_READERS_UID && other->uid != who->uid))
		return false;
	return idle(k) >= CTL_STALL_MS || readers_of(t, &other->uid) > own + 1;
}

static struct conn *
place_free(struct ctl *t, const struct msg_client *who)
{
	if (is_reader(who) && (readers_of(t, NULL) >= CTL_READERS_MAX || readers_of(t, &who->uid) >= CTL_READERS_UID))
		return NULL;
	for (int i = 0; i < CTL_CLIENTS_MAX; i++)
		if (t->conn[i].fd < 0)
			return &t->conn[i];
	return NULL;
}

static struct conn *
place_taken(struct ctl *t, const struct msg_client *who)
{
	struct conn *best = NULL;

	for (int i = 0; i < CTL_CLIENTS_MAX; i++) {
		struct conn *k = &t->conn[i];

		if (k->fd >= 0 && may_displace(t, who, k) && (best == NULL || idle(k) > idle(best)))
			best = k;
	}
	if (best == NULL)
		return NULL;
	t->counts.displaced++;
	t->ops.displaced(t->arg, &best->client.who, idle(best));
	conn_close(best);
	return best;
}

/* Its request is not waited for: the answer would be the same. */
static void
turn_away(struct ctl *t, int fd, const struct msg_client *who)
{
	struct {
		struct ctl_frame frame;
		struct ctl_fail fail;
	} say = {{CTL_FAIL, sizeof(say.fail)}, {.why = CTL_WHY_BUSY, .err = -EUSERS}};

	t->counts.turned_away++;
	snprintf(say.fail.text, sizeof(say.fail.text),
		 "the daemon has too many control clients: %u that only read, %u of them of your user",
		 readers_of(t, NULL), readers_of(t, &who->uid));
	send(fd, &say, sizeof(say), MSG_DONTWAIT | MSG_NOSIGNAL);
	close(fd);
}

int
ctl_accept(struct ctl *t, int fd, const struct msg_client *who)
{
	struct conn *k = place_free(t, who);

	if (k == NULL && (k = place_taken(t, who)) == NULL) {
		turn_away(t, fd, who);
		return -EUSERS;
	}
	*k = (struct conn){.owner = t, .fd = fd, .client = {.who = *who}};
	k->client.priv = k;
	k->moved = loop_now(t->loop);
	k->deadline = k->moved + CTL_REQUEST_MS;
	if ((k->watch = watch_new(t->loop, fd, conn_ready, k)) == NULL) {
		close(fd);
		k->fd = -1;
		return -ENOMEM;
	}
	watch_want(k->watch, LOOP_READ);
	return 0;
}

/* The client of conntrack-tools has sent a number and copies to its user what it gets. */
static void
tell_old(const struct conn *k)
{
	static const char text[] = "this conntrackd is that of OpenConntrack: use its programs to ask it\n";

	if (!k->begun && k->got == sizeof(k->client.req.old))
		send(k->fd, text, sizeof(text) - 1, MSG_DONTWAIT | MSG_NOSIGNAL);
}

uint64_t
ctl_turn(struct ctl *t)
{
	uint64_t now = loop_now(t->loop), next = UINT64_MAX;

	for (int i = 0; i < CTL_CLIENTS_MAX; i++) {
		struct conn *k = &t->conn[i];

		if (k->fd < 0)
			continue;
		if (k->out_len > 0 && !conn_send(k))
			continue;
		if (k->client.streaming && k->out_len == 0) {
			t->ops.more(t->arg, &k->client);
			if (k->out_len > 0 && !conn_send(k))
				continue;
			if (k->client.streaming && k->out_len == 0)
				loop_again(t->loop);
		}
		if (now >= k->deadline && (k->out_len > 0 || !k->begun)) {
			t->counts.read_failed += !k->begun;
			tell_old(k);
			conn_close(k);
			continue;
		}
		if (k->deadline < next && (k->out_len > 0 || !k->begun))
			next = k->deadline;
	}
	return next;
}

const struct fig_local *
ctl_counts(const struct ctl *t)
{
	return &t->counts;
}

void
ctl_each_waiting(struct ctl *t, void (*fn)(void *arg, struct ctl_client *c), void *arg)
{
	for (int i = 0; i < CTL_CLIENTS_MAX; i++)
		if (t->conn[i].fd >= 0 && t->conn[i].client.waiting)
			fn(arg, &t->conn[i].client);
}

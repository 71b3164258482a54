/*
 * UDP and multicast links. Messages are packed into datagrams while used + len < cap, as peers of the 1.4.x series do.
 * One system call a datagram: the jail has no sendmmsg(), which could name an address. Data from the socket is not
 * looked at here.
 */
#include "channel.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define IN_MAX       32    /* datagrams of one recvmmsg() */
#define IN_SIZE      65536 /* a peer may send any size; only touched pages cost memory */
#define CAP_MIN      400   /* below that hardly a message fits a datagram */
#define DATAGRAM_MAX 65535
#define OVERHEAD     28
#define OVERHEAD_V6  48

struct udp {
	struct channel ch;
	size_t cap;
	size_t used;  /* octets of the datagram being filled */
	size_t extra; /* and of the message behind it, which did not fit: it starts the next one */
	uint8_t *out; /* cap + CHANNEL_MSG_MAX */
	uint8_t *in;  /* IN_MAX times IN_SIZE */
};

/* An error that a socket reports may belong to an earlier datagram, sent or received. */
static void
note_error(struct channel *c, int err, bool sending)
{
	if (sending || err == ECONNREFUSED)
		c->send_error = -err;
	c->stats.bounced += err == ECONNREFUSED;
	c->stats.recv_errors += !sending && err != ECONNREFUSED;
}

/* 0, or -EAGAIN when the socket does not take it now. An error may belong to an earlier datagram (an ICMP answer):
 * one more try before this one is given up and counted. */
static int
send_datagram(struct udp *u)
{
	for (int tries = 0; tries < 2; tries++) {
		if (send(u->ch.tx, u->out, u->used, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0) {
			u->ch.stats.sent_bytes += u->used;
			u->ch.stats.sent_pkts++;
			return 0;
		}
		if (errno == EAGAIN || errno == ENOBUFS)
			return -EAGAIN;
		note_error(&u->ch, errno, true);
	}
	u->ch.stats.sent_errors++;
	return 0;
}

static int
udp_flush(struct channel *c)
{
	struct udp *u = (struct udp *)c;

	while (u->used > 0) {
		if (send_datagram(u) < 0)
			return -EAGAIN;
		memmove(u->out, u->out + u->used, u->extra);
		u->used = u->extra;
		u->extra = 0;
	}
	return 0;
}

static uint8_t *
udp_room(struct channel *c)
{
	struct udp *u = (struct udp *)c;

	if ((u->extra > 0 || u->used >= u->cap) && udp_flush(c) < 0)
		return NULL;
	return u->out + u->used;
}

static void
udp_add(struct channel *c, size_t len)
{
	struct udp *u = (struct udp *)c;

	if (u->used == 0 || u->used + len < u->cap) {
		u->used += len;
		return;
	}
	u->extra = len;
	if (send_datagram(u) < 0)
		return;
	memmove(u->out, u->out + u->used, len);
	u->used = len;
	u->extra = 0;
}

static struct channel_from
source(const struct sockaddr_storage *ss)
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)ss;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)ss;
	struct channel_from from = {.family = 0};

	if (ss->ss_family == AF_INET) {
		from.family = AF_INET;
		from.port = ntohs(v4->sin_port);
		memcpy(from.addr, &v4->sin_addr, sizeof(v4->sin_addr));
	} else if (ss->ss_family == AF_INET6) {
		from.family = AF_INET6;
		from.port = ntohs(v6->sin6_port);
		memcpy(from.addr, &v6->sin6_addr, sizeof(v6->sin6_addr));
	}
	return from;
}

static void
deliver(struct udp *u, const struct mmsghdr *m, channel_rx fn, void *arg)
{
	struct channel_from from;

	if (m->msg_hdr.msg_flags & MSG_TRUNC) {
		u->ch.stats.recv_errors++;
		return;
	}
	from = source(m->msg_hdr.msg_name);
	if (!fn(arg, &from, m->msg_hdr.msg_iov->iov_base, m->msg_len))
		return;
	u->ch.stats.recv_pkts++;
	u->ch.stats.recv_bytes += m->msg_len;
}

static unsigned int
recv_some(struct udp *u, int fd, unsigned int max, channel_rx fn, void *arg)
{
	struct mmsghdr mm[IN_MAX];
	struct iovec iov[IN_MAX];
	struct sockaddr_storage ss[IN_MAX];
	unsigned int total = 0, ask;
	int n;

	do {
		ask = max - total < IN_MAX ? max - total : IN_MAX;
		memset(mm, 0, sizeof(mm[0]) * ask);
		for (unsigned int i = 0; i < ask; i++) {
			iov[i] = (struct iovec){u->in + (size_t)i * IN_SIZE, IN_SIZE};
			mm[i].msg_hdr = (struct msghdr){
				.msg_iov = &iov[i], .msg_iovlen = 1, .msg_name = &ss[i], .msg_namelen = sizeof(ss[i])};
			ss[i].ss_family = AF_UNSPEC;
		}
		if ((n = recvmmsg(fd, mm, ask, MSG_DONTWAIT, NULL)) < 0) {
			if (errno != EAGAIN && errno != EINTR)
				note_error(&u->ch, errno, false);
			break;
		}
		for (int i = 0; i < n; i++)
			deliver(u, &mm[i], fn, arg);
		total += (unsigned int)n;
	} while (n == (int)ask && total < max);
	return total;
}

static int
udp_recv(struct channel *c, unsigned int max, channel_rx fn, void *arg)
{
	struct udp *u = (struct udp *)c;
	unsigned int n = recv_some(u, c->tx, max, fn, arg);

	if (n < max)
		n += recv_some(u, c->rx, max - n, fn, arg);
	return (int)n;
}

static size_t
udp_move(struct channel *c, struct channel *to)
{
	struct udp *u = (struct udp *)c;
	size_t len[2] = {u->used, u->extra}, moved = 0;
	const uint8_t *at = u->out;

	for (unsigned int i = 0; i < 2; at += len[i], i++) {
		uint8_t *room = len[i] > 0 && len[i] <= CHANNEL_MSG_MAX ? channel_room(to) : NULL;

		if (room == NULL)
			continue;
		memcpy(room, at, len[i]);
		channel_add(to, len[i]);
		moved += len[i];
	}
	u->used = u->extra = 0;
	return moved;
}

static void
udp_free(struct channel *c)
{
	struct udp *u = (struct udp *)c;

	close(c->rx);
	close(c->tx);
	free(u->out);
	free(u->in);
	free(u);
}

static const struct channel_ops udp_ops = {udp_room, udp_add, udp_flush, udp_recv, udp_move, udp_free};

struct channel *
udp_new(const struct channel_conf *conf, int rx, int tx)
{
	bool v6 = conf->link->family == AF_INET6;
	size_t overhead = v6 ? OVERHEAD_V6 : OVERHEAD;
	struct udp *u = calloc(1, sizeof(*u));

	if (u != NULL && conf->mtu >= CAP_MIN + overhead) {
		u->cap = (conf->mtu < DATAGRAM_MAX ? conf->mtu : DATAGRAM_MAX) - overhead;
		u->out = malloc(u->cap + CHANNEL_MSG_MAX);
		u->in = malloc((size_t)IN_MAX * IN_SIZE);
	}
	if (u == NULL || u->out == NULL || u->in == NULL) {
		if (u != NULL) {
			free(u->out);
			free(u->in);
		}
		free(u);
		close(rx);
		close(tx);
		return NULL;
	}
	u->ch.ops = &udp_ops;
	u->ch.rx = rx;
	u->ch.tx = tx;
	return &u->ch;
}

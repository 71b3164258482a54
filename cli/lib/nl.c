/*
 * nfnetlink conversations over a real socket or a test's seam. Lengths, sequence numbers and error codes of answers
 * are checked here; what is inside the messages is the caller's to decode with bounds.
 */
#include "nl.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef NETLINK_CAP_ACK
#define NETLINK_CAP_ACK 10
#endif
#define ANSWER_COST 2048 /* of the receive buffer, for one error or one entry, with room to spare */
#define REQUEST_BUF (4 << 20)

static ssize_t
sock_send(void *ctx, const void *data, size_t len)
{
	const struct nl *nl = ctx;
	ssize_t n;

	do
		n = send(nl->fd, data, len, 0);
	while (n == -1 && errno == EINTR);
	return n == -1 ? -errno : n;
}

static ssize_t
sock_recv(void *ctx, void *data, size_t size, bool block)
{
	const struct nl *nl = ctx;
	struct sockaddr_nl from = {0};
	socklen_t fromlen = sizeof(from);
	ssize_t n;

	n = recvfrom(nl->fd, data, size, MSG_TRUNC | (block ? 0 : MSG_DONTWAIT), (struct sockaddr *)&from, &fromlen);
	if (n == -1)
		return -errno;
	if (fromlen != sizeof(from) || from.nl_pid != 0) /* another process, not the kernel: nothing for us */
		return -EINTR;
	return n;
}

static const struct nl_ops sock_ops = {sock_send, sock_recv};

int
nl_open_ops(struct nl *nl, const struct nl_ops *ops, void *ctx)
{
	*nl = (struct nl){.ops = ops, .ctx = ctx, .fd = -1, .seq = 1, .window = NL_BATCH_MAX};
	nl->in = malloc(NL_RECV_SIZE);
	return nl->in == NULL ? -ENOMEM : 0;
}

int
nl_set_buffer(struct nl *nl, int bytes)
{
	int got = 0;
	socklen_t len = sizeof(got);

	if (setsockopt(nl->fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)) == -1)
		(void)setsockopt(nl->fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
	(void)getsockopt(nl->fd, SOL_SOCKET, SO_RCVBUF, &got, &len);
	return got;
}

static void
size_window(struct nl *nl)
{
	int got = nl_set_buffer(nl, REQUEST_BUF), one = 1, out = REQUEST_BUF;

	nl->window = got / ANSWER_COST > 1 ? (unsigned)got / ANSWER_COST : 1;
	(void)setsockopt(nl->fd, SOL_NETLINK, NETLINK_CAP_ACK, &one, sizeof(one));
	if (setsockopt(nl->fd, SOL_SOCKET, SO_SNDBUFFORCE, &out, sizeof(out)) == -1)
		(void)setsockopt(nl->fd, SOL_SOCKET, SO_SNDBUF, &out, sizeof(out));
}

int
nl_open(struct nl *nl, uint32_t groups)
{
	struct sockaddr_nl sa = {.nl_family = AF_NETLINK, .nl_groups = groups};
	int r = nl_open_ops(nl, &sock_ops, nl);

	if (r < 0)
		return r;
	nl->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);
	if (nl->fd == -1 || bind(nl->fd, (struct sockaddr *)&sa, sizeof(sa)) == -1) {
		r = -errno;
		nl_close(nl);
		return r;
	}
	if (groups == 0)
		size_window(nl);
	return 0;
}

void
nl_close(struct nl *nl)
{
	if (nl->fd != -1)
		close(nl->fd);
	free(nl->in);
	nl->fd = -1;
	nl->in = NULL;
}

struct nlmsghdr *
nl_request(void *buf, uint16_t type, uint16_t flags, uint8_t family)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct nfgenmsg *nfg = mnl_nlmsg_put_extra_header(nlh, sizeof(*nfg));

	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = NLM_F_REQUEST | flags;
	nfg->nfgen_family = family;
	nfg->version = NFNETLINK_V0;
	return nlh;
}

/* One datagram into nl->in; its length. Interrupted calls are retried, cut off datagrams refused. */
static ssize_t
receive(struct nl *nl, bool block)
{
	ssize_t n;

	do
		n = nl->ops->recv(nl->ctx, nl->in, NL_RECV_SIZE, block);
	while (n == -EINTR);
	return n > NL_RECV_SIZE ? -EMSGSIZE : n;
}

/* Next message of the datagram; NULL at its end, *bad when the rest is not a message. */
static const struct nlmsghdr *
next_msg(const uint8_t **p, size_t *left, bool *bad)
{
	const struct nlmsghdr *nlh = (const struct nlmsghdr *)(const void *)*p;
	size_t step;

	if (*left < sizeof(*nlh) || nlh->nlmsg_len < sizeof(*nlh) || nlh->nlmsg_len > *left) {
		*bad = *left > 0;
		return NULL;
	}
	step = NLMSG_ALIGN(nlh->nlmsg_len);
	step = step < *left ? step : *left;
	*p += step;
	*left -= step;
	return nlh;
}

/* The code an error or done message carries, as 0 or a negative errno. */
static int
error_of(const struct nlmsghdr *nlh)
{
	int err = 0;

	if (nlh->nlmsg_len >= NLMSG_HDRLEN + sizeof(err))
		memcpy(&err, NLMSG_DATA(nlh), sizeof(err));
	else if (nlh->nlmsg_type == NLMSG_ERROR)
		return -EBADMSG;
	return err > -4096 && err <= 0 ? err : -EBADMSG;
}

/* One datagram of an answer: 0 go on, 1 finished, -errno. */
static int
answer(struct nl *nl, size_t len, uint32_t seq, nl_msg_fn fn, void *arg)
{
	const uint8_t *p = nl->in;
	const struct nlmsghdr *nlh;
	bool bad = false;
	int r;

	while ((nlh = next_msg(&p, &len, &bad)) != NULL) {
		if (nlh->nlmsg_seq != seq)
			continue;
		nl->interrupted |= nlh->nlmsg_flags & NLM_F_DUMP_INTR;
		if (nlh->nlmsg_type == NLMSG_ERROR || nlh->nlmsg_type == NLMSG_DONE)
			return (r = error_of(nlh)) < 0 ? r : 1;
		if (nlh->nlmsg_type == NLMSG_OVERRUN)
			return -ENOBUFS;
		if (nlh->nlmsg_type < NLMSG_MIN_TYPE || fn == NULL)
			continue;
		nl->delivered = true;
		if ((r = fn(arg, nlh)) < 0)
			return r;
	}
	return bad ? -EBADMSG : 0;
}

static int
converse(struct nl *nl, struct nlmsghdr *req, nl_msg_fn fn, void *arg)
{
	uint32_t seq = nl->seq++;
	ssize_t n;
	int r = 0;

	req->nlmsg_seq = seq;
	nl->interrupted = nl->delivered = false;
	if ((n = nl->ops->send(nl->ctx, req, req->nlmsg_len)) < 0)
		return (int)n;
	while (r == 0) {
		if ((n = receive(nl, true)) < 0)
			return (int)n;
		if (n == 0) /* netlink sockets have no end of file */
			return -EPIPE;
		r = answer(nl, (size_t)n, seq, fn, arg);
	}
	return r < 0 ? r : 0;
}

int
nl_dump(struct nl *nl, struct nlmsghdr *req, nl_msg_fn fn, void *arg)
{
	req->nlmsg_flags |= NLM_F_DUMP;
	return converse(nl, req, fn, arg);
}

int
nl_talk(struct nl *nl, struct nlmsghdr *req, nl_msg_fn fn, void *arg)
{
	req->nlmsg_flags |= NLM_F_ACK;
	return converse(nl, req, fn, arg);
}

int
nl_events(struct nl *nl, bool block, nl_msg_fn fn, void *arg)
{
	ssize_t n = nl->ops->recv(nl->ctx, nl->in, NL_RECV_SIZE, block);
	const uint8_t *p = nl->in;
	const struct nlmsghdr *nlh;
	bool bad = false;
	size_t len;
	int r;

	if (n < 0)
		return (int)n;
	if (n > NL_RECV_SIZE)
		return -EMSGSIZE;
	len = (size_t)n;
	while ((nlh = next_msg(&p, &len, &bad)) != NULL)
		if (nlh->nlmsg_type >= NLMSG_MIN_TYPE && (r = fn(arg, nlh)) < 0)
			return r;
	return bad ? -EBADMSG : 0;
}

int
nl_batch_init(struct nl_batch *b, struct nl *nl, unsigned max)
{
	*b = (struct nl_batch){.nl = nl};
	b->max = max < nl->window ? max : nl->window;
	b->buf = malloc((size_t)b->max * NL_MSG_MAX);
	return b->buf == NULL ? -ENOMEM : 0;
}

void
nl_batch_done(struct nl_batch *b)
{
	free(b->buf);
	b->buf = NULL;
}

void *
nl_batch_room(struct nl_batch *b)
{
	return b->buf + b->len;
}

void
nl_batch_add(struct nl_batch *b)
{
	struct nlmsghdr *nlh = nl_batch_room(b);

	nlh->nlmsg_seq = b->nl->seq + b->count++;
	b->len += NLMSG_ALIGN(nlh->nlmsg_len);
}

/* One datagram of answers to the batch that begins at seq first: 1 when its last request is acknowledged. */
static int
batch_answer(struct nl_batch *b, size_t len, const struct nl_batch_ops *ops, void *arg)
{
	const uint8_t *p = b->nl->in;
	const struct nlmsghdr *nlh;
	bool bad = false;
	int r, last = 0;

	while ((nlh = next_msg(&p, &len, &bad)) != NULL) {
		uint32_t nth = nlh->nlmsg_seq - b->nl->seq;

		if (nth >= b->count)
			continue;
		if (nlh->nlmsg_type == NLMSG_ERROR) {
			if ((r = error_of(nlh)) < 0)
				ops->refused(arg, nth, -r);
			last |= nth == b->count - 1;
		} else if (nlh->nlmsg_type >= NLMSG_MIN_TYPE && ops->answer != NULL) {
			if ((r = ops->answer(arg, nth, nlh)) < 0)
				return r;
		}
	}
	return bad ? -EBADMSG : last;
}

int
nl_batch_flush(struct nl_batch *b, const struct nl_batch_ops *ops, void *arg)
{
	struct nlmsghdr *nlh = (struct nlmsghdr *)(void *)b->buf;
	ssize_t n;
	int r = 0;

	if (b->count == 0)
		return 0;
	/* The acknowledgement of the last request marks the end of the answers. */
	for (unsigned i = 1; i < b->count; i++)
		nlh = (struct nlmsghdr *)(void *)((uint8_t *)nlh + NLMSG_ALIGN(nlh->nlmsg_len));
	nlh->nlmsg_flags |= NLM_F_ACK;
	if ((n = b->nl->ops->send(b->nl->ctx, b->buf, b->len)) < 0)
		r = (int)n;
	while (r == 0) {
		if ((n = receive(b->nl, true)) <= 0)
			r = n < 0 ? (int)n : -EPIPE;
		else
			r = batch_answer(b, (size_t)n, ops, arg);
	}
	b->nl->seq += b->count;
	b->len = b->count = 0;
	return r < 0 ? r : 0;
}

/*
 * One record out, one record in. What comes in is trusted in nothing but
 * the shape that is checked here.
 */
#include "chan.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

union fd_space {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(CHAN_FDS_MAX * sizeof(int))];
};

/* Without descriptors writev() is enough, so a worker's filter need not allow sendmsg(), which takes addresses. */
int
chan_sendv(struct chan *c, uint32_t type, uint32_t arg, const struct iovec *part, size_t n, const int *fd,
	   unsigned int nfds)
{
	struct msg_hdr hdr = {type, arg};
	struct iovec iov[MSG_EVENTS_MAX + 2] = {{&hdr, sizeof(hdr)}};
	struct msghdr mh = {.msg_iov = iov, .msg_iovlen = n + 1};
	union fd_space space = {0};
	struct cmsghdr *cm = &space.align;
	ssize_t sent;

	if (n > MSG_EVENTS_MAX + 1 || nfds > CHAN_FDS_MAX)
		return -EINVAL;
	if (n > 0)
		memcpy(iov + 1, part, n * sizeof(*part));
	if (nfds > 0) {
		*cm = (struct cmsghdr){CMSG_LEN(nfds * sizeof(*fd)), SOL_SOCKET, SCM_RIGHTS};
		memcpy(CMSG_DATA(cm), fd, nfds * sizeof(*fd));
		mh.msg_control = space.bytes;
		mh.msg_controllen = CMSG_SPACE(nfds * sizeof(*fd));
		sent = sendmsg(c->fd, &mh, MSG_DONTWAIT | MSG_NOSIGNAL);
	} else
		sent = writev(c->fd, iov, (int)n + 1);
	return sent == -1 ? -errno : 0;
}

int
chan_send(struct chan *c, uint32_t type, uint32_t arg, const void *data, size_t len)
{
	struct iovec part = {(void *)(uintptr_t)data, len};

	return chan_sendv(c, type, arg, &part, len > 0, NULL, 0);
}

void
msg_close_fds(struct msg *m)
{
	while (m->nfds > 0)
		close(m->fd[--m->nfds]);
}

static void
take_fds(struct msghdr *mh, struct msg *m)
{
	for (struct cmsghdr *cm = CMSG_FIRSTHDR(mh); cm != NULL; cm = CMSG_NXTHDR(mh, cm))
		if (cm->cmsg_level == SOL_SOCKET && cm->cmsg_type == SCM_RIGHTS) {
			m->nfds = (unsigned int)((cm->cmsg_len - CMSG_LEN(0)) / sizeof(int));
			memcpy(m->fd, CMSG_DATA(cm), m->nfds * sizeof(int)); /* the buffer holds CHAN_FDS_MAX */
		}
}

int
chan_recv(struct chan *c, void *buf, size_t size, struct msg *m)
{
	struct msg_hdr hdr;
	struct iovec iov = {buf, size};
	union fd_space space;
	struct msghdr mh = {NULL, 0, &iov, 1, space.bytes, CMSG_LEN(CHAN_FDS_MAX * sizeof(int)), 0};
	ssize_t n = recvmsg(c->fd, &mh, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

	*m = (struct msg){0};
	if (n == -1)
		return errno == EAGAIN || errno == EINTR ? 0 : errno == ECONNRESET ? -EPIPE : -errno;
	take_fds(&mh, m);
	if (n == 0 && m->nfds == 0)
		return -EPIPE;
	if ((size_t)n < sizeof(hdr) || mh.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) {
		msg_close_fds(m);
		return -EBADMSG;
	}
	memcpy(&hdr, buf, sizeof(hdr));
	m->type = hdr.type;
	m->arg = hdr.arg;
	m->data = (const uint8_t *)buf + sizeof(hdr);
	m->len = (size_t)n - sizeof(hdr);
	return 1;
}

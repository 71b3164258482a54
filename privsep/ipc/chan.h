/*
 * One end of a wall: a non-blocking SOCK_SEQPACKET socket.
 * Receiving checks only the shape of the record (no truncation, header there, descriptors counted); whether the other
 * side may say it is msg_admit() of msg_rules.h. Sending never blocks: -EAGAIN means the other side is slow; the caller
 * keeps what it had and waits for the descriptor to become writable. The socket is O_NONBLOCK and SIGPIPE is ignored
 * (jail_enter() does that for workers): records without descriptors go out by writev(), see chan.c.
 */
#ifndef CHAN_H
#define CHAN_H

#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "msg.h"

#define CHAN_FDS_MAX 3

struct msg {
	uint32_t type, arg;
	const void *data; /* borrowed: valid until the next chan_recv() on the same buffer */
	size_t len;
	int fd[CHAN_FDS_MAX]; /* received descriptors, close-on-exec; the receiver owns them */
	unsigned int nfds;
};

struct chan {
	int fd;
	uint64_t refused; /* records, by whoever judges them */
};

/* Sends one record made of n parts (n <= 64 + 1), with nfds descriptors, which stay the caller's.
 * 0, -EAGAIN (full), -EPIPE/-ECONNRESET (other side gone), other -errno. */
int chan_sendv(struct chan *c, uint32_t type, uint32_t arg, const struct iovec *part, size_t n, const int *fd,
	       unsigned int nfds);
int chan_send(struct chan *c, uint32_t type, uint32_t arg, const void *data, size_t len);

/* Receives one record into buf (size MSG_DATA_MAX + sizeof(struct msg_hdr) at least for full range).
 * 1 with *m filled, 0 when nothing is there, -EPIPE at end of file, -EBADMSG for a truncated or malformed record
 * (descriptors that came along are closed), other -errno. */
int chan_recv(struct chan *c, void *buf, size_t size, struct msg *m);

/* Closes the descriptors of a message that is not used. */
void msg_close_fds(struct msg *m);

#endif

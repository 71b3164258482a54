/*
 * A test double of ctd-link, taken over: what it tries, a second after it was told of its link, depends on the port of
 * that. Usage: as ctd-link.
 */
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "roles.h"
#include "msg_rules.h"
#include "setup.h"

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

enum { CHANNELS = 7001, FAILED, ASK, TCP, MPTCP, TCP6, UDPLITE, PING, RAW, PACKET };

/* Each ends it, but for the first three, of which the parent is told. */
static void
misbehave(struct chan *wall, uint16_t port)
{
	struct msg_channel info = {1500, 1};
	struct msg_error e = {0, -19};
	struct iovec part = {&info, sizeof(info)};
	int fd[2] = {socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), socket(AF_INET6, SOCK_DGRAM, 0)};

	if (port == CHANNELS)
		chan_sendv(wall, MSG_CHANNEL, 0, &part, 1, fd, 2);
	else if (port == FAILED)
		chan_send(wall, MSG_CHANNEL_FAILED, 0, &e, sizeof(e));
	else if (port == ASK)
		chan_send(wall, MSG_CHANNEL_OPEN, 0, NULL, 0);
	else if (port == TCP || port == TCP6)
		socket(port == TCP ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	else if (port == MPTCP)
		socket(AF_INET, SOCK_STREAM, IPPROTO_MPTCP);
	else if (port == UDPLITE || port == PING)
		socket(AF_INET, SOCK_DGRAM, port == PING ? IPPROTO_ICMP : IPPROTO_UDPLITE);
	else if (port == RAW)
		socket(AF_INET, SOCK_RAW, IPPROTO_UDP);
	else
		socket(AF_PACKET, SOCK_DGRAM, 0);
}

int
main(void)
{
	struct log log = {WORKER_LOG_FD, WORKER_LOG_FD, LF_RECORD, 0};
	struct chan wall = {.fd = WORKER_FD};
	uint8_t buf[sizeof(struct msg_hdr) + sizeof(struct msg_link)];
	struct pollfd pfd = {WORKER_FD, POLLIN, 0};
	struct msg_link l = {0};
	struct msg m;
	int r;

	if (jail_worker(jail_row(ROLE_LINK), &log) < 0)
		return 1;
	while ((r = chan_recv(&wall, buf, sizeof(buf), &m)) >= 0) {
		if (r == 1 && m.type == MSG_LINK)
			memcpy(&l, m.data, sizeof(l));
		if (r == 0 && poll(&pfd, 1, l.port != 0 ? 1000 : -1) == 0) {
			misbehave(&wall, l.port);
			l.port = 0;
		}
	}
	return 0;
}

/* A test double of ctd-link, taken over: how it answers the parent's request depends on the port of the link. */
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "roles.h"
#include "msg_rules.h"
#include "setup.h"

enum { TWICE = 7001, ANOTHER, CHANNELS };

static void
answer(struct chan *wall, uint32_t link)
{
	struct msg_error e = {0, -19};

	chan_send(wall, MSG_CHANNEL_FAILED, link, &e, sizeof(e));
}

/* Two descriptors for every link there can be. */
static void
channels(struct chan *wall)
{
	struct msg_channel info = {1500, 1};
	struct iovec part = {&info, sizeof(info)};
	int fd[2] = {WORKER_FD, WORKER_FD};

	for (uint32_t i = 0; i < MSG_LINKS_MAX; i++)
		chan_sendv(wall, MSG_CHANNEL, i, &part, 1, fd, 2);
}

int
main(void)
{
	struct log log = {WORKER_LOG_FD, WORKER_LOG_FD, LF_RECORD, 0};
	struct chan wall = {.fd = WORKER_FD};
	uint8_t buf[sizeof(struct msg_hdr) + sizeof(struct msg_link)];
	struct pollfd pfd = {WORKER_FD, POLLIN, 0};
	struct msg_link l;
	struct msg m;
	int r;

	if (jail_worker(jail_row(ROLE_LINK), &log) < 0)
		return 1;
	while ((r = chan_recv(&wall, buf, sizeof(buf), &m)) >= 0) {
		if (r == 0) {
			poll(&pfd, 1, -1);
			continue;
		}
		memcpy(&l, m.data, sizeof(l));
		if (l.port == CHANNELS)
			channels(&wall);
		else
			answer(&wall, l.port == ANOTHER ? MSG_LINKS_MAX - 1 : m.arg);
		if (l.port == TWICE)
			answer(&wall, m.arg);
	}
	return 0;
}

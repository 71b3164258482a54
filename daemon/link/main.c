/*
 * ctd-link: opens the sockets of a link again after its device was deleted and made anew. It stays in the host's
 * network but has no right there that an ordinary user does not have, and it reads nothing but requests of the parent.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "roles.h"
#include "start.h"

static void
serve(struct chan *wall, const struct msg *m)
{
	struct msg_link l;
	struct msg_channel info = {0};
	struct msg_error failed = {0};
	struct iovec part = {&info, sizeof(info)};
	int fd[2];

	memcpy(&l, m->data, sizeof(l));
	failed.err = link_open(&l, fd, &info, true);
	if (failed.err == 0) {
		failed.err = chan_sendv(wall, MSG_CHANNEL, m->arg, &part, 1, fd, 2);
		close(fd[0]);
		close(fd[1]);
	}
	if (failed.err != 0) /* one answer in any case: the parent does not ask again before */
		chan_send(wall, MSG_CHANNEL_FAILED, m->arg, &failed, sizeof(failed));
}

int
main(void)
{
	struct log log = {WORKER_LOG_FD, WORKER_LOG_FD, LF_RECORD, 0};
	struct chan wall = {.fd = WORKER_FD};
	uint8_t buf[sizeof(struct msg_hdr) + sizeof(struct msg_link)];
	struct pollfd pfd = {WORKER_FD, POLLIN, 0};
	struct msg m;
	int r;

	if (jail_worker(jail_row(ROLE_LINK), &log) < 0)
		return 1;
	while ((r = chan_recv(&wall, buf, sizeof(buf), &m)) >= 0)
		if (r == 0)
			poll(&pfd, 1, -1);
		else if (msg_admit(ROLE_PARENT, ROLE_LINK, PHASE_SETUP, &m) == ADMIT_OK &&
			 m.len == sizeof(struct msg_link))
			serve(&wall, &m);
		else
			return 1;
	return r != -EPIPE;
}

/*
 * ctd-link: opens the sockets of a link again after its device was deleted and made anew. It stays in the host's
 * network but has no right there that an ordinary user does not have. The start gives it the settings and a wall to
 * each sync worker; the parent asks nothing of it.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "roles.h"
#include "open.h"

struct opener {
	struct msg_link link[MSG_LINKS_MAX];
	struct chan wall[1 + MSG_WORKERS_MAX]; /* the parent's, then those of sync workers; fd -1: it has ended */
	unsigned int n;
};

static void
open_again(struct opener *o, struct chan *wall, uint32_t i)
{
	struct msg_channel info = {0};
	struct msg_error failed = {0};
	struct iovec part = {&info, sizeof(info)};
	int fd[2];

	failed.err = o->link[i].kind != 0 ? link_open(&o->link[i], fd, &info, true) : -ENOENT;
	if (failed.err == 0) {
		failed.err = chan_sendv(wall, MSG_CHANNEL, i, &part, 1, fd, 2);
		close(fd[0]);
		close(fd[1]);
	}
	if (failed.err != 0)
		chan_send(wall, MSG_CHANNEL_FAILED, i, &failed, sizeof(failed));
}

/* False: the other side has ended, or broken the table. */
static bool
serve(struct opener *o, unsigned int from)
{
	uint8_t buf[sizeof(struct msg_hdr) + sizeof(struct msg_link)];
	struct msg m;
	int r = chan_recv(&o->wall[from], buf, sizeof(buf), &m);

	if (r <= 0)
		return r == 0;
	if (msg_admit(from == 0 ? ROLE_PARENT : ROLE_SYNC, ROLE_LINK, PHASE_SETUP, &m) != ADMIT_OK ||
	    (m.type == MSG_LINK_WALL && o->n > MSG_WORKERS_MAX)) {
		msg_close_fds(&m);
		return false;
	}
	if (m.type == MSG_LINK)
		memcpy(&o->link[m.arg], m.data, sizeof(o->link[0]));
	else if (m.type == MSG_LINK_WALL)
		o->wall[o->n++].fd = m.fd[0];
	else
		open_again(o, &o->wall[from], m.arg);
	return true;
}

int
main(void)
{
	static struct opener o = {.wall = {{.fd = WORKER_FD}}, .n = 1};
	struct log log = {WORKER_LOG_FD, WORKER_LOG_FD, LF_RECORD, 0};
	struct pollfd pfd[1 + MSG_WORKERS_MAX];

	if (jail_worker(jail_row(ROLE_LINK), &log) < 0)
		return 1;
	for (;;) {
		for (unsigned int i = 0; i < o.n; i++)
			pfd[i] = (struct pollfd){o.wall[i].fd, POLLIN, 0};
		poll(pfd, o.n, -1);
		for (unsigned int i = 0, n = o.n; i < n; i++)
			if (pfd[i].revents != 0 && !serve(&o, i)) {
				if (i == 0)
					return 0;
				close(o.wall[i].fd);
				o.wall[i].fd = -1;
			}
	}
}

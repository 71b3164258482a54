/* Starts workers. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "start.h"

/* Where its log will be is /dev/null until then. What the daemon was started with, perhaps a terminal, is not for
 * workers: the log worker gets a copy, and the one for the configuration says what it thinks of it. */
static void
take_standard_fds(enum role role)
{
#ifdef CT_SANITIZE
	int last = role == ROLE_CONFIG ? STDIN_FILENO : STDOUT_FILENO; /* reports go to standard error */
#else
	int last = role == ROLE_CONFIG ? STDIN_FILENO : STDERR_FILENO;
#endif

	for (int fd = STDIN_FILENO; fd <= last; fd++)
		if (dup2(WORKER_LOG_FD, fd) == -1)
			_exit(71);
}

/* Between fork and exec: the descriptors it finds are 0-2 and its two. */
static void
become_worker(const char *path, enum role role, uint16_t index, int wall, int log_fd)
{
	char number[8];

	snprintf(number, sizeof(number), "%u", index);
	signal(SIGINT, SIG_IGN); /* of the terminal, for all: the parent ends, and they with it */
	take_standard_fds(role);
	if (dup2(wall, WORKER_FD) == -1 || dup2(log_fd, WORKER_LOG_FD) == -1 ||
	    close_range(WORKER_LOG_FD + 1, ~0U, 0) == -1)
		_exit(71);
	execl(path, path, role_name(role), role == ROLE_HELPER ? number : NULL, (char *)NULL);
	_exit(72);
}

int
spawn(struct worker *w, enum role role, uint16_t index, int log_fd)
{
	char path[PATH_MAX];
	int sv[2], size = WALL_BUFFER;

	if (!locate(path, sizeof(path),
		    role == ROLE_HELPER ? "ctd-helper"
		    : role == ROLE_LINK ? "ctd-link"
					: "ctd-worker"))
		return -ENOENT;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, sv) == -1)
		return -errno;
	if (setsockopt(sv[0], SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)) == -1 && geteuid() == 0)
		return -errno; /* not needed by an ordinary user, who only checks a file */
	*w = (struct worker){.role = role, .index = index, .pid = fork(), .wall = {.fd = sv[0]}, .phase = PHASE_SETUP};
	if (w->pid == 0)
		become_worker(path, role, index, sv[1], log_fd);
	close(sv[1]);
	return w->pid == -1 ? -errno : 0;
}

int
give_fd(struct worker *w, uint32_t type, uint32_t arg, int fd)
{
	return chan_sendv(&w->wall, type, arg, NULL, 0, &fd, 1);
}

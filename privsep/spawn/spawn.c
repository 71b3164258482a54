/* See spawn.h. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "spawn.h"

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

void
empty_environment(void)
{
	const char *tz = getenv("TZ");

	if (clearenv() != 0 || (tz != NULL && setenv("TZ", tz, 1) != 0))
		exit(71);
}

/* Between fork and exec: the descriptors it finds are 0-2 and its two. */
static void
become_worker(const char *path, enum role role, uint16_t index, int wall, int log_fd)
{
	const struct sched_param usual = {0}; /* whoever spins must not keep others from running */
	char number[8];

	snprintf(number, sizeof(number), "%u", index);
	sched_setscheduler(0, SCHED_OTHER, &usual);
	signal(SIGINT, SIG_IGN); /* of the terminal, for all: the parent ends, and they with it */
	if (role == ROLE_CONFIG && signal(SIGALRM, SIG_DFL) != SIG_ERR)
		alarm(CONFIG_SECONDS); /* the jail has no way to put it off */
	empty_environment();
	take_standard_fds(role);
	if (dup2(wall, WORKER_FD) == -1 || dup2(log_fd, WORKER_LOG_FD) == -1 ||
	    close_range(WORKER_LOG_FD + 1, ~0U, 0) == -1)
		_exit(71);
	execl(path, strrchr(path, '/') + 1, role_name(role), role == ROLE_HELPER ? number : NULL, (char *)NULL);
	_exit(72);
}

int
spawn(struct worker *w, enum role role, uint16_t index, int log_fd)
{
	static const char *const program[ROLE_MAX] = {[ROLE_HELPER] = "ctd-helper",
						      [ROLE_STATS] = "ctd-stats",
						      [ROLE_LINK] = "ctd-link",
						      [ROLE_KEEPER] = "ctd-keeper"};
	char path[PATH_MAX];
	int sv[2], size = WALL_BUFFER;

	if (!locate(path, sizeof(path), program[role] != NULL ? program[role] : "ctd-worker"))
		return -ENOENT;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, sv) == -1)
		return -errno;
	if (setsockopt(sv[0], SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)) == -1 && role != ROLE_CONFIG)
		return -errno; /* who only checks a file, perhaps without the right, needs no room */
	*w = (struct worker){role, index, fork(), -1, {.fd = sv[0]}, PHASE_SETUP};
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

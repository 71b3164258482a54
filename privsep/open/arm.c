/* Whom the parent can end, and how. */
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "open.h"

/* A word to a pipe whose reading end asks for a signal ends the worker, by the credentials of who asked: those of the
 * worker's user, to whom the kernel lets a user signal. So neither the parent nor the keeper needs the right to; and
 * the keeper holds the reading end, so no worker can withdraw it. */
int
arm(struct opened *s, struct worker *w)
{
	const struct passwd *pw = getpwnam(JAIL_WORKER_USER);
	int fd[3], r = -ENOENT; /* reading end, trigger, pidfd */

	if (pw == NULL || pipe2(fd, O_CLOEXEC | O_NONBLOCK) == -1 || seteuid(pw->pw_uid) == -1)
		return r;
	if (fcntl(fd[0], F_SETOWN, w->pid) == -1 || fcntl(fd[0], F_SETSIG, SIGKILL) == -1 ||
	    fcntl(fd[0], F_SETFL, O_ASYNC | O_NONBLOCK) == -1 ||
	    (fd[2] = (int)syscall(SYS_pidfd_open, w->pid, 0)) == -1)
		r = -errno;
	else
		r = chan_sendv(&s->h.worker[0].wall, MSG_KEEP_WORKER, w->role, NULL, 0, fd, 3);
	w->trigger = fd[1];
	close(fd[0]);
	close(fd[2]);
	return seteuid(0) == 0 ? r : -errno;
}

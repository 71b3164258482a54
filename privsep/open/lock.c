/* The lock, and what is removed when the daemon ends. */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "open.h"

#define LOCK_TRIES 50 /* in a second: the keeper of a daemon that was killed has not left yet */

/* Without a capability, which the keeper has none of, removing takes the directory's owner. */
void
keep_name(struct opened *s, const char *path, int file)
{
	const char *name = strrchr(path, '/') + 1;
	struct iovec part = {(void *)(uintptr_t)name, strlen(name)};
	char parent[MSG_PATH_MAX];
	struct stat st = {0};
	int fd[2] = {-1, file};

	snprintf(parent, sizeof(parent), "%s", path);
	fd[0] = open(dirname(parent), O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fstat(fd[0], &st) == -1 || chan_sendv(&s->h.worker[0].wall, MSG_KEEP_NAME, 0, &part, 1, fd, 2) != 0 ||
	    (st.st_mode & (st.st_uid == 0 ? S_IWUSR : S_IWOTH)) == 0)
		log_put(&s->log, LV_NOTICE, "`%s' stays when the daemon ends: its directory belongs to uid %u", path,
			st.st_uid);
	close(fd[0]);
}

/* Empty, or the number of a process. */
static bool
is_lock(int fd)
{
	char text[16] = "";
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);
	struct stat st;

	return n >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_nlink == 1 && st.st_size == n &&
	       strspn(text, "0123456789\n") == (size_t)n;
}

/* Anybody may make files in /var/lock, and could hold for ever what he made there: it is put aside, for one of ours
 * that takes its place in the same step, so that he has no time to make the next one. */
static void
put_aside(struct opened *s, const char *name)
{
	char copy[MSG_PATH_MAX], aside[MSG_PATH_MAX + 16];
	struct stat st, around;
	int fd;

	snprintf(copy, sizeof(copy), "%s", name);
	if (lstat(name, &st) == -1 || st.st_uid == geteuid() || stat(dirname(copy), &around) == -1 ||
	    (around.st_mode & S_IWOTH) == 0)
		return;
	snprintf(aside, sizeof(aside), "%s.XXXXXX", name);
	if ((fd = mkostemp(aside, O_CLOEXEC)) == -1)
		return;
	close(fd);
	if (renameat2(AT_FDCWD, aside, AT_FDCWD, name, RENAME_EXCHANGE) != 0)
		unlink(aside);
	else
		log_put(&s->log, LV_WARNING, "lockfile `%s' belonged to uid %u: renamed to `%s'", name, st.st_uid,
			aside);
}

/* Not at once: with fs.protected_regular that is refused for another's file, whose owner could not be named. */
static int
open_lock(struct opened *s, const char *name)
{
	int flags = O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, fd;

	put_aside(s, name);
	fd = open(name, flags);
	return fd == -1 && errno == ENOENT ? open(name, flags | O_CREAT, 0600) : fd;
}

/* The lock is the flock, not the file: what a dead daemon left behind blocks nobody. A file that was removed in the
 * meantime is none, nor is somebody else's. */
static bool
locked(const char *name, int fd)
{
	struct stat ours, there;

	return flock(fd, LOCK_EX | LOCK_NB) == 0 && fstat(fd, &ours) == 0 && stat(name, &there) == 0 &&
	       ours.st_uid == geteuid() && ours.st_ino == there.st_ino && ours.st_dev == there.st_dev;
}

void
take_lock(struct opened *s)
{
	const char *name = s->s.conf.lockfile;
	struct stat st = {0};
	bool ours = false;
	int fd;

	for (int tries = 0; (fd = open_lock(s, name)) != -1 && !(ours = locked(name, fd)) && tries < LOCK_TRIES;
	     tries++) {
		close(fd);
		poll(NULL, 0, 1000 / LOCK_TRIES);
	}
	if (fd == -1)
		log_put(&s->log, LV_ERROR, "can't open lockfile `%s': %s", name, strerror(errno));
	else if (fstat(fd, &st) == -1 || st.st_uid != geteuid())
		log_put(&s->log, LV_ERROR, "lockfile `%s' belongs to uid %u, who could hold it for ever: remove it",
			name, st.st_uid);
	else if (!ours)
		log_put(&s->log, LV_ERROR, "lockfile `%s' exists, perhaps conntrackd already running?", name);
	else if (!is_lock(fd))
		log_put(&s->log, LV_ERROR, "lockfile `%s' exists and is none: something else is in it", name);
	else if (ftruncate(fd, 0) == -1 || dprintf(fd, "%d\n", (int)getpid()) < 0)
		log_put(&s->log, LV_ERROR, "can't write lockfile `%s': %s", name, strerror(errno));
	else {
		s->lock = fd;
		keep_name(s, name, fd);
		return;
	}
	give_up(s, 1);
}

/*
 * Finds the control socket's path with the daemon's own lexer, so both read words alike. The file may be
 * anything.
 */
#include "sockpath.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ctl_path.h"

#define FILE_MAX (16u << 20)

int
sockpath_find(const char *text, size_t len, char path[SOCKPATH_MAX])
{
	return ctl_path_find(text, len, path, SOCKPATH_MAX);
}

static int
read_all(int fd, char *buf, size_t size)
{
	size_t have = 0;
	ssize_t n;

	while (have < size) {
		n = read(fd, buf + have, size - have);
		if (n == 0)
			break;
		if (n == -1 && errno != EINTR)
			return -errno;
		have += n > 0 ? (size_t)n : 0;
	}
	return (int)have;
}

static int
find_in(int fd, size_t size, char path[SOCKPATH_MAX])
{
	char *text = malloc(size + 1);
	int r;

	if (text == NULL)
		return -ENOMEM;
	if ((r = read_all(fd, text, size)) >= 0)
		r = sockpath_find(text, (size_t)r, path);
	free(text);
	return r;
}

int
sockpath_read(const char *file, char path[SOCKPATH_MAX])
{
	int fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	struct stat st;
	int r;

	if (fd == -1)
		return -errno;
	if (fstat(fd, &st) == -1)
		r = -errno;
	else if (S_ISDIR(st.st_mode))
		r = -EISDIR;
	else
		r = st.st_size > (off_t)FILE_MAX
			    ? -EFBIG
			    : find_in(fd, S_ISREG(st.st_mode) ? (size_t)st.st_size : FILE_MAX, path);
	close(fd);
	return r;
}

const char *
sockpath_error(int err)
{
	switch (err) {
	case -ENOENT:
		return "it names no control socket, General { UNIX { Path } }: is it a configuration of conntrackd?";
	case -EINVAL:
		return "it is not a configuration of conntrackd: it has no `General', `Sync', `Stats' or `Helper' "
		       "block";
	case -ENAMETOOLONG:
		return "the path of its control socket, General { UNIX { Path } }, is too long";
	case -EFBIG:
		return "it is too large for a configuration of conntrackd";
	default:
		return strerror(-err);
	}
}

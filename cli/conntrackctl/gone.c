/*
 * A child that connects when it is told to, until nobody answers.
 */
#include "gone.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define AGAIN_MS 20

static bool
somebody_listens(const struct sockaddr_un *sa)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool there = fd < 0 || connect(fd, (const struct sockaddr *)sa, sizeof(*sa)) == 0 ||
		     (errno != ENOENT && errno != ECONNREFUSED);

	if (fd >= 0)
		close(fd);
	return there;
}

/* Until the parent has no more use for it. */
static void
look(int fd, const struct sockaddr_un *sa)
{
	struct pollfd p = {fd, POLLIN, 0};
	char c;

	if (read(fd, &c, 1) != 1)
		return;
	while (somebody_listens(sa))
		if (poll(&p, 1, AGAIN_MS) != 0)
			return;
	if (write(fd, &c, 1) != 1)
		return;
}

int
gone_watch(const char *path)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	int sv[2];
	pid_t pid;

	if (strlen(path) >= sizeof(sa.sun_path))
		return -ENAMETOOLONG;
	memcpy(sa.sun_path, path, strlen(path) + 1);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv) == -1)
		return -errno;
	if ((pid = fork()) == 0) {
		close(sv[0]);
		look(sv[1], &sa);
		_exit(0);
	}
	close(sv[1]);
	if (pid > 0)
		return sv[0];
	close(sv[0]);
	return -EAGAIN;
}

bool
gone_ask(int fd, int ms)
{
	struct pollfd p = {fd, POLLIN, 0};
	char c = 0;

	return send(fd, &c, 1, MSG_NOSIGNAL) == 1 && poll(&p, 1, ms) == 1 && recv(fd, &c, 1, 0) == 1;
}

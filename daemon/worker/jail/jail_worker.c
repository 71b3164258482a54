/*
 * A worker's jail: the network namespace, which the processes below privsep/ do not have, and then what everybody has.
 * Where root may not make namespaces, as in most containers, a user namespace can give that right.
 */
#include <cap-ng.h>
#include <errno.h>
#include <poll.h>
#include <pwd.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "roles.h"

/* Root, who builds the rest of the jail, and the one who it then becomes; nobody else exists in there. */
static bool
write_map(pid_t of, const char *which, unsigned int id)
{
	char path[64];
	FILE *f;
	bool good;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)of, which);
	if ((f = fopen(path, "we")) == NULL)
		return false;
	good = fprintf(f, "0 0 1\n%u %u 1\n", id, id) > 0;
	return fclose(f) == 0 && good; /* one write, as the kernel wants it */
}

/* Only a process that stayed outside may write them: a child, as soon as it hears that the namespace is there. */
static pid_t
start_mapper(const struct passwd *pw, int *go)
{
	int ends[2];
	pid_t pid, parent = getpid();
	char c;

	if (pipe(ends) == -1)
		return -1;
	if ((pid = fork()) == 0) {
		close(ends[1]);
		_exit(read(ends[0], &c, 1) != 1 || !write_map(parent, "uid_map", pw->pw_uid) ||
		      !write_map(parent, "gid_map", pw->pw_gid));
	}
	close(ends[0]);
	*go = ends[1];
	return pid;
}

/* 0; -EPERM when it cannot be had; another -errno: it is there, and nobody can go on in it. */
static int
user_and_net(const char *user)
{
	const struct passwd *pw = getpwnam(user);
	int go = -1, status = 1, r;
	pid_t pid;

	if (pw == NULL || !capng_have_capability(CAPNG_EFFECTIVE, CAP_SETFCAP) || /* to map root */
	    (pid = start_mapper(pw, &go)) == -1)
		return -EPERM;
	r = unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0 && write(go, "", 1) == 1 ? 0 : -EPERM;
	close(go);
	while (waitpid(pid, &status, 0) == -1 && errno == EINTR)
		;
	return r == 0 && status != 0 ? -ENOTRECOVERABLE : r;
}

static int
own_net(const struct jail *j)
{
	int r = j->host_net || unshare(CLONE_NEWNET) == 0 ? 0 : -errno;

	return r == -EPERM ? user_and_net(j->user) : r;
}

int
jail_worker(const struct jail *j, struct log *log)
{
	int net = own_net(j), r;

	errno = -net; /* -EPERM is -1 */
	if (net != 0 && !jail_spares(j, WALL_NET, net)) {
		log_put(log, LV_ERROR, "cannot enter the jail: network namespace: %s", strerror(-net));
		return net;
	}
	r = jail_enter(j, log);
	return r >= 0 && net != 0 ? r | WALL_NET : r;
}

uint32_t
jail_asked(int wall_fd)
{
	struct pollfd pfd = {wall_fd, POLLIN, 0};
	struct msg_hdr hdr = {0};

	while (poll(&pfd, 1, -1) == -1 && errno == EINTR)
		;
	return recv(wall_fd, &hdr, sizeof(hdr), MSG_PEEK) == sizeof(hdr) && hdr.type == MSG_CONF ? hdr.arg : 0;
}

/*
 * What is opened by name: log files, control socket, the service manager's socket. As root, with names that the
 * administrator wrote and setup_check() saw.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <libgen.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "open.h"

#ifndef SO_PASSRIGHTS
#define SO_PASSRIGHTS 83 /* Linux 6.16 */
#endif
#define BACKLOG        100
#define WATCHDOG_MOST  3000000000U /* ns */
#define WATCHDOG_LEAST 100000000U

/* Whoever chose the name may have chosen any: only what is the log worker's already, empty or like a log (of 1.4.x, or
 * of a worker that had another uid) changes its owner; and nobody else's where everybody may make files. */
static bool
is_log(int fd, const char *name, int dir, uid_t uid, const char *begins)
{
	int in = open(name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st, around;
	bool common = fstat(dir, &around) == -1 || (around.st_mode & S_IWOTH) != 0;
	char first = begins[0];
	bool good = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_nlink == 1 &&
		    (st.st_uid == uid || ((!common || st.st_uid == geteuid()) && read(in, &first, 1) >= 0 &&
					  strchr(begins, first) != NULL));

	close(in);
	return good;
}

/* What containers log to; -1: another name. */
static int
stream_of(const char *name)
{
	static const char *const names[] = {"/dev/stdout", "/proc/self/fd/1", "/dev/stderr", "/proc/self/fd/2"};

	for (int i = 0; i < 4; i++)
		if (strcmp(name, names[i]) == 0)
			return i < 2 ? STDOUT_FILENO : STDERR_FILENO;
	return -1;
}

/* A link counts when it is root's and nobody else makes any there. Otherwise it stays the name, and is not opened. */
static void
follow(char name[MSG_PATH_MAX])
{
	char to[MSG_PATH_MAX], copy[MSG_PATH_MAX], *parent;
	struct stat st, around;
	ssize_t n;

	for (int i = 0; i < 8 && stream_of(name) == -1 && (n = readlink(name, to, sizeof(to) - 1)) > 0; i++) {
		to[n] = '\0';
		memcpy(copy, name, sizeof(copy));
		parent = dirname(copy);
		if (lstat(name, &st) == -1 || st.st_uid != geteuid() || stat(parent, &around) == -1 ||
		    around.st_mode & S_IWOTH ||
		    snprintf(name, MSG_PATH_MAX, "%s%s%s", to[0] == '/' ? "" : parent, to[0] == '/' ? "" : "/", to) >=
			    MSG_PATH_MAX)
			return;
	}
}

/* Neither has a directory: there is nothing to open again. */
static bool
open_device(struct opened *s, int *file, const char *name)
{
	int fd = stream_of(name);

	if (fd == -1 && strcmp(name, "/dev/null") != 0)
		return false;
	*file = fd == -1 ? open(name, O_WRONLY | O_CLOEXEC) : fcntl(fd, F_DUPFD_CLOEXEC, WORKER_LOG_FD + 1);
	s->streamed = s->streamed || fd != -1;
	return *file != -1;
}

/* The log worker owns its files: it must open them again after rotation. begins: what its lines begin with. */
static void
open_log(struct opened *s, int *sink, const char *conf, const char *begins)
{
	const struct passwd *pw = getpwnam(JAIL_WORKER_USER);
	char name[MSG_PATH_MAX], parent[MSG_PATH_MAX];

	snprintf(name, sizeof(name), "%s", conf);
	follow(name);
	if (name[0] == '\0' || open_device(s, &sink[SINK_FILE], name))
		return;
	memcpy(parent, name, sizeof(parent));
	sink[SINK_DIR] = open(dirname(parent), O_PATH | O_DIRECTORY | O_CLOEXEC);
	sink[SINK_FILE] = open(name, JAIL_LOG_OPEN | O_NONBLOCK, 0600);
	if (sink[SINK_FILE] == -1 && errno == EACCES && pw != NULL && setfsuid(pw->pw_uid) == (int)geteuid()) {
		sink[SINK_FILE] = open(name, JAIL_LOG_OPEN | O_NONBLOCK, 0600); /* root without CAP_DAC_OVERRIDE */
		setfsuid(geteuid());
	}
	if (sink[SINK_FILE] != -1 &&
	    !is_log(sink[SINK_FILE], name, sink[SINK_DIR], pw != NULL ? pw->pw_uid : 0, begins))
		errno = EEXIST; /* something else */
	else if (sink[SINK_FILE] != -1 && sink[SINK_DIR] != -1 &&
		 (pw == NULL || fchown(sink[SINK_FILE], pw->pw_uid, (gid_t)-1) == 0))
		return;
	fprintf(stderr, "ERROR: can't open logfile `%s'.Reason: %s\n", conf,
		errno == EEXIST ? "it is there and is no log file" : strerror(errno));
	give_up(s, 1);
}

static int
connect_to(const struct sockaddr_un *sun, socklen_t len, int type)
{
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd == -1 || connect(fd, (const struct sockaddr *)sun, len) == 0)
		return fd;
	close(fd);
	return -1;
}

/* Its receiving end becomes a sink, which is told who writes. */
static void
log_socket(struct opened *s, int *sink, int *fd)
{
	int sv[2], on = 1;

	if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, sv) == -1 ||
	    setsockopt(sv[0], SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) == -1) {
		log_put(&s->log, LV_ERROR, "can't create the log socket: %s", strerror(errno));
		give_up(s, 1);
	}
	*sink = sv[0];
	*fd = sv[1];
}

void
open_logs(struct opened *s)
{
	const struct sockaddr_un syslog = {AF_UNIX, "/dev/log"};

	open_log(s, s->sink, s->s.conf.logfile, "[");
	if (s->s.conf.syslog_facility != 0)
		s->sink[SINK_SYSLOG] = connect_to(&syslog, sizeof(syslog), SOCK_DGRAM);
	s->sink[SINK_CONSOLE] = s->s.daemon || s->streamed ? -1 : STDOUT_FILENO;
	/* of a daemon: until it is ready */
	s->sink[SINK_CONSOLE_ERR] = s->streamed && !s->s.daemon ? -1 : STDERR_FILENO;
	log_socket(s, &s->sink[SINK_PARENT], &s->h.log_fd);
	log_socket(s, &s->sink[SINK_WORKERS], &s->workers_log);
	if (s->s.conf.stats_logfile[0] == '\0' && s->s.conf.stats_syslog_facility == 0)
		return;
	open_log(s, s->flow_sink, s->s.conf.stats_logfile, "MTWFS"); /* a day of the week */
	if (s->s.conf.stats_syslog_facility != 0)
		s->flow_sink[SINK_SYSLOG] = connect_to(&syslog, sizeof(syslog), SOCK_DGRAM);
	log_socket(s, &s->flow_sink[SINK_FLOWS], &s->flows);
}

void
open_control(struct opened *s)
{
	const struct msg_setup *c = &s->s.conf;
	const struct group *gr = c->ctl_group[0] != '\0' ? getgrnam(c->ctl_group) : NULL;
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	const char *why = NULL;
	struct stat st;
	int fd;

	s->h.control = -1;
	if (c->ctl_path[0] == '\0')
		return;
	memcpy(sun.sun_path, c->ctl_path, sizeof(sun.sun_path));
	if (c->ctl_group[0] != '\0' && gr == NULL)
		why = "the group of UNIX { Group } does not exist";
	else if (connect_to(&sun, sizeof(sun), SOCK_STREAM) != -1)
		why = "another daemon listens there";
	else if (errno != ENOENT && errno != ECONNREFUSED) /* EAGAIN: it is busy; EPROTOTYPE: no stream socket */
		why = strerror(errno);
	else if (lstat(c->ctl_path, &st) == 0 && !S_ISSOCK(st.st_mode))
		why = "there is a file that is no socket";
	umask(gr != NULL ? 0117 : 0177);
	if (why == NULL) {
		unlink(c->ctl_path);
		s->h.ctl_gid = gr != NULL ? gr->gr_gid : 0;
		fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		if (fd == -1 || bind(fd, (struct sockaddr *)&sun, sizeof(sun)) == -1 || listen(fd, BACKLOG) == -1 ||
		    (gr != NULL && lchown(c->ctl_path, (uid_t)-1, gr->gr_gid) == -1))
			why = strerror(errno);
		/* the parent would have to close what nobody has read; older kernels do not know it */
		setsockopt(fd, SOL_SOCKET, SO_PASSRIGHTS, &(int){0}, sizeof(int));
		s->h.control = fd;
	}
	if (why == NULL) {
		keep_name(s, c->ctl_path, open(c->ctl_path, O_PATH | O_NOFOLLOW | O_CLOEXEC));
		return;
	}
	log_put(&s->log, LV_ERROR, "can't open unix socket! %s: %s", c->ctl_path, why);
	give_up(s, 1);
}

void
open_notify(struct opened *s)
{
	const char *name = getenv("NOTIFY_SOCKET");
	const char *usec = getenv("WATCHDOG_USEC");
	unsigned long long us = usec != NULL ? strtoull(usec, NULL, 10) : 0;
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	size_t len = name != NULL ? strlen(name) : 0;

	s->h.notify = -1;
	s->h.watchdog = us == 0 || us > WATCHDOG_MOST / 500 ? WATCHDOG_MOST : us * 500; /* two in its time */
	if (s->h.watchdog < WATCHDOG_LEAST)
		s->h.watchdog = WATCHDOG_LEAST;
	if (len == 0 || len >= sizeof(sun.sun_path) || !s->s.conf.systemd)
		return;
	memcpy(sun.sun_path, name, len);
	if (name[0] == '@')
		sun.sun_path[0] = '\0';
	s->h.notify = connect_to(&sun, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len), SOCK_DGRAM);
}

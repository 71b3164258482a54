/* ctd-start: decides what the command line wants, and for a daemon goes through the steps of the start in order. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "log_text.h"
#include "start.h"

#define CONF_DEFAULT "/etc/conntrackd/conntrackd.conf"
#define N_LOG        2 /* workers and warm spares of a kind */
#define N_SERVING    3

struct wish {
	const char *conf;
	enum conf_use use;
	bool daemon;
};

/* Only the second character of an argument counts, as ever. False: not for us, or wrong. */
static bool
parse(int argc, char **argv, struct wish *w)
{
	for (int i = 1; i < argc; i++) {
		const char *a = argv[i];

		if (strcmp(a, "--check") == 0)
			w->use = CONF_CHECK;
		else if (strcmp(a, "--print") == 0)
			w->use = CONF_PRINT;
		else if (a[0] != '\0' && a[1] == 'd')
			w->daemon = true;
		else if (a[0] != '\0' && a[1] == 'C' && i + 1 < argc)
			w->conf = argv[++i];
		else
			return false;
	}
	return true;
}

/* The client, and whatever is wrong with the command line, is conntrackctl's. */
static int
become_client(int argc, char **argv)
{
	char path[PATH_MAX], **args = calloc((size_t)argc + 2, sizeof(*args));
	int why;

	if (args != NULL && locate(path, sizeof(path), "conntrackctl")) {
		args[0] = argv[0];
		args[1] = (char *)(uintptr_t) "--compat";
		memcpy(args + 2, argv + 1, (size_t)(argc - 1) * sizeof(*args));
		execv(path, args);
	}
	why = errno;
	free(args);
	fprintf(stderr, "conntrackd: can't run conntrackctl, which serves this option: %s\n", strerror(why));
	return 1;
}

void
give_up(struct start *s, int status)
{
	if (s->locked)
		log_put(&s->log, LV_ERROR, "conntrackd cannot start, please review your configuration");
	close(s->h.log_fd);
	for (unsigned int i = 0; i < s->h.n_workers; i++)
		close(s->h.worker[i].wall.fd);
	for (int i = 0; i < 100 && waitpid(-1, NULL, WNOHANG) >= 0; i++)
		poll(NULL, 0, 20); /* the log worker writes what it has */
	exit(status);
}

/* The process that was called shows what the start has to say, until a zero byte says that the daemon is ready. */
static void
wait_for_daemon(int from)
{
	char text[1024];

	for (ssize_t n; (n = read(from, text, sizeof(text))) > 0;) {
		char *end = memchr(text, '\0', (size_t)n);

		if (write(STDERR_FILENO, text, end != NULL ? (size_t)(end - text) : (size_t)n) == -1 || end != NULL)
			_exit(0);
	}
	_exit(1);
}

static void
to_background(struct start *s)
{
	int ends[2], null = open("/dev/null", O_RDWR | O_CLOEXEC);
	pid_t pid = socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0 ? fork() : -1;

	if (pid == -1) {
		log_put(&s->log, LV_ERROR, "can't go to the background: %s", strerror(errno));
		exit(1);
	}
	if (pid > 0) {
		close(ends[1]);
		wait_for_daemon(ends[0]);
	}
	setsid();
	dup2(null, STDIN_FILENO);
	dup2(null, STDOUT_FILENO);
	dup2(ends[1], STDERR_FILENO);
	close(ends[0]);
	close(ends[1]);
	close(null);
}

/* To ctd-link the settings, to a sync worker the sockets, and to both the wall between them. */
static int
give_links(struct start *s, struct worker *w)
{
	int sv[2], r = 0;

	for (unsigned int i = 0; i < s->h.conf.n_links && r == 0; i++) {
		struct iovec part = {&s->link_info[i], sizeof(s->link_info[i])};

		r = w->role == ROLE_LINK
			    ? chan_send(&w->wall, MSG_LINK, i, &s->h.conf.link[i], sizeof(s->h.conf.link[i]))
			    : chan_sendv(&w->wall, MSG_CHANNEL, i, &part, 1, s->link[i], 2);
	}
	if (r != 0 || w->role == ROLE_LINK)
		return r;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, sv) == -1)
		return -errno;
	if ((r = give_fd(w, MSG_LINK_WALL, 0, sv[0])) == 0)
		r = give_fd(s->opener, MSG_LINK_WALL, 0, sv[1]);
	close(sv[0]);
	close(sv[1]);
	return r;
}

static void
start_workers(struct start *s, enum role role, uint16_t index, unsigned int n)
{
	const int *from = index == 0 ? s->sink : s->flow_sink;

	for (unsigned int i = 0; i < n; i++) {
		struct worker *w = &s->h.worker[s->h.n_workers];
		int r = spawn(w, role, index, s->workers_log);

		s->h.n_workers += r == 0;
		for (unsigned int sink = 0; r == 0 && role == ROLE_LOG && sink < SINK_MAX; sink++)
			if (from[sink] != -1)
				r = give_fd(w, MSG_LOG_SINK, sink, from[sink]);
		if (r == 0 && role != ROLE_KEEPER)
			r = arm(s, w);
		if (r == 0 && role != ROLE_KEEPER && role != ROLE_LINK)
			r = give_fd(w, MSG_CONF, setup_walls(&s->h.conf), s->conf_fd);
		if (r == 0 && role == ROLE_STATS && s->flows != 0)
			r = give_fd(w, MSG_LOG_SINK, SINK_FLOWS, s->flows);
		s->opener = role == ROLE_LINK ? w : s->opener;
		if (r == 0 && s->opener != NULL)
			r = give_links(s, w);
		if (r == 0)
			continue;
		log_put(&s->log, LV_ERROR, "can't start a %s worker: %s", role_name(role), strerror(-r));
		give_up(s, 1);
	}
}

/* True when the worker says that it serves. What it said is taken: closing a wall with something unread in it would
 * make the worker miss what came before. */
static bool
heard_serving(struct worker *w)
{
	uint8_t buf[sizeof(struct msg_hdr)];
	struct pollfd pfd = {w->wall.fd, POLLIN, 0};
	struct msg m = {0};

	while (m.arg != READY_SERVING)
		if (poll(&pfd, 1, PATIENCE) != 1 || chan_recv(&w->wall, buf, sizeof(buf), &m) != 1 ||
		    msg_admit(w->role, ROLE_PARENT, w->phase, &m) != ADMIT_OK)
			return false;
	return true;
}

/* The worker enters its jail and serves. */
static void
enter(struct start *s, struct worker *w)
{
	uint32_t arg = w->role == ROLE_KEEPER ? setup_walls(&s->h.conf) : 0;

	w->phase = PHASE_RUN;
	if (chan_send(&w->wall, MSG_START, arg, NULL, 0) == 0 && heard_serving(w))
		return;
	log_put(&s->log, LV_ERROR, "the %s worker did not start", role_name(w->role));
	give_up(s, 1);
}

/* From here on everything is said through the log worker. */
static void
start_logging(struct start *s)
{
	struct worker *first = &s->h.worker[s->h.n_workers];

	start_workers(s, ROLE_LOG, 0, N_LOG);
	enter(s, first);
	if (s->flows != 0) {
		start_workers(s, ROLE_LOG, 1, N_LOG);
		enter(s, first + N_LOG);
	}
	s->log = (struct log){s->h.log_fd, s->h.log_fd, LF_RECORD, 0};
}

static void
open_links(struct start *s)
{
	for (unsigned int i = 0; i < s->h.conf.n_links; i++) {
		const struct msg_link *l = &s->h.conf.link[i];
		int r = link_open(l, s->link[i], &s->link_info[i], false);
		char local[INET6_ADDRSTRLEN] = "";

		if (r == 0)
			continue;
		inet_ntop(l->family, l->local, local, sizeof(local));
		log_put(&s->log, LV_ERROR, "can't open channel socket: %s (link %u, %s, %s port %u)%s", strerror(-r),
			i + 1, l->ifname, local, l->port, r == -EADDRINUSE ? ": ss -lunp tells who has the port" : "");
		give_up(s, 1);
	}
}

static void
become_parent(struct start *s)
{
	int fd = memfd_create("handover", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	const int kept[] = {s->lock,     s->h.log_fd,   s->h.control, s->h.notify,
			    s->h.events, s->h.requests, s->h.dumps,   s->h.quiet};
	int self = fcntl(HANDOVER_FD, F_DUPFD_CLOEXEC, 0);

	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
		fcntl(kept[i], F_SETFD, 0);
	for (unsigned int i = 0; i < s->h.n_workers; i++) {
		fcntl(s->h.worker[i].wall.fd, F_SETFD, 0);
		fcntl(s->h.worker[i].trigger, F_SETFD, 0);
	}
	s->h.magic = HANDOVER_MAGIC;
	if (fd != -1 && write(fd, &s->h, sizeof(s->h)) == sizeof(s->h) && lseek(fd, 0, SEEK_SET) == 0 &&
	    fcntl(fd, F_ADD_SEALS, HANDOVER_SEALS) == 0 && dup2(fd, HANDOVER_FD) != -1)
		fexecve(self, s->argv, environ != NULL ? environ : (char *[]){NULL});
	log_put(&s->log, LV_ERROR, "can't run conntrackd: %s", strerror(errno));
	give_up(s, 1);
}

/* Descriptors 0-4 exist: the first three are open for good, then conntrackd's file, and one that is nobody's; workers
 * get their own ones at the last two. */
static void
reserve_fds(void)
{
	int fd = 0;

	close_range(HANDOVER_FD + 1, ~0U, 0);
	while (fd <= WORKER_LOG_FD) {
		if ((fd = open("/dev/null", O_RDWR | O_CLOEXEC)) == -1) {
			fprintf(stderr, "ERROR: can't open /dev/null: %s\n", strerror(errno));
			exit(1);
		}
		if (fd <= STDERR_FILENO)
			fcntl(fd, F_SETFD, 0);
	}
}

/* What is inherited and would change what we do: with SIGCHLD ignored nobody has an exit status. */
static void
reset_surroundings(void)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGCHLD, SIG_DFL);
	signal(SIGXFSZ, SIG_IGN); /* becomes an error of write() */
	umask(022);
}

/* What the service manager tells is kept; the processes to come get the time zone and nothing else. */
static void
empty_environment(struct start *s)
{
	const char *tz = getenv("TZ");

	s->notify_socket = getenv("NOTIFY_SOCKET");
	s->watchdog_usec = getenv("WATCHDOG_USEC");
	if (clearenv() != 0 || (tz != NULL && setenv("TZ", tz, 1) != 0))
		give_up(s, 1);
}

/* Names the first right that is missing, or NULL. A container, or a unit, may leave root without some of them. */
static const char *
missing_right(void)
{
	static const struct {
		unsigned int bit;
		const char *name;
	} rights[] = {{CAP_SETUID, "SETUID"}, {CAP_SETGID, "SETGID"}, {CAP_NET_ADMIN, "NET_ADMIN"}};
	struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct mine[_LINUX_CAPABILITY_U32S_3] = {0};

	syscall(SYS_capget, &head, mine);
	for (size_t i = 0; i < sizeof(rights) / sizeof(rights[0]); i++)
		if ((mine[0].effective & 1U << rights[i].bit) == 0)
			return rights[i].name;
	return NULL;
}

/* Logs what is missing. */
static bool
may_start(struct start *s)
{
	const char *right = NULL;

	if (geteuid() != 0)
		log_put(&s->log, LV_ERROR, "conntrackd must be started by root; it drops its rights by itself");
	else if ((right = missing_right()) != NULL)
		log_put(&s->log, LV_ERROR,
			"conntrackd needs CAP_%s, which this root has not: give it to the container or unit; it drops "
			"its rights by itself",
			right);
	return geteuid() == 0 && right == NULL;
}

int
main(int argc, char **argv)
{
	static struct start start = {.log = {STDOUT_FILENO, STDERR_FILENO, LF_TEXT, 0}, .h.log_fd = -1};
	struct start *s = &start;
	struct wish w = {CONF_DEFAULT, CONF_START, false};
	struct stat st;
	int status;

	if (fcntl(HANDOVER_FD, F_SETFD, FD_CLOEXEC) == -1 || fstat(HANDOVER_FD, &st) == -1 || !S_ISREG(st.st_mode)) {
		fprintf(stderr, "ctd-start is started by conntrackd, not by hand\n");
		return 64;
	}
	if (!parse(argc, argv, &w))
		return become_client(argc, argv);
	reset_surroundings();
	reserve_fds();
	empty_environment(s);
	if (w.use == CONF_START && !may_start(s))
		return 1;
	for (int i = 0; i < SINK_MAX; i++)
		s->sink[i] = s->flow_sink[i] = -1;
	s->argv = argv;
	s->h.daemon = w.daemon;
	if ((status = read_config(s, w.conf, w.use)) != 0 || w.use != CONF_START)
		return status;
	open_logs(s); /* with the standard output that we were started with */
	if (w.daemon)
		to_background(s);
	start_workers(s, ROLE_KEEPER, 0, 1); /* the first: others are told to it */
	start_logging(s);
	take_lock(s);
	s->locked = true;
	open_control(s);
	open_notify(s);
	open_links(s);
	open_netlink(s);
	start_workers(s, ROLE_LINK, 0, s->h.conf.n_links > 0);
	start_workers(s, s->h.conf.sync ? ROLE_SYNC : ROLE_STATS, 0, N_SERVING);
	enter(s, &s->h.worker[0]);
	set_scheduler(s);
	if (chdir("/") == 0)
		become_parent(s);
	return 1;
}

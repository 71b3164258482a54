/* ctd-open: the steps of the start, in order. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "log_text.h"
#include "open.h"

#define N_LOG     2 /* workers and warm spares of a kind */
#define N_SERVING 3

void
give_up(struct opened *s, int status)
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
to_background(struct opened *s)
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
give_links(struct opened *s, struct worker *w)
{
	int sv[2], r = 0;

	for (unsigned int i = 0; i < s->s.conf.n_links && r == 0; i++) {
		struct iovec part = {&s->link_info[i], sizeof(s->link_info[i])};

		r = w->role == ROLE_LINK
			    ? chan_send(&w->wall, MSG_LINK, i, &s->s.conf.link[i], sizeof(s->s.conf.link[i]))
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
start_workers(struct opened *s, enum role role, uint16_t index, unsigned int n)
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
			r = give_fd(w, MSG_CONF, setup_walls(&s->s.conf), s->s.conf_fd);
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
enter(struct opened *s, struct worker *w)
{
	uint32_t arg = w->role == ROLE_KEEPER ? setup_walls(&s->s.conf) : 0;

	w->phase = PHASE_RUN;
	if (chan_send(&w->wall, MSG_START, arg, NULL, 0) == 0 && heard_serving(w))
		return;
	log_put(&s->log, LV_ERROR, "the %s worker did not start", role_name(w->role));
	give_up(s, 1);
}

/* From here on everything is said through the log worker. */
static void
start_logging(struct opened *s)
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
open_links(struct opened *s)
{
	for (unsigned int i = 0; i < s->s.conf.n_links; i++) {
		const struct msg_link *l = &s->s.conf.link[i];
		int r = link_open(l, s->link[i], &s->link_info[i], false);
		char local[INET6_ADDRSTRLEN] = "", who[100] = "";

		if (r == 0)
			continue;
		inet_ntop(l->family, l->local, local, sizeof(local));
		if (r == -EADDRINUSE)
			link_port_user(l, who, sizeof(who));
		log_put(&s->log, LV_ERROR, "can't open channel socket: %s (link %u, %s, %s port %u)%s", strerror(-r),
			i + 1, l->ifname, local, l->port, who);
		give_up(s, 1);
	}
}

static void
become_parent(struct opened *s)
{
	const int kept[] = {s->lock,     s->h.log_fd,   s->h.control, s->h.notify,
			    s->h.events, s->h.requests, s->h.dumps,   s->h.quiet};

	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
		fcntl(kept[i], F_SETFD, 0);
	for (unsigned int i = 0; i < s->h.n_workers; i++) {
		fcntl(s->h.worker[i].wall.fd, F_SETFD, 0);
		fcntl(s->h.worker[i].trigger, F_SETFD, 0);
	}
	empty_environment();
	s->h.magic = HANDOVER_MAGIC;
	s->h.sync = s->s.conf.sync != 0;
	s->h.walls = setup_walls(&s->s.conf);
	s->h.events_max = s->s.conf.nl_buf_max;
	s->h.daemon = s->s.daemon;
	s->h.filter = s->s.filter;
	if (handover_leave(&s->h, sizeof(s->h)))
		fexecve(s->s.self, s->argv, environ != NULL ? environ : (char *[]){NULL});
	log_put(&s->log, LV_ERROR, "can't run conntrackd: %s", strerror(errno));
	give_up(s, 1);
}

/* As ctd-start has it; what is open above is what it leaves. */
static void
keep_to_ourselves(struct opened *s)
{
	fcntl(s->s.self, F_SETFD, FD_CLOEXEC);
	fcntl(s->s.conf_fd, F_SETFD, FD_CLOEXEC);
	for (int fd = 0; fd <= WORKER_LOG_FD;)
		if ((fd = open("/dev/null", O_RDWR | O_CLOEXEC)) == -1)
			exit(1);
}

int
main(int argc, char **argv)
{
	static struct opened opened = {.log = {STDOUT_FILENO, STDERR_FILENO, LF_TEXT, 0}, .h.log_fd = -1};
	struct opened *s = &opened;

	(void)argc;
	if (!handover_take(&s->s, sizeof(s->s), SETTLED_MAGIC)) {
		fprintf(stderr, "ctd-open is started by conntrackd, not by hand\n");
		return 64;
	}
	keep_to_ourselves(s);
	for (int i = 0; i < SINK_MAX; i++)
		s->sink[i] = s->flow_sink[i] = -1;
	s->argv = argv;
	open_logs(s); /* with the standard output that we were started with */
	if (s->s.daemon)
		to_background(s);
	start_workers(s, ROLE_KEEPER, 0, 1); /* the first: others are told to it */
	start_logging(s);
	take_lock(s);
	s->locked = true;
	open_control(s);
	open_notify(s);
	open_links(s);
	open_netlink(s);
	start_workers(s, ROLE_LINK, 0, s->s.conf.n_links > 0);
	start_workers(s, s->s.conf.sync ? ROLE_SYNC : ROLE_STATS, 0, N_SERVING);
	enter(s, &s->h.worker[0]);
	set_scheduler(s);
	if (chdir("/") == 0)
		become_parent(s);
	return 1;
}

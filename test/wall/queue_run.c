/*
 * Starts ctd-queue beside scripted helper workers (queue_double.c), as queue_handover.h says: for the wall test, which
 * plays the kernel, and for trials on a kernel with real queues. Needs root.
 *
 *   queue_run [-q CTD-QUEUE] [-w WORKER] QUEUE...
 *
 * QUEUE is KIND,FAMILY,PROTO,NUMBER[,KEY=VALUE...], for instance ftp,inet,tcp,5,priv=24. Keys: len, max, priv, minport,
 * rate, flowrate, workers (0 to 2), nl (an inherited descriptor instead of a netlink socket), and without value
 * failopen, foreign, drop. The log goes to standard output; SIGTERM and SIGUSR1 are passed on; the exit status is
 * ctd-queue's. The two programs are found beside this one.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "log_text.h"
#include "queue.h"

static volatile sig_atomic_t child;
static char queue_path[PATH_MAX], worker_path[PATH_MAX];

static void
fail(const char *what)
{
	fprintf(stderr, "queue_run: %s: %s\n", what, strerror(errno));
	exit(3);
}

static void
pass_on(int sig)
{
	if (child > 0)
		kill(child, sig);
}

/* Above those that workers and ctd-queue find theirs at. */
static int
up(int fd)
{
	int high = fcntl(fd, F_DUPFD_CLOEXEC, 10);

	if (high == -1)
		fail("descriptor");
	close(fd);
	return high;
}

static int
start_worker(int log_fd, const struct queue_conf *c)
{
	int sv[2], size = 1 << 20;
	char port[8];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, sv) == -1 ||
	    setsockopt(sv[0], SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)) == -1)
		fail("wall");
	sv[0] = up(sv[0]);
	sv[1] = up(sv[1]);
	if ((pid = fork()) == -1)
		fail("fork");
	if (pid == 0) {
		if (dup2(sv[1], WORKER_FD) == -1 || dup2(log_fd, WORKER_LOG_FD) == -1)
			_exit(71);
		close_range(WORKER_LOG_FD + 1, ~0U, 0);
		snprintf(port, sizeof(port), "%u", c->min_port);
		execl(worker_path, worker_path, helper_name(c->kind), port, c->flags & QUEUE_FOREIGN ? "foreign" : NULL,
		      (char *)NULL);
		_exit(72);
	}
	close(sv[1]);
	return sv[0];
}

static int
netlink_socket(void)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER), size = 8 << 20;

	if (fd == -1 || setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) == -1)
		fail("netlink socket");
	return up(fd);
}

static void
set_key(struct queue_conf *c, const char *key, const char *value, int *workers, int *nl)
{
	unsigned long n = value != NULL ? strtoul(value, NULL, 10) : 1;

	if (strcmp(key, "len") == 0)
		c->queue_len = (uint32_t)n;
	else if (strcmp(key, "max") == 0)
		c->expect_max = (uint8_t)n;
	else if (strcmp(key, "priv") == 0)
		c->priv_len = (uint8_t)n;
	else if (strcmp(key, "minport") == 0)
		c->min_port = (uint16_t)n;
	else if (strcmp(key, "rate") == 0)
		c->rate = (uint32_t)n;
	else if (strcmp(key, "flowrate") == 0)
		c->flow_rate = (uint32_t)n;
	else if (strcmp(key, "workers") == 0)
		*workers = (int)n;
	else if (strcmp(key, "nl") == 0)
		*nl = (int)n;
	else if (strcmp(key, "failopen") == 0)
		c->flags |= QUEUE_FAIL_OPEN;
	else if (strcmp(key, "foreign") == 0)
		c->flags |= QUEUE_FOREIGN;
	else if (strcmp(key, "drop") == 0)
		c->flags |= QUEUE_MAY_DROP;
	else {
		errno = EINVAL;
		fail(key);
	}
}

/* Workers are started when all descriptors that ctd-queue needs are known not to leak: they are close-on-exec. */
static void
add_queue(struct queue_handover *h, char *text)
{
	char *rest = text, *kind = strtok_r(rest, ",", &rest), *family = strtok_r(rest, ",", &rest);
	char *proto = strtok_r(rest, ",", &rest), *number = strtok_r(rest, ",", &rest), *key;
	struct queue_conf *c = &h->queue[h->n_queues].conf;
	int workers = QUEUE_WORKERS, nl = -1;

	if (number == NULL || h->n_queues == MSG_HELPERS_MAX) {
		errno = EINVAL;
		fail("queue");
	}
	*c = (struct queue_conf){.rate = 1000, .flow_rate = 100, .queue = (uint16_t)strtoul(number, NULL, 10)};
	while (c->kind < HELPER_KINDS && strcmp(helper_name(c->kind), kind) != 0)
		c->kind++;
	c->family = strcmp(family, "inet6") == 0 ? AF_INET6 : AF_INET;
	c->proto = strcmp(proto, "udp") == 0 ? IPPROTO_UDP : IPPROTO_TCP;
	while ((key = strtok_r(rest, ",", &rest)) != NULL) {
		char *value = strchr(key, '=');

		if (value != NULL)
			*value++ = '\0';
		set_key(c, key, value, &workers, &nl);
	}
	h->queue[h->n_queues].netlink = nl >= 0 ? up(nl) : netlink_socket();
	for (int w = 0; w < QUEUE_WORKERS; w++)
		h->queue[h->n_queues].wall[w] = w < workers ? start_worker(h->log_fd, c) : -1;
	h->n_queues++;
}

static void
keep_open(int fd, int *last)
{
	if (fd >= 0)
		fcntl(fd, F_SETFD, 0);
	*last = fd > *last ? fd : *last;
}

static void
become_queue(struct queue_handover *h)
{
	int fd = memfd_create("handover", 0);

	h->size = sizeof(*h);
	h->last_fd = -1;
	keep_open(h->log_fd, &h->last_fd);
	keep_open(h->life_fd, &h->last_fd);
	for (unsigned int i = 0; i < h->n_queues; i++) {
		keep_open(h->queue[i].netlink, &h->last_fd);
		for (int w = 0; w < QUEUE_WORKERS; w++)
			keep_open(h->queue[i].wall[w], &h->last_fd);
	}
	if (fd == -1 || write(fd, h, sizeof(*h)) != sizeof(*h) || lseek(fd, 0, SEEK_SET) != 0 ||
	    dup2(fd, QUEUE_HANDOVER_FD) == -1)
		_exit(71);
	if (fd != QUEUE_HANDOVER_FD)
		close(fd);
	execl(queue_path, queue_path, (char *)NULL);
	_exit(72);
}

static void
close_ours(const struct queue_handover *h)
{
	close(h->log_fd);
	close(h->life_fd);
	for (unsigned int i = 0; i < h->n_queues; i++) {
		close(h->queue[i].netlink);
		for (int w = 0; w < QUEUE_WORKERS; w++)
			if (h->queue[i].wall[w] >= 0)
				close(h->queue[i].wall[w]);
	}
}

/* Shows the log until its last writer has ended. */
static void
show_log(int fd)
{
	char rec[LOG_TEXT_MAX + 2];
	ssize_t n;

	while ((n = recv(fd, rec, sizeof(rec) - 1, 0)) > 0 || (n == -1 && errno == EINTR)) {
		if (n <= 0)
			continue;
		rec[n] = '\0';
		printf("[%s] %s\n", log_level_name((enum log_level)rec[0]), rec + 1);
		fflush(stdout);
	}
}

static void
find_programs(int argc, char **argv)
{
	char self[PATH_MAX - 32];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	int opt;

	self[n > 0 ? n : 0] = '\0';
	*(strrchr(self, '/') != NULL ? strrchr(self, '/') : self) = '\0';
	snprintf(queue_path, sizeof(queue_path), "%s/ctd-queue", self);
	snprintf(worker_path, sizeof(worker_path), "%s/queue_double", self);
	while ((opt = getopt(argc, argv, "q:w:")) != -1)
		if (opt == 'q' || opt == 'w')
			snprintf(opt == 'q' ? queue_path : worker_path, PATH_MAX, "%s", optarg);
		else
			exit(64);
}

int
main(int argc, char **argv)
{
	static struct queue_handover h;
	struct sigaction sa = {.sa_handler = pass_on};
	int log[2], life[2], status;

	find_programs(argc, argv);
	clearenv();
	while (open("/dev/null", O_RDWR | O_CLOEXEC) < 9) /* workers get theirs there */
		;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, log) == -1 || fcntl(log[1], F_SETFL, O_NONBLOCK) == -1 ||
	    pipe2(life, O_CLOEXEC) == -1)
		fail("log");
	log[0] = up(log[0]);
	h.log_fd = up(log[1]);
	h.life_fd = up(life[0]);
	life[1] = up(life[1]);
	for (; optind < argc; optind++)
		add_queue(&h, argv[optind]);
	if ((child = fork()) == -1)
		fail("fork");
	if (child == 0)
		become_queue(&h);
	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGUSR1, &sa, NULL);
	printf("pid %d\n", (int)child);
	fflush(stdout);
	close_ours(&h);
	show_log(log[0]);
	while (waitpid(child, &status, 0) == -1 && errno == EINTR)
		;
	close(life[1]);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

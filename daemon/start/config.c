/*
 * Runs the configuration worker and checks what it handed over, field by field: it parsed text and is not trusted.
 * Called once, by main.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <sched.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syslog.h>
#include <sys/wait.h>
#include <unistd.h>

#include "start.h"

#define SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

/* Terminated; empty, or an absolute path. */
static bool
path_ok(const char *s, size_t size)
{
	return memchr(s, '\0', size) != NULL && (s[0] == '\0' || s[0] == '/');
}

/* Terminated, not empty, and one word: interface, group and helper names. */
static bool
word_ok(const char *s, size_t size)
{
	return memchr(s, '\0', size) != NULL && s[0] != '\0' && strpbrk(s, "/ \t\n") == NULL;
}

static bool
link_ok(const struct msg_link *l)
{
	return l->kind >= LINK_UDP && l->kind <= LINK_TCP && (l->family == AF_INET || l->family == AF_INET6) &&
	       l->port != 0 && word_ok(l->ifname, sizeof(l->ifname)) && l->sndbuf <= INT_MAX / 2 &&
	       l->rcvbuf <= INT_MAX / 2;
}

static bool
helper_ok(const struct msg_helper *h)
{
	return word_ok(h->name, sizeof(h->name)) && (h->family == AF_INET || h->family == AF_INET6) &&
	       (h->proto == IPPROTO_TCP || h->proto == IPPROTO_UDP) && h->expect_max <= 255;
}

const char *
setup_check(const struct msg_setup *s, int memfd)
{
	int seals = fcntl(memfd, F_GET_SEALS);

	if (seals == -1 || (seals & SEALS) != SEALS) /* sysctl vm.memfd_noexec adds one */
		return "seals";
	if (s->size != sizeof(*s) || s->n_links > MSG_LINKS_MAX || s->n_helpers > MSG_HELPERS_MAX ||
	    (s->sync && s->stats))
		return "shape";
	if ((s->sched_type != 0 && s->sched_type != SCHED_RR && s->sched_type != SCHED_FIFO) || s->sched_prio > 99)
		return "scheduler";
	if (s->nl_buf > INT_MAX || s->nl_buf_max > INT_MAX || s->syslog_facility & ~(uint32_t)LOG_FACMASK)
		return "numbers";
	if (!path_ok(s->lockfile, sizeof(s->lockfile)) || !path_ok(s->logfile, sizeof(s->logfile)) ||
	    !path_ok(s->stats_logfile, sizeof(s->stats_logfile)) || !path_ok(s->ctl_path, sizeof(s->ctl_path)) ||
	    (s->ctl_group[0] != '\0' && !word_ok(s->ctl_group, sizeof(s->ctl_group))))
		return "names";
	for (unsigned int i = 0; i < s->n_links; i++)
		if (!link_ok(&s->link[i]))
			return "link";
	for (unsigned int i = 0; i < s->n_helpers; i++)
		if (!helper_ok(&s->helper[i]))
			return "helper";
	return NULL;
}

/* The settings, when the worker sends some; it may also have said all there is to say on standard error. */
static const char *
take_settings(struct start *s, struct worker *w)
{
	static uint8_t buf[sizeof(struct msg_hdr) + sizeof(struct msg_setup)];
	struct pollfd pfd = {w->wall.fd, POLLIN, 0};
	struct msg m = {0};
	const char *wrong = "nothing";

	if (poll(&pfd, 1, PATIENCE) == 1 && chan_recv(&w->wall, buf, sizeof(buf), &m) == 1) {
		wrong = msg_admit(ROLE_CONFIG, ROLE_PARENT, PHASE_SETUP, &m) == ADMIT_OK ? NULL : "message";
		if (wrong == NULL) {
			memcpy(&s->h.conf, m.data, sizeof(s->h.conf));
			s->conf_fd = m.fd[0];
			wrong = setup_check(&s->h.conf, s->conf_fd);
		}
	}
	return wrong;
}

int
read_config(struct start *s, const char *path, enum conf_use use)
{
	struct worker w;
	struct iovec name = {(void *)(uintptr_t)path, strnlen(path, CONF_NAME_MAX)};
	const char *wrong = NULL;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY), status = 0, r;

	if (fd == -1) {
		log_put(&s->log, LV_ERROR, "can't open config file `%s': %s", path, strerror(errno));
		return 1;
	}
	r = spawn(&w, ROLE_CONFIG, 0, STDERR_FILENO);
	if (r == 0)
		r = chan_sendv(&w.wall, MSG_CONF_TEXT, use, &name, 1, &fd, 1);
	close(fd);
	if (r != 0) {
		log_put(&s->log, LV_ERROR, "can't start ctd-worker: %s", strerror(-r));
		return 1;
	}
	if (use == CONF_START)
		wrong = take_settings(s, &w);
	while (waitpid(w.pid, &status, 0) == -1 && errno == EINTR)
		;
	close(w.wall.fd);
	if (WIFEXITED(status) && (WEXITSTATUS(status) != 0 || wrong == NULL))
		return WEXITSTATUS(status);
	log_put(&s->log, LV_ERROR, "the configuration worker failed (status %#x, %s is wrong)", (unsigned int)status,
		wrong != NULL ? wrong : "nothing");
	return 1;
}

/*
 * Runs the configuration worker and checks what it handed over, field by field: it parsed text and is not trusted.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syslog.h>
#include <sys/wait.h>
#include <unistd.h>

#include "start.h"

#define TEXT_MAX (32 << 20) /* the worker refuses less */
#define SEALS    (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

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

/* What the worker reads, in the place of fd: all of it, in a copy that neither it nor anybody else can change
 * afterwards. -1: errno. */
static int
sealed_copy(int fd)
{
	int mem = memfd_create("text", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	ssize_t n = 0;

	for (ssize_t room = TEXT_MAX; mem != -1 && room > 0 && (n = sendfile(mem, fd, NULL, (size_t)room)) > 0;)
		room -= n;
	if (mem == -1 || n == -1 || fcntl(mem, F_ADD_SEALS, SEALS) == -1 || lseek(mem, 0, SEEK_SET) == -1)
		return -1;
	close(fd);
	return mem;
}

/* Of anything but a file, nobody knows when it ends or what reading does to it. A directory is for the worker, which
 * says so. -1: errno. */
static int
open_text(const char *path, enum conf_use use)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK); /* a FIFO would wait for a writer */
	struct stat st = {0};

	if (fd == -1 || (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode)) || (S_ISREG(st.st_mode) && use != CONF_START))
		return fd;
	if (S_ISREG(st.st_mode))
		return sealed_copy(fd);
	close(fd);
	errno = ENOTSUP;
	return -1;
}

/* As the lexer: fewer characters end a path than may stand before one. */
static bool
cuts(char c, const char *also)
{
	return c <= ' ' || c >= 0x7f || strchr(also, c) != NULL;
}

bool
name_written(const char *text, size_t len, const char *name)
{
	const char *at = text, *end = text + len;
	size_t n = strlen(name);

	for (; n > 0 && (at = memmem(at, (size_t)(end - at), name, n)) != NULL; at++)
		if ((at == text || cuts(at[-1], "{}\"#;=,")) && (at + n == end || cuts(at[n], "{}\"")))
			return true;
	return n == 0;
}

/* Root makes files of these names: they are the built-in ones, or words of the administrator's text. */
static bool
names_written(const struct msg_setup *s, int text_fd)
{
	static const char preset[] = "/var/lock/conntrackd.lock /var/log/conntrackd.log /var/log/conntrackd-stats.log";
	const char *const name[] = {s->lockfile, s->logfile, s->stats_logfile, s->ctl_path};
	struct stat st = {0};
	char *text = fstat(text_fd, &st) == 0 && st.st_size > 0
			     ? mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, text_fd, 0)
			     : MAP_FAILED;
	bool good = true;

	for (unsigned int i = 0; i < sizeof(name) / sizeof(name[0]); i++)
		good = good && (name_written(preset, sizeof(preset) - 1, name[i]) ||
				(text != MAP_FAILED && name_written(text, (size_t)st.st_size, name[i])));
	if (text != MAP_FAILED)
		munmap(text, (size_t)st.st_size);
	return good;
}

/* The settings, when the worker sends some; it may also have said all there is to say on standard error. */
static const char *
take_settings(struct start *s, struct worker *w, int text_fd)
{
	static uint8_t buf[sizeof(struct msg_hdr) + sizeof(struct msg_setup)];
	struct pollfd pfd = {w->wall.fd, POLLIN, 0};
	struct msg m = {0};
	const char *wrong = "nothing";

	if (poll(&pfd, 1, -1) == 1 && chan_recv(&w->wall, buf, sizeof(buf), &m) == 1) {
		wrong = msg_admit(ROLE_CONFIG, ROLE_PARENT, PHASE_SETUP, &m) == ADMIT_OK ? NULL : "message";
		if (wrong == NULL) {
			memcpy(&s->s.conf, m.data, sizeof(s->s.conf));
			s->s.conf_fd = m.fd[0];
			wrong = setup_check(&s->s.conf, s->s.conf_fd);
			if (wrong == NULL && !names_written(&s->s.conf, text_fd))
				wrong = "names";
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
	int fd = open_text(path, use), status = 0, r;

	if (fd == -1) {
		log_put(&s->log, LV_ERROR, "can't open config file `%s': %s", path,
			errno == ENOTSUP ? "it is no file, but a device, a pipe or the like" : strerror(errno));
		return 1;
	}
	r = spawn(&w, ROLE_CONFIG, 0, STDERR_FILENO);
	if (r == 0)
		r = chan_sendv(&w.wall, MSG_CONF_TEXT, use, &name, 1, &fd, 1);
	if (r == -EPIPE || r == -ECONNRESET)
		wrong = "its early end"; /* of which it has said the reason */
	else if (r != 0) {
		log_put(&s->log, LV_ERROR, "can't start ctd-worker: %s", strerror(-r));
		return 1;
	} else if (use == CONF_START)
		wrong = take_settings(s, &w, fd);
	close(fd);
	while (waitpid(w.pid, &status, 0) == -1 && errno == EINTR)
		;
	close(w.wall.fd);
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
		wrong = "the time it took";
	if (WIFEXITED(status) && (WEXITSTATUS(status) != 0 || wrong == NULL))
		return WEXITSTATUS(status);
	log_put(&s->log, LV_ERROR, "the configuration worker failed (status %#x, %s is wrong)", (unsigned int)status,
		wrong != NULL ? wrong : "nothing");
	return 1;
}

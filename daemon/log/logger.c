/*
 * Records of all processes to LogFile, syslog and console. Runs as the log worker. The text of a record may quote what
 * strangers sent: control characters are replaced, the writer's pid comes from the kernel.
 */
#include "logger.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "blob.h"
#include "log_text.h"
#include "roles.h"
#include "msg_rules.h"

#define DRAIN_MAX        64
#define LOGGER_FLOWS_MAX 65536
#define LOST_SECONDS     60

static const char syslog_gone[] = "syslog is gone, its lines are lost until conntrackd is started again";

void
logger_init(struct logger *l)
{
	*l = (struct logger){.facility = LOG_DAEMON};
	for (int i = 0; i < SINK_MAX; i++)
		l->sink[i] = -1;
}

void
logger_clear(struct logger *l)
{
	for (int i = 0; i < SINK_MAX; i++)
		if (l->sink[i] >= 0)
			close(l->sink[i]);
	logger_init(l);
}

int
logger_sink(struct logger *l, uint32_t which, int fd)
{
	if (which >= SINK_MAX) {
		close(fd);
		return -EINVAL;
	}
	if (l->sink[which] >= 0)
		close(l->sink[which]);
	l->sink[which] = fd;
	return 0;
}

static size_t
when(char *buf, size_t size, const char *format)
{
	time_t now = time(NULL);
	struct tm tm;

	return localtime_r(&now, &tm) != NULL ? strftime(buf, size, format, &tm) : 0;
}

static bool
put(int fd, const char *line, size_t len)
{
	ssize_t n;

	do
		n = write(fd, line, len);
	while (n < 0 && errno == EINTR);
	if (n >= 0 && (size_t)n < len)
		errno = ENOSPC;
	return n == (ssize_t)len;
}

/* After a time without log file, its first line says how much is missing. */
static void
put_file(struct logger *l, const char *line, size_t len)
{
	char note[200], t[32] = "";
	int n;

	if (l->lost > 0) {
		when(t, sizeof(t), "%a %b %e %H:%M:%S %Y");
		n = snprintf(note, sizeof(note), "[%s] (pid=%d) [%s] %llu log lines were lost: %s\n", t, (int)getpid(),
			     log_level_name(LV_WARNING), (unsigned long long)l->lost, strerror(l->lost_errno));
		if (!put(l->sink[SINK_FILE], note, (size_t)n)) {
			l->lost++;
			return;
		}
		l->lost = 0;
	}
	if (put(l->sink[SINK_FILE], line, len))
		return;
	l->lost++;
	l->lost_errno = errno;
}

/* False: its other end is gone for good. A full queue empties again. */
static bool
put_syslog(const struct logger *l, pid_t pid, enum log_level level, const char *text)
{
	static const int severity[] = {LOG_INFO, LOG_NOTICE, LOG_WARNING, LOG_ERR};
	char line[LOG_TEXT_MAX + 128], t[32] = "";
	int n;

	when(t, sizeof(t), "%b %e %H:%M:%S");
	n = snprintf(line, sizeof(line), "<%u>%s conntrack-tools[%d]: %s", l->facility | (unsigned int)severity[level],
		     t, (int)pid, text);
	return n <= 0 ||
	       send(l->sink[SINK_SYSLOG], line, (size_t)n < sizeof(line) ? (size_t)n : sizeof(line) - 1,
		    MSG_DONTWAIT | MSG_NOSIGNAL) >= 0 ||
	       (errno != ECONNREFUSED && errno != ENOTCONN && errno != ECONNRESET && errno != EPIPE);
}

/* What a terminal might obey: C0, DELETE, and C1 as one octet or in UTF-8. */
static bool
is_control(char c, char before)
{
	uint8_t u = (uint8_t)c, b = (uint8_t)before;

	return (u < ' ' && u != '\t') || u == 0x7f || (u >= 0x80 && u < 0xa0 && (b < 0x80 || b == 0xc2));
}

/* Writes one line to every sink. */
static void
logger_line(struct logger *l, pid_t pid, enum log_level level, const char *text, size_t len)
{
	char clean[LOG_TEXT_MAX + 1], line[LOG_TEXT_MAX + 128], t[32] = "";
	int n, console = level >= LV_WARNING ? SINK_CONSOLE_ERR : SINK_CONSOLE;

	if (len > LOG_TEXT_MAX)
		len = LOG_TEXT_MAX;
	for (size_t i = 0; i < len; i++)
		clean[i] = is_control(text[i], i > 0 ? text[i - 1] : 0) ? '?' : text[i];
	clean[len] = '\0';
	when(t, sizeof(t), "%a %b %e %H:%M:%S %Y");
	n = snprintf(line, sizeof(line), "[%s] (pid=%d) [%s] %s\n", t, (int)pid, log_level_name(level), clean);
	if (n < 0)
		return;
	if (l->sink[SINK_FILE] >= 0)
		put_file(l, line, (size_t)n);
	if (l->sink[console] >= 0)
		(void)put(l->sink[console], line, (size_t)n);
	if (l->sink[SINK_SYSLOG] < 0 || put_syslog(l, pid, level, clean))
		return;
	close(l->sink[SINK_SYSLOG]); /* the jail has no way to make another */
	l->sink[SINK_SYSLOG] = -1;
	logger_line(l, getpid(), LV_ERROR, syslog_gone, sizeof(syslog_gone) - 1);
}

static pid_t
writer_of(struct msghdr *mh)
{
	struct ucred cred = {0};

	for (struct cmsghdr *cm = CMSG_FIRSTHDR(mh); cm != NULL; cm = CMSG_NXTHDR(mh, cm))
		if (cm->cmsg_level == SOL_SOCKET && cm->cmsg_type == SCM_CREDENTIALS &&
		    cm->cmsg_len >= CMSG_LEN(sizeof(cred)))
			memcpy(&cred, CMSG_DATA(cm), sizeof(cred));
	return cred.pid;
}

unsigned int
logger_drain(struct logger *l, enum log_sink from, unsigned int max)
{
	char buf[LOG_TEXT_MAX + 1];
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(struct ucred))];
	} space;
	struct iovec iov = {buf, sizeof(buf)};
	unsigned int i;

	for (i = 0; i < max; i++) {
		struct msghdr mh = {
			.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &space, .msg_controllen = sizeof(space)};
		ssize_t n = recvmsg(l->sink[from], &mh, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

		if (n < 0)
			break;
		if (n > 0)
			logger_line(l, writer_of(&mh), (uint8_t)buf[0] < LV_MAX ? (enum log_level)buf[0] : LV_ERROR,
				    buf + 1, (size_t)n - 1);
	}
	return i;
}

bool
logger_turn(struct logger *l, time_t now)
{
	if (now != l->second) {
		l->second = now;
		l->lines = LOGGER_LINES_MAX;
	}
	logger_drain(l, SINK_PARENT, DRAIN_MAX);
	l->lines -= logger_drain(l, SINK_WORKERS, l->lines < DRAIN_MAX ? l->lines : DRAIN_MAX);
	return l->lines > 0;
}

/* One record: lines that begin with the time and a tab, which are not for syslog. */
static void
flow_record(struct logger *l, const char *text, size_t len)
{
	const char *end = text + len, *line = text, *next, *tab;

	for (; line < end; line = next) {
		if ((next = memchr(line, '\n', (size_t)(end - line))) == NULL)
			next = end;
		tab = memchr(line, '\t', (size_t)(next - line));
		if (l->sink[SINK_SYSLOG] >= 0 && tab != NULL) {
			char one[LOG_TEXT_MAX + 1];

			snprintf(one, sizeof(one), "%.*s", (int)(next - tab - 1), tab + 1);
			l->lost += !put_syslog(l, getpid(), LV_INFO, one);
		}
		l->flow_lines++;
		next += next < end;
	}
}

bool
logger_flows(struct logger *l, unsigned int max)
{
	static char record[LOGGER_FLOWS_MAX];

	for (; max > 0; max--) {
		ssize_t n = recv(l->sink[SINK_FLOWS], record, sizeof(record), MSG_DONTWAIT);
		const uint64_t before = l->flow_lines;

		if (n <= 0)
			return false;
		flow_record(l, record, (size_t)n);
		if (l->sink[SINK_FILE] < 0 || put(l->sink[SINK_FILE], record, (size_t)n))
			continue;
		l->lost += l->flow_lines - before;
		l->lost_errno = errno;
	}
	return true;
}

int
logger_reopen(struct logger *l)
{
	const char *slash = strrchr(l->file, '/'), *name = slash != NULL ? slash + 1 : l->file;
	int fd;

	if (*name == '\0' || l->sink[SINK_DIR] == -1) /* none, or one that is no file */
		return 0;
	if ((fd = openat(l->sink[SINK_DIR], name, JAIL_LOG_OPEN, 0600)) < 0)
		return -errno;
	return logger_sink(l, SINK_FILE, fd);
}

/* The flow log is no place for words. */
static void
say(struct logger *l, struct log *log, enum log_level level, const char *text)
{
	if (l->sink[SINK_FLOWS] >= 0)
		log_put(log, level, "%s", text);
	else
		logger_line(l, getpid(), level, text, strlen(text));
}

static void
say_lost_flows(struct logger *l, struct log *log, time_t now)
{
	if (l->sink[SINK_FLOWS] < 0 || l->lost == 0 || now - l->second < LOST_SECONDS)
		return;
	log_put(log, LV_WARNING, "%llu lines of the flow log were lost: %s", (unsigned long long)l->lost,
		strerror(l->lost_errno));
	l->lost = 0;
	l->second = now;
}

/* The file's own name, which need not be the configured one: that may be a link. */
static void
find_name(struct logger *l)
{
	char proc[32], name[sizeof(l->file)];
	ssize_t n;

	snprintf(proc, sizeof(proc), "/proc/self/fd/%d", l->sink[SINK_FILE]);
	n = readlink(proc, name, sizeof(name) - 1);
	if (n > 0 && name[0] == '/')
		memcpy(l->file, name, (size_t)n);
}

/* No descriptor leads out of the jail: the directory of LogFile has become its root. */
static void
drop_directories(struct logger *l)
{
	bool reopens = l->sink[SINK_DIR] >= 0;

	logger_sink(l, SINK_DIR, -1);
	if (reopens)
		l->sink[SINK_DIR] = AT_FDCWD;
}

/* Nobody reads our own lines while we do not: why there is no jail is said where all lines would go. The settings come
 * from another worker, and are read in the jail. */
static int
enter(struct logger *l, int conf_fd, uint32_t asked, struct log *log)
{
	int to = l->sink[l->sink[SINK_CONSOLE_ERR] >= 0 ? SINK_CONSOLE_ERR : SINK_FILE];
	struct log sink = {.fd = to, .fd_err = to, .form = LF_TEXT};
	struct jail j = *jail_row(ROLE_LOG);
	struct conf conf;
	int r;

	j.last_fd = conf_fd > j.last_fd ? conf_fd : j.last_fd;
	for (int i = 0; i < SINK_MAX; i++)
		if (l->sink[i] > j.last_fd)
			j.last_fd = l->sink[i];
	find_name(l);
	j.asked = asked;
	j.log_dir = l->sink[SINK_DIR];
	if ((r = jail_worker(&j, to >= 0 ? &sink : log)) < 0)
		return r;
	drop_directories(l);
	if ((r = blob_load(&conf, conf_fd)) < 0)
		return r;
	if (l->file[0] == '\0')
		memcpy(l->file, l->sink[SINK_FLOWS] >= 0 ? conf.stats_logfile : conf.logfile, sizeof(l->file));
	if (conf.syslog_facility != 0)
		l->facility = conf.syslog_facility;
	else if (l->sink[SINK_FLOWS] >= 0)
		l->facility = LOG_USER; /* as 1.4.x without Syslog in General */
	conf_clear(&conf);
	return 0;
}

struct log_worker {
	struct logger logger;
	struct chan wall;
	struct log *log;
	enum phase phase;
	bool jailed;
};

/* 0 to go on, 1 to leave, or -errno. */
static int
on_message(struct log_worker *w, struct msg *m)
{
	char line[MSG_PATH_MAX + 200];
	int r = 0;

	if (msg_admit(ROLE_PARENT, ROLE_LOG, w->phase, m) != ADMIT_OK) {
		msg_close_fds(m);
		return -EPROTO;
	}
	if (m->type == MSG_LOG_SINK)
		return logger_sink(&w->logger, m->arg, m->fd[0]);
	if (m->type == MSG_CONF) {
		if (!w->jailed)
			r = enter(&w->logger, m->fd[0], m->arg, w->log);
		close(m->fd[0]);
		w->jailed = true;
		return r < 0 ? r : chan_send(&w->wall, MSG_READY, READY_JAILED, NULL, 0);
	}
	if (m->type == MSG_START) {
		w->phase = PHASE_RUN;
		if (m->arg != 0) /* the file may have been rotated while this spare waited */
			(void)logger_reopen(&w->logger);
		return chan_send(&w->wall, MSG_READY, READY_SERVING, NULL, 0);
	}
	if (m->type == MSG_LOG_REOPEN && (r = logger_reopen(&w->logger)) < 0) {
		snprintf(line, sizeof(line), "cannot open the log file `%s' again, the old one stays in use: %s",
			 w->logger.file, strerror(-r));
		say(&w->logger, w->log, LV_WARNING, line);
	}
	return 0;
}

static int
take_messages(struct log_worker *w)
{
	uint8_t buf[sizeof(struct msg_hdr) + 64];
	struct msg m;
	int r;

	while ((r = chan_recv(&w->wall, buf, sizeof(buf), &m)) > 0)
		if ((r = on_message(w, &m)) != 0)
			return r;
	return r == -EPIPE ? 1 : r;
}

int
log_role(int wall_fd, struct log *log)
{
	struct log_worker w = {.wall = {.fd = wall_fd}, .log = log, .phase = PHASE_SETUP};
	bool more = true;
	int r = 0;

	logger_init(&w.logger);
	while (r == 0) {
		/* before the start a spare leaves the records to the worker that serves */
		bool runs = w.phase == PHASE_RUN;
		bool flows = w.logger.sink[SINK_FLOWS] >= 0;
		struct pollfd p[3] = {{wall_fd, POLLIN, 0},
				      {runs ? w.logger.sink[flows ? SINK_FLOWS : SINK_PARENT] : -1, POLLIN, 0},
				      {runs && more ? w.logger.sink[SINK_WORKERS] : -1, POLLIN, 0}};

		if (poll(p, 3, more && w.logger.lost == 0 ? -1 : more ? 1000 : 100) < 0 && errno != EINTR)
			break;
		if (runs && flows) {
			logger_flows(&w.logger, DRAIN_MAX);
			say_lost_flows(&w.logger, log, time(NULL));
		} else if (runs)
			more = logger_turn(&w.logger, time(NULL));
		if (p[0].revents != 0)
			r = take_messages(&w);
	}
	if (w.phase == PHASE_RUN && w.logger.sink[SINK_FLOWS] >= 0)
		logger_flows(&w.logger, 4096);
	else if (w.phase == PHASE_RUN) { /* last words */
		logger_drain(&w.logger, SINK_PARENT, 4096);
		logger_drain(&w.logger, SINK_WORKERS, LOGGER_LINES_MAX);
	}
	logger_clear(&w.logger);
	return r < 0 ? 1 : 0;
}

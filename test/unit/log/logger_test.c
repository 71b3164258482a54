/* The log worker: the 1.4.x line, whose pid, what is made of control characters, full disks, rotation, syslog. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#include "logger.h"

struct ctx {
	struct logger l;
	char dir[40], file[64];
	int feed; /* the daemons' end of the log socket */
};

static int
setup(void **state)
{
	struct ctx *c = calloc(1, sizeof(*c));
	int sv[2], on = 1;

	logger_init(&c->l);
	strcpy(c->dir, "/tmp/ct-logger-XXXXXX");
	assert_non_null(mkdtemp(c->dir));
	snprintf(c->file, sizeof(c->file), "%s/log", c->dir);
	strcpy(c->l.file, c->file);
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, sv), 0);
	assert_int_equal(setsockopt(sv[0], SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)), 0);
	logger_sink(&c->l, SINK_WORKERS, sv[0]);
	c->feed = sv[1];
	*state = c;
	return 0;
}

static int
teardown(void **state)
{
	struct ctx *c = *state;
	char old[80];

	logger_clear(&c->l);
	close(c->feed);
	snprintf(old, sizeof(old), "%s.1", c->file);
	unlink(old);
	unlink(c->file);
	rmdir(c->dir);
	free(c);
	return 0;
}

static void
open_file(struct ctx *c)
{
	logger_sink(&c->l, SINK_FILE, open(c->file, O_WRONLY | O_APPEND | O_CREAT, 0600));
	logger_sink(&c->l, SINK_DIR, open(c->dir, O_RDONLY | O_DIRECTORY));
}

static void
says(struct ctx *c, enum log_level level, const char *text)
{
	struct log log = {.fd = c->feed, .fd_err = c->feed, .form = LF_RECORD};

	log_put(&log, level, "%s", text);
}

static char *
content(const char *path)
{
	static char buf[32768];
	int fd = open(path, O_RDONLY);
	ssize_t n = fd < 0 ? 0 : read(fd, buf, sizeof(buf) - 1);

	if (fd >= 0)
		close(fd);
	buf[n > 0 ? n : 0] = '\0';
	return buf;
}

static void
test_line(void **state)
{
	struct ctx *c = *state;
	char want[64];

	open_file(c);
	says(c, LV_NOTICE, "flushing caches");
	says(c, LV_ERROR, "line\nfeed \033[31mred");
	says(c, LV_ERROR,
	     "delete\x7f \x9b"
	     "31m \xc2\x9b"
	     "31m gr\xc3\x9f\xe2\x82\x80");
	assert_int_equal(logger_drain(&c->l, SINK_WORKERS, 10), 3);
	assert_non_null(strstr(content(c->file), "delete? ?31m \xc2?31m gr\xc3\x9f\xe2\x82\x80\n"));
	snprintf(want, sizeof(want), "] (pid=%d) [notice] flushing caches\n[", (int)getpid());
	assert_non_null(strstr(content(c->file), want));
	snprintf(want, sizeof(want), "] (pid=%d) [ERROR] line?feed ?[31mred\n", (int)getpid());
	assert_non_null(strstr(content(c->file), want));
	assert_int_equal(content(c->file)[0], '[');
	/* "[Sat Nov 21 00:16:43 2026]": 24 characters between the brackets */
	assert_int_equal(content(c->file)[25], ']');
}

/* A device that is full: lines are counted, and the first that fits says how many are missing. */
static void
test_full_disk(void **state)
{
	struct ctx *c = *state;

	logger_sink(&c->l, SINK_FILE, open("/dev/full", O_WRONLY));
	says(c, LV_NOTICE, "one");
	says(c, LV_NOTICE, "two");
	logger_drain(&c->l, SINK_WORKERS, 10);
	assert_int_equal(c->l.lost, 2);
	open_file(c);
	says(c, LV_NOTICE, "three");
	logger_drain(&c->l, SINK_WORKERS, 10);
	assert_non_null(strstr(content(c->file), "[warning] 2 log lines were lost: No space left on device\n"));
	assert_non_null(strstr(content(c->file), "[notice] three\n"));
	assert_int_equal(c->l.lost, 0);
}

/* LogFile off: a rotation of files that are not ours is no trouble. */
static void
test_rotation_of_nothing(void **state)
{
	struct ctx *c = *state;

	c->l.file[0] = '\0';
	assert_int_equal(logger_reopen(&c->l), 0);
}

static void
test_rotation(void **state)
{
	struct ctx *c = *state;
	char old[80];

	open_file(c);
	says(c, LV_INFO, "before");
	logger_drain(&c->l, SINK_WORKERS, 10);
	snprintf(old, sizeof(old), "%s.1", c->file);
	assert_int_equal(rename(c->file, old), 0);
	assert_int_equal(logger_reopen(&c->l), 0);
	says(c, LV_INFO, "after");
	logger_drain(&c->l, SINK_WORKERS, 10);
	assert_non_null(strstr(content(old), "before"));
	assert_null(strstr(content(old), "after"));
	assert_non_null(strstr(content(c->file), "after"));
	/* the old file stays in use when there can be no new one */
	assert_int_equal(unlink(c->file), 0);
	assert_int_equal(mkdir(c->file, 0700), 0);
	assert_int_equal(logger_reopen(&c->l), -EISDIR);
	assert_true(c->l.sink[SINK_FILE] >= 0);
	assert_int_equal(rmdir(c->file), 0);
	/* what has no directory is not opened again */
	close(c->l.sink[SINK_DIR]);
	c->l.sink[SINK_DIR] = -1;
	assert_int_equal(logger_reopen(&c->l), 0);
	assert_int_equal(access(c->file, F_OK), -1);
}

static void
test_syslog_and_console(void **state)
{
	struct ctx *c = *state;
	char buf[512], want[64];
	int sv[2], out[2], err[2];
	ssize_t n;

	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, sv), 0);
	assert_int_equal(pipe(out), 0);
	assert_int_equal(pipe(err), 0);
	c->l.facility = LOG_LOCAL3;
	logger_sink(&c->l, SINK_SYSLOG, sv[0]);
	logger_sink(&c->l, SINK_CONSOLE, out[1]);
	logger_sink(&c->l, SINK_CONSOLE_ERR, err[1]);
	says(c, LV_WARNING, "careful");
	says(c, LV_INFO, "fine");
	logger_drain(&c->l, SINK_WORKERS, 10);
	n = recv(sv[1], buf, sizeof(buf) - 1, 0);
	assert_true(n > 0);
	buf[n] = '\0';
	snprintf(want, sizeof(want), "<%d>", LOG_LOCAL3 | LOG_WARNING);
	assert_memory_equal(buf, want, strlen(want));
	snprintf(want, sizeof(want), " conntrack-tools[%d]: careful", (int)getpid());
	assert_non_null(strstr(buf, want));
	n = read(err[0], buf, sizeof(buf) - 1);
	buf[n] = '\0';
	assert_non_null(strstr(buf, "[warning] careful\n"));
	assert_null(strstr(buf, "fine"));
	n = read(out[0], buf, sizeof(buf) - 1);
	buf[n] = '\0';
	assert_non_null(strstr(buf, "[info] fine\n"));
	close(sv[1]);
	close(out[0]);
	close(err[0]);
}

/* Nobody reads syslog: that holds up nothing. */
static void
test_stuck_syslog(void **state)
{
	struct ctx *c = *state;
	int sv[2];

	open_file(c);
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM, 0, sv), 0); /* not even non-blocking */
	logger_sink(&c->l, SINK_SYSLOG, sv[0]);
	for (int i = 0; i < 2000; i++) {
		says(c, LV_INFO, "again");
		logger_drain(&c->l, SINK_WORKERS, 10);
	}
	close(sv[1]);
}

/* The syslog daemon was restarted: the log file says once that its lines are lost, and everything goes on. */
static void
test_syslog_gone(void **state)
{
	struct ctx *c = *state;
	const char *text, *said;
	int sv[2];

	open_file(c);
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, sv), 0);
	logger_sink(&c->l, SINK_SYSLOG, sv[0]);
	close(sv[1]);
	says(c, LV_NOTICE, "first");
	says(c, LV_NOTICE, "second");
	assert_int_equal(logger_drain(&c->l, SINK_WORKERS, 10), 2);
	text = content(c->file);
	assert_non_null(said = strstr(text, "syslog is gone"));
	assert_null(strstr(said + 1, "syslog is gone"));
	assert_non_null(strstr(text, "first"));
	assert_non_null(strstr(said, "second"));
}

static void
test_wrong_records(void **state)
{
	struct ctx *c = *state;
	static char junk[5000];

	open_file(c);
	memset(junk, 0xff, sizeof(junk));
	assert_int_equal(send(c->feed, junk, sizeof(junk), 0), sizeof(junk));
	assert_int_equal(send(c->feed, junk, 0, 0), 0);
	assert_int_equal(send(c->feed, junk, 1, 0), 1);
	assert_int_equal(logger_drain(&c->l, SINK_WORKERS, 10), 3);
	assert_int_equal(logger_sink(&c->l, SINK_MAX, dup(0)), -EINVAL);
}

/* Who writes without end fills neither the disk nor the parent's place. */
static void
test_too_many_lines(void **state)
{
	struct ctx *c = *state;
	struct log parent = {.form = LF_RECORD};
	unsigned int lines = 0;
	int sv[2];

	open_file(c);
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, sv), 0);
	logger_sink(&c->l, SINK_PARENT, sv[0]);
	parent.fd = parent.fd_err = sv[1];
	for (int i = 0; i < 3 * LOGGER_LINES_MAX; i++) {
		says(c, LV_NOTICE, "x");
		assert_int_equal(logger_turn(&c->l, 1), i < LOGGER_LINES_MAX - 1);
	}
	log_put(&parent, LV_ERROR, "the parent");
	logger_turn(&c->l, 1);
	for (const char *at = content(c->file); (at = strchr(at, '\n')) != NULL; at++)
		lines++;
	assert_int_equal(lines, LOGGER_LINES_MAX + 1);
	assert_non_null(strstr(content(c->file), "the parent"));
	assert_true(logger_turn(&c->l, 2));
	assert_true(strlen(strstr(content(c->file), "the parent")) > 20); /* what waited in the socket follows */
	close(sv[1]);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {T(test_line),
					   T(test_full_disk),
					   T(test_rotation),
					   T(test_rotation_of_nothing),
					   T(test_syslog_and_console),
					   T(test_stuck_syslog),
					   T(test_syslog_gone),
					   T(test_wrong_records),
					   T(test_too_many_lines)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

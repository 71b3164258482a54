/* A log line: as a record for the log worker and as text for a terminal; never blocking, never longer than allowed. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "log_text.h"

static void
records(void **state)
{
	int sv[2];
	char got[LOG_TEXT_MAX + 10], text[LOG_TEXT_MAX + 200];
	struct log l = {.form = LF_RECORD};
	ssize_t n;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, sv), 0);
	l.fd = sv[0];
	errno = 99;
	log_put(&l, LV_WARNING, "%s is %d", "x", 7);
	assert_int_equal(errno, 99);
	assert_int_equal(read(sv[1], got, sizeof(got)), 7);
	assert_memory_equal(got, "\2x is 7", 7);
	memset(text, 'y', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	log_put(&l, LV_INFO, "%s", text);
	n = read(sv[1], got, sizeof(got));
	assert_int_equal(n, LOG_TEXT_MAX + 1);
	assert_memory_equal(got + n - 4, "y...", 4);
	for (int i = 0; i < 100000 && l.lost == 0; i++)
		log_put(&l, LV_INFO, "%s", text);
	assert_int_equal(l.lost, 1);
	log_put(NULL, LV_ERROR, "nobody listens");
	close(sv[0]);
	close(sv[1]);
}

/* The socket is shared, and another process may have taken O_NONBLOCK away: what does not fit is lost all the same. */
static void
nothing_waits(void **state)
{
	struct log l = {.form = LF_RECORD};
	int sv[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM, 0, sv), 0);
	l.fd = sv[0];
	alarm(20);
	for (int i = 0; i < 100000 && l.lost == 0; i++)
		log_put(&l, LV_INFO, "x");
	alarm(0);
	assert_int_equal(l.lost, 1);
	close(sv[0]);
	close(sv[1]);
}

static void
lines(void **state)
{
	int out[2], err[2], pid;
	char got[512] = "", level[16], text[64], day[8], month[8];
	struct log l = {.form = LF_TEXT};

	(void)state;
	assert_int_equal(pipe(out) + pipe(err), 0);
	l.fd = out[1];
	l.fd_err = err[1];
	log_put(&l, LV_NOTICE, "committing all external caches");
	assert_true(read(out[0], got, sizeof(got) - 1) > 0);
	assert_int_equal(sscanf(got, "[%7s %7s %*d %*d:%*d:%*d %*d] (pid=%d) [%15[a-zA-Z]] %63[^\n]", day, month, &pid,
				level, text),
			 5);
	assert_int_equal(pid, getpid());
	assert_string_equal(level, "notice");
	assert_string_equal(text, "committing all external caches");
	log_put(&l, LV_ERROR, "no");
	assert_true(read(err[0], got, sizeof(got) - 1) > 0);
	assert_non_null(strstr(got, "[ERROR] no\n"));
	for (int i = 0; i < 2; i++) {
		close(out[i]);
		close(err[i]);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(records), cmocka_unit_test(nothing_waits),
					   cmocka_unit_test(lines)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

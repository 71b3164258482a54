/* What the configuration worker hands over: every field that is wrong is noticed before anything of it is used. */
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syslog.h>
#include <unistd.h>

#include "start.h"

static int
memory(int seals)
{
	int fd = memfd_create("test", MFD_ALLOW_SEALING);

	assert_int_equal(fcntl(fd, F_ADD_SEALS, seals), 0);
	return fd;
}

#define ALL_SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

static struct msg_setup
good(void)
{
	return (struct msg_setup){
		.size = sizeof(struct msg_setup),
		.sync = 1,
		.sched_type = SCHED_RR,
		.sched_prio = 99,
		.n_links = 1,
		.n_helpers = 1,
		.nl_buf = 1 << 20,
		.syslog_facility = LOG_LOCAL7,
		.lockfile = "/run/lock",
		.ctl_path = "/run/ctl",
		.ctl_group = "adm",
		.link = {{.kind = LINK_UDP, .family = AF_INET6, .port = 3780, .ifname = "eth0"}},
		.helper = {{.name = "ftp", .family = AF_INET, .proto = 6, .expect_max = 255}},
	};
}

static void
seals(void **state)
{
	const int all[] = {F_SEAL_SEAL, F_SEAL_SHRINK, F_SEAL_GROW, F_SEAL_WRITE};
	struct msg_setup s = good();
	int fd = memory(ALL_SEALS), two[2];

	(void)state;
	assert_null(setup_check(&s, fd));
	close(fd);
	for (size_t i = 0; i < 4; i++) {
		fd = memory(ALL_SEALS & ~all[i]);
		assert_string_equal(setup_check(&s, fd), "seals");
		close(fd);
	}
	assert_int_equal(pipe(two), 0);
	assert_string_equal(setup_check(&s, two[0]), "seals"); /* no memory at all */
	close(two[0]);
	close(two[1]);
	assert_string_equal(setup_check(&s, -1), "seals");
	if ((fd = memfd_create("test", MFD_ALLOW_SEALING | 0x8 /* MFD_NOEXEC_SEAL */)) == -1)
		return; /* before Linux 6.3 */
	assert_int_equal(fcntl(fd, F_ADD_SEALS, ALL_SEALS), 0);
	assert_null(setup_check(&s, fd)); /* as with vm.memfd_noexec */
	close(fd);
}

/* Overwrites len bytes at offset with value; must be refused. */
static const struct {
	const char *what;
	size_t at, len;
	uint8_t value;
} faults[] = {
	{"size", offsetof(struct msg_setup, size), 1, 1},
	{"two modes", offsetof(struct msg_setup, stats), 1, 1},
	{"scheduler", offsetof(struct msg_setup, sched_type), 1, SCHED_OTHER + 3},
	{"priority", offsetof(struct msg_setup, sched_prio), 1, 100},
	{"links", offsetof(struct msg_setup, n_links), 1, MSG_LINKS_MAX + 1},
	{"links, of which one is empty", offsetof(struct msg_setup, n_links), 1, 2},
	{"helpers", offsetof(struct msg_setup, n_helpers), 1, MSG_HELPERS_MAX + 1},
	{"helpers, of which one is empty", offsetof(struct msg_setup, n_helpers), 1, 2},
	{"buffer", offsetof(struct msg_setup, nl_buf), 4, 0xff},
	{"buffer maximum", offsetof(struct msg_setup, nl_buf_max), 4, 0x80},
	{"facility", offsetof(struct msg_setup, syslog_facility), 2, 0xff},
	{"lock file without end", offsetof(struct msg_setup, lockfile), MSG_PATH_MAX, '/'},
	{"relative lock file", offsetof(struct msg_setup, lockfile), 1, '.'},
	{"log file without end", offsetof(struct msg_setup, logfile), MSG_PATH_MAX, '/'},
	{"relative log file", offsetof(struct msg_setup, stats_logfile), 1, 'x'},
	{"socket without end", offsetof(struct msg_setup, ctl_path), 108, '/'},
	{"group without end", offsetof(struct msg_setup, ctl_group), 33, 'g'},
	{"group with a slash", offsetof(struct msg_setup, ctl_group), 1, '/'},
	{"link kind 0", offsetof(struct msg_setup, link[0].kind), 1, 0},
	{"link kind 4", offsetof(struct msg_setup, link[0].kind), 1, LINK_TCP + 1},
	{"link family", offsetof(struct msg_setup, link[0].family), 1, AF_UNIX},
	{"port 0", offsetof(struct msg_setup, link[0].port), 2, 0},
	{"interface without end", offsetof(struct msg_setup, link[0].ifname), 16, 'e'},
	{"no interface", offsetof(struct msg_setup, link[0].ifname), 1, 0},
	{"link buffer", offsetof(struct msg_setup, link[0].rcvbuf), 4, 0x7f},
	{"helper name", offsetof(struct msg_setup, helper[0].name), 16, 'h'},
	{"helper protocol", offsetof(struct msg_setup, helper[0].proto), 1, 1},
	{"helper family", offsetof(struct msg_setup, helper[0].family), 1, AF_UNSPEC},
	{"expectations", offsetof(struct msg_setup, helper[0].expect_max), 2, 1},
};

static void
single_faults(void **state)
{
	int fd = memory(ALL_SEALS);

	(void)state;
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		struct msg_setup s = good();

		memset((uint8_t *)&s + faults[i].at, faults[i].value, faults[i].len);
		if (setup_check(&s, fd) == NULL)
			fail_msg("not noticed: %s", faults[i].what);
	}
	close(fd);
}

/* No byte pattern makes the check itself fail. */
static void
noise(void **state)
{
	int fd = memory(ALL_SEALS);
	uint32_t x = 1;

	(void)state;
	for (int round = 0; round < 2000; round++) {
		struct msg_setup s = good();

		for (int n = 0; n < 1 + round % 7; n++) {
			x = x * 1664525 + 1013904223;
			((uint8_t *)&s)[(x >> 8) % sizeof(s)] = (uint8_t)(x >> 24);
		}
		if (setup_check(&s, fd) == NULL) {
			assert_true(strnlen(s.lockfile, sizeof(s.lockfile)) < sizeof(s.lockfile));
			assert_true(s.n_links <= MSG_LINKS_MAX && s.n_helpers <= MSG_HELPERS_MAX);
		}
	}
	close(fd);
}

/* A name is taken when it is a word of the text, as the lexer cuts words, and no part of one. */
static void
written(void **state)
{
	static const char text[] = "LockFile /run/lock # /run/old\nPath=/run/ctl{ LogFile\t/run/log,1";
	static const char *const there[] = {"/run/lock", "/run/old", "/run/log,1", "/run/ctl", "", "LockFile"};
	static const char *const not_there[] = {"/run", "/run/loc", "/run/log", "/lock", "run/lock", "/etc/x"};

	(void)state;
	for (size_t i = 0; i < sizeof(there) / sizeof(there[0]); i++)
		assert_true(name_written(text, sizeof(text) - 1, there[i]));
	for (size_t i = 0; i < sizeof(not_there) / sizeof(not_there[0]); i++)
		assert_false(name_written(text, sizeof(text) - 1, not_there[i]));
	assert_false(name_written(text, 0, "/run/lock"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(seals),
		cmocka_unit_test(single_faults),
		cmocka_unit_test(noise),
		cmocka_unit_test(written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

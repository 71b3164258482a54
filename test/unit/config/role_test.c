/*
 * The config worker through a socketpair: what it answers, and, where the rights are there, that it does so in its
 * jail.
 */
#include <fcntl.h>
#include <pwd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "blob.h"
#include "chan.h"
#include "jail.h"
#include "log_text.h"
#include "msg_rules.h"
#include "role_config.h"

static const char good[] = "Sync { Mode FTFW { }\nUDP { IPv4_address 10.0.0.1 IPv4_Destination_Address 10.0.0.2 Port "
			   "3780 Interface eth1 } }\n"
			   "General { UNIX { Path /run/c.ctl } Filter { Protocol Accept { udp igmp } } }\n";

struct run {
	int sv[2], console[2], out[2];
	char said[2000], printed[4000];
	int status;
};

static int
text_fd(const char *text, size_t len)
{
	int fd = memfd_create("text", 0);

	assert_int_equal(write(fd, text, len), len);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

static void
send_text(struct run *r, int fd, uint32_t use, const char *name)
{
	struct chan c = {.fd = r->sv[0]};
	struct iovec part = {(void *)(uintptr_t)name, strlen(name)};

	assert_int_equal(chan_sendv(&c, MSG_CONF_TEXT, use, &part, 1, &fd, 1), 0);
	close(fd);
}

static void
run_open(struct run *r)
{
	memset(r, 0, sizeof(*r));
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, r->sv), 0);
	assert_int_equal(pipe2(r->console, O_NONBLOCK), 0);
	assert_int_equal(pipe2(r->out, O_NONBLOCK), 0);
}

static void
run_close(struct run *r)
{
	const int fds[] = {r->sv[0], r->sv[1], r->console[0], r->console[1], r->out[0], r->out[1]};

	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++)
		close(fds[i]);
}

static void
serve(struct run *r)
{
	struct log console = {.fd = r->console[1], .fd_err = r->console[1], .form = LF_TEXT};
	struct config_tools t = {.wall_fd = r->sv[1], .out_fd = r->out[1], .console = &console, .mem_fd = blob_memfd()};

	r->status = config_serve(&t);
	close(t.mem_fd);
	if (read(r->console[0], r->said, sizeof(r->said) - 1) < 0)
		r->said[0] = '\0';
	if (read(r->out[0], r->printed, sizeof(r->printed) - 1) < 0)
		r->printed[0] = '\0';
}

static void
run_text(struct run *r, int fd, uint32_t use, const char *name)
{
	run_open(r);
	send_text(r, fd, use, name);
	serve(r);
}

/* What the parent does with the answer. */
static void
take_setup(struct run *r, struct msg_setup *s, struct conf *c)
{
	static uint8_t buf[MSG_DATA_MAX + sizeof(struct msg_hdr)];
	struct chan wall = {.fd = r->sv[0]};
	struct msg m;

	assert_int_equal(chan_recv(&wall, buf, sizeof(buf), &m), 1);
	assert_int_equal(msg_admit(ROLE_CONFIG, ROLE_PARENT, PHASE_SETUP, &m), ADMIT_OK);
	assert_int_equal(m.type, MSG_SETUP);
	memcpy(s, m.data, sizeof(*s));
	assert_int_equal(blob_load(c, m.fd[0]), 0);
	msg_close_fds(&m);
}

static void
assert_good(struct run *r)
{
	struct msg_setup s;
	struct conf c;

	take_setup(r, &s, &c);
	assert_int_equal(s.size, sizeof(s));
	assert_int_equal(s.sync, 1);
	assert_int_equal(s.n_links, 1);
	assert_string_equal(s.link[0].ifname, "eth1");
	assert_string_equal(s.ctl_path, "/run/c.ctl");
	assert_int_equal(c.n_links, 1);
	assert_int_equal(c.hash_limit, 262144);
	assert_int_equal(c.filter.proto[17 / 8], 1 << 17 % 8);
	conf_clear(&c);
}

static void
settings_arrive(void **state)
{
	struct run r;

	(void)state;
	run_text(&r, text_fd(good, sizeof(good) - 1), CONF_START, "x.conf");
	assert_int_equal(r.status, CONFIG_GOOD);
	assert_good(&r);
	/* igmp is not among the names known without a table */
	assert_non_null(strstr(r.said, "[warning] x.conf:3:67: getprotobyname() cannot find protocol `igmp'"));
	run_close(&r);
}

static void
no_answer(struct run *r)
{
	uint8_t buf[100];
	struct chan wall = {.fd = r->sv[0]};
	struct msg m;

	assert_int_equal(chan_recv(&wall, buf, sizeof(buf), &m), 0);
}

static void
only_check(void **state)
{
	struct run r;

	(void)state;
	run_text(&r, text_fd(good, sizeof(good) - 1), CONF_CHECK, "x.conf");
	assert_int_equal(r.status, CONFIG_GOOD);
	assert_string_equal(r.printed, "");
	no_answer(&r);
	run_close(&r);
}

static void
print(void **state)
{
	struct run r;

	(void)state;
	run_text(&r, text_fd(good, sizeof(good) - 1), CONF_PRINT, "x.conf");
	assert_int_equal(r.status, CONFIG_GOOD);
	assert_non_null(strstr(r.printed, "\tHashLimit 262144\n"));
	assert_non_null(strstr(r.printed, "IPv4_Destination_Address 10.0.0.2\n"));
	no_answer(&r);
	run_close(&r);
}

static void
wrong_text(void **state)
{
	struct run r;

	(void)state;
	run_text(&r, text_fd("General {\n  Hashsize 1\n}\n", 25), CONF_START, "/etc/x.conf");
	assert_int_equal(r.status, CONFIG_BAD);
	assert_non_null(strstr(r.said,
			       "[ERROR] /etc/x.conf:2:3: syntax error at `Hashsize': not a keyword of `General'; "
			       "did you mean `HashSize'?\n"));
	no_answer(&r);
	run_close(&r);
}

/* Well written, but this version does not start with it: checking says so, too, and that it is well written. */
static void
not_in_this_version(void **state)
{
	static const struct {
		const char *text, *said;
	} cases[] = {
		{"Sync { Mode NOTRACK { }\nTCP { IPv4_address 10.0.0.1 IPv4_Destination_Address 10.0.0.2 "
		 "Port 3780 Interface eth1 } }\n",
		 "x.conf: this version does not start with it: there are no `TCP' links yet, use `UDP' or "
		 "`Multicast'\n"},
		{"Helper { }\n", "x.conf: this version does not start with it: "},
		{"", "x.conf: this version does not start with it: "},
	};
	const uint32_t uses[] = {CONF_START, CONF_CHECK, CONF_PRINT};

	(void)state;
	for (size_t i = 0; i < 3 * sizeof(cases) / sizeof(cases[0]); i++) {
		const uint32_t use = uses[i % 3];
		struct run r;

		run_text(&r, text_fd(cases[i / 3].text, strlen(cases[i / 3].text)), use, "x.conf");
		assert_int_equal(r.status, use == CONF_START ? CONFIG_BAD : CONFIG_GOOD);
		assert_non_null(strstr(r.said, use == CONF_START ? "[ERROR] x.conf" : "[warning] x.conf"));
		assert_non_null(strstr(r.said, cases[i / 3].said));
		no_answer(&r);
		run_close(&r);
	}
}

static void
directory(void **state)
{
	struct run r;

	(void)state;
	run_text(&r, open("/tmp", O_RDONLY | O_DIRECTORY), CONF_START, "/tmp");
	assert_int_equal(r.status, CONFIG_IS_DIR);
	assert_non_null(strstr(r.said, "`/tmp': it is a directory"));
	no_answer(&r);
	run_close(&r);
}

static void
endless_file(void **state)
{
	struct run r;

	(void)state;
	run_text(&r, open("/dev/zero", O_RDONLY), CONF_START, "/dev/zero");
	assert_int_equal(r.status, CONFIG_BAD);
	assert_non_null(strstr(r.said, "File too large"));
	run_close(&r);
}

static void
wrong_message(void **state)
{
	struct run r;
	struct chan c;

	(void)state;
	run_open(&r);
	c.fd = r.sv[0];
	assert_int_equal(chan_send(&c, MSG_START, 0, NULL, 0), 0);
	serve(&r);
	assert_int_equal(r.status, CONFIG_BAD);
	assert_non_null(strstr(r.said, "broke rule sender"));
	close(r.sv[0]);
	r.sv[0] = -1;
	serve(&r); /* end of file: the parent is gone */
	assert_int_equal(r.status, CONFIG_BAD);
	run_close(&r);
}

/* As the parent spawns it: 0-2 kept, the wall at 3, the log at 4. */
static void
run_role(struct run *r, bool as_root)
{
	struct log log = {.fd = 2, .fd_err = 2, .form = LF_TEXT};
	int wall = dup(r->sv[1]);

	dup2(r->out[1], 1);
	dup2(r->console[1], 2);
	dup2(wall, WORKER_FD);
	dup2(2, WORKER_LOG_FD);
	close_range(WORKER_LOG_FD + 1, ~0U, 0);
	if (!as_root && setresuid(65534, 65534, 65534) != 0)
		_exit(99);
	_exit(config_role(WORKER_FD, &log));
}

static int
role_status(struct run *r, const char *text, size_t len, uint32_t use, bool as_root)
{
	int status;
	pid_t pid;

	run_open(r);
	send_text(r, text_fd(text, len), use, "x.conf");
	if ((pid = fork()) == 0)
		run_role(r, as_root);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (read(r->console[0], r->said, sizeof(r->said) - 1) > 0)
		print_message("%s", r->said);
	if (read(r->out[0], r->printed, sizeof(r->printed) - 1) < 0)
		r->printed[0] = '\0';
	return status;
}

/* As many addresses as there may be, some twice: more memory and work than any other text needs. */
static char *
many_addresses(size_t *len)
{
	char *text = malloc(4 << 20);
	size_t n = (size_t)sprintf(text, "%sGeneral { Filter { Address Ignore { ", good);

	for (unsigned int i = 0; i < CONF_NETS_MAX; i++)
		n += (size_t)sprintf(text + n, "IPv6_address 2001:db8::%x:%x\n", i >> 8 & 0x7f, i & 255);
	*len = n + (size_t)sprintf(text + n, "} } }");
	return text;
}

/* Everything the worker can be asked for: seccomp would kill it for a call that its jail does not know. */
static void
role_answers(bool as_root)
{
	struct run r;
	size_t len;
	char *text = many_addresses(&len);

	assert_int_equal(role_status(&r, good, sizeof(good) - 1, CONF_START, as_root), 0);
	assert_good(&r);
	run_close(&r);
	assert_int_equal(role_status(&r, good, sizeof(good) - 1, CONF_PRINT, as_root), 0);
	assert_non_null(strstr(r.printed, "\tHashLimit 262144\n"));
	run_close(&r);
	assert_int_equal(role_status(&r, "Generl", 6, CONF_CHECK, as_root), CONFIG_BAD << 8);
	assert_non_null(strstr(r.said, "did you mean `General'?"));
	run_close(&r);
	assert_int_equal(role_status(&r, text, len, CONF_START, as_root), 0);
	run_close(&r);
	free(text);
}

static void
jailed(void **state)
{
	(void)state;
	if (geteuid() != 0 || getpwnam(JAIL_WORKER_USER) == NULL) {
		print_message("needs root and the user %s\n", JAIL_WORKER_USER);
		skip();
	}
	role_answers(true);
}

static void
jailed_as_ordinary_user(void **state)
{
	(void)state;
	role_answers(geteuid() != 0); /* root becomes somebody else, others stay who they are */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(settings_arrive),
		cmocka_unit_test(only_check),
		cmocka_unit_test(print),
		cmocka_unit_test(wrong_text),
		cmocka_unit_test(not_in_this_version),
		cmocka_unit_test(directory),
		cmocka_unit_test(endless_file),
		cmocka_unit_test(wrong_message),
		cmocka_unit_test(jailed),
		cmocka_unit_test(jailed_as_ordinary_user),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

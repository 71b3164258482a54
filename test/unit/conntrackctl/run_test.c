/* conntrackctl as a program before a daemon of our own making: what it asks, what it prints, how it ends. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include <yajl/yajl_tree.h>

#include "conf.h"
#include "ctl_msg.h"

#define NITEMS(a) (sizeof(a) / sizeof((a)[0]))
#define BOTH      (CTL_TABLE_CT | CTL_TABLE_EXP)
#define CACHES    (CTL_INTERNAL | CTL_EXTERNAL)
#define SILENT_MS 20000

static const char *program;
static char dir[] = "/tmp/ctlrunXXXXXX", sock[64], conf[64];
static int listener;

/* What the daemon does with the one client it accepts. */
struct play {
	const void *answer;
	size_t len;
	bool hold;   /* does not hang up before the client does */
	bool leaves; /* and nobody listens any more */
	bool old;    /* reads a number and no more, as conntrack-tools does */
};

struct result {
	int status;
	struct ctl_request asked; /* old: of the number alone */
	char out[8192], err[2048];
};

static void
listen_there(void)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};

	strcpy(sa.sun_path, sock);
	assert_true((listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) >= 0);
	assert_int_equal(bind(listener, (const struct sockaddr *)&sa, sizeof(sa)), 0);
	/* Who listens is who the kernel says the daemon is: a process that "stop" need not wait for. */
	if (fork() == 0)
		_exit(listen(listener, 4) == 0 ? 0 : 1);
	assert_true(wait(NULL) > 0);
}

static pid_t
start(char *const argv[], int out[2], int err[2])
{
	pid_t pid;

	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	assert_int_equal(pipe2(err, O_CLOEXEC), 0);
	if ((pid = fork()) == 0) {
		dup2(out[1], STDOUT_FILENO);
		dup2(err[1], STDERR_FILENO);
		execv(program, argv);
		_exit(99);
	}
	assert_true(pid > 0);
	close(out[1]);
	close(err[1]);
	return pid;
}

static void
slurp(int fd, char *buf, size_t size)
{
	size_t len = 0;
	ssize_t n;

	while (len < size - 1 && (n = read(fd, buf + len, size - 1 - len)) > 0)
		len += (size_t)n;
	buf[len] = '\0';
	close(fd);
}

static void
serve(const struct play *p, struct result *r)
{
	struct timeval tv = {SILENT_MS / 1000, 0};
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	size_t len;
	char over;

	assert_true(fd >= 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	len = p->old ? sizeof(r->asked.old) : sizeof(r->asked);
	assert_int_equal(recv(fd, &r->asked, len, MSG_WAITALL), len);
	if (p->len > 0)
		assert_int_equal(send(fd, p->answer, p->len, MSG_NOSIGNAL), p->len);
	if (p->hold)
		assert_int_equal(recv(fd, &over, 1, 0), 0);
	if (p->leaves) {
		close(listener);
		unlink(sock);
	}
	close(fd);
}

/* Runs the program with words (parted by blanks) behind first; p NULL: it is not expected to connect. */
static struct result
run(const char *first, const char *second, const char *words, const struct play *p)
{
	struct result r = {.status = -1};
	char copy[256], *argv[16] = {NULL}, *save = NULL;
	int argc = 0, out[2], err[2], st;
	pid_t pid;

	snprintf(copy, sizeof(copy), "%s", words);
	argv[argc++] = (char *)(uintptr_t) "conntrackctl";
	argv[argc++] = (char *)(uintptr_t)first;
	argv[argc++] = (char *)(uintptr_t)second;
	for (char *w = strtok_r(copy, " ", &save); w != NULL; w = strtok_r(NULL, " ", &save))
		argv[argc++] = w;
	pid = start(argv, out, err);
	if (p != NULL)
		serve(p, &r);
	slurp(out[0], r.out, sizeof(r.out));
	slurp(err[0], r.err, sizeof(r.err));
	assert_int_equal(waitpid(pid, &st, 0), pid);
	assert_true(WIFEXITED(st));
	r.status = WEXITSTATUS(st);
	return r;
}

static struct result
own(const char *words, const struct play *p)
{
	return run("--socket", sock, words, p);
}

static struct result
old(const char *words, const struct play *p)
{
	char with[256];

	snprintf(with, sizeof(with), "%s %s", conf, words);
	return run("--compat", "-C", with, p);
}

static size_t
put(uint8_t *at, uint32_t type, const void *payload, size_t len)
{
	struct ctl_frame f = {type, (uint32_t)len};

	memcpy(at, &f, sizeof(f));
	if (len > 0)
		memcpy(at + sizeof(f), payload, len);
	return sizeof(f) + len;
}

static struct play
done(void)
{
	static uint8_t buf[64];

	return (struct play){.answer = buf, .len = put(buf, CTL_DONE, NULL, 0), .hold = true};
}

static struct play
refused(uint32_t why)
{
	static uint8_t buf[256];
	struct ctl_fail f = {.why = why};

	return (struct play){.answer = buf, .len = put(buf, CTL_FAIL, &f, sizeof(f)), .hold = true};
}

static struct play
stats(void)
{
	static uint8_t buf[sizeof(struct ctl_stats) + 64];
	static struct ctl_stats s;
	struct figure_watch w = {0};
	size_t n;

	memset(&s, 0, sizeof(s));
	s.sync = s.n_links = s.expect_sync = s.peer.known = s.peer.in_sync = 1;
	s.mode = MODE_FTFW;
	s.role = CTL_ROLE_PRIMARY;
	s.daemon.uptime = 3700;
	s.resync.overruns = 3;
	figure_watch(&w, &s, 1000);
	s.internal.active = 1234;
	s.link[0] = (struct ctl_link_stats){.ifname = "eth2", .kind = LINK_UDP, .active = 1, .status = 2};
	s.status.n_workers = 1;
	s.status.parent_pid = 77;
	s.status.worker[0] = (struct msg_worker){.pid = 78, .role = ROLE_SYNC, .state = WORKER_SERVES};
	n = put(buf, CTL_R_STATS, &s, sizeof(s));
	n += put(buf + n, CTL_DONE, NULL, 0);
	return (struct play){.answer = buf, .len = n, .hold = true};
}

static void
asked(const struct result *r, uint16_t verb, uint8_t caches, uint8_t tables, uint8_t role)
{
	assert_int_equal(r->asked.magic, CTL_MAGIC);
	assert_int_equal(r->asked.verb, verb);
	assert_int_equal(r->asked.caches, caches);
	assert_int_equal(r->asked.tables, tables);
	assert_int_equal(r->asked.role, role);
}

static void
test_requests(void **state)
{
	static const struct {
		const char *words;
		uint16_t verb;
		uint8_t caches, tables, role;
	} row[] = {
		{"commit", CTL_COMMIT, 0, BOTH, 0},
		{"commit ct", CTL_COMMIT, 0, CTL_TABLE_CT, 0},
		{"commit expect", CTL_COMMIT, 0, CTL_TABLE_EXP, 0},
		{"dump internal", CTL_DUMP, CTL_INTERNAL, CTL_TABLE_CT, 0},
		{"dump external expect", CTL_DUMP, CTL_EXTERNAL, CTL_TABLE_EXP, 0},
		{"dump --xml external ct", CTL_DUMP, CTL_EXTERNAL, CTL_TABLE_CT, 0},
		{"flush internal", CTL_FLUSH, CTL_INTERNAL, BOTH, 0},
		{"flush external ct", CTL_FLUSH, CTL_EXTERNAL, CTL_TABLE_CT, 0},
		{"flush kernel", CTL_FLUSH_KERNEL, 0, BOTH, 0},
		{"flush kernel expect", CTL_FLUSH_KERNEL, 0, CTL_TABLE_EXP, 0},
		{"resync kernel", CTL_RESYNC_KERNEL, 0, BOTH, 0},
		{"resync kernel ct", CTL_RESYNC_KERNEL, 0, CTL_TABLE_CT, 0},
		{"resync peers", CTL_RESYNC_PEERS, 0, BOTH, 0},
		{"send", CTL_SEND, 0, 0, 0},
		{"purge", CTL_PURGE, 0, 0, 0},
		{"stop", CTL_STOP, 0, 0, 0},
		{"role primary", CTL_ROLE, 0, BOTH, CTL_ROLE_PRIMARY},
		{"role backup", CTL_ROLE, 0, BOTH, CTL_ROLE_BACKUP},
		{"--timeout 0 role fault", CTL_ROLE, 0, BOTH, CTL_ROLE_FAULT},
	};
	struct play p = done();

	(void)state;
	for (size_t i = 0; i < NITEMS(row); i++) {
		struct result r = own(row[i].words, &p);

		print_message("%s\n", row[i].words);
		asked(&r, row[i].verb, row[i].caches, row[i].tables, row[i].role);
		assert_int_equal(r.status, 0);
		assert_string_equal(r.out, "");
		assert_string_equal(r.err, "");
	}
}

static void
test_usage(void **state)
{
	static const char *const row[] = {
		"",
		"foo",
		"stats foo",
		"dump",
		"dump foo",
		"dump internal foo",
		"dump internal ct ct",
		"flush",
		"resync",
		"resync peers ct",
		"role",
		"role master",
		"commit foo",
		"send now",
		"status --xml",
		"--json --xml dump internal",
		"--timeout x status",
		"--timeout -1 status",
		"--timeout 90000 status",
		"--timeout",
		"--socket= status",
		"--xml stats",
		"stop now",
		"status --bad",
		"--bad status",
		"-Z status",
		"check --json",
	};

	(void)state;
	for (size_t i = 0; i < NITEMS(row); i++) {
		struct result r = own(row[i], NULL);

		print_message("%s: %s", row[i], r.err);
		assert_int_equal(r.status, 2);
		assert_string_equal(r.out, "");
		assert_string_not_equal(r.err, "");
	}
}

static void
test_help(void **state)
{
	static const char *const verb[] = {"status", "stats", "dump", "commit", "flush", "resync",
					   "send",   "purge", "stop", "check",  "role"};
	struct result r = own("--help", NULL);
	char words[64];

	(void)state;
	assert_int_equal(r.status, 0);
	for (size_t i = 0; i < NITEMS(verb); i++) {
		struct result v;

		assert_non_null(strstr(r.out, verb[i]));
		snprintf(words, sizeof(words), "%s --help", verb[i]);
		v = own(words, NULL);
		assert_int_equal(v.status, 0);
		snprintf(words, sizeof(words), "Usage: conntrackctl [options] %s", verb[i]);
		assert_memory_equal(v.out, words, strlen(words));
	}
	r = own("--version", NULL);
	assert_int_equal(r.status, 0);
	assert_non_null(strstr(r.out, CT_VERSION));
}

/* Refusals: our own exit states, and what the old client makes of them. */
static void
test_refusals(void **state)
{
	static const struct {
		uint32_t why;
		int own, old;
	} row[] = {
		{CTL_WHY_DENIED, 3, 1}, {CTL_WHY_UNSUPPORTED, 4, 0},
		{CTL_WHY_BUSY, 5, 0},   {CTL_WHY_BAD_REQUEST, 1, 0},
		{CTL_WHY_FAILED, 1, 0}, {CTL_WHY_SUPERSEDED, 6, 0},
		{CTL_WHY_LAYOUT, 1, 0}, {12345, 1, 0},
	};

	(void)state;
	for (size_t i = 0; i < NITEMS(row); i++) {
		struct play p = refused(row[i].why);
		struct result r = own("commit", &p);

		assert_int_equal(r.status, row[i].own);
		assert_string_equal(r.out, "");
		assert_memory_equal(r.err, "conntrackctl: ", 14);
		r = old("-c", &p);
		assert_int_equal(r.status, row[i].old);
		assert_string_equal(r.out, "");
	}
}

static void
test_broken_daemon(void **state)
{
	static const uint8_t garbage[64] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
	static const struct ctl_frame half = {CTL_R_STATS, sizeof(struct ctl_stats)};
	const struct play gone = {.answer = NULL, .len = 0, .hold = false},
			  lies = {.answer = garbage, .len = sizeof(garbage), .hold = true},
			  cut = {.answer = &half, .len = sizeof(half), .hold = false},
			  mute = {.answer = NULL, .len = 0, .hold = true};
	struct result r;

	(void)state;
	assert_int_equal(own("status", &gone).status, 1);
	assert_int_equal(own("status", &lies).status, 1);
	assert_int_equal(own("status", &cut).status, 1);
	r = own("--timeout 1 status", &mute);
	assert_int_equal(r.status, 1);
	assert_non_null(strstr(r.err, "in time"));
	r = own("role backup", &gone);
	assert_null(strstr(r.err, "conntrack-tools"));
	assert_int_equal(own("stop", &gone).status, 0);
	/* Delivered is 0 for the old client, even when the daemon dies over it. */
	assert_int_equal(old("-s", &gone).status, 0);
	assert_int_equal(old("-i", &cut).status, 0);
	assert_int_equal(old("-k", &gone).status, 0);
}

static void
test_no_daemon(void **state)
{
	struct result r = run("--socket", "/nonexistent/ctl", "status", NULL);

	(void)state;
	assert_int_equal(r.status, 1);
	assert_non_null(strstr(r.err, "is conntrackd running?"));
	r = run("--config", "/nonexistent/conf", "status", NULL);
	assert_int_equal(r.status, 1);
	assert_non_null(strstr(r.err, "/nonexistent/conf"));
	r = run("--compat", "-C", "/nonexistent -s", NULL);
	assert_int_equal(r.status, 1);
	assert_string_equal(strchr(r.err, ')') + 1, " [ERROR] can't open config file `/nonexistent'\n");
	r = run("--compat", "-C", "/tmp -s", NULL);
	assert_int_equal(r.status, 2);
	assert_string_equal(r.err, "input in flex scanner failed\n");
	r = run("--compat", "-C", "/dev/null -s", NULL);
	assert_int_equal(r.status, 1);
	assert_string_equal(strchr(r.err, ')') + 1,
			    " [ERROR] `/dev/null': it names no control socket, General { UNIX { Path } }: is it a "
			    "configuration of conntrackd?\n");
	r = run("-C", "/dev/null", "stop", NULL);
	assert_int_equal(r.status, 1);
	assert_string_equal(r.err,
			    "conntrackctl: /dev/null: it names no control socket, General { UNIX { Path } }: is it a "
			    "configuration of conntrackd?\n");
	r = run("-C", "/dev/zero", "status", NULL);
	assert_int_equal(r.status, 1);
	assert_non_null(strstr(r.err, "it is not a configuration of conntrackd"));
}

/* The daemon of conntrack-tools, while it has not yet been replaced: old options do as ever, stop stops, the rest says
 * what is there. */
static void
test_daemon_of_conntrack_tools(void **state)
{
	static const struct {
		const char *words;
		uint32_t number;
	} row[] = {
		{"-c", 46},        {"-c ct", 18},        {"-c expect", 42},    {"-i", 16},          {"-i ct", 16},
		{"-i expect", 40}, {"-i -x", 24},        {"-i expect -x", 47}, {"-e", 17},          {"-e expect", 41},
		{"-e -x", 25},     {"-e expect -x", 48}, {"-f", 45},           {"-f internal", 33}, {"-f external", 34},
		{"-F", 43},        {"-F ct", 0},         {"-F expect", 38},    {"-R", 44},          {"-R ct", 1},
		{"-R expect", 39}, {"-B", 22},           {"-n", 23},           {"-t", 26},          {"-B", 22},
		{"-s", 21},        {"-s ct", 21},        {"-s network", 28},   {"-s cache", 29},    {"-s runtime", 30},
		{"-s link", 31},   {"-s rsqueue", 32},   {"-s process", 35},   {"-s queue", 36},    {"-s expect", 37},
	};
	static const char text[] = "cache internal:\n";
	const struct play says = {.answer = text, .len = sizeof(text) - 1, .old = true}, mute = {.old = true};
	struct result r;

	(void)state;
	for (size_t i = 0; i < NITEMS(row); i++) {
		r = old(row[i].words, &says);
		assert_int_equal(r.asked.old, row[i].number);
		assert_int_equal(r.status, 0);
		assert_string_equal(r.out, text);
		assert_string_equal(r.err, "");
		r = old(row[i].words, &mute);
		assert_int_equal(r.status, 0);
		assert_string_equal(r.out, "");
		assert_string_equal(r.err, "");
	}
	r = own("role primary", &mute);
	assert_int_equal(r.asked.old, CTL_OLD_NONE);
	assert_int_equal(r.status, 1);
	assert_non_null(strstr(r.err, "conntrack-tools"));
	r = own("stats rsqueue", &mute);
	assert_int_equal(r.status, 1);
	assert_string_equal(r.out, "");
}

/* It ends when it is told to; whoever goes on listening is somebody else, and that is said. */
static void
test_stop_of_conntrack_tools(void **state)
{
	const struct play ends = {.old = true, .leaves = true}, stays = {.old = true};
	struct result r = own("stop", &ends);

	(void)state;
	listen_there();
	assert_int_equal(r.asked.old, 20);
	assert_int_equal(r.status, 0);
	assert_string_equal(r.err, "");
	r = old("-k", &ends);
	listen_there();
	assert_int_equal(r.asked.old, 20);
	assert_int_equal(r.status, 0);
	assert_string_equal(r.err, "");
	r = old("-k", &stays);
	assert_int_equal(r.status, 1);
	assert_non_null(strstr(r.err, "did not stop"));
}

static void
test_old_usage(void **state)
{
	struct result r = old("-v", NULL);

	(void)state;
	assert_int_equal(r.status, 0);
	assert_string_equal(r.out, "Connection tracking userspace daemon v1.4.9. Licensed under GPLv2.\n"
				   "(C) 2006-2009 Pablo Neira Ayuso <pablo@netfilter.org>\n");
	r = old("-h", NULL);
	assert_int_equal(r.status, 0);
	assert_memory_equal(r.out, "Connection tracking userspace daemon v1.4.9\nUsage: conntrackd [commands]", 72);
	r = old("-Z", NULL);
	assert_int_equal(r.status, 1);
	assert_memory_equal(r.out, "Connection tracking userspace daemon v1.4.9\nUsage: conntrackd [commands]", 72);
	assert_string_equal(strchr(r.err, ')') + 1, " [ERROR] Unknown option: -Z\n");
	r = old("-s foo", NULL);
	assert_int_equal(r.status, 1);
	assert_string_equal(r.out, "");
	assert_string_equal(strchr(r.err, ')') + 1, " [ERROR] unknown parameter `foo' for option `-s'\n");
	r = old("-C", NULL);
	assert_int_equal(r.status, 1);
	assert_string_equal(strchr(r.err, ')') + 1, " [ERROR] Missing config filename\n");
	r = old("-d -c", NULL);
	assert_int_equal(r.status, 1);
	assert_string_equal(strchr(r.err, ')') + 1, " [ERROR] Invalid parameters\n");
}

static void
test_old_requests(void **state)
{
	struct play p = stats();
	struct result r = old("-s m", &p);

	(void)state;
	asked(&r, CTL_STATS, 0, 0, 0);
	assert_int_equal(r.status, 0);
	assert_memory_equal(r.out, "UDP traffic device=eth2 status=RUNNING role=ACTIVE:\n", 52);
	assert_string_equal(strchr(r.err, ')') + 1, " [warning] use `link' instead of `multicast' as parameter.\n");
	p = done();
	r = old("-f", &p);
	asked(&r, CTL_FLUSH, CACHES, BOTH, 0);
	r = old("-s rsqueue", &p);
	asked(&r, CTL_RSQUEUE, 0, 0, 0);
	assert_string_equal(r.out, "resent queue (len=0)\n");
}

static yajl_val
parsed(const struct result *r)
{
	char err[128];
	yajl_val v = yajl_tree_parse(r->out, err, sizeof(err));

	assert_non_null(v);
	return v;
}

static const char *
text_at(yajl_val v, const char *key)
{
	const char *path[] = {key, NULL};

	return YAJL_GET_STRING(yajl_tree_get(v, path, yajl_t_string));
}

static void
test_status(void **state)
{
	struct play p = stats();
	struct result r = own("status", &p);
	unsigned int lines = 0;

	(void)state;
	assert_int_equal(r.status, 0);
	for (const char *c = r.out; *c != '\0'; c++)
		lines += *c == '\n';
	assert_in_range(lines, 8, 14);
	assert_null(strchr(r.out, '\033'));
	assert_non_null(strstr(r.out, "primary"));
	assert_non_null(strstr(r.out, "in sync"));
	assert_non_null(strstr(r.out, "internal 1234, external 0"));
	assert_non_null(strstr(r.out, "up 1 h 1 min"));
	assert_non_null(strstr(r.out, "warning     3 times the kernel dropped events"));
}

static void
test_json(void **state)
{
	static const char *const views[] = {"status",      "stats",         "stats network",
					    "stats cache", "stats runtime", "stats link",
					    "stats queue", "stats process", "stats expect"};
	struct play p = stats();
	char words[64];

	(void)state;
	for (size_t i = 0; i < NITEMS(views); i++) {
		struct result r;
		yajl_val v;

		snprintf(words, sizeof(words), "--json %s", views[i]);
		r = own(words, &p);
		assert_int_equal(r.status, 0);
		v = parsed(&r);
		assert_string_equal(text_at(v, "mode"), "ftfw");
		assert_string_equal(text_at(v, "role"), "primary");
		yajl_tree_free(v);
	}
}

static void
test_json_actions(void **state)
{
	struct ctl_commit c = {.table = CTL_TABLE_CT, .committed = 10, .failed = 2, .usec = 1500000};
	const char *path[] = {"commits", NULL};
	uint8_t buf[256];
	size_t n = put(buf, CTL_R_COMMIT, &c, sizeof(c));
	struct play p = {.answer = buf, .len = n + put(buf + n, CTL_DONE, NULL, 0), .hold = true};
	struct result r = own("commit", &p);
	yajl_val v;

	(void)state;
	assert_string_equal(r.out, "flows: 10 committed, 2 failed, 1.500000 seconds\n");
	r = own("commit --json", &p);
	v = parsed(&r);
	assert_string_equal(text_at(v, "result"), "done");
	assert_int_equal(YAJL_GET_ARRAY(yajl_tree_get(v, path, yajl_t_array))->len, 1);
	yajl_tree_free(v);
	p = refused(CTL_WHY_BUSY);
	r = own("--json role primary", &p);
	assert_int_equal(r.status, 5);
	v = parsed(&r);
	assert_string_equal(text_at(v, "verb"), "role");
	assert_string_equal(text_at(v, "result"), "busy");
	assert_non_null(text_at(v, "error"));
	yajl_tree_free(v);
}

static int
setup(void **state)
{
	FILE *f;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(sock, sizeof(sock), "%s/ctl", dir);
	snprintf(conf, sizeof(conf), "%s/conf", dir);
	listen_there();
	assert_non_null(f = fopen(conf, "w"));
	fprintf(f, "General { UNIX { Path %s } }\n", sock);
	return fclose(f);
}

static int
teardown(void **state)
{
	(void)state;
	close(listener);
	unlink(sock);
	unlink(conf);
	return rmdir(dir);
}

int
main(int argc, char *argv[])
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_requests),
		cmocka_unit_test(test_usage),
		cmocka_unit_test(test_help),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_broken_daemon),
		cmocka_unit_test(test_no_daemon),
		cmocka_unit_test(test_old_usage),
		cmocka_unit_test(test_old_requests),
		cmocka_unit_test(test_status),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_json_actions),
		cmocka_unit_test(test_daemon_of_conntrack_tools),
		cmocka_unit_test(test_stop_of_conntrack_tools),
	};

	program = argc > 1 ? argv[1] : "conntrackctl";
	alarm(100); /* a program that never connects would leave us waiting */
	return cmocka_run_group_tests(tests, setup, teardown);
}

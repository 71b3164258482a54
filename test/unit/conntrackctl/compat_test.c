/* The old client's argument rules, row by row; each row was run against conntrackd 1.4.7 as well. */
#include "compat.h"
#include "facts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#define BOTH      (CTL_TABLE_CT | CTL_TABLE_EXP)
#define CACHES    (CTL_INTERNAL | CTL_EXTERNAL)
#define NITEMS(a) (sizeof(a) / sizeof((a)[0]))

struct row {
	const char *line; /* arguments, parted by blanks */
	struct compat want;
};

#define ASK(...)                                                   \
	{                                                          \
		.kind = COMPAT_REQUEST, .request = { __VA_ARGS__ } \
	}
#define BAD(k, word)                   \
	{                              \
		.kind = k, .bad = word \
	}

static const struct row rows[] = {
	{"", {.kind = COMPAT_DAEMON}},
	{"-d", {.kind = COMPAT_DAEMON, .daemonize = true}},
	{"-dk", {.kind = COMPAT_DAEMON, .daemonize = true}},
	{"xd", {.kind = COMPAT_DAEMON, .daemonize = true}},
	{"-d -d", {.kind = COMPAT_DAEMON, .daemonize = true}},
	{"-d -C a", {.kind = COMPAT_DAEMON, .daemonize = true, .config = "a"}},
	{"-C a -C b", {.kind = COMPAT_DAEMON, .config = "b"}},
	{"-Cfoo a", {.kind = COMPAT_DAEMON, .config = "a"}},
	{"-C -s", {.kind = COMPAT_DAEMON, .config = "-s"}},
	{"-v", {.kind = COMPAT_VERSION}},
	{"xv", {.kind = COMPAT_VERSION}},
	{"-s -v", {.kind = COMPAT_VERSION}},
	{"-h", {.kind = COMPAT_HELP}},
	{"-C", {.kind = COMPAT_NO_CONFIG}},
	{"-s -C", {.kind = COMPAT_NO_CONFIG}},
	{"-c", ASK(.verb = CTL_COMMIT, .tables = BOTH)},
	{"-c ct", ASK(.verb = CTL_COMMIT, .tables = CTL_TABLE_CT)},
	{"-c c", ASK(.verb = CTL_COMMIT, .tables = CTL_TABLE_CT)},
	{"-c expect", ASK(.verb = CTL_COMMIT, .tables = CTL_TABLE_EXP)},
	{"-c foo", BAD(COMPAT_UNKNOWN, "foo")},
	{"-c expect ct", ASK(.verb = CTL_PURGE)}, /* "ct" is option t */
	{"-i", ASK(.verb = CTL_DUMP, .caches = CTL_INTERNAL, .tables = CTL_TABLE_CT)},
	{"-i e", ASK(.verb = CTL_DUMP, .caches = CTL_INTERNAL, .tables = CTL_TABLE_EXP)},
	{"-i -x", ASK(.verb = CTL_DUMP, .caches = CTL_INTERNAL, .tables = CTL_TABLE_CT, .format = FORMAT_XML)},
	{"-i ex -x", ASK(.verb = CTL_DUMP, .caches = CTL_INTERNAL, .tables = CTL_TABLE_EXP, .format = FORMAT_XML)},
	{"-i -x -x", BAD(COMPAT_INVALID, NULL)},
	{"-x -i", BAD(COMPAT_INVALID, NULL)},
	{"-x", BAD(COMPAT_INVALID, NULL)},
	{"-i xx", BAD(COMPAT_INVALID, NULL)}, /* a word that does not match, and what it is read as instead */
	{"-i -s -x", BAD(COMPAT_INVALID, NULL)},
	{"-i -c -x", BAD(COMPAT_INVALID, NULL)},
	{"-e", ASK(.verb = CTL_DUMP, .caches = CTL_EXTERNAL, .tables = CTL_TABLE_CT)},
	{"-e ct", ASK(.verb = CTL_DUMP, .caches = CTL_EXTERNAL, .tables = CTL_TABLE_CT)},
	{"-e expect -x", ASK(.verb = CTL_DUMP, .caches = CTL_EXTERNAL, .tables = CTL_TABLE_EXP, .format = FORMAT_XML)},
	{"-e -x -i", ASK(.verb = CTL_DUMP, .caches = CTL_INTERNAL, .tables = CTL_TABLE_CT)},
	{"-e -x -s", ASK(.verb = CTL_STATS, .view = VIEW_GENERAL)},
	{"-f", ASK(.verb = CTL_FLUSH, .caches = CACHES, .tables = BOTH)},
	{"-f i", ASK(.verb = CTL_FLUSH, .caches = CTL_INTERNAL, .tables = CTL_TABLE_CT)},
	{"-f external", ASK(.verb = CTL_FLUSH, .caches = CTL_EXTERNAL, .tables = CTL_TABLE_CT)},
	{"-f foo", {.kind = COMPAT_BAD_WORD, .bad = "foo", .option = 'f'}},
	{"-F", ASK(.verb = CTL_FLUSH_KERNEL, .tables = BOTH)},
	{"-F ct", ASK(.verb = CTL_FLUSH_KERNEL, .tables = CTL_TABLE_CT)},
	{"-F expect", ASK(.verb = CTL_FLUSH_KERNEL, .tables = CTL_TABLE_EXP)},
	{"-F internal", ASK(.verb = CTL_RESYNC_PEERS)}, /* "internal" is option n */
	{"-R", ASK(.verb = CTL_RESYNC_KERNEL, .tables = BOTH)},
	{"-R ct", ASK(.verb = CTL_RESYNC_KERNEL, .tables = CTL_TABLE_CT)},
	{"-R expect", ASK(.verb = CTL_RESYNC_KERNEL, .tables = CTL_TABLE_EXP)},
	{"-R foo", BAD(COMPAT_UNKNOWN, "foo")},
	{"-B", ASK(.verb = CTL_SEND)},
	{"-B foo", BAD(COMPAT_UNKNOWN, "foo")},
	{"-n", ASK(.verb = CTL_RESYNC_PEERS)},
	{"-t", ASK(.verb = CTL_PURGE)},
	{"-k", ASK(.verb = CTL_STOP)},
	{"-s", ASK(.verb = CTL_STATS, .view = VIEW_GENERAL)},
	{"-s n", ASK(.verb = CTL_STATS, .view = VIEW_NETWORK)},
	{"-s c", ASK(.verb = CTL_STATS, .view = VIEW_CACHE)},
	{"-s r", ASK(.verb = CTL_STATS, .view = VIEW_RUNTIME)},
	{"-s rs", ASK(.verb = CTL_RSQUEUE, .view = VIEW_RSQUEUE)},
	{"-s link", ASK(.verb = CTL_STATS, .view = VIEW_LINK)},
	{"-s m", {.kind = COMPAT_REQUEST, .request = {.verb = CTL_STATS, .view = VIEW_LINK}, .multicast = true}},
	{"-s p", ASK(.verb = CTL_STATS, .view = VIEW_PROCESS)},
	{"-s q", ASK(.verb = CTL_STATS, .view = VIEW_QUEUE)},
	{"-s ct", ASK(.verb = CTL_STATS, .view = VIEW_GENERAL)},
	{"-s e", ASK(.verb = CTL_STATS, .view = VIEW_EXPECT)},
	{"-s runtimeX", {.kind = COMPAT_BAD_WORD, .bad = "runtimeX", .option = 's'}},
	{"-s n -x", BAD(COMPAT_INVALID, NULL)},
	{"-s --", BAD(COMPAT_UNKNOWN, "--")},
	{"-s -c", ASK(.verb = CTL_COMMIT, .tables = BOTH)},
	{"-s -C a", {.kind = COMPAT_REQUEST, .request = {.verb = CTL_STATS}, .config = "a"}},
	{"-c -d", BAD(COMPAT_INVALID, NULL)},
	{"-d -c", BAD(COMPAT_INVALID, NULL)},
	{"-S", BAD(COMPAT_UNKNOWN, "-S")},
	{"-Z -v", BAD(COMPAT_UNKNOWN, "-Z")},
	{"--help", BAD(COMPAT_UNKNOWN, "--help")},
	{"-", BAD(COMPAT_UNKNOWN, "-")},
	{"foo", BAD(COMPAT_UNKNOWN, "foo")},
};

static void
same_text(const char *a, const char *b)
{
	if (a == NULL || b == NULL)
		assert_ptr_equal(a, b);
	else
		assert_string_equal(a, b);
}

static struct compat
scan(char *line)
{
	char *argv[8], *save = NULL;
	int argc = 0;

	for (char *w = strtok_r(line, " ", &save); w != NULL; w = strtok_r(NULL, " ", &save))
		argv[argc++] = w;
	return compat_scan(argc, argv);
}

static void
test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < NITEMS(rows); i++) {
		const struct compat *want = &rows[i].want;
		char line[64];
		struct compat got;

		print_message("row \"%s\"\n", rows[i].line);
		strcpy(line, rows[i].line);
		got = scan(line);
		assert_int_equal(got.kind, want->kind);
		if (want->config != NULL || got.kind == COMPAT_DAEMON)
			same_text(got.config, want->config != NULL ? want->config : PATH_CONF);
		if (want->bad != NULL)
			same_text(got.bad, want->bad);
		assert_int_equal(got.option, want->option);
		assert_int_equal(got.daemonize && got.kind == COMPAT_DAEMON, want->daemonize);
		assert_int_equal(got.multicast, want->multicast);
		if (got.kind != COMPAT_REQUEST)
			continue;
		assert_int_equal(got.request.verb, want->request.verb);
		assert_int_equal(got.request.caches, want->request.caches);
		assert_int_equal(got.request.tables, want->request.tables);
		assert_int_equal(got.request.view, want->request.view);
		assert_int_equal(got.request.format, want->request.format);
	}
}

/* An empty word is a prefix of every word; an empty option is none. */
static void
test_empty(void **state)
{
	char s[] = "-s", none[] = "";
	char *word[] = {s, none}, *option[] = {none};
	struct compat c = compat_scan(2, word);

	(void)state;
	assert_int_equal(c.kind, COMPAT_REQUEST);
	assert_int_equal(c.request.view, VIEW_NETWORK);
	assert_int_equal(compat_scan(1, option).kind, COMPAT_UNKNOWN);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

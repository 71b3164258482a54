/* Dump lines against what conntrackd 1.4.7 printed for the same flows (golden/, lines sorted). The one difference:
 * 1.4.7 looks SCTP states up among the TCP names in XML; golden/ has the right name. */
#include "show.h"

#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include <yajl/yajl_tree.h>

#define NITEMS(a) (sizeof(a) / sizeof((a)[0]))
#define UNREPLIED 0x108
#define REPLIED   0x10a
#define ASSURED   0x10e
#define TEXT_MAX  65536

static const char *folder;

struct row {
	uint8_t l4, state;
	uint32_t status, id, mark;
	uint16_t zone;
	const char *addr[4];
	uint16_t port[4];
	uint16_t peer_port[2]; /* what the peer was told */
};

#define ICMP(type, code) ((type) << 8 | (code))
#define MIRROR(src, dst)           \
	{                          \
		src, dst, dst, src \
	}
static const struct row rows[] = {
	{6,
	 3,
	 ASSURED,
	 1250679066,
	 6,
	 0,
	 {"10.0.0.5", "10.0.0.2", "10.0.0.9", "10.0.0.5"},
	 {1002, 80, 80, 1002},
	 {1002, 80}},
	{6,
	 3,
	 ASSURED,
	 4139812468,
	 0,
	 0,
	 {"10.0.0.6", "10.0.0.2", "10.0.0.2", "1.2.3.4"},
	 {1000, 80, 80, 1000},
	 {1000, 80}},
	{6, 3, ASSURED, 3094531674, 0, 0, MIRROR("10.0.0.6", "10.0.0.2"), {1021, 21, 21, 1021}, {1021, 21}},
	{6, 1, UNREPLIED, 3259460705, 0, 0, MIRROR("10.0.0.1", "10.0.0.2"), {1000, 80, 80, 1000}, {1000, 80}},
	{6, 7, REPLIED, 689652910, 0, 0, MIRROR("fd00::1", "fd00::2"), {7, 8, 8, 7}, {7, 8}},
	{17, 0, UNREPLIED, 2443125670, 0, 5, MIRROR("10.0.0.1", "10.0.0.2"), {53, 53, 53, 53}, {53, 53}},
	{17, 0, REPLIED, 2198468453, 0, 0, MIRROR("10.0.0.1", "10.0.0.2"), {54, 53, 53, 54}, {54, 53}},
	{136, 0, UNREPLIED, 3797953225, 0, 0, MIRROR("10.0.0.1", "10.0.0.2"), {7, 8, 8, 7}, {0, 0}},
	{33, 0, REPLIED, 1002354347, 0, 0, MIRROR("10.0.0.1", "10.0.0.2"), {0, 0, 0, 0}, {7, 8}},
	{132, 4, REPLIED, 181720194, 0, 0, MIRROR("10.0.0.1", "10.0.0.2"), {7, 8, 8, 7}, {7, 8}},
	{47, 0, UNREPLIED, 151957798, 0, 0, MIRROR("10.0.0.1", "10.0.0.2"), {0x10, 0x14, 0x14, 0x10}, {0, 0}},
	{1,
	 0,
	 UNREPLIED,
	 520931189,
	 0,
	 0,
	 MIRROR("10.0.0.1", "10.0.0.2"),
	 {77, ICMP(8, 0), 77, ICMP(0, 0)},
	 {77, ICMP(8, 0)}},
	{58,
	 0,
	 UNREPLIED,
	 2644615468,
	 0,
	 0,
	 MIRROR("fd00::1", "fd00::2"),
	 {77, ICMP(128, 0), 77, ICMP(129, 0)},
	 {77, ICMP(128, 0)}},
	{200, 0, UNREPLIED, 116302943, 0, 0, MIRROR("10.0.0.1", "10.0.0.2"), {0, 0, 0, 0}, {0, 0}},
};

static struct flow
to_flow(const struct row *r, bool external)
{
	struct flow f = {.have = FLOW_STATUS | FLOW_MARK | FLOW_REPLY | FLOW_PORTS,
			 .l4 = r->l4,
			 .state = r->state,
			 .status = r->status,
			 .mark = r->mark,
			 .zone = r->zone,
			 .id = r->id};

	f.l3 = strchr(r->addr[0], ':') != NULL ? AF_INET6 : AF_INET;
	f.have |= r->state != 0 ? FLOW_STATE : 0;
	f.have |= r->zone != 0 ? FLOW_ZONE : 0;
	f.have |= external ? 0 : FLOW_ID;
	for (int i = 0; i < 4; i++) {
		assert_int_equal(inet_pton(f.l3, r->addr[i], f.addr + (unsigned)i * flow_words(&f)), 1);
		f.port[i] = htons(i < 2 && external ? r->peer_port[i] : r->port[i]);
	}
	return f;
}

/* One record as the daemon writes it. Returns its length. */
static size_t
put(uint8_t *buf, const struct flow *f, const struct flow_side *side, uint32_t age, uint32_t expires)
{
	struct ctl_flow h = {.age = age, .updated = age, .expires = expires};
	size_t len = sizeof(h) + flow_size(f);

	memcpy(buf + sizeof(h), f, flow_size(f));
	if (side != NULL) {
		memcpy(buf + len, side, sizeof(*side));
		len += sizeof(*side);
	}
	while (len % 8 != 0)
		buf[len++] = 0;
	h.len = (uint32_t)len;
	memcpy(buf, &h, sizeof(h));
	return len;
}

static int
by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Lines in order, as sort(1) does in the C locale. */
static void
sort_lines(char *text)
{
	char *copy = strdup(text), *at[64], *save = NULL;
	size_t n = 0;

	for (char *l = strtok_r(copy, "\n", &save); l != NULL && n < NITEMS(at); l = strtok_r(NULL, "\n", &save))
		at[n++] = l;
	qsort(at, n, sizeof(at[0]), by_text);
	text[0] = '\0';
	for (size_t i = 0; i < n; i++)
		text = stpcpy(stpcpy(text, at[i]), "\n");
	free(copy);
}

/* What is shown of a payload. The caller frees it. */
static char *
shown(const struct request *q, uint32_t type, const uint8_t *payload, size_t len)
{
	int fd = memfd_create("show", MFD_CLOEXEC);
	char *text = calloc(1, TEXT_MAX);
	struct show s;

	assert_int_equal(show_init(&s, fd, q), 0);
	assert_int_equal(show_records(&s, type, payload, len), 0);
	assert_int_equal(show_done(&s), 0);
	assert_true(pread(fd, text, TEXT_MAX - 1, 0) >= 0);
	close(fd);
	return text;
}

static char *
golden(const char *name)
{
	char path[512], *text = calloc(1, TEXT_MAX);
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	assert_non_null(f = fopen(path, "r"));
	assert_true(fread(text, 1, TEXT_MAX - 1, f) > 0);
	fclose(f);
	return text;
}

static size_t
all_rows(uint8_t *buf, bool external, uint32_t age, uint32_t expires)
{
	size_t len = 0;

	for (size_t i = 0; i < NITEMS(rows); i++) {
		struct flow f = to_flow(&rows[i], external);

		len += put(buf + len, &f, NULL, age, expires);
	}
	return len;
}

static void
check_flows(uint8_t cache, enum format format, uint32_t age, uint32_t expires, const char *name)
{
	struct request q = {.verb = CTL_DUMP, .caches = cache, .format = format};
	uint8_t buf[8192];
	size_t len = all_rows(buf, cache == CTL_EXTERNAL, age, expires);
	char *got = shown(&q, CTL_R_FLOW, buf, len), *want = golden(name);

	sort_lines(got);
	sort_lines(want);
	assert_string_equal(got, want);
	free(got);
	free(want);
}

static void
test_flows(void **state)
{
	(void)state;
	check_flows(CTL_INTERNAL, FORMAT_TEXT, 3, 0, "flows-internal");
	check_flows(CTL_EXTERNAL, FORMAT_TEXT, 4, 0, "flows-external");
	check_flows(CTL_EXTERNAL, FORMAT_TEXT, 3, 176, "flows-alarm");
	check_flows(CTL_INTERNAL, FORMAT_XML, 3, 0, "flows-internal.xml");
	check_flows(CTL_EXTERNAL, FORMAT_XML, 4, 0, "flows-external.xml");
}

static struct ctl_expect
ftp(void)
{
	struct ctl_expect x = {.age = 1};
	struct expect *e = &x.expect;

	e->have = EXPECT_CLASS | EXPECT_HELPER | EXPECT_TIMEOUT;
	e->l3 = AF_INET;
	e->tuple = (struct flow_tuple){.dport = htons(41739), .l4 = 6};
	e->mask = (struct flow_tuple){.dport = htons(65535), .l4 = 6};
	e->master = (struct flow_tuple){.sport = htons(43491), .dport = htons(21), .l4 = 6};
	inet_pton(AF_INET, "10.1.1.1", e->tuple.src);
	inet_pton(AF_INET, "10.1.1.2", e->tuple.dst);
	inet_pton(AF_INET, "255.255.255.255", e->mask.src);
	inet_pton(AF_INET, "255.255.255.255", e->mask.dst);
	inet_pton(AF_INET, "10.1.1.1", e->master.src);
	inet_pton(AF_INET, "10.1.1.2", e->master.dst);
	strcpy(e->helper, "ftp");
	return x;
}

static void
test_expects(void **state)
{
	static const struct {
		enum format format;
		const char *name;
	} row[] = {{FORMAT_TEXT, "expect-internal"}, {FORMAT_XML, "expect-internal.xml"}};
	struct ctl_expect x = ftp();

	(void)state;
	for (size_t i = 0; i < NITEMS(row); i++) {
		struct request q = {.verb = CTL_DUMP, .caches = CTL_INTERNAL, .format = row[i].format};
		char *got = shown(&q, CTL_R_EXPECT, (const uint8_t *)&x, sizeof(x)), *want = golden(row[i].name);

		assert_string_equal(got, want);
		free(got);
		free(want);
	}
}

static void
test_helper(void **state)
{
	struct request q = {.verb = CTL_DUMP, .caches = CTL_INTERNAL};
	struct flow f = to_flow(&rows[2], false);
	struct flow_side side = {.helper = "ftp"};
	uint8_t buf[1024];
	char *got;

	(void)state;
	f.have |= FLOW_HELPER;
	got = shown(&q, CTL_R_FLOW, buf, put(buf, &f, &side, 1, 0));
	assert_non_null(strstr(got, " mark=0 helper=ftp [active since 1s]\n"));
	free(got);
	/* A name that a peer made up does not reach the terminal, nor break the XML. */
	strcpy(side.helper, "\033[2J<a>\xff");
	got = shown(&q, CTL_R_FLOW, buf, put(buf, &f, &side, 1, 0));
	assert_non_null(strstr(got, " helper=?[2J<a>? [active"));
	free(got);
	q.format = FORMAT_XML;
	got = shown(&q, CTL_R_FLOW, buf, put(buf, &f, &side, 1, 0));
	assert_non_null(strstr(got, "<helper>?[2J&lt;a&gt;?</helper></flow>\n"));
	free(got);
}

static long long
number_at(yajl_val v, const char *a, const char *b)
{
	const char *path[] = {a, b, NULL};
	yajl_val n = yajl_tree_get(v, path, yajl_t_number);

	assert_non_null(n);
	return YAJL_GET_INTEGER(n);
}

static void
check_json(char *text, size_t lines)
{
	char *save = NULL, err[128];
	size_t n = 0;

	for (char *l = strtok_r(text, "\n", &save); l != NULL; l = strtok_r(NULL, "\n", &save), n++) {
		yajl_val v = yajl_tree_parse(l, err, sizeof(err));

		assert_non_null(v);
		assert_int_equal(number_at(v, "active_since", NULL), 4);
		assert_int_equal(number_at(v, "updated_since", NULL), 4);
		assert_int_equal(number_at(v, "expires_in", NULL), 9);
		yajl_tree_free(v);
	}
	assert_int_equal(n, lines);
}

static void
test_json(void **state)
{
	struct request q = {.verb = CTL_DUMP, .caches = CTL_EXTERNAL, .format = FORMAT_JSON};
	struct ctl_expect x = ftp();
	uint8_t buf[8192];
	char *got = shown(&q, CTL_R_FLOW, buf, all_rows(buf, true, 4, 9)), err[128];
	yajl_val v;

	(void)state;
	check_json(got, NITEMS(rows));
	free(got);
	got = shown(&q, CTL_R_EXPECT, (const uint8_t *)&x, sizeof(x));
	assert_non_null(v = yajl_tree_parse(got, err, sizeof(err)));
	assert_int_equal(number_at(v, "active_since", NULL), 1);
	assert_int_equal(number_at(v, "expected", "dport"), 41739);
	yajl_tree_free(v);
	free(got);
}

/* Reads a pipe to its end; the number of octets goes to the exit status, in kilooctets. */
static void
read_all(int fd)
{
	static char buf[65536];
	size_t sum = 0;
	ssize_t n;

	while ((n = read(fd, buf, sizeof(buf))) > 0)
		sum += (size_t)n;
	_exit((int)(sum / 1024));
}

/* A reader that takes nothing until the dump is over holds nothing up, and gets all of it. */
static void
test_paused_reader(void **state)
{
	struct request q = {.verb = CTL_DUMP, .caches = CTL_INTERNAL};
	uint8_t buf[8192];
	size_t len = all_rows(buf, false, 1, 0), once;
	char *one = shown(&q, CTL_R_FLOW, buf, len);
	struct show s;
	int ends[2], st;

	(void)state;
	once = strlen(one);
	free(one);
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(show_init(&s, ends[1], &q), 0);
	alarm(60);
	for (int i = 0; i < 100; i++)
		assert_int_equal(show_records(&s, CTL_R_FLOW, buf, len), 0);
	assert_true(once * 100 > 100000); /* more than a pipe holds */
	if (fork() == 0) {
		close(ends[1]);
		read_all(ends[0]);
	}
	close(ends[0]);
	assert_int_equal(show_done(&s), 0);
	close(ends[1]);
	assert_true(wait(&st) > 0);
	alarm(0);
	assert_int_equal(WEXITSTATUS(st), once * 100 / 1024);
}

/* A dump that asked for flows does not take other records; a full device is noticed. */
static void
test_errors(void **state)
{
	struct request q = {.verb = CTL_DUMP, .caches = CTL_INTERNAL};
	struct show s;
	uint8_t buf[8192];
	size_t len = all_rows(buf, false, 1, 0);

	(void)state;
	assert_int_equal(show_init(&s, -1, &q), 0);
	assert_int_equal(show_records(&s, CTL_R_RSQUEUE, buf, 8), -EBADMSG);
	assert_int_equal(show_records(&s, CTL_R_FLOW, buf, len - 8), -EBADMSG);
	assert_int_equal(show_records(&s, CTL_R_FLOW, buf, len), 0);
	assert_int_equal(show_done(&s), -EBADF);
}

int
main(int argc, char *argv[])
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_flows), cmocka_unit_test(test_expects), cmocka_unit_test(test_helper),
		cmocka_unit_test(test_json),  cmocka_unit_test(test_errors),  cmocka_unit_test(test_paused_reader),
	};

	folder = argc > 1 ? argv[1] : ".";
	return cmocka_run_group_tests(tests, NULL, NULL);
}

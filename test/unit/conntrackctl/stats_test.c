/* Statistics blocks against what conntrackd 1.4.7 printed in network namespaces (golden/), same numbers. */
#include "stats_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "conf.h"
#include "stats.h"
#include "status.h"

static const char *folder;

static char *
golden(const char *name)
{
	char path[512], *text = calloc(1, 65536);
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	assert_non_null(f = fopen(path, "r"));
	assert_non_null(text);
	assert_true(fread(text, 1, 65535, f) < 65535);
	fclose(f);
	return text;
}

static void
check(const struct ctl_stats *s, enum view view, const char *name)
{
	char *want = name != NULL ? golden(name) : strdup(""), *got = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&got, &len);

	stats_text(f, s, view);
	fclose(f);
	assert_string_equal(got, want);
	free(got);
	free(want);
}

static struct ctl_stats
ftfw(void)
{
	struct ctl_stats s = {.sync = 1, .mode = MODE_FTFW, .expect_sync = 1, .n_links = 1};

	s.internal = (struct cache_stats){.active = 14, .total = 14, .created = 15, .updated = 1, .deleted = 1};
	s.link[0] = (struct ctl_link_stats){.ifname = "va",
					    .kind = LINK_UDP,
					    .active = 1,
					    .status = 2,
					    .sent_bytes = 1604,
					    .sent_pkts = 21,
					    .recv_bytes = 64,
					    .recv_pkts = 4};
	s.events = 17;
	s.buffer_size = 2097152;
	s.queue_nodes = 1;
	s.txq.max = 2147483647;
	s.errq.max = 128;
	s.rsq = (struct ctl_queue_stats){.len = 1, .max = 131072};
	return s;
}

static void
test_ftfw(void **state)
{
	struct ctl_stats s = ftfw();

	(void)state;
	check(&s, VIEW_GENERAL, "general");
	check(&s, VIEW_EXPECT, "expect");
	check(&s, VIEW_NETWORK, "network");
	check(&s, VIEW_CACHE, "cache");
	check(&s, VIEW_RUNTIME, "runtime");
	check(&s, VIEW_LINK, "link");
	check(&s, VIEW_QUEUE, "queue");
	check(&s, VIEW_PROCESS, NULL);
	s.expect_sync = 0;
	check(&s, VIEW_EXPECT, NULL);
}

static void
test_links(void **state)
{
	struct ctl_stats s = ftfw();

	(void)state;
	s.link[0].kind = LINK_MCAST;
	check(&s, VIEW_LINK, "link-mcast");
	s.link[0].kind = LINK_TCP;
	s.link[0].server = s.link[0].client = 1;
	s.link[0].recv_bytes = 40;
	s.link[0].sent_errors = 1;
	check(&s, VIEW_LINK, "link-tcp");
	check(&s, VIEW_GENERAL, "general-tcp");
}

static void
test_alarm(void **state)
{
	struct ctl_stats s = ftfw();

	(void)state;
	s.mode = MODE_ALARM;
	s.queue_nodes = 0;
	check(&s, VIEW_QUEUE, "queue-alarm");
}

static void
test_disabled_caches(void **state)
{
	struct ctl_stats s = ftfw();

	(void)state;
	s.mode = MODE_NOTRACK;
	s.internal_disabled = s.external_disabled = 1;
	memset(&s.internal, 0, sizeof(s.internal));
	s.external = (struct cache_stats){.created = 15, .updated = 1, .deleted = 1};
	s.link[0].sent_bytes = 32;
	s.link[0].sent_pkts = 4;
	s.link[0].recv_bytes = 1556;
	s.link[0].recv_pkts = 5;
	check(&s, VIEW_GENERAL, "general-nocache");
	check(&s, VIEW_CACHE, "cache-nocache");
}

/* In statistics mode only the cache, the traffic and the runtime block exist. */
static void
test_stats_mode(void **state)
{
	struct ctl_stats s = {.stats_mode = 1};

	(void)state;
	s.internal = (struct cache_stats){.active = 2, .total = 2, .created = 3, .deleted = 1};
	check(&s, VIEW_GENERAL, "general-stats");
	check(&s, VIEW_CACHE, "cache-stats");
	check(&s, VIEW_NETWORK, NULL);
	check(&s, VIEW_LINK, NULL);
	check(&s, VIEW_QUEUE, NULL);
	check(&s, VIEW_EXPECT, NULL);
}

static void
test_rsqueue(void **state)
{
	struct ctl_rsq q = {.seq = 1795226462, .flags = 8, .control = 1};
	char *want = golden("rsqueue"), *got = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&got, &len);

	(void)state;
	rsqueue_head(f, 1);
	rsqueue_text(f, &q);
	fclose(f);
	assert_string_equal(got, want);
	free(got);
	free(want);
}

static void
test_uptime(void **state)
{
	static const struct {
		uint32_t seconds;
		const char *text;
	} row[] = {
		{0, "0 min"},
		{59, "0 min"},
		{60, "1 min"},
		{3 * 3600 + 5 * 60, "3 h 5 min"},
		{3600, "1 h 0 min"},
		{86400 + 3 * 3600 + 300, "1 day 3 h 5 min"},
		{2 * 86400 + 300, "2 days 5 min"},
		{UINT32_MAX, "49710 days 6 h 28 min"},
	};
	char buf[64];

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		uptime_text(buf, sizeof(buf), row[i].seconds);
		assert_string_equal(buf, row[i].text);
	}
}

/* Numbers that no honest daemon sends must not lead anywhere outside the struct. */
static void
test_clean(void **state)
{
	struct ctl_stats s;
	char *got = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&got, &len);

	(void)state;
	memset(&s, 0xff, sizeof(s));
	stats_clean(&s);
	assert_int_equal(s.n_links, MSG_LINKS_MAX);
	assert_int_equal(s.status.n_workers, MSG_WORKERS_MAX);
	for (unsigned int v = 0; v < VIEW_MAX; v++)
		stats_text(f, &s, (enum view)v);
	assert_string_equal(stats_role(&s), "unknown");
	assert_string_equal(stats_link_kind(&s.link[0]), "unknown");
	fclose(f);
	free(got);
}

static void
collect(void *ctx, const char *text)
{
	strcat(strcat(ctx, text), "\n");
}

static void
warn_is(const struct ctl_stats *s, const char *want)
{
	char got[2048] = "";

	status_warnings(s, collect, got);
	assert_string_equal(got, want);
}

/* A healthy daemon is warned of nothing, each ailment is named. */
static void
test_warnings(void **state)
{
	struct ctl_stats s = ftfw();

	(void)state;
	s.uptime = 100;
	s.peer_known = s.peer_in_sync = 1;
	warn_is(&s, "");
	s.peer_silent = 42;
	warn_is(&s, "the peer has been silent for 42 s\n");
	s.mode = MODE_ALARM;
	warn_is(&s, "");
	s.mode = MODE_FTFW;
	s.peer_known = 0;
	warn_is(&s, "the peer has not been heard since the start: does it run, do addresses and port match, does the "
		    "packet filter let the link through?\n");
	s.link[0].foreign = 14;
	warn_is(&s, "the peer has not been heard since the start, but 14 datagrams came from another address than the "
		    "configured one\n");
	s.uptime = 1;
	warn_is(&s, "");
	s.link[0].status = 1;
	warn_is(&s, "the active link va is NO-CARRIER\n");
	s.link[0].status = 2;
	s.status.worker_deaths = 2;
	s.status.takeovers = 1;
	warn_is(&s, "2 worker processes ended unexpectedly, 1 spares took over\n");
	s.status.worker_deaths = 0;
	s.external.no_space = 7;
	s.log_lost = 3;
	warn_is(&s, "7 flows did not fit the external cache (raise HashLimit)\n3 log lines were lost\n");
}

int
main(int argc, char *argv[])
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ftfw),       cmocka_unit_test(test_links),
		cmocka_unit_test(test_alarm),      cmocka_unit_test(test_disabled_caches),
		cmocka_unit_test(test_stats_mode), cmocka_unit_test(test_rsqueue),
		cmocka_unit_test(test_uptime),     cmocka_unit_test(test_clean),
		cmocka_unit_test(test_warnings),
	};

	folder = argc > 1 ? argv[1] : ".";
	return cmocka_run_group_tests(tests, NULL, NULL);
}

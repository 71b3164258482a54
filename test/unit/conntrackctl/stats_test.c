/* Statistics blocks against what conntrackd 1.4.7 printed in network namespaces (golden/), same numbers. */
#include "stats_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <errno.h>
#include <sys/socket.h>

#include "conf.h"
#include "stats.h"
#include "stats_json.h"
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
	s.link[0] = (struct ctl_link_stats){
		.ifname = "va",
		.kind = LINK_UDP,
		.active = 1,
		.status = 2,
		.count = {.sent_bytes = 1604, .sent_pkts = 21, .recv_bytes = 64, .recv_pkts = 4}};
	s.intake.events = 17;
	s.netlink.buffer_size = 2097152;
	s.queues.nodes = 1;
	s.txq.maximum = 2147483647;
	s.errq.maximum = 128;
	s.rsq = (struct fig_queue){.length = 1, .maximum = 131072};
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

/* Every number that a text names is a figure, in every mode. */
static void
test_names(void **state)
{
	struct ctl_stats s = ftfw();

	(void)state;
	for (unsigned int i = 0; i < 16; i++) {
		char *got = NULL;
		size_t len = 0;
		FILE *f = open_memstream(&got, &len);

		s.stats_mode = i & 1;
		s.sync = !s.stats_mode;
		s.internal_disabled = i >> 1 & 1;
		s.external_disabled = i >> 2 & 1;
		s.link[0].kind = i & 8 ? LINK_TCP : LINK_MCAST;
		for (unsigned int v = 0; v < VIEW_MAX; v++)
			stats_text(f, &s, (enum view)v);
		fclose(f);
		assert_null(strchr(got, '?'));
		assert_null(strchr(got, '{'));
		free(got);
	}
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
	s.link[0].count.recv_bytes = 40;
	s.link[0].count.sent_errors = 1;
	check(&s, VIEW_LINK, "link-tcp");
	check(&s, VIEW_GENERAL, "general-tcp");
}

static void
test_alarm(void **state)
{
	struct ctl_stats s = ftfw();

	(void)state;
	s.mode = MODE_ALARM;
	s.queues.nodes = 0;
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
	s.link[0].count.sent_bytes = 32;
	s.link[0].count.sent_pkts = 4;
	s.link[0].count.recv_bytes = 1556;
	s.link[0].count.recv_pkts = 5;
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
	s.daemon.uptime = 100;
	s.peer.known = s.peer.in_sync = 1;
	warn_is(&s, "");
	s.peer.silent = 42;
	warn_is(&s, "the peer has been silent for 42 s\n");
	s.mode = MODE_ALARM;
	warn_is(&s, "");
	s.mode = MODE_FTFW;
	s.peer.known = 0;
	warn_is(&s, "the peer has not been heard since the start: does it run, do Mode, addresses and port match, does "
		    "the packet filter let the link through?\n");
	s.daemon.uptime = 1;
	s.link[0].count.foreign = 14;
	warn_is(&s, "va: 14 datagrams came from another address than the peer's\n");
	s.link[0].count.foreign = 0;
	warn_is(&s, "");
	s.link[0].status = 1;
	warn_is(&s, "the active link va is NO-CARRIER\n");
	s.link[0].status = 2;
	s.commits.failed = s.commits.last_failed = 2;
	warn_is(&s, "2 states could not be committed\n");
	s.commits.last_failed = 0; /* the next one went well */
	warn_is(&s, "");
}

/* Refused senders and failing links are named, with the words that would help, as long as it lasts. */
static void
test_link_warnings(void **state)
{
	struct ctl_stats s = ftfw();
	struct ctl_link_stats *l = &s.link[0];

	(void)state;
	s.peer.known = s.peer.in_sync = 1;
	l->count.foreign = 9;
	l->refused[0] = (struct ctl_refused){
		.family = AF_INET, .why = CTL_REFUSED_ADDRESS, .count = 7, .ago = 3, .addr = {192, 0, 2, 5}};
	l->refused[1] = (struct ctl_refused){
		.family = AF_INET6, .why = CTL_REFUSED_ADDRESS, .count = 2, .ago = 4, .addr = {0xfe, 0x80, [15] = 1}};
	warn_is(&s, "va: 7 datagrams of 192.0.2.5, who is not the peer, were refused, last 3 s ago; to accept them: "
		    "IPv4_Destination_Address 192.0.2.5 or CheckSource off\n"
		    "va: 2 datagrams of fe80::1, who is not the peer, were refused, last 4 s ago; to accept them: "
		    "IPv6_Destination_Address fe80::1 or CheckSource off\n");
	l->refused[1].family = 0;
	l->refused[0].why = CTL_REFUSED_PORT;
	warn_is(&s, "va: 7 datagrams of 192.0.2.5, another program on the peer's host, were refused, last 3 s ago; to "
		    "accept "
		    "them: CheckSource off\n");
	l->refused[0].ago = FIGURE_RECENT_S + 1;
	warn_is(&s, "");
	l->port = 3780;
	l->send_error = -ECONNREFUSED;
	warn_is(&s, "va: the peer's host takes nothing on port 3780: does its daemon run, and with this Port?\n");
	l->send_error = -ENETUNREACH;
	warn_is(&s, "va: sending fails: Network is unreachable\n");
	l->send_error_ago = 6;
	warn_is(&s, "");
	s.peers[0] = (struct ctl_peer){.family = AF_INET, .differs = CTL_DIFFERS_MODE, .addr = {192, 0, 2, 6}};
	warn_is(&s, "the peer 192.0.2.6 has another mode than this daemon\n");
	s.peers[0].differs = CTL_DIFFERS_DEAF;
	warn_is(&s, "the peer 192.0.2.6 does not acknowledge: does it hear this node, is its Mode FTFW?\n");
}

static void
test_spares(void **state)
{
	struct ctl_stats s = ftfw();

	(void)state;
	s.peer.known = s.peer.in_sync = 1;
	s.status.n_workers = 2;
	s.status.worker[0] = (struct msg_worker){.role = ROLE_SYNC, .state = WORKER_SERVES};
	s.status.worker[1] = (struct msg_worker){.role = ROLE_SYNC, .state = WORKER_SPARE};
	warn_is(&s, "");
	s.status.worker[1].state = WORKER_DEAD;
	warn_is(&s, "no spare sync worker is left: should this one end, so does the daemon\n");
}

/* What is watched: every counter with a warning, with room for all. */
static void
test_watch(void **state)
{
	const struct figure_place *place;
	const struct figure *row;
	struct figure_watch w = {0};
	struct ctl_stats s = ftfw();
	unsigned int n = 0;

	(void)state;
	s.mode = MODE_NOTRACK;
	while (figure_watched(n, &place, &row))
		n++;
	assert_in_range(n, 8, CTL_RECENT_MAX);
	figure_watch(&w, &s, 5000);
	warn_is(&s, "");
	s.network.lost = 4;
	figure_watch(&w, &s, 8000);
	warn_is(&s, "4 messages of the peer were lost, last 0 s ago\n");
	s.network.lost = 6;
	s.external.no_space = 7;
	figure_watch(&w, &s, 11000);
	figure_watch(&w, &s, 14000);
	warn_is(&s, "7 flows of the peers did not fit into the cache (raise HashLimit), last 3 s ago\n"
		    "6 messages of the peer were lost, last 3 s ago\n");
	figure_watch(&w, &s, 11000 + 1000 * (FIGURE_RECENT_S + 1));
	warn_is(&s, "");
	s.network.lost = 7; /* what rested for so long is not counted again */
	figure_watch(&w, &s, 999000);
	warn_is(&s, "1 messages of the peer were lost, last 0 s ago\n");
}

/* FTFW repeats what was lost: that is worth a word only while it goes on, or the peer is not in sync. */
static void
test_repaired(void **state)
{
	struct figure_watch w = {0};
	struct ctl_stats s = ftfw();

	(void)state;
	s.peer.known = s.peer.in_sync = 1;
	s.network.lost = 4;
	figure_watch(&w, &s, 1000);
	warn_is(&s, "4 messages of the peer were lost, last 0 s ago\n");
	figure_watch(&w, &s, 21000);
	warn_is(&s, "");
	s.peer.in_sync = 0;
	warn_is(&s, "4 messages of the peer were lost, last 20 s ago\n");
}

static void
json_has(const struct ctl_stats *s, const char *want, bool there)
{
	char *got = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&got, &len);

	stats_json(f, s, VIEW_GENERAL);
	fclose(f);
	if ((strstr(got, want) != NULL) != there)
		fail_msg("%s: %s", there ? "missing" : "there", want);
	free(got);
}

static void
test_json(void **state)
{
	struct ctl_stats s = ftfw();

	(void)state;
	s.peer.silent = FIG_NEVER;
	s.network.lost = 77;
	json_has(&s, "\"lost\":77,", true);
	json_has(&s, "\"silent\"", false);
	json_has(&s, "\"known\":false", true);
	json_has(&s, "\"refused\":[]", true);
	json_has(&s, "\"peers\"", false);
	s.link[0].refused[0] = (struct ctl_refused){
		.family = AF_INET, .why = CTL_REFUSED_ADDRESS, .port = 9, .count = 7, .ago = 3, .addr = {192, 0, 2, 5}};
	json_has(&s,
		 "\"refused\":[{\"address\":\"192.0.2.5\",\"port\":9,\"reason\":\"address\",\"datagrams\":7,\"ago\":3,"
		 "\"accepted_by\":"
		 "\"IPv4_Destination_Address 192.0.2.5 or CheckSource off\"}]",
		 true);
	s.peers[0] =
		(struct ctl_peer){.family = AF_INET, .differs = CTL_DIFFERS_MODE, .lost = 5, .addr = {192, 0, 2, 6}};
	json_has(&s,
		 "\"peers\":[{\"address\":\"192.0.2.6\",\"device\":\"va\",\"in_sync\":false,\"silent\":0,\"lost\":5,"
		 "\"before\":0,\"differs\":[\"mode\"]}]",
		 true);
}

/* Every figure has its line, whatever group it is in. */
static void
test_all(void **state)
{
	struct ctl_stats s = ftfw();
	char *got = NULL, *p;
	size_t len = 0, lines = 0, want = figure_groups[GROUP_LINK].n;
	FILE *f = open_memstream(&got, &len);

	(void)state;
	for (size_t i = 0; i < figure_places_n; i++)
		want += figure_groups[figure_places[i].group].n;
	stats_text(f, &s, VIEW_ALL);
	fclose(f);
	for (p = got; (p = strchr(p, '\n')) != NULL; p++)
		lines++;
	assert_int_equal(lines, want);
	assert_non_null(strstr(
		got, "netlink.events                                            17         events of the kernel\n"));
	free(got);
}

int
main(int argc, char *argv[])
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ftfw),
		cmocka_unit_test(test_links),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_alarm),
		cmocka_unit_test(test_disabled_caches),
		cmocka_unit_test(test_stats_mode),
		cmocka_unit_test(test_rsqueue),
		cmocka_unit_test(test_uptime),
		cmocka_unit_test(test_clean),
		cmocka_unit_test(test_warnings),
		cmocka_unit_test(test_link_warnings),
		cmocka_unit_test(test_spares),
		cmocka_unit_test(test_watch),
		cmocka_unit_test(test_repaired),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_all),
	};

	folder = argc > 1 ? argv[1] : ".";
	return cmocka_run_group_tests(tests, NULL, NULL);
}

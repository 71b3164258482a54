/*
 * What the settings are after a text was read. Which texts are accepted at all, and with what message, is the matter of
 * test/golden; here the values count, and that no text takes long or much memory.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include <cmocka.h>

#include "parse.h"

#define LINK "UDP { IPv4_address 10.0.0.1 IPv4_Destination_Address 10.0.0.2 Port 3780 Interface eth1 }"

struct said {
	unsigned int n[LV_MAX];
	char last[LOG_TEXT_MAX];
};

static void
hear(void *arg, enum log_level level, const char *text)
{
	struct said *s = arg;

	s->n[level]++;
	snprintf(s->last, sizeof(s->last), "%s", text);
}

static int
read_bytes(struct conf *c, struct said *s, const char *text, size_t len)
{
	struct diag d = {hear, s, "x.conf"};
	struct conf_source src = {.text = text, .len = len, .diag = &d};

	memset(s, 0, sizeof(*s));
	return conf_parse(c, &src);
}

static void
read_good(struct conf *c, const char *text)
{
	struct said s;

	if (read_bytes(c, &s, text, strlen(text)) != 0)
		fail_msg("%s", s.last);
}

static void
refuses(const char *text, const char *message)
{
	struct said s;
	struct conf c;

	assert_int_equal(read_bytes(&c, &s, text, strlen(text)), -EINVAL);
	assert_int_equal(s.n[LV_ERROR], 1);
	assert_string_equal(s.last, message);
	assert_null(c.filter.net);
}

static void
defaults(void **state)
{
	struct conf c;

	(void)state;
	read_good(&c, "");
	assert_int_equal(c.hash_size, 65536);
	assert_int_equal(c.hash_limit, 262144);
	assert_string_equal(c.lockfile, "/var/lock/conntrackd.lock");
	assert_string_equal(c.logfile, "");
	assert_string_equal(c.ctl_path, "");
	assert_int_equal(c.overrun_resync, 30);
	assert_int_equal(c.event_limit, 100);
	assert_int_equal(c.sched_type, SCHED_RR);
	assert_int_equal(c.sched_prio, 99);
	assert_true(c.systemd);
	assert_false(c.sync || c.stats || c.events_reliable || c.landlock_required);
	assert_int_equal(c.mode, MODE_NONE);
	assert_int_equal(c.jail, JAIL_UNSAID);
	assert_int_equal(c.resend_queue_size, 131072);
	assert_int_equal(c.ack_window_size, 300);
	assert_int_equal(c.commit_timeout, 0);
}

static void
zero_is_the_default(void **state)
{
	struct conf c;

	(void)state;
	read_good(&c,
		  "General { HashSize 0 HashLimit 0 EventIterationLimit 0 NetlinkOverrunResync 0 NetlinkBufferSize 0 }"
		  "Sync { Mode FTFW { ResendQueueSize 0 ACKWindowSize 0 PurgeTimeout 0 } RefreshTime 0 CacheTimeout "
		  "0 " LINK "}");
	assert_int_equal(c.hash_size, 65536);
	assert_int_equal(c.hash_limit, 262144);
	assert_int_equal(c.event_limit, 100);
	assert_int_equal(c.overrun_resync, 30);
	assert_int_equal(c.nl_buf, 0);
	assert_int_equal(c.resend_queue_size, 131072);
	assert_int_equal(c.ack_window_size, 300);
	assert_int_equal(c.purge_timeout, 60);
	assert_int_equal(c.refresh_time, 60);
	assert_int_equal(c.cache_timeout, 180);
}

static void
last_one_wins(void **state)
{
	struct conf c;

	(void)state;
	read_good(&c, "General { HashSize 8 LogFile on Syslog local0 NetlinkOverrunResync off }"
		      "General { HashSize 9 LogFile off Syslog on NetlinkOverrunResync on }");
	assert_int_equal(c.hash_size, 9);
	assert_string_equal(c.logfile, "");
	assert_int_equal(c.syslog_facility, LOG_DAEMON);
	assert_int_equal(c.overrun_resync, 30);
}

static void
general_values(void **state)
{
	struct conf c;

	(void)state;
	read_good(&c,
		  "General { LogFile yes Syslog local7 NetlinkOverrunResync off UNIX { Path /run/x Group ops }"
		  " Scheduler { Type fifo Priority 7 } Systemd off LandlockRequired on Jail Require NetlinkBufferSize 5"
		  " SocketBufferSizeMaxGrown 6 PollSecs 4 }");
	assert_string_equal(c.logfile, "/var/log/conntrackd.log");
	assert_int_equal(c.syslog_facility, LOG_LOCAL7);
	assert_int_equal(c.overrun_resync, 0);
	assert_string_equal(c.ctl_path, "/run/x");
	assert_string_equal(c.ctl_group, "ops");
	assert_int_equal(c.sched_type, SCHED_FIFO);
	assert_int_equal(c.sched_prio, 7);
	assert_false(c.systemd);
	assert_true(c.landlock_required);
	assert_int_equal(c.jail, JAIL_REQUIRE);
	assert_int_equal(c.nl_buf, 5);
	assert_int_equal(c.nl_buf_max, 6);
	assert_int_equal(c.poll_secs, 4);
}

static void
scheduler_without_priority(void **state)
{
	struct conf c;

	(void)state;
	read_good(&c, "General { Scheduler { Type RR } }");
	assert_int_equal(c.sched_type, SCHED_OTHER);
	assert_int_equal(c.sched_prio, 0);
	read_good(&c, "General { Scheduler { Priority 5 } }");
	assert_int_equal(c.sched_type, SCHED_RR);
	assert_int_equal(c.sched_prio, 99);
}

static void
stats_facility_is_that_of_general(void **state)
{
	struct conf c;

	(void)state;
	read_good(&c, "Stats { Syslog local1 LogFile on } General { Syslog local2 }");
	assert_true(c.stats);
	assert_int_equal(c.stats_syslog_facility, LOG_LOCAL2);
	assert_string_equal(c.stats_logfile, "/var/log/conntrackd-stats.log");
}

static void
filter(void **state)
{
	static const uint8_t ten[16] = {10, 1}, lo[16] = {[15] = 1};
	struct conf c;

	(void)state;
	read_good(&c,
		  "General { Filter From Kernelspace { Protocol Accept { TCP 200 } Address Ignore {"
		  " IPv4_address 10.1.2.3/16 IPv6_address ::1 IPv4_address 10.1.0.0/16 IPv4_address 192.0.2.1/33 } }"
		  " Filter { Protocol Ignore { udp } State Accept { CLOSED LISTEN for TCP SYN_SENT for TCP } } }");
	assert_true(c.filter.kernelspace); /* the last `From' counts */
	assert_int_equal(c.filter.proto_policy, FILTER_IGNORE);
	assert_int_equal(c.filter.proto[0], 1 << 6);
	assert_int_equal(c.filter.proto[2], 1 << 1);
	assert_int_equal(c.filter.proto[25], 1 << 0);
	assert_int_equal(c.filter.addr_policy, FILTER_IGNORE);
	assert_int_equal(c.filter.n_nets, 2); /* one repeated, one wrong */
	assert_int_equal(c.filter.net[0].family, AF_INET);
	assert_int_equal(c.filter.net[0].prefix, 16);
	assert_memory_equal(c.filter.net[0].addr, ten, 16);
	assert_int_equal(c.filter.net[1].family, AF_INET6);
	assert_int_equal(c.filter.net[1].prefix, 128);
	assert_memory_equal(c.filter.net[1].addr, lo, 16);
	assert_int_equal(c.filter.state_policy, FILTER_ACCEPT);
	assert_int_equal(c.filter.tcp_states, 1 << 8 | 1 << 9 | 1 << 1);
	conf_clear(&c);
}

static void
empty_lists_have_a_policy(void **state)
{
	struct conf c;

	(void)state;
	read_good(&c, "General { Filter { Protocol Accept { } Address Accept { } State Ignore { } } }");
	assert_int_equal(c.filter.proto_policy, FILTER_ACCEPT);
	assert_int_equal(c.filter.addr_policy, FILTER_ACCEPT);
	assert_int_equal(c.filter.state_policy, FILTER_IGNORE);
	assert_int_equal(c.filter.n_nets, 0);
}

static void
old_filters(void **state)
{
	struct conf c;

	(void)state;
	read_good(&c, "IgnoreTrafficFor { IPv4_address 10.0.0.1 } IgnoreProtocol { 1 UDP }"
		      "Sync { Replicate ESTABLISHED for TCP Checksum off " LINK "}");
	assert_int_equal(c.filter.addr_policy, FILTER_IGNORE);
	assert_int_equal(c.filter.proto_policy, FILTER_IGNORE);
	assert_int_equal(c.filter.proto[0], 1 << 1);
	assert_int_equal(c.filter.state_policy, FILTER_ACCEPT);
	assert_int_equal(c.filter.tcp_states, 1 << 3);
	assert_int_equal(c.link[0].no_checksum, 1);
	conf_clear(&c);
}

static void
sync_values(void **state)
{
	struct conf c;

	(void)state;
	read_good(&c,
		  "Sync { " LINK " Mode NOTRACK { DisableInternalCache on DisableExternalCache yes CommitTimeout 5 }"
		  " Options { ExpectationSync { ftp abcdefghijklmnopq } TCPWindowTracking on } RefreshTime 7 }");
	assert_true(c.sync && c.disable_internal_cache && c.disable_external_cache && c.tcp_window_tracking);
	assert_int_equal(c.mode, MODE_NOTRACK);
	assert_int_equal(c.commit_timeout, 0); /* not with DisableExternalCache */
	assert_int_equal(c.refresh_time, 7);
	assert_true(c.expect_sync);
	assert_int_equal(c.n_expect_helpers, 2);
	assert_string_equal(c.expect_helper[1], "abcdefghijklmnop");
	read_good(&c, "Sync { " LINK " Options { ExpectationSync { ftp } ExpectationSync off } }");
	assert_int_equal(c.mode, MODE_FTFW);
	assert_false(c.expect_sync);
	assert_int_equal(c.n_expect_helpers, 0);
}

static void
links(void **state)
{
	static const uint8_t local[16] = {10, 0, 0, 1}, peer[16] = {10, 0, 0, 2};
	struct conf c;

	(void)state;
	read_good(&c, "Sync { " LINK " UDP Default { IPv6_address fe80::1 IPv6_Destination_Address fe80::2 Port 65535"
		      " Interface on SndSocketBuffer 3 RcvSocketBuffer 4 Checksum off CheckSource off } " LINK " }");
	assert_int_equal(c.n_links, 3);
	assert_int_equal(c.link[0].kind, LINK_UDP);
	assert_int_equal(c.link[0].family, AF_INET);
	assert_int_equal(c.link[0].is_default, 0);
	assert_int_equal(c.link[0].no_checksum, 0);
	assert_int_equal(c.link[0].port, 3780);
	assert_memory_equal(c.link[0].local, local, 16);
	assert_memory_equal(c.link[0].peer, peer, 16);
	assert_false(c.link_any_source[0]);
	assert_int_equal(c.link[1].family, AF_INET6);
	assert_int_equal(c.link[1].is_default, 1);
	assert_int_equal(c.link[1].no_checksum, 1);
	assert_int_equal(c.link[1].sndbuf, 3);
	assert_int_equal(c.link[1].rcvbuf, 4);
	assert_string_equal(c.link[1].ifname, "on");
	assert_true(c.link_any_source[1]);
}

static void
default_link(void **state)
{
	struct conf c;

	(void)state;
	read_good(&c, "Sync {" LINK LINK "}");
	assert_int_equal(c.link[0].is_default, 1);
	assert_int_equal(c.link[1].is_default, 0);
	read_good(&c,
		  "Sync { UDP Default { IPv4_address 10.0.0.1 IPv4_Destination_Address 10.0.0.2 Port 1 Interface a }"
		  "UDP Default { IPv4_address 10.0.0.1 IPv4_Destination_Address 10.0.0.2 Port 2 Interface b } }");
	assert_int_equal(c.link[0].is_default, 0);
	assert_int_equal(c.link[1].is_default, 1);
}

static void
multicast(void **state)
{
	static const uint8_t group[16] = {225, 0, 0, 50}, local[16] = {10, 0, 0, 1};
	struct conf c;

	(void)state;
	read_good(&c,
		  "Sync { Multicast { IPv4_address 225.0.0.50 IPv4_interface 10.0.0.1 Group 3780 Interface eth2 } }");
	assert_int_equal(c.link[0].kind, LINK_MCAST);
	assert_memory_equal(c.link[0].peer, group, 16);
	assert_memory_equal(c.link[0].local, local, 16);
	assert_int_equal(c.link[0].port, 3780);
}

static void
helpers(void **state)
{
	struct conf c;

	(void)state;
	read_good(
		&c,
		"Helper { Type ftp inet tcp { QueueLen 5 Policy ftp { ExpectMax 9 } } QueueNum 4 Type ftp inet6 tcp { }"
		"Type slp inet udp { QueueNum 7 } Setup yes }");
	assert_int_equal(c.n_helpers, 3);
	assert_string_equal(c.helper[0].name, "ftp");
	assert_int_equal(c.helper[0].proto, IPPROTO_TCP);
	assert_int_equal(c.helper[0].queue, 0);
	assert_int_equal(c.helper[0].queue_len, 5);
	assert_int_equal(c.helper[0].expect_max, 9);
	assert_int_equal(c.helper[0].expect_timeout, 300); /* what is not said stays */
	assert_int_equal(c.helper[0].setup, 1);
	assert_int_equal(c.helper[1].family, AF_INET6);
	assert_int_equal(c.helper[1].queue, 4);
	assert_int_equal(c.helper[1].queue_len, 0);
	assert_int_equal(c.helper[1].expect_max, 9); /* one policy for both families */
	assert_int_equal(c.helper[2].expect_max, 8);
	assert_int_equal(c.helper[2].expect_timeout, 16);
}

static void
setup_extract(void **state)
{
	struct msg_setup s;
	struct conf c;

	(void)state;
	read_good(&c, "Sync {" LINK
		      " Options { ExpectationSync on } } General { PollSecs 5 Systemd off LogFile on Jail Require"
		      " NetlinkEventsReliable on UNIX { Path /run/x Group g } NetlinkBufferSize 7 "
		      "NetlinkBufferSizeMaxGrowth 9 }");
	conf_to_setup(&c, &s);
	assert_int_equal(s.size, sizeof(s));
	assert_true(s.sync && !s.stats && s.events_reliable && s.expect_sync && s.no_events && !s.systemd);
	assert_int_equal(s.sched_type, SCHED_RR);
	assert_int_equal(s.jail, 1);
	assert_int_equal(s.nl_buf, 7);
	assert_string_equal(s.logfile, "/var/log/conntrackd.log");
	assert_string_equal(s.ctl_path, "/run/x");
	assert_string_equal(s.ctl_group, "g");
	assert_int_equal(s.n_links, 1);
	assert_memory_equal(&s.link[0], &c.link[0], sizeof(s.link[0]));
}

static void
messages(void **state)
{
	(void)state;
	refuses("General {\n\tHashSize 5\n\tHashLimt 6\n}\n",
		"x.conf:3:2: syntax error at `HashLimt': not a keyword of `General'; did you mean `HashLimit'?");
	refuses("Sync {\nUDP {\nIPv4_Dest_Address 10.0.0.2\n} }\n",
		"x.conf:3:1: syntax error at `IPv4_Dest_Address': not a keyword of `UDP'; did you mean "
		"`IPv4_Destination_Address'?");
	refuses("Sync {\n Mode FTFW {\n",
		"x.conf:3:1: syntax error at end of file: `Mode FTFW' of line 2 is not closed by `}'");
	refuses("Sync {\n" LINK LINK LINK LINK "\n" LINK "}",
		"x.conf:3:1: syntax error at `UDP': too many dedicated links in the configuration file (Maximum: 4)");
	refuses("Sync {\nUDP { Group 5 } }",
		"x.conf:2:7: syntax error at `Group': not a keyword of `UDP'; it belongs in "
		"`Multicast', here it is called `Port'");
	refuses("Sync { " LINK " }\nStats { }",
		"x.conf:2:1: cannot use both `Stats' and `Sync' clauses in conntrackd.conf");
	refuses("Helper {\nType ftp inet tcp { QueueNum 3 }\nType tns inet tcp { QueueNum 3 } }",
		"x.conf:3:1: `QueueNum' 3 of helper `tns' is taken by helper `ftp' in line 2: each `Type' needs its "
		"own");
}

/* A word of any length is cut in messages, and is no keyword. */
static void
long_word(void **state)
{
	char *text = malloc(1 << 20);
	struct said s;
	struct conf c;

	(void)state;
	memset(text, 'H', 1 << 20);
	assert_int_equal(read_bytes(&c, &s, text, 1 << 20), -EINVAL);
	assert_true(strlen(s.last) < 200);
	free(text);
}

/* Repeats unit until size bytes are full, behind start. */
static char *
fill(const char *start, const char *unit, size_t size)
{
	char *text = malloc(size);
	size_t at = strlen(start), n = strlen(unit);

	memcpy(text, start, at);
	for (; at < size; at++)
		text[at] = unit[(at - strlen(start)) % n];
	return text;
}

static void
floods_end_at_once(void **state)
{
	static const struct {
		const char *start, *unit, *message;
	} floods[] = {
		{"", "{", "x.conf:1:1: syntax error at `{': expected a keyword of the file"},
		{"General ", "{", "x.conf:1:10: syntax error at `{': expected a keyword of `General'"},
		{"General { Filter { Protocol Accept ", "{",
		 "x.conf:1:37: syntax error at `{': expected a word or `}' after `Protocol'"},
		{"Helper { ", "Type ftp inet tcp { ",
		 "x.conf:1:30: syntax error at `Type': not a keyword of `Type'; it belongs in `Helper'"},
		{"", "}", "x.conf:1:1: syntax error at `}': expected a keyword of the file"},
		{"", "General { } ", NULL},
		{"General { Filter { Protocol Accept { ", "TCP ", NULL},
		{"", "\n", NULL},
		{"#", "#", NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(floods) / sizeof(floods[0]); i++) {
		char *text = fill(floods[i].start, floods[i].unit, 1 << 20);
		struct said s;
		struct conf c;

		if (read_bytes(&c, &s, text, 1 << 20) == 0)
			conf_clear(&c);
		if (floods[i].message != NULL)
			assert_string_equal(s.last, floods[i].message);
		free(text);
	}
}

/* As many addresses as there may be, and one more. */
static void
too_many_addresses(void **state)
{
	char *text = malloc(4 << 20);
	size_t n = (size_t)sprintf(text, "General { Filter { Address Ignore { ");
	struct said s;
	struct conf c;

	(void)state;
	for (unsigned int i = 0; i < CONF_NETS_MAX; i++)
		n += (size_t)sprintf(text + n, "IPv4_address 10.1.%u.%u\n", i >> 8, i & 255);
	strcpy(text + n, "} } }");
	assert_int_equal(read_bytes(&c, &s, text, n + 5), 0);
	assert_int_equal(c.filter.n_nets, CONF_NETS_MAX);
	conf_clear(&c);
	strcpy(text + n, "IPv6_address ::1 } } }");
	assert_int_equal(read_bytes(&c, &s, text, n + 22), -EINVAL);
	assert_non_null(strstr(s.last, "more than 65536 addresses"));
	free(text);
}

static void
too_many_helpers(void **state)
{
	char text[4000] = "Sync { " LINK " Options { ExpectationSync { ";
	struct said s;
	struct conf c;

	(void)state;
	for (int i = 0; i < 33; i++)
		strcat(text, "ftp ");
	assert_int_equal(read_bytes(&c, &s, text, strlen(text)), -EINVAL);
	assert_non_null(strstr(s.last, "more than 32 helpers"));
}

static void
protocol_names(void **state)
{
	struct proto_name v[] = {{"alpha", 200}, {"ALPHA", 200}, {"mptcp", 262}};
	struct protos p = {v, 3};
	struct protos system;

	(void)state;
	assert_int_equal(protos_number(&p, "ALPHA"), 200);
	assert_int_equal(protos_number(&p, "mptcp"), 262);
	assert_int_equal(protos_number(&p, "Alpha"), -ENOENT);
	assert_int_equal(protos_number(&p, "tcp"), 6); /* known without a table */
	assert_int_equal(protos_number(NULL, "UDP"), 17);
	assert_string_equal(protos_name(&p, 200), "alpha");
	assert_null(protos_name(&p, 201));
	assert_int_equal(protos_load(&system, protos_open()), 0);
	assert_int_equal(protos_number(&system, "tcp"), 6);
	protos_free(&system);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults),
		cmocka_unit_test(zero_is_the_default),
		cmocka_unit_test(last_one_wins),
		cmocka_unit_test(general_values),
		cmocka_unit_test(scheduler_without_priority),
		cmocka_unit_test(stats_facility_is_that_of_general),
		cmocka_unit_test(filter),
		cmocka_unit_test(empty_lists_have_a_policy),
		cmocka_unit_test(old_filters),
		cmocka_unit_test(sync_values),
		cmocka_unit_test(links),
		cmocka_unit_test(default_link),
		cmocka_unit_test(multicast),
		cmocka_unit_test(helpers),
		cmocka_unit_test(setup_extract),
		cmocka_unit_test(messages),
		cmocka_unit_test(long_word),
		cmocka_unit_test(floods_end_at_once),
		cmocka_unit_test(too_many_addresses),
		cmocka_unit_test(too_many_helpers),
		cmocka_unit_test(protocol_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

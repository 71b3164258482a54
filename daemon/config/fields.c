/*
 * One row for each field of the settings. Order is that of printing; rows of older keywords stand at the end of each
 * record. What the parent gets needs a restart: it reads the settings once.
 */
#include "fields.h"

#include <assert.h>
#include <netinet/in.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>

#include "conf.h"
#include "facts.h"
#include "kinds.h"

#define N(rows)      (sizeof(rows) / sizeof((rows)[0]))
#define AT(t, f)     .off = offsetof(struct t, f), .size = sizeof(((struct t *)0)->f)
#define CONF(f)      AT(conf, f)
#define LINK(f)      AT(conf_link, f)
#define HELPER(f)    AT(msg_helper, f)
#define SETUP(f)     .setup = offsetof(struct msg_setup, f), .setup_size = sizeof(((struct msg_setup *)0)->f)
#define UPTO(hi)     .max = hi
#define FROM(lo, hi) .min = lo, .max = hi
#define ANY_NUMBER   UPTO(INT32_MAX)
#define NOT_ZERO(d)  .def = d, FROM(1, INT32_MAX), .flags = ZERO_IS_DEF

#define MODES   (BIT(IN_FTFW) | BIT(IN_ALARM) | BIT(IN_NOTRACK))
#define UNICAST (BIT(IN_UDP) | BIT(IN_TCP))
#define LINKS   (UNICAST | BIT(IN_MCAST))

#define OBSOLETE(what)      "`" what "' clause is obsolete, ignoring"
#define USE_FILTER(what)    "the clause `" what "' is obsolete. Use `Filter' instead"
#define PLEASE_REMOVE(what) "`" what "' clause is obsolete. Please, remove it from conntrackd.conf"
#define OUTSIDE_TYPE(what)  "`" what "' outside `Type' applies to the `Type' that follows"

static const struct word scheds[] = {{"RR", SCHED_RR}, {"FIFO", SCHED_FIFO}, {"RR", SCHED_OTHER}, {0}};
static const struct word jails[] = {{"Require", JAIL_REQUIRE}, {"BestEffort", JAIL_BEST_EFFORT}, {0}};
static const struct word families[] = {{"inet", AF_INET}, {"inet6", AF_INET6}, {0}};
static const struct word protos[] = {{"tcp", IPPROTO_TCP}, {"udp", IPPROTO_UDP}, {0}};

static bool
unix_shown(const void *base)
{
	const struct conf *c = base;

	return c->ctl_path[0] != '\0' || c->ctl_group[0] != '\0';
}

static bool
helper_shown(const void *base)
{
	const struct conf *c = base;

	return c->helper_setup || c->n_helpers != 0;
}

/* clang-format off */
static const struct field conf_rows[] = {
	{"General", BIT(IN_FILE), &kind_block, .block = IN_GENERAL},
	{"Sync", BIT(IN_FILE), &kind_section, CONF(sync), .block = IN_SYNC, SETUP(sync)},
	{"Stats", BIT(IN_FILE), &kind_section, CONF(stats), .block = IN_STATS, SETUP(stats)},
	{"Helper", BIT(IN_FILE), &kind_block, .block = IN_HELPER, .shown = helper_shown},

	{"HashSize", BIT(IN_GENERAL), &kind_num, CONF(hash_size), .def = 65536, FROM(1, 1 << 26), .flags = ZERO_IS_DEF | LIVE},
	{"HashLimit", BIT(IN_GENERAL), &kind_num, CONF(hash_limit), .def = 262144, FROM(1, INT32_MAX), .flags = ZERO_IS_DEF | LIVE},
	{"LogFile", BIT(IN_GENERAL), &kind_logfile, CONF(logfile), .on = PATH_LOG, .what = "LogFile path", SETUP(logfile)},
	{"Syslog", BIT(IN_GENERAL), &kind_facility, CONF(syslog_facility), SETUP(syslog_facility)},
	{"LockFile", BIT(IN_GENERAL), &kind_path, CONF(lockfile), .text = PATH_LOCK, .what = "LockFile path", SETUP(lockfile)},
	{"UNIX", BIT(IN_GENERAL), &kind_block, .block = IN_UNIX, .shown = unix_shown},
	{"Path", BIT(IN_UNIX), &kind_path, CONF(ctl_path), .what = "Path", .flags = HIDE_ZERO, SETUP(ctl_path)},
	{"Group", BIT(IN_UNIX), &kind_name, CONF(ctl_group), .flags = HIDE_ZERO, SETUP(ctl_group)},
	{"NetlinkBufferSize", BIT(IN_GENERAL), &kind_num, CONF(nl_buf), ANY_NUMBER, .flags = HIDE_ZERO, SETUP(nl_buf)},
	{"NetlinkBufferSizeMaxGrowth", BIT(IN_GENERAL), &kind_num, CONF(nl_buf_max), ANY_NUMBER, .flags = HIDE_ZERO, SETUP(nl_buf_max)},
	{"NetlinkOverrunResync", BIT(IN_GENERAL), &kind_seconds, CONF(overrun_resync), .def = 30, ANY_NUMBER, .flags = ZERO_IS_DEF | LIVE},
	{"NetlinkEventsReliable", BIT(IN_GENERAL), &kind_switch, CONF(events_reliable), SETUP(events_reliable)},
	{"EventIterationLimit", BIT(IN_GENERAL), &kind_num, CONF(event_limit), .def = 100, FROM(1, INT32_MAX), .flags = ZERO_IS_DEF | LIVE},
	{"PollSecs", BIT(IN_GENERAL), &kind_num, CONF(poll_secs), FROM(1, INT32_MAX), .flags = HIDE_ZERO},
	{"Scheduler", BIT(IN_GENERAL), &kind_block, .block = IN_SCHEDULER},
	{"Type", BIT(IN_SCHEDULER), &kind_word, CONF(sched_type), .def = SCHED_RR, .words = scheds, SETUP(sched_type)},
	{"Priority", BIT(IN_SCHEDULER), &kind_num, CONF(sched_prio), .def = 99, UPTO(99), SETUP(sched_prio)},
	{"Systemd", BIT(IN_GENERAL), &kind_switch, CONF(systemd), .def = true, SETUP(systemd)},
	{"LandlockRequired", BIT(IN_GENERAL), &kind_switch, CONF(landlock_required), SETUP(landlock_required)},
	{"Jail", BIT(IN_GENERAL), &kind_word, CONF(jail), .def = JAIL_UNSAID, .words = jails, SETUP(jail)},

	{"Filter", BIT(IN_GENERAL), &kind_filter, .block = IN_FILTER},
	{NULL, 0, &kind_switch, CONF(filter.kernelspace), .flags = LIVE},
	{NULL, 0, &kind_num, CONF(filter.proto_policy), FROM(FILTER_OFF, FILTER_IGNORE), .flags = LIVE},
	{"Protocol", BIT(IN_FILTER), &kind_protocols, CONF(filter.proto), .flags = LIVE},
	{NULL, 0, &kind_num, CONF(filter.addr_policy), FROM(FILTER_OFF, FILTER_IGNORE), .flags = LIVE},
	{"Address", BIT(IN_FILTER), &kind_addresses, CONF(filter.n_nets), UPTO(CONF_NETS_MAX), .flags = LIVE},
	{NULL, 0, &kind_num, CONF(filter.state_policy), FROM(FILTER_OFF, FILTER_IGNORE), .flags = LIVE},
	{"State", BIT(IN_FILTER), &kind_states, CONF(filter.tcp_states), UPTO((1 << TCP_STATES) - 1), .flags = LIVE},

	{"Mode", BIT(IN_SYNC), &kind_mode, CONF(mode), UPTO(MODE_NOTRACK)},
	{"ResendQueueSize", BIT(IN_FTFW), &kind_num, CONF(resend_queue_size), NOT_ZERO(131072)},
	{"ACKWindowSize", BIT(IN_FTFW), &kind_num, CONF(ack_window_size), .def = 300, FROM(1, INT32_MAX), .flags = ZERO_IS_DEF | LIVE},
	{"DisableInternalCache", BIT(IN_NOTRACK), &kind_switch, CONF(disable_internal_cache)},
	{"DisableExternalCache", BIT(IN_FTFW) | BIT(IN_NOTRACK), &kind_switch, CONF(disable_external_cache)},
	{"StartupResync", BIT(IN_FTFW) | BIT(IN_NOTRACK), &kind_switch, CONF(startup_resync)},
	{"RefreshTime", BIT(IN_SYNC) | BIT(IN_ALARM), &kind_num, CONF(refresh_time), .def = 60, FROM(1, INT32_MAX), .flags = ZERO_IS_DEF | LIVE},
	{"CacheTimeout", BIT(IN_SYNC) | BIT(IN_ALARM), &kind_num, CONF(cache_timeout), .def = 180, FROM(1, INT32_MAX), .flags = ZERO_IS_DEF | LIVE},
	{"CommitTimeout", BIT(IN_SYNC) | MODES, &kind_num, CONF(commit_timeout), ANY_NUMBER, .flags = HIDE_ZERO | LIVE},
	{"PurgeTimeout", BIT(IN_SYNC) | MODES, &kind_num, CONF(purge_timeout), .def = 60, FROM(1, INT32_MAX), .flags = ZERO_IS_DEF | LIVE},

	{NULL, 0, &kind_num, CONF(n_links), UPTO(MSG_LINKS_MAX), SETUP(n_links)},
	{"UDP", BIT(IN_SYNC), &kind_link, .block = IN_UDP, .min = LINK_UDP},
	{"Multicast", BIT(IN_SYNC), &kind_link, .block = IN_MCAST, .min = LINK_MCAST},
	{"TCP", BIT(IN_SYNC), &kind_link, .block = IN_TCP, .min = LINK_TCP},
	{"ErrorQueueLength", BIT(IN_TCP), &kind_num, CONF(error_queue_len), NOT_ZERO(128)},

	{"Options", BIT(IN_SYNC), &kind_block, .block = IN_OPTIONS},
	{"TCPWindowTracking", BIT(IN_OPTIONS), &kind_switch, CONF(tcp_window_tracking), .flags = LIVE},
	{"ExpectationSync", BIT(IN_OPTIONS), &kind_expect, CONF(expect_sync), SETUP(expect_sync)},
	{NULL, 0, &kind_num, CONF(n_expect_helpers), UPTO(N(((struct conf *)0)->expect_helper)), .flags = LIVE},

	{"LogFile", BIT(IN_STATS), &kind_logfile, CONF(stats_logfile), .on = PATH_STATS_LOG, .what = "stats LogFile path", SETUP(stats_logfile)},
	{"Syslog", BIT(IN_STATS), &kind_facility, CONF(stats_syslog_facility), SETUP(stats_syslog_facility)},

	{"Setup", BIT(IN_HELPER), &kind_switch, CONF(helper_setup)},
	{"Type", BIT(IN_HELPER), &kind_type, .block = IN_TYPE},
	{NULL, 0, &kind_num, CONF(n_helpers), UPTO(MSG_HELPERS_MAX), SETUP(n_helpers)},

	/* the manual of 1.4.x has it in Stats as well */
	{"NetlinkEventsReliable", BIT(IN_STATS), &kind_switch, CONF(events_reliable), .flags = ALIAS},
	{"SocketBufferSize", BIT(IN_GENERAL), &kind_num, CONF(nl_buf), ANY_NUMBER, .flags = ALIAS},
	{"SocketBufferSizeMaxGrowth", BIT(IN_GENERAL), &kind_num, CONF(nl_buf_max), ANY_NUMBER, .flags = ALIAS},
	{"SocketBufferSizeMaxGrown", BIT(IN_GENERAL), &kind_num, CONF(nl_buf_max), ANY_NUMBER, .flags = ALIAS},
	{"ResendBufferSize", BIT(IN_FTFW), &kind_num, CONF(resend_queue_size), .def = 131072, FROM(1, INT32_MAX), .flags = ZERO_IS_DEF | ALIAS,
	 .note = "`ResendBufferSize' is deprecated. Use `ResendQueueSize' instead"},
	{"IgnoreTrafficFor", BIT(IN_FILE), &kind_old_traffic, CONF(filter.n_nets), .flags = ALIAS, .note = USE_FILTER("IgnoreTrafficFor")},
	{"IgnoreProtocol", BIT(IN_FILE), &kind_old_protocol, CONF(filter.proto), .flags = ALIAS, .note = USE_FILTER("IgnoreProtocol")},
	{"Replicate", BIT(IN_SYNC), &kind_old_replicate, CONF(filter.tcp_states), .flags = ALIAS, .note = USE_FILTER("Replicate")},
	{"StripNAT", BIT(IN_FILE), &kind_skip, .note = OBSOLETE("StripNAT")},
	{"Backlog", BIT(IN_UNIX), &kind_skip_num, .note = "deprecated unix backlog configuration, ignoring."},
	{"Nice", BIT(IN_GENERAL), &kind_skip_snum,
	 .note = "deprecated nice configuration, ignoring. The nice value can be set externally with nice(1) and renice(1)."},
	{"Family", BIT(IN_GENERAL), &kind_skip_word, .what = "a word", .note = "`Family' is deprecated, ignoring"},
	{"CacheWriteThrough", BIT(IN_SYNC), &kind_skip_bool, .note = OBSOLETE("CacheWriteThrough")},
	{"ListenTo", BIT(IN_SYNC), &kind_skip_word, .what = "an address", .note = "the clause `ListenTo' is obsolete, ignoring"},
	{"RelaxTransitions", BIT(IN_SYNC) | BIT(IN_ALARM), &kind_skip, .note = PLEASE_REMOVE("RelaxTransitions")},
	{"DelayDestroyMessages", BIT(IN_SYNC) | BIT(IN_ALARM), &kind_skip, .note = PLEASE_REMOVE("DelayDestroyMessages")},
	{"DestroyTimeout", BIT(IN_SYNC), &kind_skip_num, .note = "`DestroyTimeout' is deprecated. Remove it"},
	{"Checksum", BIT(IN_SYNC), &kind_old_checksum, .note = "the use of `Checksum' outside the `Multicast' clause is ambiguous"},
	{"LogFileBufferSize", BIT(IN_STATS), &kind_skip_num, .note = "`LogFileBufferSize' is deprecated"},
};

static const struct field link_rows[] = {
	{NULL, 0, &kind_num, LINK(l.kind), FROM(LINK_UDP, LINK_TCP)},
	{NULL, 0, &kind_word, LINK(l.family), .def = AF_INET, .words = families},
	{NULL, 0, &kind_switch, LINK(l.is_default)},
	{"IPv4_address", UNICAST, &kind_addr, LINK(l.local), .min = AF_INET},
	{"IPv6_address", UNICAST, &kind_addr, LINK(l.local), .min = AF_INET6, .flags = SAME},
	{"IPv4_Destination_Address", UNICAST, &kind_addr, LINK(l.peer), .min = AF_INET},
	{"IPv6_Destination_Address", UNICAST, &kind_addr, LINK(l.peer), .min = AF_INET6, .flags = SAME},
	{"IPv4_address", BIT(IN_MCAST), &kind_addr, LINK(l.peer), .min = AF_INET, .flags = SAME},
	{"IPv6_address", BIT(IN_MCAST), &kind_addr, LINK(l.peer), .min = AF_INET6, .flags = SAME},
	{"IPv4_interface", BIT(IN_MCAST), &kind_joined_by, LINK(l.local), .min = AF_INET, .flags = SAME | HIDE_ZERO},
	{"Port", UNICAST, &kind_num, LINK(l.port), UPTO(65535)},
	{"Group", BIT(IN_MCAST), &kind_num, LINK(l.port), UPTO(65535), .flags = SAME},
	{"CheckSource", UNICAST, &kind_unswitch, LINK(any_source)},
	{"Interface", LINKS, &kind_device, LINK(l.ifname)},
	{"SndSocketBuffer", LINKS, &kind_num, LINK(l.sndbuf), ANY_NUMBER, .flags = HIDE_ZERO},
	{"RcvSocketBuffer", LINKS, &kind_num, LINK(l.rcvbuf), ANY_NUMBER, .flags = HIDE_ZERO},
	{"Checksum", LINKS, &kind_unswitch, LINK(l.no_checksum)},

	{"McastSndSocketBuffer", LINKS, &kind_num, LINK(l.sndbuf), ANY_NUMBER, .flags = ALIAS},
	{"McastRcvSocketBuffer", LINKS, &kind_num, LINK(l.rcvbuf), ANY_NUMBER, .flags = ALIAS},
	{"IPv6_interface", BIT(IN_MCAST), &kind_skip_word, .what = "an address", .note = "`IPv6_interface' not required, ignoring"},
	{"Backlog", BIT(IN_MCAST), &kind_skip_num,
	 .note = "`Backlog' option inside Multicast clause is obsolete. Please, remove it from conntrackd.conf"},
};

static const struct field helper_rows[] = {
	{NULL, 0, &kind_name, HELPER(name)},
	{NULL, 0, &kind_word, HELPER(family), .def = AF_INET, .words = families},
	{NULL, 0, &kind_word, HELPER(proto), .def = IPPROTO_TCP, .words = protos},
	{NULL, 0, &kind_switch, HELPER(setup)},
	{"QueueNum", BIT(IN_TYPE), &kind_num, HELPER(queue), UPTO(65535)},
	{"QueueLen", BIT(IN_TYPE), &kind_num, HELPER(queue_len), ANY_NUMBER, .flags = HIDE_ZERO},
	{"Policy", BIT(IN_TYPE), &kind_policy, .block = IN_POLICY},
	{"ExpectMax", BIT(IN_POLICY), &kind_num, HELPER(expect_max), UPTO(255)},
	{"ExpectTimeout", BIT(IN_POLICY), &kind_num, HELPER(expect_timeout), ANY_NUMBER},

	{"QueueNum", BIT(IN_HELPER), &kind_num, HELPER(queue), UPTO(65535), .flags = ALIAS, .note = OUTSIDE_TYPE("QueueNum")},
	{"QueueLen", BIT(IN_HELPER), &kind_num, HELPER(queue_len), ANY_NUMBER, .flags = ALIAS, .note = OUTSIDE_TYPE("QueueLen")},
	{"Policy", BIT(IN_HELPER), &kind_policy, .block = IN_POLICY, .flags = ALIAS, .note = OUTSIDE_TYPE("Policy")},
};

static const struct field net_rows[] = {
	{NULL, 0, &kind_word, AT(conf_net, family), .def = AF_INET, .words = families},
	{NULL, 0, &kind_num, AT(conf_net, prefix), UPTO(128)},
	{NULL, 0, &kind_bytes, AT(conf_net, addr)},
};

static const struct field expect_rows[] = {
	{NULL, 0, &kind_name, .size = sizeof(((struct conf *)0)->expect_helper[0])},
};

const struct field_table conf_fields = {
	.record = {
		[REC_CONF] = {conf_rows, N(conf_rows)},
		[REC_LINK] = {link_rows, N(link_rows)},
		[REC_HELPER] = {helper_rows, N(helper_rows)},
		[REC_NET] = {net_rows, N(net_rows)},
		[REC_EXPECT] = {expect_rows, N(expect_rows)},
	},
	.block = {
		[IN_FILE] = {"the file", BLOCKS},
		[IN_GENERAL] = {"`General'", IN_FILE},
		[IN_UNIX] = {"`UNIX'", IN_GENERAL},
		[IN_SCHEDULER] = {"`Scheduler'", IN_GENERAL},
		[IN_FILTER] = {"`Filter'", IN_GENERAL},
		[IN_SYNC] = {"`Sync'", IN_FILE},
		[IN_FTFW] = {"`Mode FTFW'", IN_SYNC},
		[IN_ALARM] = {"`Mode ALARM'", IN_SYNC},
		[IN_NOTRACK] = {"`Mode NOTRACK'", IN_SYNC},
		[IN_UDP] = {"`UDP'", IN_SYNC},
		[IN_MCAST] = {"`Multicast'", IN_SYNC},
		[IN_TCP] = {"`TCP'", IN_SYNC},
		[IN_OPTIONS] = {"`Options'", IN_SYNC},
		[IN_STATS] = {"`Stats'", IN_FILE},
		[IN_HELPER] = {"`Helper'", IN_FILE},
		[IN_TYPE] = {"`Type'", IN_HELPER},
		[IN_POLICY] = {"`Policy'", IN_TYPE},
	},
};
/* clang-format on */
static_assert(N(conf_rows) <= FIELD_ROWS_MAX, "rows of a record");

/*
 * Keywords of the top level, General, UNIX, Scheduler and Stats.
 */
#include <errno.h>
#include <sched.h>
#include <string.h>

#include "facts.h"
#include "parser.h"

#define OBSOLETE(what)   "`" what "' clause is obsolete, ignoring"
#define USE_FILTER(what) "the clause `" what "' is obsolete. Use `Filter' instead"

static int
read_poll(struct parser *p, const struct kw *k, void *base)
{
	if (p->tok.kind == TOK_WORD && p->tok.len == strspn(p->tok.s, "0") && p->tok.len != 0)
		return parser_fail(p, &p->tok, "`PollSecs' clause must be > 0");
	return read_num(p, k, base);
}

/* on, off, or seconds. */
static int
read_overrun(struct parser *p, const struct kw *k, void *base)
{
	int v = word_bool(&p->tok);

	if (v < 0)
		return read_num(p, k, base);
	p->c->overrun_resync = v ? k->zero : 0;
	parser_next(p);
	return 0;
}

static int
read_sched_type(struct parser *p, const struct kw *k, void *base)
{
	int r = parser_word(p, "`RR' or `FIFO'");

	(void)k, (void)base;
	if (r != 0)
		return r;
	if (!tok_is_nocase(&p->tok, "RR") && !tok_is_nocase(&p->tok, "FIFO"))
		return parser_fail(p, &p->tok, "unknown scheduler, expected `RR' or `FIFO'");
	p->sched_type = tok_is_nocase(&p->tok, "RR") ? SCHED_RR : SCHED_FIFO;
	p->at.sched = p->key.at;
	parser_next(p);
	return 0;
}

static int
read_sched_prio(struct parser *p, const struct kw *k, void *base)
{
	uint32_t v;
	int r = word_num(&p->tok, 99, &v);

	(void)k, (void)base;
	if (r == -EINVAL)
		return parser_fail(p, &p->tok, "expected a number after `Priority'");
	if (r != 0)
		return parser_fail(p, &p->tok, "`Priority' must be [0, 99]");
	p->sched_prio = (int)v;
	p->at.sched = p->key.at;
	parser_next(p);
	return 0;
}

static int
read_jail(struct parser *p, const struct kw *k, void *base)
{
	(void)k, (void)base;
	if (!tok_is(&p->tok, "Require") && !tok_is(&p->tok, "BestEffort"))
		return parser_fail(p, &p->tok, "expected `Require' or `BestEffort' after `Jail'");
	p->c->jail = tok_is(&p->tok, "Require") ? JAIL_REQUIRE : JAIL_BEST_EFFORT;
	parser_next(p);
	return 0;
}

static int
read_sync(struct parser *p, const struct kw *k, void *base)
{
	if (!p->c->sync)
		p->at.sync = p->key.at;
	p->c->sync = true;
	return read_block(p, k, base);
}

static int
read_stats(struct parser *p, const struct kw *k, void *base)
{
	if (!p->c->stats)
		p->at.stats = p->key.at;
	p->c->stats = true;
	return read_block(p, k, base);
}

static int
read_helper(struct parser *p, const struct kw *k, void *base)
{
	(void)base;
	return parser_block(p, k->block, &p->helper);
}

static const struct kw top[] = {
	{.name = "General", .read = read_block, .block = &block_general},
	{.name = "Sync", .read = read_sync, .block = &block_sync},
	{.name = "Stats", .read = read_stats, .block = &block_stats},
	{.name = "Helper", .read = read_helper, .block = &block_helper},
	{.name = "IgnoreTrafficFor", .read = read_old_traffic, .note = USE_FILTER("IgnoreTrafficFor")},
	{.name = "IgnoreProtocol", .read = read_old_protocol, .note = USE_FILTER("IgnoreProtocol")},
	{.name = "StripNAT", .read = skip_nothing, .note = OBSOLETE("StripNAT")},
	{0},
};
const struct block block_top = {"the file", top};

static const struct kw general[] = {
	{KW_UPTO("HashSize", conf, hash_size, 1u << 26), .zero = 65536},
	{KW_NUM("HashLimit", conf, hash_limit), .zero = 262144},
	{.name = "LogFile", .read = read_logfile, KW_FIELD(conf, logfile), .what = "LogFile path", .preset = PATH_LOG},
	{.name = "Syslog", .read = read_syslog, KW_FIELD(conf, syslog_facility)},
	{.name = "LockFile", .read = read_path, KW_FIELD(conf, lockfile), .what = "LockFile path"},
	{.name = "UNIX", .read = read_block, .block = &block_unix},
	{KW_NUM("NetlinkBufferSize", conf, nl_buf)},
	{KW_NUM("SocketBufferSize", conf, nl_buf)},
	{KW_NUM("NetlinkBufferSizeMaxGrowth", conf, nl_buf_max)},
	{KW_NUM("SocketBufferSizeMaxGrowth", conf, nl_buf_max)},
	{KW_NUM("SocketBufferSizeMaxGrown", conf, nl_buf_max)},
	{.name = "NetlinkOverrunResync",
	 .read = read_overrun,
	 KW_FIELD(conf, overrun_resync),
	 .max = INT_MAX,
	 .zero = 30},
	{KW_BOOL("NetlinkEventsReliable", conf, events_reliable)},
	{KW_NUM("EventIterationLimit", conf, event_limit), .zero = 100},
	{.name = "PollSecs", .read = read_poll, KW_FIELD(conf, poll_secs), .max = INT_MAX},
	{.name = "Scheduler", .read = read_block, .block = &block_sched},
	{.name = "Nice",
	 .read = skip_snum,
	 .note = "deprecated nice configuration, ignoring. The nice value can be set externally with nice(1) and "
		 "renice(1)."},
	{KW_BOOL("Systemd", conf, systemd)},
	{.name = "Filter", .read = read_filter, .block = &block_filter},
	{KW_BOOL("LandlockRequired", conf, landlock_required)},
	{.name = "Jail", .read = read_jail},
	{.name = "Family", .read = skip_word, .note = "`Family' is deprecated, ignoring"},
	{0},
};
const struct block block_general = {"`General'", general};

static const struct kw unix_kw[] = {
	{.name = "Path", .read = read_path, KW_FIELD(conf, ctl_path), .what = "Path"},
	{.name = "Group", .read = read_name, KW_FIELD(conf, ctl_group)},
	{.name = "Backlog", .read = skip_num, .note = "deprecated unix backlog configuration, ignoring."},
	{0},
};
const struct block block_unix = {"`UNIX'", unix_kw};

static const struct kw sched[] = {
	{.name = "Type", .read = read_sched_type},
	{.name = "Priority", .read = read_sched_prio},
	{0},
};
const struct block block_sched = {"`Scheduler'", sched};

static const struct kw stats[] = {
	{.name = "LogFile",
	 .read = read_logfile,
	 KW_FIELD(conf, stats_logfile),
	 .what = "stats LogFile path",
	 .preset = PATH_STATS_LOG},
	{.name = "Syslog", .read = read_syslog, KW_FIELD(conf, stats_syslog_facility)},
	{KW_BOOL("NetlinkEventsReliable", conf, events_reliable)},
	{.name = "LogFileBufferSize", .read = skip_num, .note = "`LogFileBufferSize' is deprecated"},
	{0},
};
const struct block block_stats = {"`Stats'", stats};

/*
 * Keywords of Sync: modes, dedicated links, Options.
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "parser.h"

#define PLEASE_REMOVE(what) "`" what "' clause is obsolete. Please, remove it from conntrackd.conf"

/* A link being read. */
struct link_draft {
	struct msg_link l;
	uint8_t any_source;
	bool has_local;
};

enum { NOT_LOCAL, IS_LOCAL };

static const struct {
	const char *name, *note;
	enum conf_mode mode;
	const struct block *block;
} modes[] = {
	{"FTFW", NULL, MODE_FTFW, &block_ftfw},
	{"ALARM", NULL, MODE_ALARM, &block_alarm},
	{"NOTRACK", NULL, MODE_NOTRACK, &block_notrack},
	{"NACK", "Now `nack' mode is called `ftfw'. Please, update your conntrackd.conf file.", MODE_FTFW, &block_ftfw},
	{"PERSISTENT", "Now `persistent' mode is called `alarm'. Please, update your conntrackd.conf file.", MODE_ALARM,
	 &block_alarm},
};

static int
read_mode(struct parser *p, const struct kw *k, void *base)
{
	(void)k;
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		if (!tok_is_nocase(&p->tok, modes[i].name))
			continue;
		if (p->c->mode != MODE_NONE && p->c->mode != modes[i].mode)
			return parser_fail(p, &p->tok,
					   "there is a `Mode' of another kind in line %u: only one can be used",
					   p->mode_at.line);
		if (modes[i].note != NULL)
			parser_warn(p, &p->tok, "%s", modes[i].note);
		p->c->mode = modes[i].mode;
		p->mode_at = p->tok.at;
		parser_next(p);
		return parser_block(p, modes[i].block, base);
	}
	return parser_fail(p, &p->tok, "expected `FTFW', `ALARM' or `NOTRACK' after `Mode'");
}

/* k->min: family, k->max: whether it is the local end. */
static int
read_addr(struct parser *p, const struct kw *k, void *base)
{
	struct link_draft *d = base;
	uint8_t addr[16];
	int r;

	if ((r = parser_word(p, "an address")) != 0)
		return r;
	if (word_addr(&p->tok, (int)k->min, addr, NULL) != 0)
		return parser_fail(p, &p->tok, "not a valid %s address%s", k->min == AF_INET ? "IPv4" : "IPv6",
				   memchr(p->tok.s, '/', p->tok.len)   ? ": no prefix length here"
				   : memchr(p->tok.s, '%', p->tok.len) ? ": `Interface' gives the scope"
								       : "");
	if (d->l.family != AF_UNSPEC && d->l.family != k->min)
		return parser_fail(p, &p->tok, "IPv4 and IPv6 addresses are mixed in one link");
	d->l.family = (uint8_t)k->min;
	memcpy((uint8_t *)base + k->off, addr, sizeof(addr));
	d->has_local |= k->max == IS_LOCAL;
	parser_next(p);
	return 0;
}

/* Names of devices may look like anything: numbers, keywords, hexadecimal. */
static int
read_interface(struct parser *p, const struct kw *k, void *base)
{
	struct link_draft *d = base;
	int r;

	(void)k;
	if ((r = parser_word(p, "the name of a device")) != 0)
		return r;
	if (memchr(p->tok.s, '/', p->tok.len) != NULL || tok_is(&p->tok, ".") || tok_is(&p->tok, ".."))
		return parser_fail(p, &p->tok, "not a name of a device");
	if (!tok_copy(&p->tok, d->l.ifname, sizeof(d->l.ifname)))
		return parser_fail(p, &p->tok, "the name of a device has at most %zu characters",
				   sizeof(d->l.ifname) - 1);
	parser_next(p);
	return 0;
}

static int
link_close(struct parser *p, const struct link_draft *d, const struct token *key, bool is_default)
{
	struct conf *c = p->c;
	uint32_t n = c->n_links;

	if (n == MSG_LINKS_MAX)
		return parser_fail(p, key, "too many dedicated links in the configuration file (Maximum: %u)",
				   MSG_LINKS_MAX);
	if (d->l.kind != LINK_MCAST && d->l.family != AF_UNSPEC && !d->has_local)
		return parser_fail(p, key, "no `%s': the local address of the link is needed",
				   d->l.family == AF_INET ? "IPv4_address" : "IPv6_address");
	if (is_default)
		for (uint32_t i = 0; i < n; i++)
			c->link[i].is_default = 0;
	c->link[n] = d->l;
	c->link[n].is_default = is_default;
	c->link_any_source[n] = d->any_source != 0;
	p->at.link[n] = key->at;
	p->default_seen |= is_default;
	c->n_links = n + 1;
	return 0;
}

/* k->min: enum link_kind. */
int
read_link(struct parser *p, const struct kw *k, void *base)
{
	struct link_draft d = {.l.kind = (uint8_t)k->min};
	struct token key = p->key;
	bool is_default = tok_is(&p->tok, "Default");
	int r;

	(void)base;
	if (is_default)
		parser_next(p);
	r = parser_block(p, k->block, &d);
	return r != 0 ? r : link_close(p, &d, &key, is_default);
}

static int
read_sync_checksum(struct parser *p, const struct kw *k, void *base)
{
	int v = word_bool(&p->tok);

	if (v >= 0)
		p->sync_checksum = v;
	return skip_bool(p, k, base);
}

static int
expect_item(struct parser *p, void *arg)
{
	struct conf *c = arg;
	size_t room = sizeof(c->expect_helper[0]);
	struct token t = p->tok;

	if (c->n_expect_helpers == sizeof(c->expect_helper) / room)
		return parser_fail(p, &t, "more than %zu helpers in `ExpectationSync'",
				   sizeof(c->expect_helper) / room);
	if (!tok_is_name(&t))
		return parser_fail(p, &t, "not a name of a helper");
	if (t.len >= room) {
		parser_warn(p, &t, "the name of a helper is cut at %zu characters", room - 1);
		t.len = room - 1;
	}
	tok_copy(&t, c->expect_helper[c->n_expect_helpers++], room);
	parser_next(p);
	return 0;
}

static int
read_expect(struct parser *p, const struct kw *k, void *base)
{
	int r;

	if (p->tok.kind == TOK_OPEN) {
		p->c->expect_sync = true;
		return parser_list(p, expect_item, p->c);
	}
	if (word_bool(&p->tok) < 0)
		return parser_fail(p, &p->tok, "expected `on', `off' or a list of helpers in braces after `%s'",
				   k->name);
	if ((r = read_bool(p, k, base)) == 0 && !p->c->expect_sync) {
		memset(p->c->expect_helper, 0, sizeof(p->c->expect_helper));
		p->c->n_expect_helpers = 0;
	}
	return r;
}

/* In Sync, and again in those modes that use them. */
#define TIMERS                                                           \
	{KW_NUM("RefreshTime", conf, refresh_time), .zero = 60},         \
	{                                                                \
		KW_NUM("CacheTimeout", conf, cache_timeout), .zero = 180 \
	}
#define TIMEOUTS                                                        \
	{KW_NUM("CommitTimeout", conf, commit_timeout)},                \
	{                                                               \
		KW_NUM("PurgeTimeout", conf, purge_timeout), .zero = 60 \
	}

static const struct kw sync[] = {
	{.name = "Mode", .read = read_mode},
	{.name = "UDP", .read = read_link, .block = &block_udp, .min = LINK_UDP},
	{.name = "Multicast", .read = read_link, .block = &block_mcast, .min = LINK_MCAST},
	{.name = "TCP", .read = read_link, .block = &block_tcp, .min = LINK_TCP},
	{.name = "Options", .read = read_block, .block = &block_options},
	TIMERS,
	TIMEOUTS,
	{.name = "Replicate",
	 .read = read_old_replicate,
	 .note = "the clause `Replicate' is obsolete. Use `Filter' instead"},
	{.name = "CacheWriteThrough", .read = skip_bool, .note = "`CacheWriteThrough' clause is obsolete, ignoring"},
	{.name = "ListenTo",
	 .read = skip_word,
	 .what = "an address",
	 .note = "the clause `ListenTo' is obsolete, ignoring"},
	{.name = "RelaxTransitions", .read = skip_nothing, .note = PLEASE_REMOVE("RelaxTransitions")},
	{.name = "DelayDestroyMessages", .read = skip_nothing, .note = PLEASE_REMOVE("DelayDestroyMessages")},
	{.name = "DestroyTimeout", .read = skip_num, .note = "`DestroyTimeout' is deprecated. Remove it"},
	{.name = "Checksum",
	 .read = read_sync_checksum,
	 .note = "the use of `Checksum' outside the `Multicast' clause is ambiguous"},
	{0},
};
const struct block block_sync = {"`Sync'", sync};

static const struct kw ftfw[] = {
	{KW_NUM("ResendQueueSize", conf, resend_queue_size), .zero = 131072},
	{KW_NUM("ACKWindowSize", conf, ack_window_size), .zero = 300},
	TIMEOUTS,
	{KW_BOOL("DisableExternalCache", conf, disable_external_cache)},
	{KW_BOOL("StartupResync", conf, startup_resync)},
	{KW_NUM("ResendBufferSize", conf, resend_queue_size), .zero = 131072,
	 .note = "`ResendBufferSize' is deprecated. Use `ResendQueueSize' instead"},
	{0},
};
const struct block block_ftfw = {"`Mode FTFW'", ftfw};

static const struct kw alarm_kw[] = {
	TIMERS,
	TIMEOUTS,
	{.name = "RelaxTransitions", .read = skip_nothing, .note = PLEASE_REMOVE("RelaxTransitions")},
	{.name = "DelayDestroyMessages", .read = skip_nothing, .note = PLEASE_REMOVE("DelayDestroyMessages")},
	{0},
};
const struct block block_alarm = {"`Mode ALARM'", alarm_kw};

static const struct kw notrack[] = {
	TIMEOUTS,
	{KW_BOOL("DisableInternalCache", conf, disable_internal_cache)},
	{KW_BOOL("DisableExternalCache", conf, disable_external_cache)},
	{KW_BOOL("StartupResync", conf, startup_resync)},
	{0},
};
const struct block block_notrack = {"`Mode NOTRACK'", notrack};

#define LINK_COMMON                                                                                       \
	{.name = "Interface", .read = read_interface}, {KW_NUM("SndSocketBuffer", link_draft, l.sndbuf)}, \
		{KW_NUM("RcvSocketBuffer", link_draft, l.rcvbuf)},                                        \
		{KW_NUM("McastSndSocketBuffer", link_draft, l.sndbuf)},                                   \
		{KW_NUM("McastRcvSocketBuffer", link_draft, l.rcvbuf)},                                   \
	{                                                                                                 \
		.name = "Checksum", .read = read_flag, KW_FIELD(link_draft, l.no_checksum)                \
	}
#define LINK_ADDR(n, f, af, end)                                                               \
	{                                                                                      \
		.name = n, .read = read_addr, KW_FIELD(link_draft, l.f), .min = af, .max = end \
	}
#define LINK_UNICAST                                                                                               \
	LINK_ADDR("IPv4_address", local, AF_INET, IS_LOCAL), LINK_ADDR("IPv6_address", local, AF_INET6, IS_LOCAL), \
		LINK_ADDR("IPv4_Destination_Address", peer, AF_INET, NOT_LOCAL),                                   \
		LINK_ADDR("IPv6_Destination_Address", peer, AF_INET6, NOT_LOCAL),                                  \
		{KW_UPTO("Port", link_draft, l.port, 65535)},                                                      \
	{                                                                                                          \
		.name = "CheckSource", .read = read_flag, KW_FIELD(link_draft, any_source)                         \
	}

static const struct kw udp[] = {LINK_UNICAST, LINK_COMMON, {0}};
const struct block block_udp = {"`UDP'", udp};

static const struct kw tcp[] = {
	LINK_UNICAST,
	LINK_COMMON,
	{.name = "ErrorQueueLength", .read = conf_num, KW_FIELD(conf, error_queue_len), .max = INT_MAX, .zero = 128},
	{0},
};
const struct block block_tcp = {"`TCP'", tcp};

static const struct kw mcast[] = {
	LINK_ADDR("IPv4_address", peer, AF_INET, NOT_LOCAL),
	LINK_ADDR("IPv6_address", peer, AF_INET6, NOT_LOCAL),
	LINK_ADDR("IPv4_interface", local, AF_INET, IS_LOCAL),
	{.name = "IPv6_interface",
	 .read = skip_word,
	 .what = "an address",
	 .note = "`IPv6_interface' not required, ignoring"},
	{KW_UPTO("Group", link_draft, l.port, 65535)},
	LINK_COMMON,
	{.name = "Backlog",
	 .read = skip_num,
	 .note = "`Backlog' option inside Multicast clause is obsolete. Please, remove it from conntrackd.conf"},
	{0},
};
const struct block block_mcast = {"`Multicast'", mcast};

static const struct kw options[] = {
	{KW_BOOL("TCPWindowTracking", conf, tcp_window_tracking)},
	{.name = "ExpectationSync", .read = read_expect, KW_FIELD(conf, expect_sync)},
	{0},
};
const struct block block_options = {"`Options'", options};

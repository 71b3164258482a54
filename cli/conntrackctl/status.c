/*
 * Says how a daemon is doing in words. Called by conntrackctl status.
 */
#include "status.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stddef.h>

#include "conf.h"
#include "stats.h"
#include "stats_json.h"
#include "stats_text.h"

#define SILENT_LIMIT 5 /* seconds; peers speak at least once a second in FTFW mode */

enum mood { PLAIN, GOOD, FAIR, POOR };

struct page {
	FILE *to;
	bool colour;
};

__attribute__((format(printf, 4, 5))) static void
line(const struct page *p, const char *head, enum mood mood, const char *fmt, ...)
{
	static const char *const on[] = {"", "\033[32m", "\033[33m", "\033[31m"};
	bool paint = p->colour && mood != PLAIN;
	va_list ap;

	fprintf(p->to, "%-11s %s", head, paint ? on[mood] : "");
	va_start(ap, fmt);
	vfprintf(p->to, fmt, ap);
	va_end(ap);
	fprintf(p->to, "%s\n", paint ? "\033[0m" : "");
}

/* Counters that are zero on a healthy daemon. */
static const struct {
	size_t at;
	const char *text;
} counters[] = {
	{offsetof(struct ctl_stats, overruns),
	 "times the kernel dropped events; a resync followed (see NetlinkBufferSizeMaxGrowth)"},
	{offsetof(struct ctl_stats, internal.no_space), "flows did not fit the internal cache (raise HashLimit)"},
	{offsetof(struct ctl_stats, external.no_space), "flows did not fit the external cache (raise HashLimit)"},
	{offsetof(struct ctl_stats, internal_exp.no_space), "expectations did not fit the internal cache"},
	{offsetof(struct ctl_stats, external_exp.no_space), "expectations did not fit the external cache"},
	{offsetof(struct ctl_stats, commit_failed), "states could not be committed"},
	{offsetof(struct ctl_stats, lost), "messages of the peer were lost"},
	{offsetof(struct ctl_stats, malformed[0]), "malformed messages were refused"},
	{offsetof(struct ctl_stats, log_lost), "log lines were lost"},
	{offsetof(struct ctl_stats, wall_refused), "messages of a worker were refused: see the log"},
};

static unsigned int
counter_warnings(const struct ctl_stats *s, void (*put)(void *, const char *), void *ctx)
{
	unsigned int n = 0;
	char text[160];

	for (size_t i = 0; i < sizeof(counters) / sizeof(counters[0]); i++) {
		uint64_t v;

		__builtin_memcpy(&v, (const char *)s + counters[i].at, sizeof(v));
		if (v == 0)
			continue;
		snprintf(text, sizeof(text), "%" PRIu64 " %s", v, counters[i].text);
		put(ctx, text);
		n++;
	}
	return n;
}

static unsigned int
link_warnings(const struct ctl_stats *s, void (*put)(void *, const char *), void *ctx)
{
	const struct ctl_link_stats *l = stats_active_link(s);
	char text[160];

	if (!s->sync || l == NULL || l->status == 2)
		return 0;
	snprintf(text, sizeof(text), "the active link %s is %s", l->ifname, stats_link_status(l));
	put(ctx, text);
	return 1;
}

/* Where the messages of a peer that was never heard can have gone. */
static void
unheard(const struct ctl_stats *s, char *text, size_t size)
{
	uint64_t foreign = 0;

	for (unsigned int i = 0; i < s->n_links; i++)
		foreign += s->link[i].foreign;
	if (foreign == 0)
		snprintf(text, size,
			 "the peer has not been heard since the start: does it run, do addresses and port match, "
			 "does the packet filter let the link through?");
	else
		snprintf(text, size,
			 "the peer has not been heard since the start, but %" PRIu64
			 " datagrams came from another address than the configured one",
			 foreign);
}

/* Only in FTFW mode does a peer speak when it has nothing to say. */
static unsigned int
peer_warnings(const struct ctl_stats *s, void (*put)(void *, const char *), void *ctx)
{
	char text[160];

	if (!s->sync || s->mode != MODE_FTFW || s->uptime <= SILENT_LIMIT ||
	    (s->peer_known && s->peer_silent <= SILENT_LIMIT))
		return 0;
	if (s->peer_known)
		snprintf(text, sizeof(text), "the peer has been silent for %" PRIu32 " s", s->peer_silent);
	else
		unheard(s, text, sizeof(text));
	put(ctx, text);
	return 1;
}

static unsigned int
process_warnings(const struct ctl_stats *s, void (*put)(void *, const char *), void *ctx)
{
	char text[160];

	if (s->status.worker_deaths == 0)
		return 0;
	snprintf(text, sizeof(text), "%" PRIu32 " worker processes ended unexpectedly, %" PRIu32 " spares took over",
		 s->status.worker_deaths, s->status.takeovers);
	put(ctx, text);
	return 1;
}

unsigned int
status_warnings(const struct ctl_stats *s, void (*put)(void *ctx, const char *text), void *ctx)
{
	return link_warnings(s, put, ctx) + peer_warnings(s, put, ctx) + process_warnings(s, put, ctx) +
	       counter_warnings(s, put, ctx);
}

static void
put_peer(const struct page *p, const struct ctl_stats *s)
{
	if (!s->peer_known)
		line(p, "peer", POOR, "never heard of");
	else if (s->peer_silent > SILENT_LIMIT)
		line(p, "peer", s->mode == MODE_FTFW ? POOR : FAIR, "silent for %" PRIu32 " s%s", s->peer_silent,
		     s->peer_in_sync ? "" : ", not in sync");
	else
		line(p, "peer", s->peer_in_sync ? GOOD : FAIR, "%s, last message %" PRIu32 " s ago",
		     s->peer_in_sync ? "in sync" : "not in sync yet", s->peer_silent);
}

static void
put_links(const struct page *p, const struct ctl_stats *s)
{
	for (unsigned int i = 0; i < s->n_links; i++) {
		const struct ctl_link_stats *l = &s->link[i];

		line(p, i == 0 ? "links" : "", l->status == 2 ? GOOD : POOR,
		     "%s %s %s %s, sent %" PRIu64 " received %" PRIu64 " bytes", l->ifname, stats_link_kind(l),
		     stats_link_status(l), l->active ? "active" : "backup", l->sent_bytes, l->recv_bytes);
	}
	if (s->n_links == 0)
		line(p, "links", POOR, "none");
}

static void
put_flows(const struct page *p, const struct ctl_stats *s)
{
	char in[32] = "off", ex[32] = "off";

	if (!s->internal_disabled)
		snprintf(in, sizeof(in), "%" PRIu64, s->internal.active);
	if (!s->external_disabled)
		snprintf(ex, sizeof(ex), "%" PRIu64, s->external.active);
	line(p, "flows", PLAIN, "internal %s, external %s", in, ex);
	if (s->expect_sync)
		line(p, "expects", PLAIN, "internal %" PRIu64 ", external %" PRIu64, s->internal_exp.active,
		     s->external_exp.active);
}

static void
put_commit(const struct page *p, const struct ctl_stats *s)
{
	if (s->commit_running)
		line(p, "commit", FAIR, "running");
	else if (s->commits == 0)
		line(p, "commit", PLAIN, "none yet");
	else
		line(p, "commit", s->commit_failed > 0 ? POOR : GOOD,
		     "%" PRIu64 " so far: %" PRIu64 " states committed, %" PRIu64 " failed", s->commits, s->committed,
		     s->commit_failed);
	if (s->purge_armed)
		line(p, "purge", FAIR, "armed: the kernel's table will be flushed");
}

static void
put_sync(const struct page *p, const struct ctl_stats *s)
{
	put_peer(p, s);
	put_links(p, s);
	put_flows(p, s);
	put_commit(p, s);
	line(p, "resync", PLAIN, "asked %" PRIu32 ", served %" PRIu32 ", with the kernel %" PRIu64, s->resyncs_sent,
	     s->resyncs_served, s->kernel_resyncs);
}

static void
put_processes(const struct page *p, const struct ctl_stats *s)
{
	const struct msg_status *st = &s->status;
	unsigned int n[3] = {0, 0, 0};

	for (unsigned int i = 0; i < st->n_workers; i++)
		n[st->worker[i].state < 2 ? st->worker[i].state : 2]++;
	line(p, "processes", PLAIN, "parent %" PRIu32 ", %u workers serving, %u spare, %u dead", st->parent_pid, n[1],
	     n[0], n[2]);
}

static void
put_warning(void *ctx, const char *text)
{
	line(ctx, "warning", POOR, "%s", text);
}

void
status_text(FILE *to, const struct ctl_stats *s, bool colour)
{
	struct page p = {to, colour};
	const char *role = stats_role(s);
	char up[64];

	uptime_text(up, sizeof(up), s->uptime);
	line(&p, "daemon", PLAIN, "mode %s, up %s", stats_mode(s), up);
	line(&p, "role",
	     s->role == CTL_ROLE_FAULT     ? POOR
	     : s->role == CTL_ROLE_PRIMARY ? GOOD
					   : PLAIN,
	     "%s", s->role == CTL_ROLE_NONE ? "none was given" : role);
	if (s->sync)
		put_sync(&p, s);
	else
		line(&p, "flows", PLAIN, "%" PRIu64, s->internal.active);
	line(&p, "events", PLAIN, "%" PRIu64 " received, %" PRIu64 " filtered, buffer %" PRIu64 " bytes", s->events,
	     s->events_filtered, s->buffer_size);
	put_processes(&p, s);
	if (status_warnings(s, put_warning, &p) == 0)
		line(&p, "warnings", GOOD, "none");
}

static void
json_warning(void *ctx, const char *text)
{
	json_text(ctx, NULL, text);
}

void
status_json(FILE *to, const struct ctl_stats *s)
{
	yajl_gen g = json_begin(to);

	if (g == NULL)
		return;
	json_text(g, "mode", stats_mode(s));
	json_text(g, "role", stats_role(s));
	json_number(g, "uptime", s->uptime);
	stats_json_peer(g, s);
	stats_json_links(g, s);
	json_map(g, "flows");
	json_number(g, "internal", s->internal.active);
	json_number(g, "external", s->external.active);
	yajl_gen_map_close(g);
	json_map(g, "expectations");
	json_number(g, "internal", s->internal_exp.active);
	json_number(g, "external", s->external_exp.active);
	yajl_gen_map_close(g);
	json_number(g, "commits", s->commits);
	json_number(g, "committed", s->committed);
	json_number(g, "commit_failed", s->commit_failed);
	json_bool(g, "commit_running", s->commit_running);
	json_bool(g, "purge_armed", s->purge_armed);
	json_number(g, "events", s->events);
	json_number(g, "overruns", s->overruns);
	json_number(g, "worker_deaths", s->status.worker_deaths);
	json_array(g, "warnings");
	status_warnings(s, json_warning, g);
	yajl_gen_array_close(g);
	json_end(g, to);
}

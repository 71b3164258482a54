/*
 * Says how a daemon is doing in words.
 */
#include "status.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "conf.h"
#include "stats.h"
#include "stats_json.h"
#include "stats_text.h"
#include "walls.h"

#define SILENT_LIMIT 5  /* seconds; peers speak at least once a second in FTFW mode */
#define REPAIR_LIMIT 10 /* seconds; what was lost is noticed every few seconds, and repeated much faster */

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

/* Who hears of warnings, and how many there were. */
struct warner {
	void (*put)(void *ctx, const char *text);
	void *ctx;
	unsigned int n;
};

__attribute__((format(printf, 2, 3))) static void
warn(struct warner *w, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	w->put(w->ctx, text);
	w->n++;
}

/* What was lost is repeated in FTFW mode, and whoever is in sync has it. */
static bool
was_repaired(const struct ctl_stats *s, const struct figure *row, const struct ctl_recent *r)
{
	return strcmp(row->name, "lost") == 0 && s->mode == MODE_FTFW && s->peer.in_sync && r->ago > REPAIR_LIMIT;
}

static void
recent_warnings(const struct ctl_stats *s, struct warner *w)
{
	const struct figure_place *place;
	const struct figure *row;

	for (unsigned int i = 0; i < CTL_RECENT_MAX && figure_watched(i, &place, &row); i++) {
		const struct ctl_recent *r = &s->recent[i];

		if (r->rise == 0 || r->ago > FIGURE_RECENT_S || was_repaired(s, row, r))
			continue;
		warn(w, "%" PRIu64 " %s%s%s, last %" PRIu64 " s ago", r->rise, place->which != NULL ? place->which : "",
		     place->which != NULL ? " " : "", row->warning, r->ago);
	}
}

static void
gauge_warnings(const struct ctl_stats *s, struct warner *w)
{
	for (size_t i = 0; i < figure_places_n; i++) {
		const struct figure_list *g = &figure_groups[figure_places[i].group];

		for (const struct figure *f = g->row; f < g->row + g->n; f++) {
			uint64_t v = figure_value(f, (const char *)s + figure_places[i].at);

			if (f->kind == FIG_GAUGE && f->warning != NULL && v > 0)
				warn(w, "%" PRIu64 " %s", v, f->warning);
		}
	}
}

static void
refused_warnings(const struct ctl_link_stats *l, struct warner *w)
{
	char addr[STATS_ADDR], remedy[STATS_REMEDY];

	for (int i = 0; i < CTL_REFUSED_MAX && l->refused[i].family != 0; i++) {
		const struct ctl_refused *r = &l->refused[i];

		if (r->ago <= FIGURE_RECENT_S)
			warn(w,
			     "%s: %" PRIu64 " datagrams of %s, %s, were refused, last %" PRIu32
			     " s ago; to accept them: %s",
			     l->ifname, r->count, stats_addr(r->family, r->addr, addr), stats_refused_words(r), r->ago,
			     stats_remedy(r, remedy));
	}
}

static void
link_warnings(const struct ctl_stats *s, struct warner *w)
{
	const struct ctl_link_stats *active = stats_active_link(s);

	if (!s->sync)
		return;
	if (active != NULL && active->status != CTL_LINK_RUNNING)
		warn(w, "the active link %s is %s", active->ifname, stats_link_status(active));
	for (unsigned int i = 0; i < s->n_links; i++) {
		const struct ctl_link_stats *l = &s->link[i];

		if (l->send_error == -ECONNREFUSED && l->send_error_ago <= SILENT_LIMIT)
			warn(w,
			     "%s: the peer's host takes nothing on port %u: does its daemon run, and with this Port?",
			     l->ifname, l->port);
		else if (l->send_error != 0 && l->send_error_ago <= SILENT_LIMIT)
			warn(w, "%s: sending fails: %s", l->ifname, strerror(-l->send_error));
		if (l->unserved)
			warn(w, "%s: a peer speaks there that is not sent to: UDP links serve one peer at a time",
			     l->ifname);
		refused_warnings(l, w);
		if (!s->peer.known && l->refused[0].family == 0 && l->count.foreign > 0)
			warn(w, "%s: %" PRIu64 " datagrams came from another address than the peer's", l->ifname,
			     l->count.foreign);
	}
}

/* Only in FTFW mode does a peer speak when it has nothing to say. */
static void
peer_warnings(const struct ctl_stats *s, struct warner *w)
{
	char addr[STATS_ADDR];

	for (int i = 0; i < CTL_PEERS_MAX && s->peers[i].family != 0; i++) {
		stats_addr(s->peers[i].family, s->peers[i].addr, addr);
		for (unsigned int bit = 1; bit <= CTL_DIFFERS_CHECKSUM; bit <<= 1)
			if (s->peers[i].differs & bit)
				warn(w, "the peer %s has another %s than this daemon", addr, stats_differs(bit));
		if (s->peers[i].differs & CTL_DIFFERS_DEAF)
			warn(w, "the peer %s does not acknowledge: does it hear this node, is its Mode FTFW?", addr);
	}
	if (!s->sync || s->mode != MODE_FTFW || s->daemon.uptime <= SILENT_LIMIT ||
	    (s->peer.known && s->peer.silent <= SILENT_LIMIT))
		return;
	if (s->peer.known)
		warn(w, "the peer has been silent for %" PRIu64 " s", s->peer.silent);
	else
		warn(w, "the peer has not been heard since the start: does it run, do Mode, addresses and port match, "
			"does the packet filter let the link through?");
}

static void
process_warnings(const struct ctl_stats *s, struct warner *w)
{
	static const uint8_t roles[] = {ROLE_SYNC, ROLE_STATS, ROLE_LOG};

	for (size_t r = 0; r < sizeof(roles); r++) {
		const struct msg_worker *serving = NULL;
		bool spare = false;

		for (unsigned int i = 0; i < s->status.n_workers; i++) {
			const struct msg_worker *k = &s->status.worker[i];

			if (k->role == roles[r] && k->state == WORKER_SERVES)
				serving = k;
			spare = spare || (k->role == roles[r] && k->state == WORKER_SPARE);
		}
		if (serving != NULL && !spare)
			warn(w, "no spare %s worker is left: should this one end, so does the daemon",
			     stats_worker_role(serving));
	}
}

static void
wall_warnings(const struct ctl_stats *s, struct warner *w)
{
	const char *name;

	for (unsigned int n = 0; (name = wall_name(n)) != NULL; n++)
		if (s->status.left_out & 1 << n)
			warn(w, "this kernel or container offers no %s: the daemon runs without", name);
}

unsigned int
status_warnings(const struct ctl_stats *s, void (*put)(void *ctx, const char *text), void *ctx)
{
	struct warner w = {put, ctx, 0};

	link_warnings(s, &w);
	peer_warnings(s, &w);
	process_warnings(s, &w);
	wall_warnings(s, &w);
	gauge_warnings(s, &w);
	recent_warnings(s, &w);
	return w.n;
}

/* Those that were heard, by address. */
static void
put_peers(const struct page *p, const struct ctl_stats *s)
{
	char addr[STATS_ADDR];

	for (int i = 0; i < CTL_PEERS_MAX && s->peers[i].family != 0; i++) {
		const struct ctl_peer *k = &s->peers[i];

		line(p, i == 0 ? "peers" : "", k->in_sync ? GOOD : FAIR,
		     "%s on %s: %s, last message %" PRIu32 " s ago, %" PRIu64 " lost",
		     stats_addr(k->family, k->addr, addr), k->link < s->n_links ? s->link[k->link].ifname : "?",
		     k->in_sync ? "in sync" : "not in sync", k->silent, k->lost);
	}
}

static void
put_peer(const struct page *p, const struct ctl_stats *s)
{
	if (!s->peer.known)
		line(p, "peer", POOR, "never heard of");
	else if (s->peer.silent > SILENT_LIMIT)
		line(p, "peer", s->mode == MODE_FTFW ? POOR : FAIR, "silent for %" PRIu64 " s%s", s->peer.silent,
		     s->peer.in_sync ? "" : ", not in sync");
	else
		line(p, "peer", s->peer.in_sync ? GOOD : FAIR, "%s, last message %" PRIu64 " s ago",
		     s->peer.in_sync ? "in sync" : "not in sync yet", s->peer.silent);
}

static void
put_links(const struct page *p, const struct ctl_stats *s)
{
	for (unsigned int i = 0; i < s->n_links; i++) {
		const struct ctl_link_stats *l = &s->link[i];

		line(p, i == 0 ? "links" : "", l->status == CTL_LINK_RUNNING ? GOOD : POOR,
		     "%s %s %s %s, sent %" PRIu64 " received %" PRIu64 " bytes", l->ifname, stats_link_kind(l),
		     stats_link_status(l), l->active ? "active" : "backup", l->count.sent_bytes, l->count.recv_bytes);
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
	else if (s->commits.count == 0)
		line(p, "commit", PLAIN, "none yet");
	else
		line(p, "commit", s->commits.last_failed > 0 ? POOR : GOOD,
		     "%" PRIu64 " so far: %" PRIu64 " states committed, %" PRIu64 " failed", s->commits.count,
		     s->commits.committed, s->commits.failed);
	if (s->purge_armed)
		line(p, "purge", FAIR, "armed: the kernel's table will be flushed");
}

static void
put_sync(const struct page *p, const struct ctl_stats *s)
{
	put_peer(p, s);
	put_peers(p, s);
	put_links(p, s);
	put_flows(p, s);
	put_commit(p, s);
	line(p, "resync", PLAIN, "asked %" PRIu64 ", served %" PRIu64 ", with the kernel %" PRIu64,
	     s->peer.resyncs_sent, s->peer.resyncs_served, s->resync.resyncs);
}

static void
put_processes(const struct page *p, const struct ctl_stats *s)
{
	const struct msg_status *st = &s->status;
	unsigned int n[WORKER_DEAD + 1] = {0};

	for (unsigned int i = 0; i < st->n_workers; i++)
		n[st->worker[i].state < WORKER_DEAD ? st->worker[i].state : WORKER_DEAD]++;
	line(p, "processes", PLAIN, "parent %" PRIu32 ", %u workers serving, %u spare, %u dead", st->parent_pid,
	     n[WORKER_SERVES], n[WORKER_SPARE], n[WORKER_DEAD]);
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

	uptime_text(up, sizeof(up), s->daemon.uptime);
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
	line(&p, "events", PLAIN, "%" PRIu64 " received, %" PRIu64 " filtered, buffer %" PRIu64 " bytes",
	     s->intake.events, s->intake.filtered, s->netlink.buffer_size);
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
	json_number(g, "uptime", s->daemon.uptime);
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
	json_number(g, "commits", s->commits.count);
	json_number(g, "committed", s->commits.committed);
	json_number(g, "commit_failed", s->commits.failed);
	json_bool(g, "commit_running", s->commit_running);
	json_bool(g, "purge_armed", s->purge_armed);
	json_number(g, "events", s->intake.events);
	json_number(g, "overruns", s->resync.overruns);
	json_number(g, "worker_deaths", s->status.worker_deaths);
	json_array(g, "warnings");
	status_warnings(s, json_warning, g);
	yajl_gen_array_close(g);
	json_end(g, to);
}

/*
 * Statistics as text: scripts have parsed these blocks for fifteen years, so columns and TABs are part of the
 * interface.
 */
#include "stats_text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "conf.h"
#include "stats.h"

/* Where the figures of a text are: in one struct of a group, or, as "netlink.events", anywhere below. */
struct source {
	const struct ctl_stats *stats; /* NULL: base */
	enum figure_group group;
	const void *base;
};

static bool
find_anywhere(const struct ctl_stats *s, const char *name, size_t len, uint64_t *v)
{
	for (const struct figure_place *p = figure_places; p < figure_places + figure_places_n; p++) {
		size_t path = strlen(p->path), before = path > 0 ? path + 1 : 0;
		const struct figure *f;

		if (len <= before || strncmp(name, p->path, path) != 0 || (path > 0 && name[path] != '.') ||
		    (f = figure_find(p->group, name + before, len - before)) == NULL)
			continue;
		*v = figure_value(f, (const char *)s + p->at);
		return true;
	}
	return false;
}

static bool
find_value(const struct source *from, const char *name, size_t len, uint64_t *v)
{
	const struct figure *f;

	if (from->stats != NULL)
		return find_anywhere(from->stats, name, len, v);
	if ((f = figure_find(from->group, name, len)) == NULL)
		return false;
	*v = figure_value(f, from->base);
	return true;
}

/* A text with numbers: "{created,12}" is the figure of that name, in so many columns. */
static void
put_from(FILE *to, const char *text, const struct source *from)
{
	const char *open, *comma;
	uint64_t v;

	while ((open = strchr(text, '{')) != NULL && (comma = strchr(open, ',')) != NULL) {
		fprintf(to, "%.*s", (int)(open - text), text);
		if (find_value(from, open + 1, (size_t)(comma - open - 1), &v))
			fprintf(to, "%*" PRIu64, atoi(comma + 1), v);
		else
			putc('?', to);
		text = comma + strcspn(comma, "}");
		text += *text == '}';
	}
	fputs(text, to);
}

static void
put(FILE *to, const char *text, enum figure_group group, const void *base)
{
	put_from(to, text, &(struct source){NULL, group, base});
}

static void
put_stats(FILE *to, const char *text, const struct ctl_stats *s)
{
	put_from(to, text, &(struct source){.stats = s});
}

static void
cache_block(FILE *to, const char *name, const struct cache_stats *c)
{
	fprintf(to, "cache %s:\n", name);
	put(to,
	    "current active connections:\t{active,12}\n"
	    "connections created:\t\t{created,12}\tfailed:\t{create_failed,12}\n"
	    "connections updated:\t\t{updated,12}\tfailed:\t{update_failed,12}\n"
	    "connections destroyed:\t\t{destroyed,12}\tfailed:\t{destroy_failed,12}\n\n",
	    GROUP_CACHE, c);
}

static void
cache_extended(FILE *to, const char *name, const struct cache_stats *c)
{
	fprintf(to, "cache:%s", name);
	put(to,
	    "\tactive objects:\t\t{total,12}\n"
	    "\tactive/total entries:\t\t{active,12}/{total,12}\n"
	    "\tcreation OK/failed:\t\t{created,12}/{create_failed,12}\n"
	    "\t\tno memory available:\t{no_memory,12}\n"
	    "\t\tno space left in cache:\t{no_space,12}\n"
	    "\tupdate OK/failed:\t\t{updated,12}/{update_failed,12}\n"
	    "\t\tentry not found:\t{update_missing,12}\n"
	    "\tdeletion created/failed:\t{destroyed,12}/{destroy_failed,12}\n"
	    "\t\tentry not found:\t{destroy_missing,12}\n\n",
	    GROUP_CACHE, c);
}

static void
bypass_block(FILE *to, const struct cache_stats *c)
{
	put(to,
	    "internal bypass:\n"
	    "connections new:\t\t{created,12}\n"
	    "connections updated:\t\t{updated,12}\n"
	    "connections destroyed:\t\t{destroyed,12}\n\n",
	    GROUP_CACHE, c);
}

static void
inject_block(FILE *to, const struct cache_stats *c)
{
	put(to,
	    "external inject:\n"
	    "connections created:\t\t{created,12}\tfailed:\t{create_failed,12}\n"
	    "connections updated:\t\t{updated,12}\tfailed:\t{update_failed,12}\n"
	    "connections destroyed:\t\t{destroyed,12}\tfailed:\t{destroy_failed,12}\n\n",
	    GROUP_CACHE, c);
}

typedef void block_fn(FILE *, const char *, const struct cache_stats *);

static void
caches(FILE *to, const struct ctl_stats *s, const struct cache_stats *internal, const struct cache_stats *external,
       block_fn *block)
{
	if (s->internal_disabled)
		bypass_block(to, internal);
	else
		block(to, "internal", internal);
	if (s->external_disabled)
		inject_block(to, external);
	else
		block(to, "external", external);
}

static void
traffic(FILE *to, const struct ctl_stats *s)
{
	put(to, "traffic processed:\n{bytes,20} Bytes      {packets,20} Pckts\n\n", GROUP_TRAFFIC, &s->traffic);
}

static const char *
kind_name(const struct ctl_link_stats *l)
{
	return l->kind == LINK_MCAST ? "multicast" : l->kind == LINK_TCP ? "TCP" : "UDP";
}

static void
link_counters(FILE *to, const struct ctl_link_stats *l)
{
	put(to,
	    "{sent_bytes,20} Bytes sent {received_bytes,20} Bytes recv\n"
	    "{sent_packets,20} Pckts sent {received_packets,20} Pckts recv\n"
	    "{send_errors,20} Error send {receive_errors,20} Error recv\n\n",
	    GROUP_LINK, &l->count);
}

static void
active_link(FILE *to, const struct ctl_stats *s)
{
	const struct ctl_link_stats *l = stats_active_link(s);

	if (l == NULL)
		return;
	fprintf(to, "%s traffic (active device=%.*s)", kind_name(l), (int)sizeof(l->ifname), l->ifname);
	if (l->kind == LINK_TCP)
		fprintf(to, " server=%s client=%s", l->server ? "connected" : "disconnected",
			l->client ? "connected" : "disconnected");
	fputs(":\n", to);
	link_counters(to, l);
}

static void
view_link(FILE *to, const struct ctl_stats *s)
{
	for (unsigned int i = 0; s->sync && i < s->n_links; i++) {
		const struct ctl_link_stats *l = &s->link[i];

		fprintf(to, "%s traffic device=%.*s status=%s role=%s:\n", kind_name(l), (int)sizeof(l->ifname),
			l->ifname, stats_link_status(l), l->active ? "ACTIVE" : "BACKUP");
		link_counters(to, l);
	}
}

static void
tracking(FILE *to, const struct ctl_stats *s)
{
	put(to, "message tracking:\n{malformed,20} Malformed msgs {lost,20} Lost msgs\n\n", GROUP_NETWORK, &s->network);
}

static void
view_general(FILE *to, const struct ctl_stats *s)
{
	if (s->stats_mode)
		cache_block(to, "stats", &s->internal);
	if (s->sync)
		caches(to, s, &s->internal, &s->external, cache_block);
	if (s->sync || s->stats_mode)
		traffic(to, s);
	if (s->sync) {
		active_link(to, s);
		tracking(to, s);
	}
}

static void
view_expect(FILE *to, const struct ctl_stats *s)
{
	if (!s->sync || !s->expect_sync)
		return;
	caches(to, s, &s->internal_exp, &s->external_exp, cache_block);
	traffic(to, s);
	active_link(to, s);
	tracking(to, s);
}

static void
view_network(FILE *to, const struct ctl_stats *s)
{
	if (!s->sync)
		return;
	put(to,
	    "network statistics:\n"
	    "\trecv:\n"
	    "\t\tMalformed messages:\t{malformed,20}\n"
	    "\t\tWrong protocol version:\t{bad_version,20}\n"
	    "\t\tMalformed header:\t{bad_header,20}\n"
	    "\t\tMalformed payload:\t{bad_payload,20}\n"
	    "\t\tBad message type:\t{bad_type,20}\n"
	    "\t\tTruncated message:\t{truncated,20}\n"
	    "\t\tBad message size:\t{bad_size,20}\n"
	    "\tsend:\n"
	    "\t\tMalformed messages:\t{send_malformed,20}\n\n"
	    "sequence tracking statistics:\n"
	    "\trecv:\n"
	    "\t\tPackets lost:\t\t{lost,20}\n"
	    "\t\tPackets before:\t\t{before,20}\n\n",
	    GROUP_NETWORK, &s->network);
	active_link(to, s);
}

static void
view_cache(FILE *to, const struct ctl_stats *s)
{
	if (s->stats_mode)
		cache_extended(to, "stats", &s->internal);
	if (s->sync)
		caches(to, s, &s->internal, &s->external, cache_extended);
}

void
uptime_text(char *buf, size_t size, uint64_t seconds)
{
	unsigned int min = seconds / 60 % 60, h = seconds / 3600 % 24, days = (unsigned int)(seconds / 86400);
	size_t n = 0;

	if (days > 0)
		n += (size_t)snprintf(buf, size, "%u day%s ", days, days > 1 ? "s" : "");
	if (h > 0 && n < size)
		n += (size_t)snprintf(buf + n, size - n, "%u h ", h);
	if (n < size)
		snprintf(buf + n, size - n, "%u min", min);
}

/* A worker that was killed cannot say whether it crashed or was told to end: all such ends count as crashes. Nothing is
 * forked to answer a question, and no wait for events can fail. */
static void
view_runtime(FILE *to, const struct ctl_stats *s)
{
	char up[64];

	uptime_text(up, sizeof(up), s->daemon.uptime);
	fprintf(to, "daemon uptime: %s\n\n", up);
	put_stats(to,
		  "netlink stats:\n"
		  "\tevents received:\t{netlink.events,20}\n"
		  "\tevents filtered:\t{netlink.filtered,20}\n"
		  "\tevents unknown type:\t\t{netlink.unknown,12}\n"
		  "\tcatch event failed:\t\t{netlink.catch_failed,12}\n"
		  "\tdump unknown type:\t\t{netlink.dump_unknown,12}\n"
		  "\tnetlink overrun:\t\t{netlink.overruns,12}\n"
		  "\tflush kernel table:\t\t{netlink.flushes,12}\n"
		  "\tresync with kernel table:\t{netlink.resyncs,12}\n"
		  "\tcurrent buffer size (in bytes):\t{netlink.buffer_size,12}\n\n"
		  "runtime stats:\n"
		  "\tchild process failed:\t\t{worker_deaths,12}\n"
		  "\t\tchild process segfault:\t{worker_signals,12}\n"
		  "\t\tchild process termsig:\t           0\n"
		  "\tselect failed:\t\t\t           0\n"
		  "\twait failed:\t\t\t           0\n"
		  "\tlocal read failed:\t\t{runtime.local_read_failed,12}\n"
		  "\tlocal unknown request:\t\t{runtime.local_unknown,12}\n\n",
		  s);
}

static void
queue_block(FILE *to, const char *name, const struct fig_queue *q)
{
	fprintf(to, "queue %s:\n", name);
	put(to,
	    "current elements:\t\t{length,12}\n"
	    "maximum elements:\t\t{maximum,12}\n"
	    "not enough space errors:\t{no_space,12}\n\n",
	    GROUP_QUEUE, q);
}

static void
view_queue(FILE *to, const struct ctl_stats *s)
{
	if (!s->sync)
		return;
	put(to, "allocated queue nodes:\t\t{nodes,12}\n\n", GROUP_QUEUES, &s->queues);
	queue_block(to, "txqueue", &s->txq);
	queue_block(to, "errorq", &s->errq);
	if (s->mode == MODE_FTFW)
		queue_block(to, "rsqueue", &s->rsq);
}

/* Every figure by its way in JSON, what it is, and in which unit. */
static void
put_figures(FILE *to, const char *path, enum figure_group group, const void *base)
{
	const struct figure_list *g = &figure_groups[group];
	char name[80];

	for (const struct figure *f = g->row; f < g->row + g->n; f++) {
		uint64_t v = figure_value(f, base);

		if (f->kind == FIG_AGE && v == FIG_NEVER)
			continue;
		snprintf(name, sizeof(name), "%s%s%s", path, path[0] != '\0' ? "." : "", f->name);
		fprintf(to, "%-39s %20" PRIu64 " %-7s %s\n", name, v, figure_unit_name(f->unit), f->help);
	}
}

static void
view_all(FILE *to, const struct ctl_stats *s)
{
	char path[64];

	for (size_t i = 0; i < figure_places_n; i++)
		put_figures(to, figure_places[i].path, figure_places[i].group, (const char *)s + figure_places[i].at);
	for (unsigned int i = 0; i < s->n_links; i++) {
		snprintf(path, sizeof(path), "links.%.16s", s->link[i].ifname);
		put_figures(to, path, GROUP_LINK, &s->link[i].count);
	}
}

void
rsqueue_head(FILE *to, uint64_t len)
{
	fprintf(to, "resent queue (len=%" PRIu64 ")\n", len);
}

void
rsqueue_text(FILE *to, const struct ctl_rsq *q)
{
	if (q->control)
		fprintf(to, "control -> seq:%" PRIu32 " flags:%u\n", q->seq, q->flags);
	else
		fprintf(to, "object -> seq:%" PRIu32 "\n", q->seq);
}

/* VIEW_PROCESS lists the children that 1.4.x forks for dumps and flushes: we fork none. */
void
stats_text(FILE *to, const struct ctl_stats *s, enum view view)
{
	static void (*const show[VIEW_MAX])(FILE *, const struct ctl_stats *) = {
		[VIEW_GENERAL] = view_general, [VIEW_EXPECT] = view_expect,   [VIEW_NETWORK] = view_network,
		[VIEW_CACHE] = view_cache,     [VIEW_RUNTIME] = view_runtime, [VIEW_LINK] = view_link,
		[VIEW_QUEUE] = view_queue,     [VIEW_ALL] = view_all,
	};

	if (show[view] != NULL)
		show[view](to, s);
}

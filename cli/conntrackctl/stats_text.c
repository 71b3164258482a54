/*
 * Statistics as text: scripts have parsed these blocks for fifteen years, so columns and TABs are part of the
 * interface. Called with the daemon's numbers by conntrackctl and by the old client options.
 */
#include "stats_text.h"

#include <inttypes.h>

#include "conf.h"
#include "stats.h"

static void
cache_block(FILE *to, const char *name, const struct cache_stats *c)
{
	fprintf(to,
		"cache %s:\n"
		"current active connections:\t%12" PRIu64 "\n"
		"connections created:\t\t%12" PRIu64 "\tfailed:\t%12" PRIu64 "\n"
		"connections updated:\t\t%12" PRIu64 "\tfailed:\t%12" PRIu64 "\n"
		"connections destroyed:\t\t%12" PRIu64 "\tfailed:\t%12" PRIu64 "\n\n",
		name, c->active, c->created, c->create_failed, c->updated, c->update_failed, c->deleted,
		c->delete_failed);
}

static void
cache_extended(FILE *to, const char *name, const struct cache_stats *c)
{
	fprintf(to,
		"cache:%s\tactive objects:\t\t%12" PRIu64 "\n"
		"\tactive/total entries:\t\t%12" PRIu64 "/%12" PRIu64 "\n"
		"\tcreation OK/failed:\t\t%12" PRIu64 "/%12" PRIu64 "\n"
		"\t\tno memory available:\t%12" PRIu64 "\n"
		"\t\tno space left in cache:\t%12" PRIu64 "\n"
		"\tupdate OK/failed:\t\t%12" PRIu64 "/%12" PRIu64 "\n"
		"\t\tentry not found:\t%12" PRIu64 "\n"
		"\tdeletion created/failed:\t%12" PRIu64 "/%12" PRIu64 "\n"
		"\t\tentry not found:\t%12" PRIu64 "\n\n",
		name, c->total, c->active, c->total, c->created, c->create_failed, c->no_memory, c->no_space,
		c->updated, c->update_failed, c->update_missing, c->deleted, c->delete_failed, c->delete_missing);
}

static void
bypass_block(FILE *to, const struct cache_stats *c)
{
	fprintf(to,
		"internal bypass:\n"
		"connections new:\t\t%12" PRIu64 "\n"
		"connections updated:\t\t%12" PRIu64 "\n"
		"connections destroyed:\t\t%12" PRIu64 "\n\n",
		c->created, c->updated, c->deleted);
}

static void
inject_block(FILE *to, const struct cache_stats *c)
{
	fprintf(to,
		"external inject:\n"
		"connections created:\t\t%12" PRIu64 "\tfailed:\t%12" PRIu64 "\n"
		"connections updated:\t\t%12" PRIu64 "\tfailed:\t%12" PRIu64 "\n"
		"connections destroyed:\t\t%12" PRIu64 "\tfailed:\t%12" PRIu64 "\n\n",
		c->created, c->create_failed, c->updated, c->update_failed, c->deleted, c->delete_failed);
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
	fprintf(to, "traffic processed:\n%20" PRIu64 " Bytes      %20" PRIu64 " Pckts\n\n", s->traffic_bytes,
		s->traffic_pkts);
}

static const char *
kind_name(const struct ctl_link_stats *l)
{
	return l->kind == LINK_MCAST ? "multicast" : l->kind == LINK_TCP ? "TCP" : "UDP";
}

static void
link_counters(FILE *to, const struct ctl_link_stats *l)
{
	fprintf(to,
		"%20" PRIu64 " Bytes sent %20" PRIu64 " Bytes recv\n"
		"%20" PRIu64 " Pckts sent %20" PRIu64 " Pckts recv\n"
		"%20" PRIu64 " Error send %20" PRIu64 " Error recv\n\n",
		l->sent_bytes, l->recv_bytes, l->sent_pkts, l->recv_pkts, l->sent_errors, l->recv_errors);
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
	fprintf(to, "message tracking:\n%20" PRIu64 " Malformed msgs %20" PRIu64 " Lost msgs\n\n", s->malformed[0],
		s->lost);
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
	const uint64_t *m = s->malformed;

	if (!s->sync)
		return;
	fprintf(to,
		"network statistics:\n"
		"\trecv:\n"
		"\t\tMalformed messages:\t%20" PRIu64 "\n"
		"\t\tWrong protocol version:\t%20" PRIu64 "\n"
		"\t\tMalformed header:\t%20" PRIu64 "\n"
		"\t\tMalformed payload:\t%20" PRIu64 "\n"
		"\t\tBad message type:\t%20" PRIu64 "\n"
		"\t\tTruncated message:\t%20" PRIu64 "\n"
		"\t\tBad message size:\t%20" PRIu64 "\n"
		"\tsend:\n"
		"\t\tMalformed messages:\t%20" PRIu64 "\n\n"
		"sequence tracking statistics:\n"
		"\trecv:\n"
		"\t\tPackets lost:\t\t%20" PRIu64 "\n"
		"\t\tPackets before:\t\t%20" PRIu64 "\n\n",
		m[0], m[1], m[2], m[3], m[4], m[5], m[6], s->send_malformed, s->lost, s->before);
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
uptime_text(char *buf, size_t size, uint32_t seconds)
{
	unsigned int min = seconds / 60 % 60, h = seconds / 3600 % 24, days = seconds / 86400;
	size_t n = 0;

	if (days > 0)
		n += (size_t)snprintf(buf, size, "%u day%s ", days, days > 1 ? "s" : "");
	if (h > 0 && n < size)
		n += (size_t)snprintf(buf + n, size - n, "%u h ", h);
	if (n < size)
		snprintf(buf + n, size - n, "%u min", min);
}

static void
netlink_stats(FILE *to, const struct ctl_stats *s)
{
	fprintf(to,
		"netlink stats:\n"
		"\tevents received:\t%20" PRIu64 "\n"
		"\tevents filtered:\t%20" PRIu64 "\n"
		"\tevents unknown type:\t\t%12" PRIu64 "\n"
		"\tcatch event failed:\t\t%12" PRIu64 "\n"
		"\tdump unknown type:\t\t%12" PRIu64 "\n"
		"\tnetlink overrun:\t\t%12" PRIu64 "\n"
		"\tflush kernel table:\t\t%12" PRIu64 "\n"
		"\tresync with kernel table:\t%12" PRIu64 "\n"
		"\tcurrent buffer size (in bytes):\t%12" PRIu64 "\n\n",
		s->events, s->events_filtered, s->events_unknown, s->catch_failed, s->dump_unknown, s->overruns,
		s->kernel_flushes, s->kernel_resyncs, s->buffer_size);
}

/* A worker that was killed cannot say whether it crashed or was told to end: all such ends count as crashes. */
static void
view_runtime(FILE *to, const struct ctl_stats *s)
{
	char up[64];

	uptime_text(up, sizeof(up), s->uptime);
	fprintf(to, "daemon uptime: %s\n\n", up);
	netlink_stats(to, s);
	fprintf(to,
		"runtime stats:\n"
		"\tchild process failed:\t\t%12" PRIu32 "\n"
		"\t\tchild process segfault:\t%12" PRIu32 "\n"
		"\t\tchild process termsig:\t%12u\n"
		"\tselect failed:\t\t\t%12u\n"
		"\twait failed:\t\t\t%12u\n"
		"\tlocal read failed:\t\t%12" PRIu64 "\n"
		"\tlocal unknown request:\t\t%12" PRIu64 "\n\n",
		s->status.worker_deaths, s->status.worker_signals, 0u, 0u, 0u, s->local_read_failed, s->local_unknown);
}

static void
queue_block(FILE *to, const char *name, const struct ctl_queue_stats *q)
{
	fprintf(to,
		"queue %s:\n"
		"current elements:\t\t%12" PRIu64 "\n"
		"maximum elements:\t\t%12" PRIu64 "\n"
		"not enough space errors:\t%12" PRIu64 "\n\n",
		name, q->len, q->max, q->no_space);
}

static void
view_queue(FILE *to, const struct ctl_stats *s)
{
	if (!s->sync)
		return;
	fprintf(to, "allocated queue nodes:\t\t%12" PRIu64 "\n\n", s->queue_nodes);
	queue_block(to, "txqueue", &s->txq);
	queue_block(to, "errorq", &s->errq);
	if (s->mode == MODE_FTFW)
		queue_block(to, "rsqueue", &s->rsq);
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
		[VIEW_QUEUE] = view_queue,
	};

	if (show[view] != NULL)
		show[view](to, s);
}

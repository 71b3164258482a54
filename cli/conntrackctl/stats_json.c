/*
 * struct ctl_stats as JSON, mostly by tables of names and places. conntrackctl(8) names the members.
 */
#include "stats_json.h"

#include <stddef.h>

#include "stats.h"

#define NITEMS(a) (sizeof(a) / sizeof((a)[0]))

/* A 64-bit counter of a struct. */
struct field {
	const char *name;
	size_t at;
};

static void
put_fields(yajl_gen g, const struct field *f, size_t n, const void *base)
{
	for (; n > 0; n--, f++) {
		uint64_t v;

		__builtin_memcpy(&v, (const char *)base + f->at, sizeof(v));
		json_number(g, f->name, v);
	}
}

#define F(name, type, member)                       \
	{                                           \
		name, offsetof(struct type, member) \
	}

static const struct field cache_fields[] = {
	F("active", cache_stats, active),
	F("total", cache_stats, total),
	F("created", cache_stats, created),
	F("create_failed", cache_stats, create_failed),
	F("no_memory", cache_stats, no_memory),
	F("no_space", cache_stats, no_space),
	F("updated", cache_stats, updated),
	F("update_failed", cache_stats, update_failed),
	F("update_missing", cache_stats, update_missing),
	F("destroyed", cache_stats, deleted),
	F("destroy_failed", cache_stats, delete_failed),
	F("destroy_missing", cache_stats, delete_missing),
};
static const struct field link_fields[] = {
	F("sent_bytes", ctl_link_stats, sent_bytes),
	F("sent_packets", ctl_link_stats, sent_pkts),
	F("send_errors", ctl_link_stats, sent_errors),
	F("received_bytes", ctl_link_stats, recv_bytes),
	F("received_packets", ctl_link_stats, recv_pkts),
	F("receive_errors", ctl_link_stats, recv_errors),
	F("foreign", ctl_link_stats, foreign),
};
static const struct field network_fields[] = {
	F("malformed", ctl_stats, malformed[0]),
	F("bad_version", ctl_stats, malformed[1]),
	F("bad_header", ctl_stats, malformed[2]),
	F("bad_payload", ctl_stats, malformed[3]),
	F("bad_type", ctl_stats, malformed[4]),
	F("truncated", ctl_stats, malformed[5]),
	F("bad_size", ctl_stats, malformed[6]),
	F("send_malformed", ctl_stats, send_malformed),
	F("lost", ctl_stats, lost),
	F("before", ctl_stats, before),
	F("unknown_attributes", ctl_stats, unknown_attrs),
};
static const struct field netlink_fields[] = {
	F("events", ctl_stats, events),
	F("filtered", ctl_stats, events_filtered),
	F("unknown", ctl_stats, events_unknown),
	F("catch_failed", ctl_stats, catch_failed),
	F("dump_unknown", ctl_stats, dump_unknown),
	F("overruns", ctl_stats, overruns),
	F("flushes", ctl_stats, kernel_flushes),
	F("resyncs", ctl_stats, kernel_resyncs),
	F("buffer_size", ctl_stats, buffer_size),
};
static const struct field runtime_fields[] = {
	F("local_read_failed", ctl_stats, local_read_failed), F("local_unknown", ctl_stats, local_unknown),
	F("local_denied", ctl_stats, local_denied),           F("log_lost", ctl_stats, log_lost),
	F("wall_refused", ctl_stats, wall_refused),
};
static const struct field commit_fields[] = {
	F("count", ctl_stats, commits),
	F("committed", ctl_stats, committed),
	F("failed", ctl_stats, commit_failed),
};
static const struct field traffic_fields[] = {
	F("bytes", ctl_stats, traffic_bytes),
	F("packets", ctl_stats, traffic_pkts),
};
static const struct field queue_fields[] = {
	F("length", ctl_queue_stats, len),
	F("maximum", ctl_queue_stats, max),
	F("no_space", ctl_queue_stats, no_space),
};

static void
put_map(yajl_gen g, const char *name, const struct field *f, size_t n, const void *base)
{
	json_map(g, name);
	put_fields(g, f, n, base);
	yajl_gen_map_close(g);
}
#define PUT_MAP(g, name, fields, base) put_map(g, name, fields, NITEMS(fields), base)

static void
part_cache(yajl_gen g, const struct ctl_stats *s)
{
	json_map(g, "caches");
	if (s->sync || s->stats_mode)
		PUT_MAP(g, s->sync ? "internal" : "stats", cache_fields, &s->internal);
	if (s->sync)
		PUT_MAP(g, "external", cache_fields, &s->external);
	yajl_gen_map_close(g);
	json_bool(g, "internal_disabled", s->internal_disabled);
	json_bool(g, "external_disabled", s->external_disabled);
}

static void
part_expect(yajl_gen g, const struct ctl_stats *s)
{
	if (!s->sync || !s->expect_sync)
		return;
	json_map(g, "expect_caches");
	PUT_MAP(g, "internal", cache_fields, &s->internal_exp);
	PUT_MAP(g, "external", cache_fields, &s->external_exp);
	yajl_gen_map_close(g);
}

static void
part_network(yajl_gen g, const struct ctl_stats *s)
{
	if (s->sync)
		PUT_MAP(g, "network", network_fields, s);
}

static void
put_link(yajl_gen g, const struct ctl_link_stats *l)
{
	json_map(g, NULL);
	json_text(g, "device", l->ifname);
	json_text(g, "kind", stats_link_kind(l));
	json_text(g, "status", stats_link_status(l));
	json_bool(g, "active", l->active);
	if (l->kind == LINK_TCP) {
		json_bool(g, "server_connected", l->server);
		json_bool(g, "client_connected", l->client);
	}
	put_fields(g, link_fields, NITEMS(link_fields), l);
	yajl_gen_map_close(g);
}

void
stats_json_links(yajl_gen g, const struct ctl_stats *s)
{
	if (!s->sync)
		return;
	json_array(g, "links");
	for (unsigned int i = 0; i < s->n_links; i++)
		put_link(g, &s->link[i]);
	yajl_gen_array_close(g);
}

static void
part_queue(yajl_gen g, const struct ctl_stats *s)
{
	if (!s->sync)
		return;
	json_map(g, "queues");
	json_number(g, "nodes", s->queue_nodes);
	PUT_MAP(g, "tx", queue_fields, &s->txq);
	PUT_MAP(g, "error", queue_fields, &s->errq);
	PUT_MAP(g, "resend", queue_fields, &s->rsq);
	yajl_gen_map_close(g);
}

static void
part_process(yajl_gen g, const struct ctl_stats *s)
{
	const struct msg_status *st = &s->status;

	json_number(g, "parent_pid", st->parent_pid);
	json_number(g, "takeovers", st->takeovers);
	json_number(g, "worker_deaths", st->worker_deaths);
	json_number(g, "worker_signals", st->worker_signals);
	json_array(g, "processes");
	for (unsigned int i = 0; i < st->n_workers; i++) {
		const struct msg_worker *w = &st->worker[i];

		json_map(g, NULL);
		json_number(g, "pid", w->pid > 0 ? (uint64_t)w->pid : 0);
		json_text(g, "role", stats_worker_role(w));
		json_text(g, "state", stats_worker_state(w));
		json_number(g, "index", w->index);
		json_number(g, "refused", w->refused);
		yajl_gen_map_close(g);
	}
	yajl_gen_array_close(g);
}

static void
part_runtime(yajl_gen g, const struct ctl_stats *s)
{
	json_number(g, "uptime", s->uptime);
	PUT_MAP(g, "netlink", netlink_fields, s);
	PUT_MAP(g, "runtime", runtime_fields, s);
}

void
stats_json_peer(yajl_gen g, const struct ctl_stats *s)
{
	if (!s->sync)
		return;
	json_map(g, "peer");
	json_bool(g, "known", s->peer_known);
	json_bool(g, "in_sync", s->peer_in_sync);
	if (s->peer_known)
		json_number(g, "silent", s->peer_silent);
	json_number(g, "resyncs_sent", s->resyncs_sent);
	json_number(g, "resyncs_served", s->resyncs_served);
	yajl_gen_map_close(g);
}

static void
part_all(yajl_gen g, const struct ctl_stats *s)
{
	part_cache(g, s);
	part_expect(g, s);
	PUT_MAP(g, "traffic", traffic_fields, s);
	stats_json_links(g, s);
	stats_json_peer(g, s);
	part_network(g, s);
	part_queue(g, s);
	PUT_MAP(g, "commits", commit_fields, s);
	json_bool(g, "commit_running", s->commit_running);
	json_bool(g, "purge_armed", s->purge_armed);
	part_runtime(g, s);
	part_process(g, s);
}

void
stats_json(FILE *to, const struct ctl_stats *s, enum view view)
{
	static void (*const part[VIEW_MAX])(yajl_gen, const struct ctl_stats *) = {
		[VIEW_GENERAL] = part_all, [VIEW_EXPECT] = part_expect,   [VIEW_NETWORK] = part_network,
		[VIEW_CACHE] = part_cache, [VIEW_RUNTIME] = part_runtime, [VIEW_LINK] = stats_json_links,
		[VIEW_QUEUE] = part_queue, [VIEW_PROCESS] = part_process,
	};
	yajl_gen g = json_begin(to);

	if (g == NULL)
		return;
	json_text(g, "mode", stats_mode(s));
	json_text(g, "role", stats_role(s));
	if (part[view] != NULL)
		part[view](g, s);
	json_end(g, to);
}

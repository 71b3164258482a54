/*
 * struct ctl_stats as JSON, the numbers by the table of figures. conntrackctl(8) names the members.
 */
#include "stats_json.h"

#include <string.h>

#include "stats.h"
#include "walls.h"

/* All figures of a group, as members of the map that is open. */
static void
put_figures(yajl_gen g, enum figure_group group, const void *base)
{
	const struct figure_list *l = &figure_groups[group];

	for (const struct figure *f = l->row; f < l->row + l->n; f++) {
		uint64_t v = figure_value(f, base);

		if (f->kind == FIG_FLAG)
			json_bool(g, f->name, v != 0);
		else if (f->kind != FIG_AGE || v != FIG_NEVER)
			json_number(g, f->name, v);
	}
}

static void
put_map(yajl_gen g, const char *name, enum figure_group group, const void *base)
{
	json_map(g, name);
	put_figures(g, group, base);
	yajl_gen_map_close(g);
}

/* What is at a path, of all its groups, as members of the map that is open. */
static void
put_path(yajl_gen g, const struct ctl_stats *s, const char *path)
{
	for (const struct figure_place *p = figure_places; p < figure_places + figure_places_n; p++)
		if (strcmp(p->path, path) == 0)
			put_figures(g, p->group, (const char *)s + p->at);
}

static void
put_path_map(yajl_gen g, const struct ctl_stats *s, const char *path)
{
	json_map(g, path);
	put_path(g, s, path);
	yajl_gen_map_close(g);
}

static void
part_cache(yajl_gen g, const struct ctl_stats *s)
{
	json_map(g, "caches");
	if (s->sync || s->stats_mode)
		put_map(g, s->sync ? "internal" : "stats", GROUP_CACHE, &s->internal);
	if (s->sync)
		put_map(g, "external", GROUP_CACHE, &s->external);
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
	put_map(g, "internal", GROUP_CACHE, &s->internal_exp);
	put_map(g, "external", GROUP_CACHE, &s->external_exp);
	yajl_gen_map_close(g);
}

static void
part_network(yajl_gen g, const struct ctl_stats *s)
{
	if (s->sync)
		put_path_map(g, s, "network");
}

static void
put_refused(yajl_gen g, const struct ctl_link_stats *l)
{
	char addr[STATS_ADDR], remedy[STATS_REMEDY];

	json_array(g, "refused");
	for (int i = 0; i < CTL_REFUSED_MAX && l->refused[i].family != 0; i++) {
		const struct ctl_refused *r = &l->refused[i];

		json_map(g, NULL);
		json_text(g, "address", stats_addr(r->family, r->addr, addr));
		json_number(g, "port", r->port);
		json_text(g, "reason", stats_refused(r));
		json_number(g, "datagrams", r->count);
		json_number(g, "ago", r->ago);
		json_text(g, "accepted_by", stats_remedy(r, remedy));
		yajl_gen_map_close(g);
	}
	yajl_gen_array_close(g);
	json_number(g, "refused_others", l->refused_others);
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
	put_figures(g, GROUP_LINK, &l->count);
	if (l->send_error != 0)
		json_text(g, "send_error", strerror(-l->send_error));
	put_refused(g, l);
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
	put_path(g, s, "queues");
	put_map(g, "tx", GROUP_QUEUE, &s->txq);
	put_map(g, "error", GROUP_QUEUE, &s->errq);
	put_map(g, "resend", GROUP_QUEUE, &s->rsq);
	yajl_gen_map_close(g);
}

static void
part_process(yajl_gen g, const struct ctl_stats *s)
{
	const struct msg_status *st = &s->status;

	json_number(g, "parent_pid", st->parent_pid);
	put_figures(g, GROUP_PROCESSES, st);
	json_array(g, "walls_left_out");
	for (unsigned int n = 0; wall_name(n) != NULL; n++)
		if (st->left_out & 1 << n)
			json_text(g, NULL, wall_name(n));
	yajl_gen_array_close(g);
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
	put_figures(g, GROUP_DAEMON, &s->daemon);
	put_path_map(g, s, "netlink");
	put_path_map(g, s, "runtime");
}

/* Where more than one is heard. */
static void
put_peers(yajl_gen g, const struct ctl_stats *s)
{
	char addr[STATS_ADDR];

	json_array(g, "peers");
	for (int i = 0; i < CTL_PEERS_MAX && s->peers[i].family != 0; i++) {
		const struct ctl_peer *p = &s->peers[i];

		json_map(g, NULL);
		json_text(g, "address", stats_addr(p->family, p->addr, addr));
		json_text(g, "device", p->link < s->n_links ? s->link[p->link].ifname : "?");
		json_bool(g, "in_sync", p->in_sync);
		json_number(g, "silent", p->silent);
		json_number(g, "lost", p->lost);
		json_number(g, "before", p->before);
		json_array(g, "differs");
		for (unsigned int bit = 1; bit <= CTL_DIFFERS_DEAF; bit <<= 1)
			if (p->differs & bit)
				json_text(g, NULL, stats_differs(bit));
		yajl_gen_array_close(g);
		yajl_gen_map_close(g);
	}
	yajl_gen_array_close(g);
}

void
stats_json_peer(yajl_gen g, const struct ctl_stats *s)
{
	if (!s->sync)
		return;
	put_path_map(g, s, "peer");
	if (s->peers[0].family != 0)
		put_peers(g, s);
}

static void
part_all(yajl_gen g, const struct ctl_stats *s)
{
	part_cache(g, s);
	part_expect(g, s);
	put_path_map(g, s, "traffic");
	stats_json_links(g, s);
	stats_json_peer(g, s);
	part_network(g, s);
	part_queue(g, s);
	put_path_map(g, s, "commits");
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
		[VIEW_QUEUE] = part_queue, [VIEW_PROCESS] = part_process, [VIEW_ALL] = part_all,
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

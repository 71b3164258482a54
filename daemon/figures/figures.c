/*
 * The rows of figures.h as a table.
 */
#include "figures.h"

#include <string.h>

#include "msg.h"

#define NITEMS(a) (sizeof(a) / sizeof((a)[0]))

#define ROW(type, member, name, kind, unit, help, warning) \
	{name, help, warning, offsetof(struct type, member), sizeof(((struct type *)0)->member), kind, unit},
#define ROW_CACHE(...)     ROW(cache_stats, __VA_ARGS__)
#define ROW_TRAFFIC(...)   ROW(fig_traffic, __VA_ARGS__)
#define ROW_LINK(...)      ROW(fig_link, __VA_ARGS__)
#define ROW_PEER(...)      ROW(fig_peer, __VA_ARGS__)
#define ROW_NETWORK(...)   ROW(fig_network, __VA_ARGS__)
#define ROW_QUEUES(...)    ROW(fig_queues, __VA_ARGS__)
#define ROW_QUEUE(...)     ROW(fig_queue, __VA_ARGS__)
#define ROW_COMMITS(...)   ROW(fig_commits, __VA_ARGS__)
#define ROW_DAEMON(...)    ROW(fig_daemon, __VA_ARGS__)
#define ROW_INTAKE(...)    ROW(fig_intake, __VA_ARGS__)
#define ROW_RESYNC(...)    ROW(fig_resync, __VA_ARGS__)
#define ROW_NETLINK(...)   ROW(fig_netlink, __VA_ARGS__)
#define ROW_LOCAL(...)     ROW(fig_local, __VA_ARGS__)
#define ROW_RUNTIME(...)   ROW(fig_runtime, __VA_ARGS__)
#define ROW_PROCESSES(...) ROW(msg_status, __VA_ARGS__)

/* clang-format off */
static const struct figure cache[] = {FIGURES_CACHE(ROW_CACHE)};
static const struct figure traffic[] = {FIGURES_TRAFFIC(ROW_TRAFFIC)};
static const struct figure link_rows[] = {FIGURES_LINK(ROW_LINK)};
static const struct figure peer[] = {FIGURES_PEER(ROW_PEER)};
static const struct figure network[] = {FIGURES_NETWORK(ROW_NETWORK)};
static const struct figure queues[] = {FIGURES_QUEUES(ROW_QUEUES)};
static const struct figure queue[] = {FIGURES_QUEUE(ROW_QUEUE)};
static const struct figure commits[] = {FIGURES_COMMITS(ROW_COMMITS)};
static const struct figure daemon_rows[] = {FIGURES_DAEMON(ROW_DAEMON)};
static const struct figure intake[] = {FIGURES_INTAKE(ROW_INTAKE)};
static const struct figure resync[] = {FIGURES_RESYNC(ROW_RESYNC)};
static const struct figure netlink[] = {FIGURES_NETLINK(ROW_NETLINK)};
static const struct figure local[] = {FIGURES_LOCAL(ROW_LOCAL)};
static const struct figure runtime[] = {FIGURES_RUNTIME(ROW_RUNTIME)};
static const struct figure processes[] = {FIGURES_PROCESSES(ROW_PROCESSES)};
/* clang-format on */

#define GROUP(name, rows)                \
	{                                \
		name, rows, NITEMS(rows) \
	}
const struct figure_list figure_groups[GROUP_MAX] = {
	[GROUP_CACHE] = GROUP("cache", cache),
	[GROUP_TRAFFIC] = GROUP("traffic", traffic),
	[GROUP_LINK] = GROUP("link", link_rows),
	[GROUP_PEER] = GROUP("peer", peer),
	[GROUP_NETWORK] = GROUP("network", network),
	[GROUP_QUEUES] = GROUP("queues", queues),
	[GROUP_QUEUE] = GROUP("queue", queue),
	[GROUP_COMMITS] = GROUP("commits", commits),
	[GROUP_DAEMON] = GROUP("daemon", daemon_rows),
	[GROUP_INTAKE] = GROUP("intake", intake),
	[GROUP_RESYNC] = GROUP("resync", resync),
	[GROUP_NETLINK] = GROUP("netlink", netlink),
	[GROUP_LOCAL] = GROUP("local", local),
	[GROUP_RUNTIME] = GROUP("runtime", runtime),
	[GROUP_PROCESSES] = GROUP("processes", processes),
};

uint64_t
figure_value(const struct figure *f, const void *base)
{
	uint64_t v = 0;
	uint32_t half;

	if (f->size == sizeof(v)) {
		memcpy(&v, (const char *)base + f->at, sizeof(v));
		return v;
	}
	memcpy(&half, (const char *)base + f->at, sizeof(half));
	return half;
}

const struct figure *
figure_find(enum figure_group group, const char *name, size_t len)
{
	const struct figure_list *g = &figure_groups[group];

	for (size_t i = 0; i < g->n; i++)
		if (strlen(g->row[i].name) == len && memcmp(g->row[i].name, name, len) == 0)
			return &g->row[i];
	return NULL;
}

const char *
figure_kind_name(enum figure_kind kind)
{
	static const char *const name[] = {
		[FIG_COUNTER] = "counter", [FIG_GAUGE] = "gauge", [FIG_FLAG] = "flag", [FIG_AGE] = "age"};

	return name[kind];
}

const char *
figure_unit_name(enum figure_unit unit)
{
	static const char *const name[] = {[FIG_PLAIN] = "", [FIG_BYTES] = "bytes", [FIG_SECONDS] = "seconds"};

	return name[unit];
}

/*
 * What client and server share: where the figures are, what of them is recent, and what tells two builds apart.
 */
#include "ctl_msg.h"

#include <string.h>

#define NITEMS(a) (sizeof(a) / sizeof((a)[0]))

#define AT(member) offsetof(struct ctl_stats, member)
const struct figure_place figure_places[] = {
	{"", GROUP_DAEMON, AT(daemon), NULL},
	{"caches.internal", GROUP_CACHE, AT(internal), "flows of this firewall"},
	{"caches.external", GROUP_CACHE, AT(external), "flows of the peers"},
	{"expect_caches.internal", GROUP_CACHE, AT(internal_exp), "expectations of this firewall"},
	{"expect_caches.external", GROUP_CACHE, AT(external_exp), "expectations of the peers"},
	{"traffic", GROUP_TRAFFIC, AT(traffic), NULL},
	{"peer", GROUP_PEER, AT(peer), NULL},
	{"network", GROUP_NETWORK, AT(network), NULL},
	{"queues", GROUP_QUEUES, AT(queues), NULL},
	{"queues.tx", GROUP_QUEUE, AT(txq), NULL},
	{"queues.error", GROUP_QUEUE, AT(errq), NULL},
	{"queues.resend", GROUP_QUEUE, AT(rsq), NULL},
	{"commits", GROUP_COMMITS, AT(commits), NULL},
	{"netlink", GROUP_INTAKE, AT(intake), NULL},
	{"netlink", GROUP_RESYNC, AT(resync), NULL},
	{"netlink", GROUP_NETLINK, AT(netlink), NULL},
	{"runtime", GROUP_LOCAL, AT(local), NULL},
	{"runtime", GROUP_RUNTIME, AT(runtime), NULL},
	{"", GROUP_PROCESSES, AT(status), NULL},
};
const size_t figure_places_n = NITEMS(figure_places);

bool
figure_watched(unsigned int i, const struct figure_place **place, const struct figure **row)
{
	for (*place = figure_places; *place < figure_places + figure_places_n; ++*place) {
		const struct figure_list *g = &figure_groups[(*place)->group];

		for (*row = g->row; *row < g->row + g->n; ++*row)
			if ((*row)->warning != NULL && (*row)->kind == FIG_COUNTER && i-- == 0)
				return true;
	}
	return false;
}

void
figure_watch(struct figure_watch *w, struct ctl_stats *s, uint64_t now)
{
	const struct figure_place *place;
	const struct figure *row;

	for (unsigned int i = 0; i < CTL_RECENT_MAX; i++) {
		uint64_t ago = (now - w->row[i].at) / 1000, v;

		s->recent[i] = (struct ctl_recent){0, FIG_NEVER};
		if (!figure_watched(i, &place, &row))
			continue;
		v = figure_value(row, (const char *)s + place->at);
		if (ago > FIGURE_RECENT_S)
			w->row[i].rise = 0;
		if (v > w->row[i].seen) {
			w->row[i].rise += v - w->row[i].seen;
			w->row[i].at = now;
			ago = 0;
		}
		w->row[i].seen = v;
		if (w->row[i].rise > 0)
			s->recent[i] = (struct ctl_recent){w->row[i].rise, ago};
	}
}

/* FNV-1a */
static uint32_t
mix(uint32_t h, size_t v)
{
	return (h ^ (uint32_t)v) * 16777619U;
}

static uint32_t
mix_text(uint32_t h, const char *p)
{
	for (; *p != '\0'; p++)
		h = mix(h, (unsigned char)*p);
	return h;
}

static uint32_t
mix_figures(uint32_t h)
{
	for (int g = 0; g < GROUP_MAX; g++)
		for (size_t i = 0; i < figure_groups[g].n; i++) {
			const struct figure *f = &figure_groups[g].row[i];

			h = mix(mix(mix_text(h, f->name), f->at), f->size);
		}
	for (size_t i = 0; i < figure_places_n; i++)
		h = mix(h, figure_places[i].at);
	return h;
}

#define END(type, member) offsetof(struct type, member) + sizeof(((struct type *)0)->member)
uint32_t
ctl_layout(void)
{
	static const size_t rest[] = {
		sizeof(struct ctl_stats),
		AT(n_links),
		AT(role),
		AT(commit_running),
		AT(purge_armed),
		AT(link),
		AT(peers),
		AT(recent),
		sizeof(struct ctl_link_stats),
		END(ctl_link_stats, unserved),
		END(ctl_link_stats, port),
		END(ctl_link_stats, send_error_ago),
		END(ctl_link_stats, count),
		END(ctl_link_stats, refused_others),
		sizeof(struct ctl_refused),
		END(ctl_refused, why),
		END(ctl_refused, port),
		CTL_REFUSED_WHYS,
		END(ctl_refused, count),
		END(ctl_refused, addr),
		sizeof(struct ctl_peer),
		END(ctl_peer, differs),
		END(ctl_peer, silent),
		END(ctl_peer, before),
		END(ctl_peer, addr),
		sizeof(struct ctl_recent),
		sizeof(struct msg_status),
		END(msg_status, n_workers),
		END(msg_status, worker),
		sizeof(struct msg_worker),
		END(msg_worker, state),
		END(msg_worker, refused),
		sizeof(struct ctl_flow),
		END(ctl_flow, expires),
		sizeof(struct flow),
		END(flow, addr),
		END(flow, have),
		END(flow, l4),
		END(flow, mark),
		sizeof(struct flow_side),
		END(flow_side, helper),
		sizeof(struct ctl_expect),
		sizeof(struct expect),
		END(expect, helper),
		END(expect, have),
		sizeof(struct ctl_rsq),
		END(ctl_rsq, control),
		ROLE_MAX,
	};
	uint32_t h = mix_figures(2166136261U);

	for (size_t i = 0; i < NITEMS(rest); i++)
		h = mix(h, rest[i]);
	return h;
}

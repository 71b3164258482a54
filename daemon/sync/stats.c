/*
 * The figures of `conntrackctl status' and of the 1.4.x -s texts. Looked at every few seconds, too, to know what is
 * recent.
 */
#include <string.h>

#include "sync.h"

static_assert((int)CTL_LINK_RUNNING == (int)LINK_RUNNING && (int)CTL_LINK_NO_CARRIER == (int)LINK_NO_CARRIER,
	      "same words");
static_assert(CTL_PEERS_MAX == MODE_PEERS && CTL_REFUSED_MAX == REFUSED_MAX, "room for all");

static void
put_refused(const struct links *ls, unsigned int i, uint64_t now, struct ctl_link_stats *out)
{
	const struct refused *r;

	out->refused_others = ls->link[i].refused;
	for (unsigned int k = 0; k < CTL_REFUSED_MAX && (r = senders_refused(&ls->senders, i, k, now)) != NULL; k++) {
		out->refused[k] = (struct ctl_refused){.family = r->from.family,
						       .why = r->why,
						       .port = r->from.port,
						       .ago = (uint32_t)((now - r->at) / 1000),
						       .count = r->count};
		memcpy(out->refused[k].addr, r->from.addr, sizeof(out->refused[k].addr));
		out->refused_others -= r->count;
	}
}

static void
put_link(const struct links *ls, unsigned int i, uint64_t now, struct ctl_link_stats *out)
{
	const struct link *l = &ls->link[i];

	memcpy(out->ifname, l->conf->ifname, sizeof(out->ifname));
	out->kind = l->conf->kind;
	out->active = i == ls->active;
	out->status = l->status;
	out->port = l->conf->port;
	out->count = links_stats(ls, i);
	out->send_error = l->failed_at > 0 && l->channel != NULL ? l->channel->send_error : 0;
	out->send_error_ago = l->failed_at > 0 ? (uint32_t)((now - l->failed_at) / 1000) : 0;
	out->unserved = links_unserved(ls, i, now);
	put_refused(ls, i, now, out);
}

/* Those that are known, at the address that they were last heard from. */
static void
put_peers(const struct peers *peers, uint64_t now, struct ctl_peer *out)
{
	const struct mode *mode = peers_mode(peers);
	const struct channel_from *from;
	struct mode_peer p;

	for (unsigned int i = 0; i < MODE_PEERS; i++) {
		mode->ops->peer(mode, i, &p, now);
		if (p.heard == 0 || (from = senders_address(&peers_links(peers)->senders, i)) == NULL)
			continue;
		*out = (struct ctl_peer){.family = from->family,
					 .link = (uint8_t)senders_link(&peers_links(peers)->senders, i),
					 .in_sync = p.in_sync,
					 .differs = peers_odds(peers, i) > ODDS_DEAF    ? CTL_DIFFERS_MODE
						    : peers_odds(peers, i) == ODDS_DEAF ? CTL_DIFFERS_DEAF
											: 0,
					 .silent = (uint32_t)((now - p.heard) / 1000),
					 .lost = p.lost,
					 .before = p.before};
		memcpy(out++->addr, from->addr, sizeof(from->addr));
	}
}

static void
put_network(const struct sync *s, const struct mode_stats *ms, const struct peers_stats *ps, struct fig_network *n)
{
	const uint64_t *m = ps->malformed;

	n->bad_version = m[WIRE_BAD_VERSION];
	n->bad_header = m[WIRE_BAD_HEADER] + ms->malformed;
	n->bad_payload = m[WIRE_BAD_PAYLOAD];
	n->bad_type = m[WIRE_BAD_TYPE] + ms->bad_type;
	n->truncated = m[WIRE_TRUNCATED];
	n->bad_size = m[WIRE_BAD_SIZE];
	n->malformed = n->bad_version + n->bad_header + n->bad_payload + n->bad_type + n->truncated + n->bad_size;
	n->send_malformed = ps->unsendable + ps->uncarried + s->store.unsent;
	n->unknown_attributes = ps->unknown_attrs;
	n->lost = ms->lost;
	n->before = ms->before;
}

static void
put_peer(const struct sync *s, const struct mode_stats *ms, const struct peers_stats *ps, struct ctl_stats *st)
{
	st->peer.known = ms->peer_known;
	st->peer.in_sync = ms->in_sync;
	st->peer.silent = ms->peer_known ? (s->clock.ms - ms->heard) / 1000 : FIG_NEVER;
	st->peer.resyncs_sent = ps->resyncs_sent;
	st->peer.resyncs_served = ps->resyncs_served;
	st->txq = (struct fig_queue){.length = ms->tx_len, .maximum = INT32_MAX};
	st->rsq = (struct fig_queue){
		.length = ms->rs_len, .maximum = s->conf.resend_queue_size, .no_space = ms->overflows};
	st->errq = (struct fig_queue){.maximum = s->conf.error_queue_len};
	st->queues.nodes = ms->tx_len + ms->rs_len;
}

static void
put_kernel(const struct sync *s, struct ctl_stats *st)
{
	st->intake = s->intake.count;
	st->traffic = s->intake.traffic;
	st->resync = s->resync.count;
	st->netlink.catch_failed = s->resync.count.overruns;
	st->netlink.buffer_size = s->parent.bufsize;
}

static void
put_ha(const struct sync *s, struct ctl_stats *st)
{
	struct ha_stats hs;

	ha_stats(s->ha, &hs);
	st->role = (uint8_t)hs.role;
	st->commit_running = hs.commit_running;
	st->purge_armed = hs.purge_armed;
	st->netlink.flushes = hs.kernel_flushes;
	st->commits = hs.commits;
}

void
sync_figures(struct sync *s, struct ctl_stats *st)
{
	const struct links *links = peers_links(s->peers);
	const struct mode *mode = peers_mode(s->peers);
	const bool direct = conf_direct(&s->conf);
	struct peers_stats ps;
	struct mode_stats ms;

	mode->ops->stats(mode, &ms, s->clock.ms);
	peers_stats(s->peers, &ps);
	st->sync = 1;
	st->mode = (uint8_t)s->conf.mode;
	st->internal_disabled = s->conf.disable_internal_cache;
	st->external_disabled = s->conf.disable_external_cache;
	st->expect_sync = s->conf.expect_sync;
	st->n_links = (uint8_t)links->n;
	st->daemon.uptime = (s->clock.ms - s->started_at) / 1000;
	st->internal = direct ? s->direct[SLOT_FLOW] : *cache_stats(s->store.t.of[SLOT_FLOW]);
	st->internal_exp = direct ? s->direct[SLOT_EXPECT] : *cache_stats(s->store.t.of[SLOT_EXPECT]);
	st->external = *s->apply.stats(s->apply.arg, SLOT_FLOW);
	st->external_exp = *s->apply.stats(s->apply.arg, SLOT_EXPECT);
	put_network(s, &ms, &ps, &st->network);
	put_peer(s, &ms, &ps, st);
	put_kernel(s, st);
	put_ha(s, st);
	st->local = *control_counts(s->control);
	st->runtime = (struct fig_runtime){.log_lost = s->log->lost, .wall_refused = s->wall_refused};
	for (unsigned int i = 0; i < links->n; i++)
		put_link(links, i, s->clock.ms, &st->link[i]);
	put_peers(s->peers, s->clock.ms, st->peers);
	st->status = s->parent;
	figure_watch(&s->watch, st, s->clock.ms);
}

/*
 * The figures of `conntrackctl status' and of the 1.4.x -s texts. Called by verbs.c.
 */
#include <string.h>

#include "sync.h"

static void
put_link(const struct links *ls, unsigned int i, struct ctl_link_stats *out)
{
	const struct link *l = &ls->link[i];
	struct channel_stats cs = links_stats(ls, i);

	memcpy(out->ifname, l->conf->ifname, sizeof(out->ifname));
	out->kind = l->conf->kind;
	out->active = i == ls->active;
	out->status = l->status;
	out->sent_bytes = cs.sent_bytes;
	out->sent_pkts = cs.sent_pkts;
	out->sent_errors = cs.sent_errors;
	out->recv_bytes = cs.recv_bytes;
	out->recv_pkts = cs.recv_pkts;
	out->recv_errors = cs.recv_errors;
	out->foreign = cs.foreign;
}

static void
put_network(const struct sync *s, const struct mode_stats *ms, struct ctl_stats *st)
{
	struct peers_stats ps;

	peers_stats(s->peers, &ps);
	for (int i = 1; i < WIRE_ERRORS; i++)
		st->malformed[i] = ps.malformed[i];
	st->malformed[WIRE_BAD_HEADER] += ms->malformed;
	st->malformed[WIRE_BAD_TYPE] += ms->bad_type;
	for (int i = 1; i < WIRE_ERRORS; i++)
		st->malformed[0] += st->malformed[i];
	st->send_malformed = ps.unsendable + ps.uncarried + s->store.unsent;
	st->unknown_attrs = ps.unknown_attrs;
	st->lost = ms->lost;
	st->before = ms->before;
	st->peer_known = ms->peer_known;
	st->peer_in_sync = ms->in_sync;
	st->peer_silent = ms->heard > 0 ? (uint32_t)((s->clock.ms - ms->heard) / 1000) : 0;
	st->resyncs_sent = (uint32_t)ps.resyncs_sent;
	st->resyncs_served = (uint32_t)ps.resyncs_served;
	st->txq = (struct ctl_queue_stats){.len = ms->tx_len, .max = INT32_MAX};
	st->rsq = (struct ctl_queue_stats){
		.len = ms->rs_len, .max = s->conf.resend_queue_size, .no_space = ms->overflows};
	st->errq = (struct ctl_queue_stats){.max = s->conf.error_queue_len};
	st->queue_nodes = ms->tx_len + ms->rs_len;
}

static void
put_kernel(const struct sync *s, struct ctl_stats *st)
{
	const struct counters *c = &s->count;

	st->events = c->events;
	st->events_filtered = c->filtered;
	st->events_unknown = c->unknown;
	st->catch_failed = c->catch_failed;
	st->dump_unknown = c->dump_unknown;
	st->overruns = c->overruns;
	st->kernel_flushes = c->kernel_flushes;
	st->kernel_resyncs = c->kernel_resyncs;
	st->buffer_size = s->parent.bufsize;
	st->traffic_bytes = c->traffic_bytes;
	st->traffic_pkts = c->traffic_pkts;
}

void
verb_stats(const struct sync *s, struct ctl_stats *st)
{
	const struct ctl_counts *cc = ctl_counts(s->ctl);
	const struct links *links = peers_links(s->peers);
	const struct mode *mode = peers_mode(s->peers);
	struct mode_stats ms;

	mode->ops->stats(mode, &ms);
	st->sync = 1;
	st->mode = (uint8_t)s->conf.mode;
	st->internal_disabled = s->conf.disable_internal_cache;
	st->external_disabled = s->conf.disable_external_cache;
	st->expect_sync = s->conf.expect_sync;
	st->n_links = (uint8_t)links->n;
	st->role = (uint8_t)s->role;
	st->uptime = (uint32_t)((s->clock.ms - s->started_at) / 1000);
	st->internal = s->bypass ? s->bypassed[0] : *cache_stats(s->store.t.of[SLOT_FLOW]);
	st->internal_exp = s->bypass ? s->bypassed[1] : *cache_stats(s->store.t.of[SLOT_EXPECT]);
	st->external = *s->apply.stats(s->apply.arg, SLOT_FLOW);
	st->external_exp = *s->apply.stats(s->apply.arg, SLOT_EXPECT);
	put_network(s, &ms, st);
	put_kernel(s, st);
	st->commit_running = commit_running(s->commit);
	st->purge_armed = s->purge_at != NEVER;
	st->commits = s->count.commits;
	st->committed = s->count.committed;
	st->commit_failed = s->count.commit_failed;
	st->local_read_failed = cc->read_failed;
	st->local_unknown = cc->unknown;
	st->local_denied = cc->denied;
	st->log_lost = s->log->lost;
	st->wall_refused = s->count.wall_refused;
	for (unsigned int i = 0; i < links->n; i++)
		put_link(links, i, &st->link[i]);
	st->status = s->parent;
}

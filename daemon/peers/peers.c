/*
 * Links and modes put together. Called by the sync role; datagrams are strangers' (receive.c), what goes out was chosen
 * by the mode.
 */
#include "peers.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "receive.h"

#define SEND_STEP 4096
#define LINKS_MS  250
#define REOPEN_MS 2000

struct rx_arg {
	struct peers *p;
	unsigned int link;
};

struct peers {
	struct peers_env env;
	struct peers_parts parts;
	struct mode *mode;
	struct links links;
	struct rx_arg rx_arg[MSG_LINKS_MAX];
	struct watch *rx[MSG_LINKS_MAX], *tx[MSG_LINKS_MAX];
	unsigned int remade; /* bit per link: said that its device is another one now */
	uint64_t links_at, reopen_at, mode_due;
	struct receive receive;
	struct bulk bulk;
	struct wire_enc_opts enc;
	uint64_t unsendable, uncarried;
};

/* What the mode found out; work follows in the turn function. */
static void
on_mode_event(void *arg, enum mode_event e)
{
	struct peers *p = arg;

	if (e == MODE_RESYNC_ASKED && !p->bulk.wanted) /* else it was said, and is not yet done */
		log_put(p->parts.log, LV_NOTICE, "resync requested by other node");
	if (e & (MODE_RESYNC_ASKED | MODE_STATE_LOST))
		bulk_want(&p->bulk, BULK_ASKED);
	else if (e & (MODE_PEER_NEW | MODE_PEER_KNOWS_US))
		bulk_want(&p->bulk, BULK_UNASKED);
	if (e & (MODE_PEER_NEW | MODE_PEER_KNOWS_US | MODE_PEER_LOST_OURS))
		bulk_ask(&p->bulk, false);
}

static void
unqueued(void *arg, enum slot_kind kind, uint32_t slot)
{
	const struct peers *p = arg;

	p->env.unqueued(p->env.arg, kind, slot);
}

int
peers_new(struct peers **made, const struct peers_parts *parts, const struct peers_env *env)
{
	const struct conf *conf = parts->conf;
	struct peers *p = *made = calloc(1, sizeof(*p));
	const struct mode_env menv = {p, parts->internal, on_mode_event, unqueued};

	if (p == NULL)
		return -ENOMEM;
	p->env = *env;
	p->parts = *parts;
	p->mode = (conf->mode == MODE_ALARM     ? alarm_new
		   : conf->mode == MODE_NOTRACK ? notrack_new
						: ftfw_new)(conf, &menv, (uint32_t)time(NULL), parts->clock->ms);
	if (p->mode == NULL)
		return -ENOMEM;
	p->receive = (struct receive){.to = parts->apply, .mode = p->mode, .clock = parts->clock};
	p->bulk = (struct bulk){.env = {env->arg, env->complete, env->announce, env->read_kernel},
				.log = parts->log,
				.clock = parts->clock,
				.mode = p->mode,
				.tables = parts->internal};
	p->enc = (struct wire_enc_opts){.wscale = conf->tcp_window_tracking, .no_timeout = conf->commit_timeout != 0};
	return 0;
}

void
peers_free(struct peers *p)
{
	if (p == NULL)
		return;
	links_clear(&p->links);
	if (p->mode != NULL)
		p->mode->ops->free(p->mode);
	free(p);
}

struct mode *
peers_mode(const struct peers *p)
{
	return p->mode;
}

const struct links *
peers_links(const struct peers *p)
{
	return &p->links;
}

void
peers_bulk(struct peers *p, enum bulk_why why)
{
	bulk_want(&p->bulk, why);
}

void
peers_ask(struct peers *p, bool by_operator)
{
	bulk_ask(&p->bulk, by_operator);
}

/* --- links --- */

static void
rx_datagram(void *arg, const uint8_t *data, size_t len)
{
	const struct rx_arg *ra = arg;

	peers_datagram(ra->p, ra->link, data, len);
}

void
peers_datagram(struct peers *p, unsigned int link, const uint8_t *data, size_t len)
{
	if (receive_datagram(&p->receive, data, len))
		links_heard(&p->links, link);
}

/* What the applier cannot take now waits in the socket: the turn function stops watching it. */
static void
rx_ready(void *arg, unsigned int ready)
{
	struct rx_arg *ra = arg;
	struct peers *p = ra->p;
	unsigned int left = p->parts.conf->event_limit, want;

	(void)ready;
	if (!p->env.serving(p->env.arg))
		return;
	while (left > 0 && (want = p->parts.apply.room(p->parts.apply.arg)) > 0) {
		int n;

		want = want < left ? want : left;
		n = channel_recv(p->links.link[ra->link].channel, want, rx_datagram, ra);
		if (n < (int)want)
			return;
		left -= want;
	}
}

static void
tx_ready(void *arg, unsigned int ready)
{
	struct rx_arg *ra = arg;

	(void)ready;
	watch_want(ra->p->tx[ra->link], 0); /* the turn function sends */
}

static void
opened(void *arg, unsigned int i)
{
	struct peers *p = arg;
	const struct channel *c = p->links.link[i].channel;

	p->rx[i] = watch_new(p->parts.loop, c->rx, rx_ready, &p->rx_arg[i]);
	p->tx[i] = watch_new(p->parts.loop, c->tx, tx_ready, &p->rx_arg[i]);
	if (p->rx[i] != NULL)
		watch_want(p->rx[i], LOOP_READ);
}

static void
closing(void *arg, unsigned int i)
{
	struct peers *p = arg;

	watch_free(p->rx[i]);
	watch_free(p->tx[i]);
	p->rx[i] = p->tx[i] = NULL;
}

static void
dedicated(void *arg, const char *ifname)
{
	struct peers *p = arg;

	if (ifname != NULL)
		log_put(p->parts.log, LV_NOTICE, "device `%s' becomes dedicated link", ifname);
	else
		log_put(p->parts.log, LV_ERROR, "no dedicated links available!");
}

void
peers_start(struct peers *p)
{
	const struct links_env env = {p, opened, closing, dedicated, link_probe};

	links_init(&p->links, p->parts.conf, &env);
	for (unsigned int i = 0; i < MSG_LINKS_MAX; i++)
		p->rx_arg[i] = (struct rx_arg){p, i};
	for (unsigned int i = 0; i < p->links.n; i++)
		p->env.open_link(p->env.arg, i);
	p->links_at = p->parts.clock->ms + LINKS_MS;
	p->reopen_at = p->parts.clock->ms + REOPEN_MS;
}

void
peers_channel(struct peers *p, const struct msg *m)
{
	struct msg_channel mc;
	int r;

	memcpy(&mc, m->data, sizeof(mc));
	r = links_open(&p->links, m->arg, &mc, m->fd[0], m->fd[1]);
	if (r == -ENODEV && (p->remade & 1U << m->arg) == 0) {
		p->remade |= 1U << m->arg;
		log_put(p->parts.log, LV_WARNING,
			"device `%s' was deleted and made again: its link is down until its sockets are opened anew",
			p->links.link[m->arg].conf->ifname);
	} else if (r < 0 && r != -ENODEV)
		log_put(p->parts.log, LV_ERROR, "link %u cannot be used: its MTU is too small, or there is no memory",
			m->arg + 1);
}

void
peers_channel_failed(struct peers *p, const struct msg *m)
{
	struct msg_error e;

	memcpy(&e, m->data, sizeof(e));
	if (m->arg < p->links.n && !p->links.link[m->arg].reopen)
		log_put(p->parts.log, LV_ERROR, "can't open channel socket on `%s': %s",
			p->links.link[m->arg].conf->ifname, strerror(-e.err));
}

static void
links_turn(struct peers *p)
{
	const uint64_t now = p->parts.clock->ms;

	if (now < p->links_at)
		return;
	p->links_at = now + LINKS_MS;
	links_poll(&p->links);
	if (now < p->reopen_at)
		return;
	p->reopen_at = now + REOPEN_MS;
	for (unsigned int i = 0; i < p->links.n; i++)
		if (p->links.link[i].channel == NULL || p->links.link[i].reopen)
			p->env.open_link(p->env.arg, i);
}

/* --- sending --- */

/* Builds one message where the channel wants it. */
static int
encode(struct peers *p, const struct mode_item *it, uint8_t *room)
{
	const struct entry *e;

	if (it->kind == ITEM_CONTROL)
		return wire_enc_ctl(it->flags, it->seq, it->from, it->to, room, CHANNEL_MSG_MAX);
	e = cache_entry(p->parts.internal->of[it->kind == ITEM_FLOW ? SLOT_FLOW : SLOT_EXPECT], it->slot);
	if (it->kind == ITEM_FLOW)
		return wire_enc_flow(&e->flow, (enum wire_type)(WIRE_CT_NEW + e->change), it->flags, it->seq, &p->enc,
				     room, CHANNEL_MSG_MAX);
	return wire_enc_expect(&e->expect, (enum wire_type)(WIRE_EXP_NEW + e->change), it->flags, it->seq, &p->enc,
			       room, CHANNEL_MSG_MAX);
}

static void
send_queue(struct peers *p)
{
	struct channel *c = links_active(&p->links);
	struct mode_item it;
	uint8_t *room;
	int n, len;

	if (c == NULL)
		return;
	for (n = 0; n < SEND_STEP; n++) {
		if ((room = channel_room(c)) == NULL || !p->mode->ops->next(p->mode, &it, p->parts.clock->ms))
			break;
		if ((len = encode(p, &it, room)) > 0)
			channel_add(c, (size_t)len);
		else
			p->unsendable++;
	}
	if (channel_flush(c) < 0)
		watch_want(p->tx[p->links.active], LOOP_WRITE);
	else if (n == SEND_STEP)
		loop_again(p->parts.loop);
}

void
peers_direct(struct peers *p, enum entry_change change, const struct flow *f, const struct expect *e)
{
	struct channel *c = links_active(&p->links);
	uint8_t *room = c != NULL ? channel_room(c) : NULL;
	uint32_t seq;
	int len;

	if (f != NULL && !wire_carries(f)) {
		p->uncarried++;
		return;
	}
	if (room == NULL) {
		p->unsendable++; /* nothing keeps it: it is lost to the peers */
		return;
	}
	seq = p->mode->ops->direct(p->mode, p->parts.clock->ms);
	if (f != NULL)
		len = wire_enc_flow(f, (enum wire_type)(WIRE_CT_NEW + change), 0, seq, &p->enc, room, CHANNEL_MSG_MAX);
	else
		len = wire_enc_expect(e, (enum wire_type)(WIRE_EXP_NEW + change), 0, seq, &p->enc, room,
				      CHANNEL_MSG_MAX);
	if (len > 0)
		channel_add(c, (size_t)len);
}

/* --- turns --- */

/* While the applier is behind, what peers send waits in their sockets. */
static void
throttle(struct peers *p)
{
	const bool room = p->parts.apply.room(p->parts.apply.arg) > 0;

	for (unsigned int i = 0; i < p->links.n; i++)
		if (p->rx[i] != NULL)
			watch_want(p->rx[i], room ? LOOP_READ : 0);
}

void
peers_turn(struct peers *p)
{
	if (p->parts.apply.turn(p->parts.apply.arg))
		bulk_ask(&p->bulk, false);
	throttle(p);
	links_turn(p);
	bulk_turn(&p->bulk);
	p->mode_due = p->mode->ops->tick(p->mode, p->parts.clock->ms);
	send_queue(p);
}

uint64_t
peers_due(const struct peers *p)
{
	uint64_t due = bulk_due(&p->bulk);

	due = p->links_at < due ? p->links_at : due;
	return p->mode_due < due ? p->mode_due : due;
}

void
peers_stats(const struct peers *p, struct peers_stats *st)
{
	*st = (struct peers_stats){.unknown_attrs = p->receive.unknown_attrs,
				   .unsendable = p->unsendable,
				   .uncarried = p->uncarried,
				   .resyncs_sent = p->bulk.asked,
				   .resyncs_served = p->bulk.sent};
	memcpy(st->malformed, p->receive.malformed, sizeof(st->malformed));
}

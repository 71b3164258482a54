/*
 * Links and modes put together. Datagrams are strangers' (receive.c), what goes out was chosen
 * by the mode.
 */
#include "peers.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "receive.h"

#define SEND_STEP 4096
#define LINKS_MS  250
#define REOPEN_MS 2000

struct rx_arg {
	struct peers *p;
	unsigned int link;
};

static_assert(SENDERS_PEERS == MODE_PEERS, "numbers of peers");

struct peers {
	struct peers_env env;
	struct peers_parts parts;
	struct mode *mode;
	struct links links;
	struct rx_arg rx_arg[MSG_LINKS_MAX];
	struct watch *rx[MSG_LINKS_MAX], *tx[MSG_LINKS_MAX];
	unsigned int remade; /* bit per link: said that its device is another one now */
	unsigned int full;   /* and that its socket takes no more now */
	bool room;           /* the applier takes datagrams */
	uint64_t links_at, reopen_at, mode_due;
	struct receive receive;
	struct notice notice;
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

/* 1.4.x begins with the time of day, and so do modes in which only counters read the numbers. In FT-FW nobody shall
 * guess it. */
static uint32_t
first_number(const struct conf *conf)
{
	uint32_t n = (uint32_t)time(NULL);

	if (conf->mode == MODE_FTFW)
		getrandom(&n, sizeof(n), GRND_NONBLOCK);
	return n;
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
	p->room = true;
	p->mode = (conf->mode == MODE_ALARM     ? alarm_new
		   : conf->mode == MODE_NOTRACK ? notrack_new
						: ftfw_new)(conf, &menv, first_number(conf), parts->clock->ms);
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

enum odds
peers_odds(const struct peers *p, unsigned int peer)
{
	return notice_odds(&p->notice, peer);
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

bool
peers_datagram(struct peers *p, unsigned int peer, const uint8_t *data, size_t len)
{
	return receive_datagram(&p->receive, peer, data, len);
}

static bool
datagram(void *arg, unsigned int peer, const uint8_t *data, size_t len)
{
	return peers_datagram(arg, peer, data, len);
}

static int
proves(void *arg, const uint8_t *data, size_t len)
{
	return receive_proves(&((struct peers *)arg)->receive, data, len);
}

static void
forget_peer(void *arg, unsigned int peer)
{
	struct mode *m = ((struct peers *)arg)->mode;

	m->ops->forget_peer(m, peer);
}

/* What the applier cannot take now waits in the socket: the turn function stops watching it. */
static void
read_link(struct peers *p, unsigned int link)
{
	unsigned int left = p->parts.conf->event_limit, want;

	if (!p->env.serving(p->env.arg))
		return;
	while (left > 0 && (want = p->parts.apply.room(p->parts.apply.arg)) > 0) {
		want = want < left ? want : left;
		if (links_recv(&p->links, link, want, p->parts.clock->ms) < want)
			return;
		left -= want;
	}
}

/* What the peer sends comes in on both sockets. full: the one that sends does not take more now. */
static void
watch_link(struct peers *p, unsigned int i, bool full)
{
	const unsigned int in = p->room ? LOOP_READ : 0;

	p->full = full ? p->full | 1U << i : p->full & ~(1U << i);
	if (p->rx[i] != NULL)
		watch_want(p->rx[i], in);
	if (p->tx[i] != NULL)
		watch_want(p->tx[i], in | (full ? LOOP_WRITE : 0U));
}

static void
rx_ready(void *arg, unsigned int ready)
{
	const struct rx_arg *ra = arg;

	(void)ready;
	read_link(ra->p, ra->link);
}

/* The turn function sends what could not be sent. */
static void
tx_ready(void *arg, unsigned int ready)
{
	const struct rx_arg *ra = arg;

	if (ready & LOOP_WRITE)
		watch_link(ra->p, ra->link, false);
	if (ready & LOOP_READ)
		read_link(ra->p, ra->link);
}

static void
opened(void *arg, unsigned int i)
{
	struct peers *p = arg;
	const struct channel *c = p->links.link[i].channel;

	p->rx[i] = watch_new(p->parts.loop, c->rx, rx_ready, &p->rx_arg[i]);
	p->tx[i] = watch_new(p->parts.loop, c->tx, tx_ready, &p->rx_arg[i]);
	watch_link(p, i, false);
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
	const struct links_env env = {p, opened, closing, dedicated, link_probe, datagram, proves, forget_peer};

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
	links_poll(&p->links, now);
	notice_turn(&p->notice, &p->links, p->mode, p->parts.conf->mode, p->parts.log, now);
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
		watch_link(p, p->links.active, true);
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
	p->room = p->parts.apply.room(p->parts.apply.arg) > 0;
	for (unsigned int i = 0; i < p->links.n; i++)
		watch_link(p, i, p->full >> i & 1);
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

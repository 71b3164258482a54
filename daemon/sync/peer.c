/*
 * Messages to and from the other firewalls. What arrives is a stranger's until wire_next(), the mode and the codec have
 * looked at it; every refusal is counted.
 */
#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "sync.h"

#define SEND_STEP     4096
#define BULK_WAIT_MS  300   /* a new peer usually asks by itself: one bulk serves both */
#define BULK_PAUSE_MS 2000  /* at most, between bulk sends that a peer asked for: the time of ... */
#define BULK_PER_MS   20    /* ... the entries that may be sent that way, but ... */
#define BULK_LEAST_MS 100   /* ... at least that: each is two lines in the log */
#define ASK_PAUSE_MS  10000 /* between requests that we make of our own accord */
#define LINKS_MS      250
#define REOPEN_MS     2000
#define BULK_MS       10
#define EXPIRE_MS     2000
#define EXPIRE_STEPS  8
/* status bits that only the kernel itself may set: dying, template, untracked, offload */
#define STATUS_LOCAL 0x5a00u

static void
apply(struct sync *s, enum slot_kind kind, enum entry_change change, const void *object)
{
	struct cache *c = s->external.of[kind];
	uint32_t slot = cache_find(c, object);

	if (change == ENTRY_DEL) {
		if (slot != SLOT_NONE)
			cache_drop(c, slot);
		else
			cache_note_missing(c);
	} else if (slot == SLOT_NONE) {
		if (cache_insert(c, object, s->now_s, &slot) != -ENOSPC)
			return;
		s->external_full++;
		s->external_missed = s->external_missed || kind == SLOT_FLOW;
	} else {
		cache_entry(c, slot)->gen = 0; /* a commit that runs has not written this */
		(kind == SLOT_FLOW && change == ENTRY_NEW ? cache_revive : cache_update)(c, slot, object, s->now_s);
	}
}

static void
apply_flow(struct sync *s, enum entry_change change, struct flow *f)
{
	if (change != ENTRY_DEL)
		f->status &= ~STATUS_LOCAL;
	if (s->inject != NULL) /* what a new one would replace lives here: it is not torn down for a repetition */
		inject_flow(s->inject, change == ENTRY_NEW && store_knows(&s->store, f) ? ENTRY_UPD : change, f);
	else
		apply(s, SLOT_FLOW, change, f);
}

static void
apply_expect(struct sync *s, enum entry_change change, const struct expect *e)
{
	if (s->inject != NULL)
		inject_expect(s->inject, change, e);
	else
		apply(s, SLOT_EXPECT, change, e);
}

/* Flows of a datagram that were read but not looked up yet: memory waits for the whole batch at once. */
#define BATCH 16
struct batch {
	struct flow flow[BATCH];
	struct flow_side side[BATCH];
	uint8_t type[BATCH];
	unsigned int n;
};

static void
batch_end(struct sync *s, struct batch *b)
{
	if (s->inject == NULL)
		cache_prefetch(s->external.of[SLOT_FLOW], b->flow, b->n);
	for (unsigned int i = 0; i < b->n; i++)
		apply_flow(s, (enum entry_change)b->type[i], &b->flow[i]);
	b->n = 0;
}

static enum wire_error
take_flow(struct sync *s, struct batch *b, uint8_t type, const uint8_t *body, size_t len, unsigned int *unknown)
{
	const enum wire_error err = wire_dec_flow(body, len, &b->flow[b->n], &b->side[b->n], unknown);

	if (err != WIRE_OK)
		return err;
	b->type[b->n++] = type;
	if (b->n == BATCH)
		batch_end(s, b);
	return WIRE_OK;
}

static void
take_state(struct sync *s, struct batch *b, const struct wire_head *h, const uint8_t *body, size_t len)
{
	unsigned int unknown = 0;
	enum wire_error err;
	struct expect e;

	if (h->type <= WIRE_CT_DEL)
		err = take_flow(s, b, h->type, body, len, &unknown);
	else if ((err = wire_dec_expect(body, len, &e, &unknown)) == WIRE_OK) {
		batch_end(s, b); /* a master before what it expects */
		apply_expect(s, (enum entry_change)(h->type - WIRE_EXP_NEW), &e);
	}
	s->count.unknown_attrs += unknown;
	if (err != WIRE_OK)
		s->count.malformed[err < WIRE_ERRORS ? err : WIRE_BAD_PAYLOAD]++;
}

void
peer_datagram(void *arg, const uint8_t *data, size_t left)
{
	const struct rx_arg *ra = arg;
	struct sync *s = ra->sync;
	const uint8_t *body;
	struct batch b;
	struct wire_head h;
	enum wire_error err;
	size_t len, need;

	b.n = 0;
	while (left > 0) {
		if ((err = wire_next(&data, &left, &h, &body, &len, &need)) != WIRE_OK) {
			s->count.malformed[err < WIRE_ERRORS ? err : WIRE_BAD_SIZE]++;
			if (err != WIRE_BAD_VERSION)
				break;
			continue;
		}
		if (wire_is_state(&h) || wire_is_control(&h))
			links_heard(&s->links, ra->link);
		if (s->mode->ops->recv(s->mode, &h, s->now))
			take_state(s, &b, &h, body, len);
	}
	batch_end(s, &b);
}

static void
rx_ready(void *arg, unsigned int ready)
{
	struct rx_arg *ra = arg;
	struct sync *s = ra->sync;

	(void)ready;
	s->now = loop_now(s->loop);
	if (sync_replaced(s))
		return;
	if (s->inject == NULL)
		channel_recv(s->links.link[ra->link].channel, s->conf.event_limit, peer_datagram, ra);
	/* what the kernel cannot take now waits in the socket: the turn function stops watching it */
	for (uint32_t n = 0; s->inject != NULL && n < s->conf.event_limit && inject_room(s->inject); n++)
		if (channel_recv(s->links.link[ra->link].channel, 1, peer_datagram, ra) == 0)
			return;
}

static void
tx_ready(void *arg, unsigned int ready)
{
	struct rx_arg *ra = arg;

	(void)ready;
	watch_want(ra->sync->tx[ra->link], 0); /* the turn function sends */
}

static void
opened(void *arg, unsigned int i)
{
	struct sync *s = arg;
	const struct channel *c = s->links.link[i].channel;

	s->rx[i] = watch_new(s->loop, c->rx, rx_ready, &s->rx_arg[i]);
	s->tx[i] = watch_new(s->loop, c->tx, tx_ready, &s->rx_arg[i]);
	if (s->rx[i] != NULL)
		watch_want(s->rx[i], LOOP_READ);
}

static void
closing(void *arg, unsigned int i)
{
	struct sync *s = arg;

	watch_free(s->rx[i]);
	watch_free(s->tx[i]);
	s->rx[i] = s->tx[i] = NULL;
}

static void
dedicated(void *arg, const char *ifname)
{
	struct sync *s = arg;

	if (ifname != NULL)
		log_put(s->log, LV_NOTICE, "device `%s' becomes dedicated link", ifname);
	else
		log_put(s->log, LV_ERROR, "no dedicated links available!");
}

void
peer_init(struct sync *s)
{
	struct links_env env = {s, opened, closing, dedicated, link_probe};

	links_init(&s->links, &s->conf, &env);
	for (unsigned int i = 0; i < MSG_LINKS_MAX; i++)
		s->rx_arg[i] = (struct rx_arg){s, i};
	for (unsigned int i = 0; i < s->links.n; i++)
		wall_send(&s->wall, MSG_CHANNEL_OPEN, i, NULL, 0);
	s->links_at = s->now + LINKS_MS;
	s->reopen_at = s->now + REOPEN_MS;
}

void
peer_clear(struct sync *s)
{
	links_clear(&s->links);
}

int
peer_open(struct sync *s, const struct msg *m)
{
	struct msg_channel mc;

	memcpy(&mc, m->data, sizeof(mc));
	return links_open(&s->links, m->arg, &mc, m->fd[0], m->fd[1]);
}

/* Builds one message where the channel wants it. */
static int
encode(struct sync *s, const struct mode_item *it, uint8_t *room)
{
	const struct entry *e;

	if (it->kind == ITEM_CONTROL)
		return wire_enc_ctl(it->flags, it->seq, it->from, it->to, room, CHANNEL_MSG_MAX);
	e = cache_entry(s->store.t.of[it->kind == ITEM_FLOW ? SLOT_FLOW : SLOT_EXPECT], it->slot);
	if (it->kind == ITEM_FLOW)
		return wire_enc_flow(&e->flow, (enum wire_type)(WIRE_CT_NEW + e->change), it->flags, it->seq, &s->enc,
				     room, CHANNEL_MSG_MAX);
	return wire_enc_expect(&e->expect, (enum wire_type)(WIRE_EXP_NEW + e->change), it->flags, it->seq, &s->enc,
			       room, CHANNEL_MSG_MAX);
}

static void
send_queue(struct sync *s)
{
	struct channel *c = links_active(&s->links);
	struct mode_item it;
	uint8_t *room;
	int n, len;

	if (c == NULL)
		return;
	for (n = 0; n < SEND_STEP; n++) {
		if ((room = channel_room(c)) == NULL || !s->mode->ops->next(s->mode, &it, s->now))
			break;
		if ((len = encode(s, &it, room)) > 0)
			channel_add(c, (size_t)len);
		else
			s->count.send_malformed++;
	}
	if (channel_flush(c) < 0)
		watch_want(s->tx[s->links.active], LOOP_WRITE);
	else if (n == SEND_STEP)
		loop_again(s->loop);
}

void
peer_direct(struct sync *s, enum entry_change change, const struct flow *f, const struct expect *e)
{
	struct cache_stats *st = &s->bypassed[e != NULL];
	uint64_t *const done[] = {&st->created, &st->updated, &st->deleted};
	struct channel *c = links_active(&s->links);
	uint8_t *room = c != NULL ? channel_room(c) : NULL;
	uint32_t seq;
	int len;

	++*done[change];
	if (f != NULL && !wire_carries(f)) {
		s->store.unsent++;
		return;
	}
	if (room == NULL) {
		s->count.send_malformed++; /* nothing keeps it: it is lost to the peers */
		return;
	}
	seq = s->mode->ops->direct(s->mode, s->now);
	if (f != NULL)
		len = wire_enc_flow(f, (enum wire_type)(WIRE_CT_NEW + change), 0, seq, &s->enc, room, CHANNEL_MSG_MAX);
	else
		len = wire_enc_expect(e, (enum wire_type)(WIRE_EXP_NEW + change), 0, seq, &s->enc, room,
				      CHANNEL_MSG_MAX);
	if (len > 0)
		channel_add(c, (size_t)len);
}

static void
bulk_turn(struct sync *s)
{
	struct bulk *b = &s->bulk;
	uint32_t slot;

	if (b->wanted && !b->active && s->now >= b->not_before && s->resync.first_done &&
	    s->mode->ops->ready(s->mode, s->now)) {
		*b = (struct bulk){.active = true, .last = s->now};
		s->count.resyncs_served++;
		log_put(s->log, LV_NOTICE, "sending bulk update");
	}
	if (b->active && s->bypass) { /* the kernel's table is all there is */
		b->active = false;
		resync_start(s, true);
	}
	if (!b->active)
		return;
	for (uint32_t credit = s->mode->ops->credit(s->mode, s->now); credit > 0; credit--) {
		if ((slot = tables_walk(&s->store.t, &b->kind, &b->pos)) == SLOT_NONE) {
			b->active = false;
			return;
		}
		store_send(&s->store, b->kind, slot);
	}
}

/* Between bulk sends that a peer asked for. */
static uint64_t
bulk_pause(const struct sync *s)
{
	uint64_t pause = cache_stats(s->store.t.of[SLOT_FLOW])->total / BULK_PER_MS;

	if (s->bypass ||
	    pause > BULK_PAUSE_MS) /* bypass: each is a dump of the kernel's table, however large that is */
		return BULK_PAUSE_MS;
	return pause > BULK_LEAST_MS ? pause : BULK_LEAST_MS;
}

void
peer_bulk(struct sync *s, enum bulk_why why)
{
	struct bulk *b = &s->bulk;
	uint64_t paused = b->last > 0 ? b->last + bulk_pause(s) : 0;

	if (!s->mode->ops->bulk || (b->wanted && why == BULK_UNASKED))
		return;
	b->wanted = true;
	b->not_before = s->now;
	if (why != BULK_OPERATOR && paused > b->not_before)
		b->not_before = paused;
	if (why == BULK_UNASKED && s->now + BULK_WAIT_MS > b->not_before)
		b->not_before = s->now + BULK_WAIT_MS;
}

void
peer_ask(struct sync *s, bool operator)
{
	if (!s->mode->ops->bulk)
		return;
	s->ask_wanted = true;
	if (operator)
		s->ask_after = s->now;
}

static void
ask_turn(struct sync *s)
{
	if (s->external_missed && has_room(s->external.of[SLOT_FLOW], s->conf.hash_limit)) {
		s->external_missed = false;
		peer_ask(s, false);
	}
	if (!s->ask_wanted || s->now < s->ask_after || !s->mode->ops->ready(s->mode, s->now))
		return;
	s->ask_wanted = false;
	s->ask_after = s->now + ASK_PAUSE_MS;
	s->count.resyncs_sent++;
	log_put(s->log, LV_NOTICE, "resync requested");
	s->mode->ops->ask(s->mode);
}

/* ALARM: what a peer does not repeat any more is gone there. All entries are looked at in EXPIRE_MS. */
static void
expire(struct sync *s, enum slot_kind kind)
{
	struct cache *c = s->external.of[kind];
	uint64_t visits = cache_stats(c)->total / EXPIRE_STEPS + 1;
	uint32_t slot;

	for (; visits > 0; visits--) {
		if ((slot = cache_walk(c, &s->expire_pos[kind])) == SLOT_NONE) {
			s->expire_pos[kind] = 0;
			break;
		}
		if (s->now_s - cache_entry(c, slot)->updated >= s->conf.cache_timeout)
			cache_drop(c, slot);
	}
}

static void
expire_turn(struct sync *s)
{
	if (s->conf.mode != MODE_ALARM || s->inject != NULL || s->now < s->expire_at)
		return;
	s->expire_at = s->now + EXPIRE_MS / EXPIRE_STEPS;
	for (int k = 0; k < SLOT_KINDS; k++)
		expire(s, (enum slot_kind)k);
}

static void
links_turn(struct sync *s)
{
	if (s->now < s->links_at)
		return;
	s->links_at = s->now + LINKS_MS;
	links_poll(&s->links);
	if (s->now < s->reopen_at)
		return;
	s->reopen_at = s->now + REOPEN_MS;
	for (unsigned int i = 0; i < s->links.n; i++)
		if (s->links.link[i].channel == NULL || s->links.link[i].reopen)
			wall_send(&s->wall, MSG_CHANNEL_OPEN, i, NULL, 0);
}

/* While the kernel is behind, what peers send waits in their sockets. */
static void
throttle(struct sync *s)
{
	bool room = s->inject == NULL || inject_room(s->inject);

	for (unsigned int i = 0; i < s->links.n; i++)
		if (s->rx[i] != NULL)
			watch_want(s->rx[i], room ? LOOP_READ : 0);
}

void
peer_turn(struct sync *s)
{
	if (s->inject != NULL)
		inject_flush(s->inject);
	throttle(s);
	links_turn(s);
	expire_turn(s);
	ask_turn(s);
	bulk_turn(s);
	s->mode_due = s->mode->ops->tick(s->mode, s->now);
	send_queue(s);
}

uint64_t
peer_due(const struct sync *s)
{
	uint64_t due = s->mode_due;

	if (s->links_at < due)
		due = s->links_at;
	if (s->bulk.active && s->now + BULK_MS < due)
		due = s->now + BULK_MS;
	if (s->bulk.wanted && !s->bulk.active && s->bulk.not_before > s->now && s->bulk.not_before < due)
		due = s->bulk.not_before;
	return due;
}

/*
 * The modes that keep nothing for repetition. NOTRACK sends every change once, gives signs of life and answers requests
 * for everything; ALARM also repeats every entry once per RefreshTime, spread evenly, and neither sends nor reads
 * anything but state. Sequence numbers are counted, of each peer by itself, and never acted upon. Headers are a
 * stranger's.
 */
#include <stdlib.h>

#include "txq.h"

#define TICK_MS     1000
#define SILENT_MS   5000 /* a peer that was silent so long may have missed anything */
#define JUMP        (1U << 20)
#define REFRESH_MS  100 /* ALARM: how often a share of the table is repeated */
#define CREDIT_OPEN 1024
#define CREDIT_STEP 1024
#define CREDIT_MS   10

/* Of one peer. */
struct plain_rx {
	bool known;
	uint32_t last;
	uint64_t heard, lost, before;
	struct speech speech;
};

struct plain {
	struct mode mode;
	struct mode_env env;
	struct txq tx;
	uint32_t next_seq;
	uint64_t last_tx, credit_at;
	/* a deletion that was handed out: the entry may go when it is encoded */
	bool dead_set;
	enum slot_kind dead_kind;
	uint32_t dead_slot;
	struct plain_rx rx[MODE_PEERS];
	uint64_t lost, before, malformed, bad_type;
	/* ALARM */
	uint64_t refresh_ms;
	enum slot_kind kind; /* of the next one, with pos */
	uint32_t pos;
	uint64_t refreshed_at, owed; /* owed: entries, in thousandths */
};

static void
release_dead(struct plain *p)
{
	const struct entry *e;

	if (!p->dead_set)
		return;
	p->dead_set = false;
	e = slotq_entry(&p->tx.slots[p->dead_kind], p->dead_slot);
	if (e->change == ENTRY_DEL && e->queue == QUEUE_NONE)
		p->env.unqueued(p->env.arg, p->dead_kind, p->dead_slot);
}

static void
plain_change(struct mode *m, enum slot_kind kind, uint32_t slot)
{
	struct plain *p = (struct plain *)m;

	if (slotq_entry(&p->tx.slots[kind], slot)->queue == QUEUE_NONE)
		txq_put(&p->tx, kind, slot);
}

static void
plain_forget(struct mode *m, enum slot_kind kind, uint32_t slot)
{
	struct plain *p = (struct plain *)m;

	if (slotq_entry(&p->tx.slots[kind], slot)->queue == QUEUE_TX)
		slotq_remove(&p->tx.slots[kind], slot);
	if (p->dead_kind == kind && p->dead_slot == slot)
		p->dead_set = false;
}

static bool
plain_next(struct mode *m, struct mode_item *it, uint64_t now)
{
	struct plain *p = (struct plain *)m;

	release_dead(p);
	if (!txq_take(&p->tx, true, it))
		return false;
	it->seq = p->next_seq++;
	p->last_tx = now;
	if (it->kind != ITEM_CONTROL) {
		p->dead_kind = it->kind == ITEM_FLOW ? SLOT_FLOW : SLOT_EXPECT;
		p->dead_slot = it->slot;
		p->dead_set = slotq_entry(&p->tx.slots[p->dead_kind], it->slot)->change == ENTRY_DEL;
	}
	return true;
}

static uint32_t
plain_direct(struct mode *m, uint64_t now)
{
	struct plain *p = (struct plain *)m;

	p->last_tx = now;
	return p->next_seq++;
}

/* A peer that was silent for long, or is far ahead, has restarted: what it sent before was not lost on the way. */
static void
track(struct plain *p, struct plain_rx *rx, uint32_t seq, uint64_t now)
{
	uint32_t d = seq - (rx->last + 1);

	if (rx->known && seq_before(seq, rx->last + 1)) {
		p->before++;
		rx->before++;
	} else if (rx->known && d != 0 && d < JUMP && now - rx->heard < SILENT_MS) { /* counted as 1.4.x does */
		p->lost += (uint64_t)d + 1;
		rx->lost += (uint64_t)d + 1;
	}
	rx->last = seq;
}

static bool
notrack_recv(struct mode *m, unsigned int peer, const struct wire_head *h, uint64_t now)
{
	struct plain *p = (struct plain *)m;
	struct plain_rx *rx = &p->rx[peer];
	bool state = wire_is_state(h), news = !rx->known || now - rx->heard >= SILENT_MS;

	track(p, rx, h->seq, now);
	speech_hear(&rx->speech, h, now);
	if (!state && (!wire_is_control(h) || (h->flags & (WIRE_ACK | WIRE_NACK) && (h->flags & WIRE_RESYNC) == 0))) {
		p->malformed++;
		return false;
	}
	rx->known = true;
	rx->heard = now;
	if (news)
		p->env.event(p->env.arg, MODE_PEER_NEW);
	if (!state && h->flags & WIRE_RESYNC)
		p->env.event(p->env.arg, MODE_RESYNC_ASKED);
	return state;
}

static bool
alarm_recv(struct mode *m, unsigned int peer, const struct wire_head *h, uint64_t now)
{
	struct plain *p = (struct plain *)m;
	struct plain_rx *rx = &p->rx[peer];

	speech_hear(&rx->speech, h, now);
	if (h->flags != 0)
		return false;
	if (!wire_is_state(h)) {
		p->bad_type++;
		return false;
	}
	rx->known = true;
	rx->heard = now;
	return true;
}

static void
plain_forget_peer(struct mode *m, unsigned int peer)
{
	((struct plain *)m)->rx[peer] = (struct plain_rx){.known = false};
}

static uint64_t
notrack_tick(struct mode *m, uint64_t now)
{
	struct plain *p = (struct plain *)m;

	if (now - p->last_tx >= TICK_MS && !txq_has_control(&p->tx, WIRE_ALIVE))
		txq_put_control(&p->tx, WIRE_ALIVE, 0, 0);
	return now - p->last_tx >= TICK_MS ? now + TICK_MS : p->last_tx + TICK_MS;
}

static void
refresh_one(struct plain *p)
{
	const struct tables *t = p->env.tables;
	const uint32_t slot = tables_walk(t, &p->kind, &p->pos);
	const struct entry *e = slot != SLOT_NONE ? cache_entry(t->of[p->kind], slot) : NULL;

	if (e == NULL)
		p->kind = SLOT_FLOW;
	else if (e->flags & ENTRY_DEAD && e->queue == QUEUE_NONE)
		return; /* its end is not for the peers */
	else if (p->kind != SLOT_FLOW || wire_carries(&cache_entry(t->of[SLOT_FLOW], slot)->flow))
		plain_change(&p->mode, p->kind, slot);
}

static uint64_t
alarm_tick(struct mode *m, uint64_t now)
{
	struct plain *p = (struct plain *)m;
	uint64_t all = tables_total(p->env.tables);
	uint64_t passed = now - p->refreshed_at;

	if (passed >= REFRESH_MS) {
		/* one step more than there are entries: the step that starts over */
		p->owed += (all + 1) * passed * 1000 / p->refresh_ms;
		for (uint64_t n = all; n > 0 && p->owed >= 1000; n--, p->owed -= 1000)
			refresh_one(p);
		p->owed %= 1000;
		p->refreshed_at = now;
	}
	return p->refreshed_at + REFRESH_MS;
}

static void
notrack_ask(struct mode *m)
{
	struct plain *p = (struct plain *)m;

	if (!txq_has_control(&p->tx, WIRE_RESYNC))
		txq_put_control(&p->tx, WIRE_RESYNC, 0, 0);
}

static void
alarm_ask(struct mode *m)
{
	(void)m; /* peers repeat everything anyway */
}

static bool
plain_ready(const struct mode *m, uint64_t now)
{
	(void)m;
	(void)now;
	return true;
}

static uint32_t
plain_credit(struct mode *m, uint64_t now)
{
	struct plain *p = (struct plain *)m;

	if (txq_len(&p->tx) >= CREDIT_OPEN || now - p->credit_at < CREDIT_MS)
		return 0;
	p->credit_at = now;
	return CREDIT_STEP;
}

static void
plain_stats(const struct mode *m, struct mode_stats *s, uint64_t now)
{
	const struct plain *p = (const struct plain *)m;

	(void)now;
	*s = (struct mode_stats){
		.lost = p->lost,
		.before = p->before,
		.malformed = p->malformed,
		.bad_type = p->bad_type,
		.tx_len = txq_len(&p->tx),
	};
	for (unsigned int i = 0; i < MODE_PEERS; i++)
		if (p->rx[i].known) {
			s->peer_known = s->in_sync = true;
			s->heard = p->rx[i].heard > s->heard ? p->rx[i].heard : s->heard;
		}
}

static void
plain_peer(const struct mode *m, unsigned int peer, struct mode_peer *mp, uint64_t now)
{
	const struct plain_rx *rx = &((const struct plain *)m)->rx[peer];

	(void)now;
	*mp = (struct mode_peer){
		.known = rx->known,
		.in_sync = rx->known,
		.speaks = rx->speech.speaks,
		.heard = rx->known ? rx->heard : rx->speech.at,
		.lost = rx->lost,
		.before = rx->before,
	};
}

/* Nobody acknowledges in these modes. */
static bool
plain_acknowledges(const struct mode *m, const struct wire_head *h)
{
	(void)m;
	(void)h;
	return false;
}

static bool
plain_waiting(struct mode *m, uint32_t i, struct mode_item *it)
{
	(void)m;
	(void)i;
	(void)it;
	return false;
}

static void
plain_free(struct mode *m)
{
	free(m);
}

#define COMMON                                                                                      \
	.free = plain_free, .change = plain_change, .forget = plain_forget, .next = plain_next,     \
	.direct = plain_direct, .ready = plain_ready, .credit = plain_credit, .stats = plain_stats, \
	.peer = plain_peer, .forget_peer = plain_forget_peer, .acknowledges = plain_acknowledges,   \
	.waiting = plain_waiting

static const struct mode_ops notrack_ops = {COMMON, .recv = notrack_recv, .tick = notrack_tick, .ask = notrack_ask,
					    .bulk = true};
static const struct mode_ops alarm_ops = {COMMON, .recv = alarm_recv, .tick = alarm_tick, .ask = alarm_ask};

static struct plain *
plain_new(const struct mode_ops *ops, const struct mode_env *env, uint32_t first_seq, uint64_t now)
{
	struct plain *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return NULL;
	p->mode.ops = ops;
	p->env = *env;
	p->next_seq = first_seq;
	p->last_tx = p->refreshed_at = now;
	txq_init(&p->tx, env->tables);
	return p;
}

struct mode *
notrack_new(const struct conf *conf, const struct mode_env *env, uint32_t first_seq, uint64_t now)
{
	struct plain *p = plain_new(&notrack_ops, env, first_seq, now);

	(void)conf;
	if (p == NULL)
		return NULL;
	txq_put_control(&p->tx, WIRE_ALIVE, 0, 0); /* here we are */
	return &p->mode;
}

struct mode *
alarm_new(const struct conf *conf, const struct mode_env *env, uint32_t first_seq, uint64_t now)
{
	struct plain *p = plain_new(&alarm_ops, env, first_seq, now);

	if (p == NULL)
		return NULL;
	p->refresh_ms = (conf->refresh_time > 0 ? conf->refresh_time : 60) * UINT64_C(1000);
	return &p->mode;
}

/*
 * FT-FW: sequence numbers, acknowledgement, negative acknowledgement, resend queue. Interoperates with 1.4.x and
 * differs where its wire format allows: no state is sent before the peer confirmed our start (for a bounded time),
 * losses among HELLO messages are repaired, and one forged HELLO, or number ahead of the expected one, does not move
 * the receive window: a second message has to confirm it. Of more than one peer each has a window of its own, and what
 * was sent is kept until all have it. Headers are a stranger's until the numbers fit.
 */
#include <stdlib.h>

#include "rsq.h"

#define TICK_MS       1000  /* silence after which something is sent */
#define HOLD_MS       3000  /* how long state waits for the peer's HELLO_BACK */
#define CONFIRM_MS    3000  /* how long a jump waits for its confirmation */
#define CONFIRM_RANGE 1024  /* and how far behind it the confirming number may be */
#define SILENT_MS     5000  /* after that a gap is more than the loss of some datagrams */
#define CREDIT_WINDOW 1024  /* unacknowledged messages of a bulk: below the smallest usual socket buffer */
#define CREDIT_STEP   512   /* without acknowledgements this many ... */
#define CREDIT_MS     10    /* ... in that time */
#define NACK_BURST    65536 /* entries repeated on demand of the peer without a pause ... */
#define NACK_PER_MS   64    /* ... and how many more a millisecond later */
#define NACK_STEP     4096  /* of these in one turn, however many messages demand it */
#define PROOF_RANGE   256   /* so few of our numbers prove that who knows them receives them */

enum hello { HELLO_INIT, HELLO_SAY, HELLO_DONE };

/* Of one peer. */
struct peer {
	bool known, ack_set, hello;
	bool hears_us;                   /* has answered our HELLO, or acknowledged something */
	uint32_t last, ack_from, window; /* window: messages until an ACK, not 0 */
	uint64_t joined, heard, lost, before;
	struct speech speech;

	/* a number that does not fit, waiting to be confirmed */
	bool odd_set, odd_gap; /* odd_gap: as after a loss, and what was missing has been demanded */
	struct wire_head odd;
	uint64_t odd_at;
};

struct ftfw {
	struct mode mode;
	struct mode_env env;
	struct txq tx;
	struct rsq rs;
	uint32_t next_seq, first_seq;
	uint64_t hold_until, last_tx, credit_at, acked_at; /* acked_at: when all peers were told what has come */

	/* sending side of the handshake */
	enum hello hello;
	uint64_t hello_at; /* last said; 0: never */
	bool hello_back;   /* a peer's HELLO has to be answered */

	struct peer peer[MODE_PEERS];
	uint16_t live;        /* bits: peers whose acknowledgement is waited for */
	uint64_t confused_at; /* when an acknowledgement came that may have been for another node; 0: never */
	uint32_t window_size, jump_max;

	/* demands that were more than the rate allows */
	uint32_t nack_tokens, nack_room; /* nack_room: in this turn */
	uint64_t nack_at;
	bool nack_set;
	uint32_t nack_from, nack_to;

	uint64_t lost, before, malformed;
};

static void
tell(struct ftfw *f, enum mode_event e)
{
	f->env.event(f->env.arg, e);
}

static void
serve_nack(struct ftfw *f, uint32_t from, uint32_t to, uint64_t now)
{
	uint64_t more_tokens = (now - f->nack_at) * NACK_PER_MS;
	uint32_t n;

	f->nack_at = now;
	f->nack_tokens =
		more_tokens > NACK_BURST - f->nack_tokens ? NACK_BURST : f->nack_tokens + (uint32_t)more_tokens;
	n = f->nack_tokens < f->nack_room ? f->nack_tokens : f->nack_room;
	n = rsq_nack(&f->rs, from, to, n, &f->tx, &f->nack_set);
	f->nack_tokens -= n;
	f->nack_room -= n;
	f->nack_from = from;
	f->nack_to = to;
	if (rsq_dropped(&f->rs, from))
		tell(f, MODE_STATE_LOST);
}

static void
on_nack(struct ftfw *f, const struct wire_head *h, uint64_t now)
{
	uint32_t from = h->from, to = h->to;

	if (f->nack_set) { /* together with what is still owed */
		from = seq_before(f->nack_from, from) ? f->nack_from : from;
		to = seq_before(to, f->nack_to) ? f->nack_to : to;
	}
	serve_nack(f, from, to, now);
}

static unsigned int
number_of(const struct ftfw *f, const struct peer *p)
{
	return (unsigned int)(p - f->peer);
}

/* The number may lie among the last that this one has sent. */
static bool
recent(uint32_t newest, uint32_t range, uint32_t seq)
{
	return newest - seq < range;
}

/* Version 1 does not say whom an acknowledgement or a demand is for. In a group it is for us when the number is one of
 * ours and none of another node's: they begin far apart. */
static bool
for_us(struct ftfw *f, const struct peer *p, const struct wire_head *h, uint64_t now)
{
	const uint32_t range = 2 * f->jump_max;

	if (f->rs.acked == NULL)
		return true;
	if (!recent(f->next_seq - 1, range, h->to))
		return false;
	for (unsigned int i = 0; i < MODE_PEERS; i++) {
		const struct peer *other = &f->peer[i];

		if (f->live >> i & 1 && other != p && other->hears_us &&
		    recent(other->last + CONFIRM_RANGE, range, h->to)) {
			f->confused_at = now;
			return false;
		}
	}
	return true;
}

static void
control(struct ftfw *f, struct peer *p, const struct wire_head *h, uint64_t now)
{
	if (!wire_is_control(h))
		return;
	if (h->flags & WIRE_RESYNC) {
		tell(f, MODE_RESYNC_ASKED);
		return;
	}
	if ((h->flags & (WIRE_NACK | WIRE_ACK)) == 0 || !for_us(f, p, h, now))
		return;
	p->hears_us = p->hears_us || recent(f->next_seq - 1, 2 * f->jump_max, h->to);
	if (h->flags & WIRE_NACK)
		on_nack(f, h, now);
	else
		rsq_ack(&f->rs, h->from, h->to, number_of(f, p), f->live);
}

static bool
good_header(const struct wire_head *h)
{
	if (wire_is_state(h))
		return true;
	if (!wire_is_control(h))
		return false;
	return (h->flags & (WIRE_ACK | WIRE_NACK)) == 0 || h->flags & WIRE_RESYNC || !seq_before(h->to, h->from);
}

static void
hello_flags(struct ftfw *f, struct peer *p, const struct wire_head *h, uint64_t now)
{
	const bool back = (h->flags & WIRE_HELLO_BACK) != 0;

	if (h->flags & WIRE_HELLO)
		f->hello_back = true;
	if (back && f->hello_at > 0 && now - f->hello_at < HOLD_MS)
		p->hears_us = true;
	if (!back || f->hello != HELLO_SAY)
		return;
	f->hello = HELLO_DONE;
	/* the peer did not watch for losses until now */
	rsq_requeue(&f->rs, &f->tx);
	tell(f, MODE_PEER_KNOWS_US);
}

static void
received(struct peer *p, const struct wire_head *h, uint64_t now)
{
	if (p->hello && (h->flags & WIRE_HELLO) == 0) /* it has got the answer to its own */
		p->hears_us = true;
	p->known = true;
	p->last = h->seq;
	p->hello = (h->flags & WIRE_HELLO) != 0;
	p->odd_set = false;
	p->heard = now;
}

/* Acknowledgements do not count for the window: with small ones two nodes would acknowledge each other's for ever. */
static bool
is_ack(const struct wire_head *h)
{
	return wire_is_control(h) && (h->flags & (WIRE_ACK | WIRE_NACK | WIRE_RESYNC)) == WIRE_ACK;
}

static void
expected(struct ftfw *f, struct peer *p, const struct wire_head *h, uint64_t now)
{
	control(f, p, h, now);
	if (!p->ack_set)
		p->ack_from = h->seq;
	p->ack_set = true;
	if (!is_ack(h) && --p->window == 0) {
		txq_put_control(&f->tx, WIRE_ACK, p->ack_from, h->seq);
		p->window = f->window_size;
		p->ack_set = false;
	}
	received(p, h, now);
}

/* What the old one missed is no use to the new one. */
static void
forget_unacked(struct ftfw *f, const struct peer *p)
{
	f->nack_set = false;
	if (f->rs.acked == NULL) {
		rsq_clear(&f->rs);
		return;
	}
	rsq_excuse(&f->rs, number_of(f, p));
	rsq_settle(&f->rs, number_of(f, p), f->live);
}

/* The peer goes on at odd: it has restarted, or so much was lost that repeating is no use. */
static void
follow(struct ftfw *f, struct peer *p, uint64_t now)
{
	const bool hello = (p->odd.flags & WIRE_HELLO) != 0;

	p->last = p->odd.seq;
	p->ack_from = p->odd.seq;
	p->ack_set = true;
	p->window = f->window_size;
	p->hello = hello;
	p->odd_set = false;
	if (p->odd_gap) {
		p->window = f->window_size > 1 ? f->window_size - 1 : 1;
		return;
	}
	if (hello) {
		forget_unacked(f, p);
		p->hears_us = false;
		p->joined = now; /* it has as long as a new one to answer */
	}
	tell(f, hello ? MODE_PEER_NEW : MODE_PEER_LOST_OURS);
	control(f, p, &p->odd, now); /* nobody else will say it again: it counts as received */
}

static bool
confirms(const struct peer *p, const struct wire_head *h, uint64_t now)
{
	uint32_t d = h->seq - p->odd.seq;

	return p->odd_set && now - p->odd_at < CONFIRM_MS && d > 0 && d <= CONFIRM_RANGE;
}

/* Distance of the number from the expected one, as a loss (>= 0), or -1: it does not belong to what we follow. */
static int64_t
distance(const struct ftfw *f, const struct peer *p, const struct wire_head *h)
{
	uint32_t d = h->seq - (p->last + 1);

	if (h->flags & WIRE_HELLO && (!p->hello || d > CONFIRM_RANGE))
		return -1;
	return d <= f->jump_max ? (int64_t)d : -1;
}

/* Remembers the number; whatever it carries is state like any other, but the window stays where it is. */
static bool
odd(struct peer *p, const struct wire_head *h, bool gap, uint64_t now)
{
	p->odd_set = true;
	p->odd_gap = gap;
	p->odd = *h;
	p->odd_at = now;
	return wire_is_state(h);
}

/* Messages were lost, or somebody wants us to believe it: what is missing is demanded at once, which does no harm when
 * it was never sent, and the next message tells. */
static bool
after_gap(struct ftfw *f, struct peer *p, const struct wire_head *h, uint64_t now)
{
	control(f, p, h, now);
	if (p->ack_set)
		txq_put_control(&f->tx, WIRE_ACK, p->ack_from, p->last);
	p->ack_set = false;
	txq_put_control(&f->tx, WIRE_NACK, p->last + 1, h->seq - 1);
	if (now - p->heard >= SILENT_MS)
		tell(f, MODE_PEER_LOST_OURS);
	p->heard = now;
	return odd(p, h, true, now);
}

static bool
first_contact(struct ftfw *f, struct peer *p, const struct wire_head *h, uint64_t now)
{
	p->window = f->window_size;
	expected(f, p, h, now);
	tell(f, MODE_PEER_NEW);
	return wire_is_state(h);
}

/* One peer's number by the window of that peer. */
static bool
take_number(struct ftfw *f, struct peer *p, const struct wire_head *h, uint64_t now)
{
	bool good = good_header(h);
	int64_t d;

	if (good && p->known && confirms(p, h, now))
		follow(f, p, now);
	d = p->known ? distance(f, p, h) : 0;
	if (d < 0 && (h->flags & WIRE_HELLO) == 0 && seq_before(h->seq, p->last + 1)) {
		f->before++;
		p->before++;
		if (now - p->heard < SILENT_MS) /* else we may be the one who is wrong */
			return false;
	}
	if (d > 0) { /* counted as 1.4.x does */
		f->lost += (uint64_t)d + 1;
		p->lost += (uint64_t)d + 1;
	}
	if (!good) {
		f->malformed++;
		return false;
	}
	if (!p->known)
		return first_contact(f, p, h, now);
	if (d != 0)
		return d < 0 ? odd(p, h, false, now) : after_gap(f, p, h, now);
	expected(f, p, h, now);
	return wire_is_state(h);
}

/* A peer is waited for from its first message on, or when it is back after a long silence. With a second one the group
 * begins. */
static void
joins(struct ftfw *f, struct peer *p, uint64_t now)
{
	const unsigned int who = number_of(f, p);

	if (f->live != 0)
		rsq_group(&f->rs); /* without memory one peer's word stays enough */
	if (f->rs.acked != NULL)
		rsq_excuse(&f->rs, who);
	f->live |= (uint16_t)(1U << who);
	if (p->known && f->rs.acked != NULL) /* what it missed may be gone */
		tell(f, MODE_PEER_NEW);
	if (!p->known)
		p->joined = now;
}

static void
leaves(struct ftfw *f, unsigned int who)
{
	f->live &= (uint16_t) ~(1U << who);
	if (f->rs.acked != NULL)
		rsq_settle(&f->rs, who, f->live);
}

/* Acknowledgements that may have been for another node did not count: what they were about is said once more. */
static void
settle_confusion(struct ftfw *f, uint64_t now)
{
	if (f->confused_at == 0 || now - f->confused_at < SILENT_MS)
		return;
	f->confused_at = 0;
	rsq_requeue(&f->rs, &f->tx);
}

/* Nor is one waited for that never acknowledges: a stranger, or a node with another mode. */
static void
look_who_lives(struct ftfw *f, uint64_t now)
{
	for (unsigned int i = 0; i < MODE_PEERS; i++) {
		const struct peer *p = &f->peer[i];

		if (f->live >> i & 1 && f->live != 1U << i &&
		    (now - p->heard >= MODE_LIVE_MS || (!p->hears_us && now - p->joined >= MODE_LIVE_MS)))
			leaves(f, i);
	}
}

static bool
ftfw_recv(struct mode *m, unsigned int peer, const struct wire_head *h, uint64_t now)
{
	struct ftfw *f = (struct ftfw *)m;
	struct peer *p = &f->peer[peer];

	if (good_header(h)) {
		hello_flags(f, p, h, now);
		speech_hear(&p->speech, h, now);
		if (p->speech.speaks > SPEAKS_FTFW)
			p->hears_us = false; /* not any more */
		if ((f->live >> peer & 1) == 0 && (p->hears_us || !p->known))
			joins(f, p, now);
	}
	return take_number(f, p, h, now);
}

static void
ftfw_forget_peer(struct mode *m, unsigned int peer)
{
	struct ftfw *f = (struct ftfw *)m;

	leaves(f, peer);
	f->peer[peer] = (struct peer){.known = false};
}

static bool
ftfw_acknowledges(const struct mode *m, const struct wire_head *h)
{
	const struct ftfw *f = (const struct ftfw *)m;

	return is_ack(h) && recent(f->next_seq - 1, PROOF_RANGE, h->to) && !seq_before(h->from, f->first_seq) &&
	       !seq_before(h->to, h->from);
}

static bool
ftfw_ready(const struct mode *m, uint64_t now)
{
	const struct ftfw *f = (const struct ftfw *)m;

	return f->hello == HELLO_DONE || now >= f->hold_until;
}

static bool
ftfw_next(struct mode *m, struct mode_item *it, uint64_t now)
{
	struct ftfw *f = (struct ftfw *)m;

	if (!txq_take(&f->tx, ftfw_ready(m, now), it)) {
		if (!f->hello_back)
			return false;
		*it = (struct mode_item){.kind = ITEM_CONTROL, .flags = WIRE_ALIVE}; /* do not let the peer wait */
	}
	it->seq = f->next_seq++;
	if ((it->flags & WIRE_ALIVE) == 0)
		rsq_put(&f->rs, it);
	if (f->hello == HELLO_INIT)
		f->hello = HELLO_SAY;
	if (f->hello == HELLO_SAY) {
		it->flags |= WIRE_HELLO;
		f->hello_at = now;
	}
	if (f->hello_back)
		it->flags |= WIRE_HELLO_BACK;
	f->hello_back = false;
	f->last_tx = now;
	return true;
}

/* To each peer what it has not heard yet. False: there is nothing. */
static bool
acknowledge(struct ftfw *f, uint64_t now)
{
	bool said = false;

	for (unsigned int i = 0; i < MODE_PEERS; i++) {
		struct peer *p = &f->peer[i];

		if (p->ack_set)
			txq_put_control(&f->tx, WIRE_ACK, p->ack_from, p->last);
		said = said || p->ack_set;
		p->ack_set = false;
	}
	f->acked_at = now;
	return said;
}

/* Once a second: who has much to say himself still tells the others that he hears them. */
static void
sign_of_life(struct ftfw *f, uint64_t now)
{
	const bool silent = now - f->last_tx >= TICK_MS;

	if ((!silent && now - f->acked_at < TICK_MS) || txq_has_control(&f->tx, WIRE_ACK | WIRE_ALIVE))
		return;
	if (!acknowledge(f, now) && silent)
		txq_put_control(&f->tx, WIRE_ALIVE, 0, 0);
}

static uint64_t
ftfw_tick(struct mode *m, uint64_t now)
{
	struct ftfw *f = (struct ftfw *)m;
	uint64_t due = f->last_tx + TICK_MS;

	f->nack_room = NACK_STEP;
	if (f->nack_set)
		serve_nack(f, f->nack_from, f->nack_to, now);
	look_who_lives(f, now);
	settle_confusion(f, now);
	sign_of_life(f, now);
	if (now >= due)
		due = now + TICK_MS;
	if (f->hello != HELLO_DONE && now < f->hold_until && f->hold_until < due)
		due = f->hold_until;
	return f->nack_set && due > now + CREDIT_MS ? now + CREDIT_MS : due;
}

static void
ftfw_change(struct mode *m, enum slot_kind kind, uint32_t slot)
{
	struct ftfw *f = (struct ftfw *)m;
	uint8_t where = slotq_entry(&f->tx.slots[kind], slot)->queue;

	if (where == QUEUE_TX)
		return;
	if (where == QUEUE_RS)
		rsq_remove(&f->rs, kind, slot);
	txq_put(&f->tx, kind, slot);
}

static void
ftfw_forget(struct mode *m, enum slot_kind kind, uint32_t slot)
{
	struct ftfw *f = (struct ftfw *)m;
	uint8_t where = slotq_entry(&f->tx.slots[kind], slot)->queue;

	if (where == QUEUE_TX)
		slotq_remove(&f->tx.slots[kind], slot);
	if (where == QUEUE_RS)
		rsq_remove(&f->rs, kind, slot);
}

static void
ftfw_ask(struct mode *m)
{
	struct ftfw *f = (struct ftfw *)m;

	if (!txq_has_control(&f->tx, WIRE_RESYNC))
		txq_put_control(&f->tx, WIRE_RESYNC, 0, 0);
}

static uint32_t
ftfw_credit(struct mode *m, uint64_t now)
{
	struct ftfw *f = (struct ftfw *)m;
	uint32_t tx = f->tx.slots[SLOT_FLOW].len + f->tx.slots[SLOT_EXPECT].len;
	uint32_t open = tx + f->rs.slots[SLOT_FLOW].len + f->rs.slots[SLOT_EXPECT].len;

	if (open < CREDIT_WINDOW) {
		f->credit_at = now;
		return CREDIT_WINDOW - open;
	}
	if (tx >= CREDIT_WINDOW || now - f->credit_at < CREDIT_MS)
		return 0;
	f->credit_at = now;
	return CREDIT_STEP;
}

static bool
counts(const struct peer *p, uint64_t now)
{
	return p->known && now - p->heard < MODE_LIVE_MS;
}

static bool
ftfw_in_sync(const struct ftfw *f, const struct peer *p)
{
	return p->known && p->hears_us && f->hello == HELLO_DONE && f->confused_at == 0;
}

static void
ftfw_stats(const struct mode *m, struct mode_stats *s, uint64_t now)
{
	const struct ftfw *f = (const struct ftfw *)m;
	bool all = true, any_counts = false, any = false;

	*s = (struct mode_stats){
		.lost = f->lost,
		.before = f->before,
		.malformed = f->malformed,
		.overflows = f->rs.overflows,
		.tx_len = txq_len(&f->tx),
		.rs_len = rsq_len(&f->rs),
		.unacked = f->rs.slots[SLOT_FLOW].len + f->rs.slots[SLOT_EXPECT].len,
	};
	for (unsigned int i = 0; i < MODE_PEERS; i++) {
		const struct peer *p = &f->peer[i];

		s->peer_known = s->peer_known || p->known;
		s->heard = p->heard > s->heard ? p->heard : s->heard;
		any_counts = any_counts || counts(p, now);
		any = any || ftfw_in_sync(f, p);
		all = all && (!counts(p, now) || ftfw_in_sync(f, p));
	}
	s->in_sync = any_counts ? all : any;
}

static void
ftfw_peer(const struct mode *m, unsigned int peer, struct mode_peer *mp, uint64_t now)
{
	const struct ftfw *f = (const struct ftfw *)m;
	const struct peer *p = &f->peer[peer];

	(void)now;
	*mp = (struct mode_peer){
		.known = p->known,
		.in_sync = ftfw_in_sync(f, p),
		.speaks = p->speech.speaks,
		.heard = p->heard,
		.lost = p->lost,
		.before = p->before,
	};
}

static bool
ftfw_waiting(struct mode *m, uint32_t i, struct mode_item *it)
{
	struct ftfw *f = (struct ftfw *)m;
	const struct ctl_elem *e;

	if (i >= f->rs.control.len)
		return false;
	e = ctlq_at(&f->rs.control, i);
	*it = (struct mode_item){.kind = ITEM_CONTROL, .flags = e->flags, .seq = e->seq, .from = e->from, .to = e->to};
	return true;
}

static void
ftfw_free(struct mode *m)
{
	rsq_free(&((struct ftfw *)m)->rs);
	free(m);
}

static const struct mode_ops ftfw_ops = {
	.free = ftfw_free,
	.change = ftfw_change,
	.forget = ftfw_forget,
	.recv = ftfw_recv,
	.next = ftfw_next,
	.tick = ftfw_tick,
	.ask = ftfw_ask,
	.ready = ftfw_ready,
	.credit = ftfw_credit,
	.stats = ftfw_stats,
	.peer = ftfw_peer,
	.forget_peer = ftfw_forget_peer,
	.acknowledges = ftfw_acknowledges,
	.waiting = ftfw_waiting,
	.bulk = true,
};

struct mode *
ftfw_new(const struct conf *conf, const struct mode_env *env, uint32_t first_seq, uint64_t now)
{
	struct ftfw *f = calloc(1, sizeof(*f));

	if (f == NULL)
		return NULL;
	f->mode.ops = &ftfw_ops;
	f->env = *env;
	f->next_seq = f->first_seq = first_seq;
	f->hold_until = now + HOLD_MS;
	f->last_tx = f->acked_at = now;
	f->nack_at = now;
	f->nack_tokens = NACK_BURST;
	f->nack_room = NACK_STEP;
	f->window_size = conf->ack_window_size > 0 ? conf->ack_window_size : 1;
	f->jump_max = conf->resend_queue_size;
	txq_init(&f->tx, env->tables);
	rsq_init(&f->rs, &f->env, conf->resend_queue_size);
	txq_put_control(&f->tx, WIRE_ALIVE, 0, 0); /* say HELLO at once */
	return &f->mode;
}

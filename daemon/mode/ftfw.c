/*
 * FT-FW: sequence numbers, acknowledgement, negative acknowledgement, resend queue. Interoperates with 1.4.x and
 * differs where its wire format allows: no state is sent before the peer confirmed our start (for a bounded time),
 * losses among HELLO messages are repaired, and one forged HELLO, or number ahead of the expected one, does not move
 * the receive window: a second message has to confirm it. Called by the sync role; headers are a stranger's until the
 * numbers fit.
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

enum hello { HELLO_INIT, HELLO_SAY, HELLO_DONE };

struct ftfw {
	struct mode mode;
	struct mode_env env;
	struct txq tx;
	struct rsq rs;
	uint32_t next_seq;
	uint64_t hold_until, last_tx, credit_at;

	/* sending side of the handshake */
	enum hello hello;
	bool hello_back; /* the peer's HELLO has to be answered */

	/* receiving */
	bool rx_known, ack_set, peer_hello;
	uint32_t last_rx, ack_from, window, window_size, jump_max; /* window: messages until an ACK, not 0 */
	uint64_t heard;

	/* a number that does not fit, waiting to be confirmed */
	bool odd_set, odd_gap; /* odd_gap: as after a loss, and what was missing has been demanded */
	struct wire_head odd;
	uint64_t odd_at;

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

static void
control(struct ftfw *f, const struct wire_head *h, uint64_t now)
{
	if (!wire_is_control(h))
		return;
	if (h->flags & WIRE_RESYNC)
		tell(f, MODE_RESYNC_ASKED);
	else if (h->flags & WIRE_NACK)
		on_nack(f, h, now);
	else if (h->flags & WIRE_ACK)
		rsq_ack(&f->rs, h->from, h->to);
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
hello_flags(struct ftfw *f, const struct wire_head *h)
{
	if (h->flags & WIRE_HELLO)
		f->hello_back = true;
	if ((h->flags & WIRE_HELLO_BACK) == 0 || f->hello != HELLO_SAY)
		return;
	f->hello = HELLO_DONE;
	/* the peer did not watch for losses until now */
	rsq_requeue(&f->rs, &f->tx);
	tell(f, MODE_PEER_KNOWS_US);
}

static void
accept(struct ftfw *f, const struct wire_head *h, uint64_t now)
{
	f->rx_known = true;
	f->last_rx = h->seq;
	f->peer_hello = (h->flags & WIRE_HELLO) != 0;
	f->odd_set = false;
	f->heard = now;
}

/* Acknowledgements do not count for the window: with small ones two nodes would acknowledge each other's for ever. */
static bool
is_ack(const struct wire_head *h)
{
	return wire_is_control(h) && (h->flags & (WIRE_ACK | WIRE_NACK | WIRE_RESYNC)) == WIRE_ACK;
}

static void
in_sync(struct ftfw *f, const struct wire_head *h, uint64_t now)
{
	control(f, h, now);
	if (!f->ack_set)
		f->ack_from = h->seq;
	f->ack_set = true;
	if (!is_ack(h) && --f->window == 0) {
		txq_put_control(&f->tx, WIRE_ACK, f->ack_from, h->seq);
		f->window = f->window_size;
		f->ack_set = false;
	}
	accept(f, h, now);
}

/* The peer goes on at odd: it has restarted, or so much was lost that repeating is no use. */
static void
follow(struct ftfw *f, uint64_t now)
{
	const bool hello = (f->odd.flags & WIRE_HELLO) != 0;

	f->last_rx = f->odd.seq;
	f->ack_from = f->odd.seq;
	f->ack_set = true;
	f->window = f->window_size;
	f->peer_hello = hello;
	f->odd_set = false;
	if (f->odd_gap) {
		f->window = f->window_size > 1 ? f->window_size - 1 : 1;
		return;
	}
	if (hello) {
		rsq_clear(&f->rs);
		f->nack_set = false;
	}
	tell(f, hello ? MODE_PEER_NEW : MODE_PEER_LOST_OURS);
	control(f, &f->odd, now); /* nobody else will say it again: it counts as received */
}

static bool
confirms(const struct ftfw *f, const struct wire_head *h, uint64_t now)
{
	uint32_t d = h->seq - f->odd.seq;

	return f->odd_set && now - f->odd_at < CONFIRM_MS && d > 0 && d <= CONFIRM_RANGE;
}

/* Distance of the number from the expected one, as a loss (>= 0), or -1: it does not belong to what we follow. */
static int64_t
distance(const struct ftfw *f, const struct wire_head *h)
{
	uint32_t d = h->seq - (f->last_rx + 1);

	if (h->flags & WIRE_HELLO && (!f->peer_hello || d > CONFIRM_RANGE))
		return -1;
	return d <= f->jump_max ? (int64_t)d : -1;
}

/* Remembers the number; whatever it carries is state like any other, but the window stays where it is. */
static bool
odd(struct ftfw *f, const struct wire_head *h, bool gap, uint64_t now)
{
	f->odd_set = true;
	f->odd_gap = gap;
	f->odd = *h;
	f->odd_at = now;
	return wire_is_state(h);
}

/* Messages were lost, or somebody wants us to believe it: what is missing is demanded at once, which does no harm when
 * it was never sent, and the next message tells. */
static bool
after_gap(struct ftfw *f, const struct wire_head *h, uint64_t now)
{
	control(f, h, now);
	if (f->ack_set)
		txq_put_control(&f->tx, WIRE_ACK, f->ack_from, f->last_rx);
	f->ack_set = false;
	txq_put_control(&f->tx, WIRE_NACK, f->last_rx + 1, h->seq - 1);
	if (now - f->heard >= SILENT_MS)
		tell(f, MODE_PEER_LOST_OURS);
	f->heard = now;
	return odd(f, h, true, now);
}

static bool
first_contact(struct ftfw *f, const struct wire_head *h, uint64_t now)
{
	in_sync(f, h, now);
	tell(f, MODE_PEER_NEW);
	return wire_is_state(h);
}

static bool
ftfw_recv(struct mode *m, const struct wire_head *h, uint64_t now)
{
	struct ftfw *f = (struct ftfw *)m;
	bool good = good_header(h);
	int64_t d;

	if (good)
		hello_flags(f, h);
	if (good && f->rx_known && confirms(f, h, now))
		follow(f, now);
	d = f->rx_known ? distance(f, h) : 0;
	if (d < 0 && (h->flags & WIRE_HELLO) == 0 && seq_before(h->seq, f->last_rx + 1)) {
		f->before++;
		if (now - f->heard < SILENT_MS) /* else we may be the one who is wrong */
			return false;
	}
	if (d > 0)
		f->lost += (uint64_t)d + 1; /* counted as 1.4.x does */
	if (!good) {
		f->malformed++;
		return false;
	}
	if (!f->rx_known)
		return first_contact(f, h, now);
	if (d != 0)
		return d < 0 ? odd(f, h, false, now) : after_gap(f, h, now);
	in_sync(f, h, now);
	return wire_is_state(h);
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
	if (f->hello == HELLO_SAY)
		it->flags |= WIRE_HELLO;
	if (f->hello_back)
		it->flags |= WIRE_HELLO_BACK;
	f->hello_back = false;
	f->last_tx = now;
	return true;
}

static uint64_t
ftfw_tick(struct mode *m, uint64_t now)
{
	struct ftfw *f = (struct ftfw *)m;
	uint64_t due = f->last_tx + TICK_MS;

	f->nack_room = NACK_STEP;
	if (f->nack_set)
		serve_nack(f, f->nack_from, f->nack_to, now);
	if (now >= due && !txq_has_control(&f->tx, WIRE_ACK | WIRE_ALIVE)) {
		if (f->ack_set && f->rx_known)
			txq_put_control(&f->tx, WIRE_ACK, f->ack_from, f->last_rx);
		else
			txq_put_control(&f->tx, WIRE_ALIVE, 0, 0);
		f->ack_set = false;
	}
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

static void
ftfw_stats(const struct mode *m, struct mode_stats *s)
{
	const struct ftfw *f = (const struct ftfw *)m;

	*s = (struct mode_stats){
		.lost = f->lost,
		.before = f->before,
		.malformed = f->malformed,
		.overflows = f->rs.overflows,
		.tx_len = txq_len(&f->tx),
		.rs_len = rsq_len(&f->rs),
		.unacked = f->rs.slots[SLOT_FLOW].len + f->rs.slots[SLOT_EXPECT].len,
		.peer_known = f->rx_known,
		.in_sync = f->rx_known && f->hello == HELLO_DONE,
		.heard = f->heard,
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
	f->next_seq = first_seq;
	f->hold_until = now + HOLD_MS;
	f->last_tx = now;
	f->nack_at = now;
	f->nack_tokens = NACK_BURST;
	f->nack_room = NACK_STEP;
	f->window = f->window_size = conf->ack_window_size > 0 ? conf->ack_window_size : 1;
	f->jump_max = conf->resend_queue_size;
	txq_init(&f->tx, env->tables);
	rsq_init(&f->rs, &f->env, conf->resend_queue_size);
	txq_put_control(&f->tx, WIRE_ALIVE, 0, 0); /* say HELLO at once */
	return &f->mode;
}

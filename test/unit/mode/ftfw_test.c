/* FT-FW against a scripted peer: hello, acknowledgements, losses, restarts, forged numbers, rates. Time is an argument.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "rig.h"

#define FIRST 1000u

static int
setup(void **state)
{
	*state = ctx_new(ftfw_new, (struct conf){.resend_queue_size = 2000, .ack_window_size = 10}, FIRST, 50000);
	return 0;
}

static bool
state_in(struct ctx *c, uint8_t flags, uint32_t seq)
{
	return in(c, WIRE_CT_NEW, flags, seq, 0, 0);
}

static bool
out(struct ctx *c)
{
	struct mode_item it;

	if (!c->m->ops->next(c->m, &it, c->now))
		return false;
	c->it = it;
	return true;
}

static unsigned int
drain(struct ctx *c)
{
	unsigned int n = 0;

	while (out(c))
		n++;
	return n;
}

static unsigned int
took_events(struct ctx *c)
{
	unsigned int e = c->events;

	c->events = 0;
	return e;
}

static void
add_flows(struct ctx *c, unsigned int n)
{
	for (; n > 0; n--)
		c->m->ops->change(c->m, SLOT_FLOW, one_more_flow(c));
}

static struct mode_stats
stats(const struct ctx *c)
{
	struct mode_stats s;

	c->m->ops->stats(c->m, &s, c->now);
	return s;
}

/* Both sides know each other: the peer's last number is 500. */
static void
shake_hands(struct ctx *c)
{
	assert_true(out(c));
	assert_int_equal(c->it.flags, WIRE_ALIVE | WIRE_HELLO);
	assert_int_equal(c->it.seq, FIRST);
	assert_false(in(c, WIRE_CTL, WIRE_ALIVE | WIRE_HELLO_BACK, 500, 0, 0));
	assert_int_equal(took_events(c), MODE_PEER_NEW | MODE_PEER_KNOWS_US);
	drain(c);
}

static void
test_hello(void **state)
{
	struct ctx *c = *state;

	add_flows(c, 2);
	assert_true(out(c));
	assert_int_equal(c->it.flags, WIRE_ALIVE | WIRE_HELLO);
	assert_false(out(c)); /* state waits for the peer */
	assert_false(c->m->ops->ready(c->m, c->now));
	c->now += 1000;
	c->m->ops->tick(c->m, c->now);
	assert_true(out(c));
	assert_int_equal(c->it.flags, WIRE_ALIVE | WIRE_HELLO);
	in(c, WIRE_CTL, WIRE_ALIVE | WIRE_HELLO | WIRE_HELLO_BACK, 7, 0, 0);
	assert_int_equal(took_events(c), MODE_PEER_NEW | MODE_PEER_KNOWS_US);
	assert_true(out(c));
	assert_int_equal(c->it.kind, ITEM_FLOW);
	assert_int_equal(c->it.flags, WIRE_HELLO_BACK);
	assert_int_equal(c->it.seq, FIRST + 2);
	assert_true(out(c));
	assert_int_equal(c->it.flags, 0);
	assert_false(out(c));
}

/* A peer that says HELLO gets its answer at once, not with the next state. */
static void
test_hello_answered(void **state)
{
	struct ctx *c = *state;

	shake_hands(c);
	in(c, WIRE_CTL, WIRE_ALIVE | WIRE_HELLO, 501, 0, 0);
	assert_true(out(c));
	assert_int_equal(c->it.flags, WIRE_ALIVE | WIRE_HELLO_BACK);
	assert_false(out(c));
}

/* Nobody answers: after a bounded wait state goes out flagged, and once more when the peer comes. */
static void
test_absent_peer(void **state)
{
	struct ctx *c = *state;

	add_flows(c, 3);
	drain(c);
	c->now += 3000;
	assert_true(c->m->ops->ready(c->m, c->now));
	assert_int_equal(drain(c), 3);
	assert_int_equal(c->it.flags, WIRE_HELLO);
	in(c, WIRE_CTL, WIRE_ALIVE | WIRE_HELLO_BACK, 7, 0, 0);
	assert_int_equal(drain(c), 3);
	assert_int_equal(c->it.flags, 0);
}

static void
test_ack_window(void **state)
{
	struct ctx *c = *state;

	shake_hands(c); /* the first of ten */
	for (uint32_t i = 1; i < 9; i++)
		assert_true(state_in(c, 0, 500 + i));
	assert_false(out(c));
	assert_true(state_in(c, 0, 509));
	assert_true(out(c));
	assert_int_equal(c->it.flags, WIRE_ACK);
	assert_int_equal(c->it.from, 500);
	assert_int_equal(c->it.to, 509);
	assert_true(state_in(c, 0, 510));
	c->now += 1000;
	c->m->ops->tick(c->m, c->now);
	assert_true(out(c));
	assert_int_equal(c->it.from, 510);
	assert_int_equal(c->it.to, 510);
	/* nothing new: a sign of life */
	c->now += 1000;
	c->m->ops->tick(c->m, c->now);
	assert_true(out(c));
	assert_int_equal(c->it.flags, WIRE_ALIVE);
}

/* Who sends without a pause still says once a second what has come. */
static void
test_ack_while_busy(void **state)
{
	struct ctx *c = *state;
	unsigned int acks = 0;

	shake_hands(c);
	for (uint32_t i = 1; i <= 30; i++) {
		c->now += 100;
		if (i % 10 == 5)
			assert_true(state_in(c, 0, 501 + i / 10));
		add_flows(c, 1);
		c->m->ops->tick(c->m, c->now);
		while (out(c))
			acks += c->it.kind == ITEM_CONTROL && c->it.flags == WIRE_ACK;
	}
	assert_int_equal(acks, 3);
	assert_int_equal(stats(c).unacked, 30);
}

/* An acknowledgement is not acknowledged by itself: two nodes with a small window would do nothing else. */
static void
test_ack_of_ack(void **state)
{
	struct ctx *c = *state;

	c->m->ops->free(c->m);
	c->conf.ack_window_size = 1;
	c->m = ftfw_new(&c->conf, &(struct mode_env){c, &c->t, on_event, on_unqueued}, FIRST, c->now);
	shake_hands(c);
	assert_true(state_in(c, 0, 501));
	assert_int_equal(drain(c), 1);
	assert_int_equal(c->it.flags, WIRE_ACK);
	in(c, WIRE_CTL, WIRE_ACK, 502, FIRST, c->it.seq);
	assert_int_equal(drain(c), 0);
	c->now += 1000;
	c->m->ops->tick(c->m, c->now);
	assert_int_equal(drain(c), 1); /* with the next sign of life */
	assert_int_equal(c->it.flags, WIRE_ACK);
	assert_int_equal(c->it.from, 502);
	assert_int_equal(c->it.to, 502);
}

/* 1..n messages of the peer are lost. */
static void
test_loss_in(void **state)
{
	struct ctx *c = *state;
	uint32_t seq = 500;

	shake_hands(c);
	for (uint32_t n = 1; n <= 20; n++) {
		assert_true(state_in(c, 0, seq += 1 + n));
		assert_true(out(c));
		assert_int_equal(c->it.flags, WIRE_ACK);
		assert_int_equal(c->it.to, seq - n - 1);
		assert_true(out(c));
		assert_int_equal(c->it.flags, WIRE_NACK);
		assert_int_equal(c->it.from, seq - n);
		assert_int_equal(c->it.to, seq - 1);
		assert_false(out(c));
	}
	assert_int_equal(stats(c).lost, 20 * 21 / 2 + 20); /* as 1.4.x counts: missing + 1 here, + 2 there */
	assert_int_equal(took_events(c), 0);
}

/* 1..n of our messages are lost: the same flows go out again, with new numbers and today's content. */
static void
test_loss_out(void **state)
{
	struct ctx *c = *state;
	uint32_t first, seq = 500;

	shake_hands(c);
	for (uint32_t n = 1; n <= 20; n++) {
		add_flows(c, n + 2);
		assert_true(out(c));
		first = c->it.seq;
		assert_int_equal(drain(c), n + 1);
		in(c, WIRE_CTL, WIRE_ACK, ++seq, first, first);
		in(c, WIRE_CTL, WIRE_NACK, ++seq, first + 1, first + n);
		for (uint32_t i = 0; i < n; i++) {
			do
				assert_true(out(c));
			while (c->it.kind == ITEM_CONTROL); /* our own acknowledgements */
			assert_int_equal(c->it.slot, c->slot[c->n_flows - n - 1 + i]);
			assert_true(seq_before(first + n + 1, c->it.seq));
			assert_int_equal(c->it.flags, 0);
		}
		in(c, WIRE_CTL, WIRE_ACK, ++seq, first + n + 1, c->it.seq);
		drain(c);
		assert_int_equal(stats(c).unacked, 0);
	}
}

static void
test_wrap(void **state)
{
	struct ctx *c = *state;

	in(c, WIRE_CTL, WIRE_ALIVE, 0xfffffffeu, 0, 0);
	assert_true(state_in(c, 0, 0xffffffffu));
	assert_true(state_in(c, 0, 0));
	assert_true(state_in(c, 0, 1));
	assert_true(state_in(c, 0, 4));
	drain(c);
	assert_int_equal(c->it.flags & WIRE_NACK, WIRE_NACK);
	assert_int_equal(c->it.from, 2);
	assert_int_equal(c->it.to, 3);
	assert_false(state_in(c, 0, 0xfffffff0u));
	assert_int_equal(stats(c).before, 1);
}

/* The peer restarts with a smaller number: nothing that fits any window, but HELLO twice. */
static void
test_peer_restarts(void **state)
{
	struct ctx *c = *state;

	shake_hands(c);
	add_flows(c, 5);
	drain(c);
	assert_int_equal(stats(c).unacked, 5);
	state_in(c, WIRE_HELLO, 300);
	assert_int_equal(took_events(c), 0);
	assert_int_equal(stats(c).unacked, 5);
	state_in(c, WIRE_HELLO, 301);
	assert_int_equal(took_events(c), MODE_PEER_NEW);
	assert_int_equal(stats(c).unacked, 0); /* what the old one missed is no use to the new one */
	assert_true(state_in(c, 0, 302));
	assert_int_equal(stats(c).before, 0);
}

/* The restarted peer's number happens to be the expected one. */
static void
test_peer_restarts_in_place(void **state)
{
	struct ctx *c = *state;

	shake_hands(c);
	state_in(c, 0, 501);
	state_in(c, WIRE_HELLO, 502);
	assert_int_equal(took_events(c), 0);
	state_in(c, 0, 503); /* it has seen our HELLO_BACK meanwhile */
	assert_int_equal(took_events(c), MODE_PEER_NEW);
	assert_int_equal(stats(c).lost, 0);
}

/* HELLO messages of a peer in its handshake are watched for losses, which 1.4.x does not do. */
static void
test_loss_among_hello(void **state)
{
	struct ctx *c = *state;

	drain(c);
	state_in(c, WIRE_HELLO, 10);
	state_in(c, WIRE_HELLO, 13);
	drain(c);
	assert_int_equal(c->it.flags & WIRE_NACK, WIRE_NACK);
	assert_int_equal(c->it.from, 11);
	assert_int_equal(c->it.to, 12);
	assert_int_equal(took_events(c), MODE_PEER_NEW);
}

/* One forged number, far ahead, with or without HELLO, must not make us deaf. */
static void
test_forged_jump(void **state)
{
	struct ctx *c = *state;

	shake_hands(c);
	add_flows(c, 2);
	drain(c);
	in(c, WIRE_CTL, WIRE_ALIVE, 500 + (1u << 30), 0, 0);
	assert_true(state_in(c, 0, 501));
	in(c, WIRE_CTL, WIRE_ALIVE | WIRE_HELLO, 501 + (1u << 30), 0, 0);
	assert_true(state_in(c, 0, 502));
	assert_int_equal(stats(c).before, 0);
	assert_int_equal(stats(c).unacked, 2);
	assert_int_equal(took_events(c), 0);
	/* HELLO with the very next number */
	in(c, WIRE_CTL, WIRE_ALIVE | WIRE_HELLO, 503, 0, 0);
	assert_true(state_in(c, 0, 503));
	assert_true(state_in(c, 0, 504));
	assert_int_equal(took_events(c), 0);
}

/* The same for a number that might be the next one after a loss, near or far: the peer's own messages are taken as they
 * come, without a pause. */
static void
test_forged_loss(void **state)
{
	const uint32_t ahead[] = {1, 2, 500, 1999};
	struct ctx *c = *state;
	uint32_t seq = 500;

	shake_hands(c);
	for (size_t i = 0; i < sizeof(ahead) / sizeof(ahead[0]); i++) {
		assert_true(state_in(c, 0, seq + 1 + ahead[i]));
		for (unsigned int n = 0; n < 2500; n++)
			assert_true(state_in(c, 0, ++seq));
		drain(c);
	}
	assert_int_equal(stats(c).before, 0);
	assert_int_equal(took_events(c), 0);
}

/* After a loss the acknowledgement begins with the message that showed it, once the next one has come. */
static void
test_ack_after_loss(void **state)
{
	struct ctx *c = *state;

	shake_hands(c);
	assert_true(state_in(c, 0, 501));
	assert_true(state_in(c, 0, 511));
	drain(c);
	assert_int_equal(c->it.flags & WIRE_NACK, WIRE_NACK);
	assert_true(state_in(c, 0, 512));
	c->now += 1000;
	c->m->ops->tick(c->m, c->now);
	assert_true(out(c));
	assert_int_equal(c->it.flags, WIRE_ACK);
	assert_int_equal(c->it.from, 511);
	assert_int_equal(c->it.to, 512);
	assert_int_equal(stats(c).before, 0);
}

/* A real jump is followed as soon as it goes on. */
static void
test_real_jump(void **state)
{
	struct ctx *c = *state;

	shake_hands(c);
	assert_true(state_in(c, 0, 100500));
	assert_true(state_in(c, 0, 100501));
	assert_int_equal(took_events(c), MODE_PEER_LOST_OURS);
	assert_true(state_in(c, 0, 100502));
	drain(c);
	assert_int_equal(c->it.flags & WIRE_NACK, 0); /* too much to be repeated */
}

/* What the first message behind the jump demands is done when the second one confirms it. */
static void
test_demand_after_jump(void **state)
{
	struct ctx *c = *state;

	shake_hands(c);
	add_flows(c, 10);
	drain(c);
	in(c, WIRE_CTL, WIRE_RESYNC, 100500, 0, 0);
	assert_int_equal(took_events(c), 0);
	in(c, WIRE_CTL, WIRE_ALIVE, 100501, 0, 0);
	assert_int_equal(took_events(c), MODE_PEER_LOST_OURS | MODE_RESYNC_ASKED);
	in(c, WIRE_CTL, WIRE_NACK, 300500, c->it.seq - 4, c->it.seq);
	assert_int_equal(stats(c).unacked, 10);
	in(c, WIRE_CTL, WIRE_ALIVE, 300501, 0, 0);
	assert_int_equal(stats(c).unacked, 5);
	/* and a peer that restarts with a demand */
	in(c, WIRE_CTL, WIRE_RESYNC | WIRE_HELLO, 100, 0, 0);
	took_events(c);
	in(c, WIRE_CTL, WIRE_ALIVE | WIRE_HELLO, 101, 0, 0);
	assert_int_equal(took_events(c), MODE_PEER_NEW | MODE_RESYNC_ASKED);
}

/* Deaf for a while because of numbers before ours: the peer is right after all. */
static void
test_deaf(void **state)
{
	struct ctx *c = *state;

	shake_hands(c);
	assert_false(state_in(c, 0, 400));
	assert_false(state_in(c, 0, 401));
	c->now += 6000;
	state_in(c, 0, 402);
	assert_true(state_in(c, 0, 403));
	assert_true(state_in(c, 0, 404));
	assert_int_equal(took_events(c), MODE_PEER_LOST_OURS);
}

static void
test_resend_queue_full(void **state)
{
	struct ctx *c = *state;

	shake_hands(c);
	add_flows(c, 2100);
	drain(c);
	assert_int_equal(stats(c).rs_len, 2000);
	/* the peer asks for what is gone: it gets everything instead */
	in(c, WIRE_CTL, WIRE_NACK, 501, FIRST + 1, FIRST + 3);
	assert_int_equal(took_events(c), MODE_STATE_LOST);
	/* unknown numbers are not an error */
	in(c, WIRE_CTL, WIRE_NACK, 502, FIRST + 90000, FIRST + 99999);
	assert_int_equal(took_events(c), 0);
}

/* However many messages demand it: so much is repeated in one turn, and the rest in the next ones. */
static void
test_nack_step(void **state)
{
	struct ctx *c = *state;
	const unsigned int step = 4096;

	c->m->ops->free(c->m);
	c->conf.resend_queue_size = 10000;
	c->m = ftfw_new(&c->conf, &(struct mode_env){c, &c->t, on_event, on_unqueued}, FIRST, c->now);
	shake_hands(c);
	add_flows(c, 9000);
	assert_int_equal(drain(c), 9000);
	c->m->ops->tick(c->m, c->now);
	for (uint32_t i = 0; i < 50; i++)
		in(c, WIRE_CTL, WIRE_NACK, 501 + i, FIRST + 1, FIRST + 9000);
	assert_int_equal(stats(c).unacked, 9000 - step);
	for (unsigned int left = 9000 - step; left > 0; left = stats(c).unacked) {
		uint64_t due = c->m->ops->tick(c->m, c->now);

		assert_true(left <= step || due <= c->now + 10); /* it comes back soon */
		assert_int_equal(stats(c).unacked, left > step ? left - step : 0);
	}
	assert_true(drain(c) >= 9000);
	assert_int_equal(stats(c).unacked, 9000);
}

static void
test_malformed(void **state)
{
	struct ctx *c = *state;

	shake_hands(c);
	in(c, WIRE_CTL, WIRE_ACK, 501, 9, 8);   /* backwards */
	in(c, WIRE_CTL, 0, 501, 0, 0);          /* control that says nothing */
	in(c, WIRE_CTL, WIRE_HELLO, 501, 0, 0); /* nor this */
	in(c, WIRE_CT_NEW, WIRE_ALIVE, 501, 0, 0);
	in(c, 7, 0, 501, 0, 0);
	assert_int_equal(stats(c).malformed, 5);
	assert_true(state_in(c, 0, 501)); /* the number is still expected */
	assert_int_equal(stats(c).lost, 0);
}

static void
test_ask_once(void **state)
{
	struct ctx *c = *state;

	shake_hands(c);
	c->m->ops->ask(c->m);
	c->m->ops->ask(c->m);
	assert_int_equal(drain(c), 1);
	assert_int_equal(c->it.flags, WIRE_RESYNC);
	c->m->ops->ask(c->m); /* later ones are new demands, acknowledged or not */
	assert_int_equal(drain(c), 1);
	in(c, WIRE_CTL, WIRE_RESYNC, 501, 0, 0);
	assert_int_equal(took_events(c), MODE_RESYNC_ASKED);
}

/* A flow is in one queue at most, and a deletion is kept until the peer has it. */
static void
test_one_place(void **state)
{
	struct ctx *c = *state;

	shake_hands(c);
	add_flows(c, 1);
	c->m->ops->change(c->m, SLOT_FLOW, c->slot[0]);
	assert_int_equal(drain(c), 1);
	c->m->ops->change(c->m, SLOT_FLOW, c->slot[0]);
	assert_int_equal(stats(c).unacked, 0);
	cache_bury(c->t.of[SLOT_FLOW], c->slot[0]);
	assert_int_equal(drain(c), 1);
	assert_int_equal(cache_stats(c->t.of[SLOT_FLOW])->total, 1);
	in(c, WIRE_CTL, WIRE_ACK, 501, FIRST, c->it.seq);
	assert_int_equal(cache_stats(c->t.of[SLOT_FLOW])->total, 0);
}

/* A bulk send never has more in the air than a small socket buffer holds, and goes on without acknowledgements. */
static void
test_credit(void **state)
{
	struct ctx *c = *state;
	uint32_t credit;

	shake_hands(c);
	credit = c->m->ops->credit(c->m, c->now);
	assert_in_range(credit, 500, 1100);
	add_flows(c, credit);
	assert_int_equal(c->m->ops->credit(c->m, c->now), 0);
	drain(c);
	assert_int_equal(c->m->ops->credit(c->m, c->now), 0);
	c->now += 10;
	assert_in_range(c->m->ops->credit(c->m, c->now), 1, 600);
	assert_int_equal(c->m->ops->credit(c->m, c->now), 0);
	in(c, WIRE_CTL, WIRE_ACK, 501, FIRST, c->it.seq);
	assert_in_range(c->m->ops->credit(c->m, c->now), credit - 1, 1100);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_hello),
		T(test_hello_answered),
		T(test_absent_peer),
		T(test_ack_window),
		T(test_ack_while_busy),
		T(test_ack_of_ack),
		T(test_loss_in),
		T(test_loss_out),
		T(test_wrap),
		T(test_peer_restarts),
		T(test_peer_restarts_in_place),
		T(test_loss_among_hello),
		T(test_forged_jump),
		T(test_forged_loss),
		T(test_ack_after_loss),
		T(test_real_jump),
		T(test_demand_after_jump),
		T(test_deaf),
		T(test_resend_queue_full),
		T(test_nack_step),
		T(test_malformed),
		T(test_ask_once),
		T(test_one_place),
		T(test_credit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

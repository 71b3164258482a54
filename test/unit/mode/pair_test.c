/*
 * Two nodes in one process over a link that loses datagrams at random: whatever changes on one side, once the link is
 * quiet both hold the same, nothing waits for acknowledgement, and no deletion is forgotten. Seeds are fixed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>

#include "flows.h"
#include "mode.h"

#define WIRE_LEN 2000

struct node {
	struct tables t;
	struct cache *external;
	struct conf conf;
	struct mode *m;
	unsigned int events;
	uint32_t bulk_pos;
	bool bulk;
	struct node *peer;
	uint32_t seq;
};

struct sim {
	struct node node[2];
	uint64_t now, rnd;
	unsigned int loss; /* percent */
};

static uint32_t
rnd(struct sim *s)
{
	s->rnd = s->rnd * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(s->rnd >> 33);
}

static void
event(void *arg, enum mode_event e)
{
	((struct node *)arg)->events |= e;
}

static void
unqueued(void *arg, enum slot_kind kind, uint32_t slot)
{
	(void)kind;
	cache_drop(((struct node *)arg)->t.of[SLOT_FLOW], slot);
}

static void
node_start(struct sim *s, struct node *n, uint32_t first_seq)
{
	struct mode_env env = {n, &n->t, event, unqueued};

	assert_int_equal(tables_init(&n->t, 20000), 0);
	n->external = cache_new(SLOT_FLOW, 20000);
	n->conf.resend_queue_size = 5000;
	n->conf.ack_window_size = 30;
	n->events = 0;
	n->bulk = false;
	n->m = ftfw_new(&n->conf, &env, first_seq, s->now);
}

static void
node_stop(struct node *n)
{
	n->m->ops->free(n->m);
	tables_clear(&n->t);
	cache_free(n->external);
}

static void
apply(struct node *n, const struct wire_head *h, const uint8_t *body, size_t len, uint32_t now)
{
	struct flow_side side;
	struct flow f;
	uint32_t slot;

	assert_int_equal(wire_dec_flow(body, len, &f, &side, NULL), WIRE_OK);
	slot = cache_find(n->external, &f);
	if (h->type == WIRE_CT_DEL) {
		if (slot != SLOT_NONE)
			cache_drop(n->external, slot);
	} else if (slot == SLOT_NONE)
		assert_int_equal(cache_insert(n->external, &f, now, &slot), 0);
	else
		(h->type == WIRE_CT_NEW ? cache_revive : cache_update)(n->external, slot, &f, now);
}

static void
deliver(struct sim *s, struct node *to, const uint8_t *data, size_t left)
{
	const uint8_t *body;
	struct wire_head h;
	size_t len, need;

	if (rnd(s) % 100 < s->loss)
		return;
	while (left > 0) {
		assert_int_equal(wire_next(&data, &left, &h, &body, &len, &need), WIRE_OK);
		if (to->m->ops->recv(to->m, &h, s->now))
			apply(to, &h, body, len, (uint32_t)(s->now / 1000));
	}
}

/* Everything that may be sent, in datagrams of up to 15 messages. */
static void
node_send(struct sim *s, struct node *n)
{
	static const struct wire_enc_opts o = {0};
	uint8_t dgram[WIRE_LEN];
	size_t used = 0;
	struct mode_item it;

	while (n->m->ops->next(n->m, &it, s->now)) {
		const struct entry *e = it.kind == ITEM_FLOW ? cache_entry(n->t.of[SLOT_FLOW], it.slot) : NULL;
		int len = e != NULL
				  ? wire_enc_flow(&e->flow, (enum wire_type)e->change, it.flags, it.seq, &o,
						  dgram + used, sizeof(dgram) - used)
				  : wire_enc_ctl(it.flags, it.seq, it.from, it.to, dgram + used, sizeof(dgram) - used);

		assert_true(len > 0);
		used += (size_t)len;
		if (used > 1300) {
			deliver(s, n->peer, dgram, used);
			used = 0;
		}
	}
	if (used > 0)
		deliver(s, n->peer, dgram, used);
}

static void
node_turn(struct sim *s, struct node *n)
{
	unsigned int e = n->events;
	uint32_t slot;

	n->events = 0;
	if (e & (MODE_PEER_NEW | MODE_PEER_KNOWS_US | MODE_RESYNC_ASKED | MODE_STATE_LOST)) {
		n->bulk = true;
		n->bulk_pos = 0;
	}
	if (e & (MODE_PEER_NEW | MODE_PEER_KNOWS_US | MODE_PEER_LOST_OURS))
		n->m->ops->ask(n->m);
	if (n->bulk && n->m->ops->ready(n->m, s->now))
		for (uint32_t c = n->m->ops->credit(n->m, s->now); c > 0 && n->bulk; c--) {
			if ((slot = cache_walk(n->t.of[SLOT_FLOW], &n->bulk_pos)) == SLOT_NONE)
				n->bulk = false;
			else
				n->m->ops->change(n->m, SLOT_FLOW, slot);
		}
	n->m->ops->tick(n->m, s->now);
	node_send(s, n);
}

static void
run(struct sim *s, unsigned int turns)
{
	for (; turns > 0; turns--, s->now += 10) {
		node_turn(s, &s->node[0]);
		node_turn(s, &s->node[1]);
	}
}

/* One random event of the node's kernel. */
static void
churn(struct sim *s, struct node *n, unsigned int space)
{
	struct flow f = flow_nr(rnd(s) % space);
	uint32_t slot = cache_find(n->t.of[SLOT_FLOW], &f), now = (uint32_t)(s->now / 1000);
	unsigned int what = rnd(s) % 3;

	f.state = (uint8_t)(1 + rnd(s) % 8);
	if (slot == SLOT_NONE)
		assert_int_equal(cache_insert(n->t.of[SLOT_FLOW], &f, now, &slot), 0);
	else if (cache_entry(n->t.of[SLOT_FLOW], slot)->flags & ENTRY_DEAD)
		cache_revive(n->t.of[SLOT_FLOW], slot, &f, now);
	else if (what == 0)
		cache_bury(n->t.of[SLOT_FLOW], slot);
	else
		cache_update(n->t.of[SLOT_FLOW], slot, &f, now);
	n->m->ops->change(n->m, SLOT_FLOW, slot);
}

static void
assert_same(const struct cache *internal, const struct cache *external)
{
	uint32_t pos = 0, slot, other;
	uint64_t n = 0;

	while ((slot = cache_walk(internal, &pos)) != SLOT_NONE) {
		const struct entry *e = cache_entry(internal, slot);

		if (e->flags & ENTRY_DEAD)
			continue;
		other = cache_find(external, &e->flow);
		assert_int_not_equal(other, SLOT_NONE);
		assert_int_equal(cache_entry(external, other)->flow.state, e->flow.state);
		n++;
	}
	assert_int_equal(cache_stats(external)->active, n);
}

static void
assert_converged(struct sim *s)
{
	struct mode_stats ms;

	for (int i = 0; i < 2; i++) {
		s->node[i].m->ops->stats(s->node[i].m, &ms);
		assert_int_equal(ms.unacked, 0);
		assert_same(s->node[i].t.of[SLOT_FLOW], s->node[!i].external);
	}
}

static void
start(struct sim *s, uint64_t seed, unsigned int loss)
{
	*s = (struct sim){.now = 100000, .rnd = seed, .loss = loss};
	s->node[0].peer = &s->node[1];
	s->node[1].peer = &s->node[0];
	/* one wraps soon */
	node_start(s, &s->node[0], 0xffffff00u);
	node_start(s, &s->node[1], 1763000000u);
}

static void
stop(struct sim *s)
{
	node_stop(&s->node[0]);
	node_stop(&s->node[1]);
}

static void
random_run(uint64_t seed, unsigned int loss, bool restart)
{
	struct sim s;

	start(&s, seed, loss);
	for (int round = 0; round < 150; round++) {
		for (uint32_t n = rnd(&s) % 60; n > 0; n--)
			churn(&s, &s.node[rnd(&s) % 2], 800);
		run(&s, 1 + rnd(&s) % 10);
		if (restart && round == 60) { /* its flows are gone with it, its numbers start before the old ones */
			node_stop(&s.node[1]);
			node_start(&s, &s.node[1], 1763000000u);
			for (int i = 0; i < 300; i++)
				churn(&s, &s.node[1], 800);
		}
	}
	s.loss = 0;
	run(&s, 1500);
	assert_converged(&s);
	stop(&s);
}

static void
test_without_loss(void **state)
{
	(void)state;
	random_run(1, 0, false);
}

static void
test_loss(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 12; seed++)
		random_run(seed, 5, false);
	for (uint64_t seed = 1; seed <= 12; seed++)
		random_run(seed, 20, false);
}

/* After a restart the other side still holds flows the restarted node no longer has; only those that both know are
 * compared by assert_same() after the restarted node's peer has dropped what nobody confirmed. */
static void
test_restart(void **state)
{
	struct sim s;

	(void)state;
	for (uint64_t seed = 1; seed <= 8; seed++) {
		start(&s, seed, 10);
		for (int i = 0; i < 500; i++)
			churn(&s, &s.node[i % 2], 900);
		run(&s, 300);
		node_stop(&s.node[1]);
		node_start(&s, &s.node[1], 1763000000u);
		for (int i = 0; i < 2000; i++)
			churn(&s, &s.node[1], 900);
		s.loss = 10;
		run(&s, 500);
		s.loss = 0;
		run(&s, 1500);
		/* the restarted node got everything again without asking by hand */
		assert_same(s.node[0].t.of[SLOT_FLOW], s.node[1].external);
		stop(&s);
	}
}

/* The link is cut for a while, longer than the resend queue can bridge. */
static void
test_cut(void **state)
{
	struct sim s;

	(void)state;
	start(&s, 99, 0);
	run(&s, 50);
	s.loss = 100;
	for (int i = 0; i < 9000; i++) {
		churn(&s, &s.node[i % 2], 12000);
		if (i % 10 == 0)
			run(&s, 1);
	}
	s.loss = 0;
	run(&s, 2500);
	assert_converged(&s);
	stop(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_without_loss),
		cmocka_unit_test(test_loss),
		cmocka_unit_test(test_restart),
		cmocka_unit_test(test_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

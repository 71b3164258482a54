/*
 * Two nodes, or a group of more, in one process over a link that loses datagrams at random, for each receiver by
 * itself: whatever changes on one node, once the link is quiet all hold the same, nothing waits for acknowledgement,
 * and no deletion is forgotten. Seeds are fixed.
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
#define NODES    5

struct node {
	struct tables t;
	struct cache *external[NODES]; /* of each node */
	struct conf conf;
	struct mode *m;
	unsigned int events;
	uint32_t bulk_pos;
	bool bulk, cut; /* cut: hears nobody, and nobody hears it */
};

struct sim {
	struct node node[NODES];
	unsigned int n;
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
	for (unsigned int i = 0; i < NODES; i++)
		n->external[i] = cache_new(SLOT_FLOW, 20000);
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
	for (unsigned int i = 0; i < NODES; i++)
		cache_free(n->external[i]);
}

static void
apply(struct cache *external, const struct wire_head *h, const uint8_t *body, size_t len, uint32_t now)
{
	struct flow_side side;
	struct flow f;
	uint32_t slot;

	assert_int_equal(wire_dec_flow(body, len, &f, &side, NULL), WIRE_OK);
	slot = cache_find(external, &f);
	if (h->type == WIRE_CT_DEL) {
		if (slot != SLOT_NONE)
			cache_drop(external, slot);
	} else if (slot == SLOT_NONE)
		assert_int_equal(cache_insert(external, &f, now, &slot), 0);
	else
		(h->type == WIRE_CT_NEW ? cache_revive : cache_update)(external, slot, &f, now);
}

static void
deliver_to(struct sim *s, unsigned int from, struct node *to, const uint8_t *data, size_t left)
{
	const uint8_t *body;
	struct wire_head h;
	size_t len, need;

	if (rnd(s) % 100 < s->loss || to->cut || s->node[from].cut)
		return;
	while (left > 0) {
		assert_int_equal(wire_next(&data, &left, &h, &body, &len, &need), WIRE_OK);
		if (to->m->ops->recv(to->m, from, &h, s->now))
			apply(to->external[from], &h, body, len, (uint32_t)(s->now / 1000));
	}
}

static void
deliver(struct sim *s, const struct node *from, const uint8_t *data, size_t left)
{
	for (unsigned int i = 0; i < s->n; i++)
		if (&s->node[i] != from)
			deliver_to(s, (unsigned int)(from - s->node), &s->node[i], data, left);
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
			deliver(s, n, dgram, used);
			used = 0;
		}
	}
	if (used > 0)
		deliver(s, n, dgram, used);
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
		for (unsigned int i = 0; i < s->n; i++)
			node_turn(s, &s->node[i]);
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

	for (unsigned int i = 0; i < s->n; i++) {
		s->node[i].m->ops->stats(s->node[i].m, &ms, s->now);
		assert_int_equal(ms.unacked, 0);
		assert_true(ms.in_sync);
		for (unsigned int k = 0; k < s->n; k++)
			if (k != i)
				assert_same(s->node[i].t.of[SLOT_FLOW], s->node[k].external[i]);
	}
}

static void
start(struct sim *s, uint64_t seed, unsigned int loss, unsigned int n)
{
	/* one wraps soon; any two are far apart */
	static const uint32_t first[NODES] = {0xffffff00u, 1763000000u, 77u << 20, 3u << 30, 1u << 30};

	*s = (struct sim){.now = 100000, .rnd = seed, .loss = loss, .n = n};
	for (unsigned int i = 0; i < n; i++)
		node_start(s, &s->node[i], first[i]);
}

static void
stop(struct sim *s)
{
	for (unsigned int i = 0; i < s->n; i++)
		node_stop(&s->node[i]);
}

static void
random_run(uint64_t seed, unsigned int loss, unsigned int n)
{
	struct sim s;

	start(&s, seed, loss, n);
	for (int round = 0; round < 150; round++) {
		for (uint32_t k = rnd(&s) % 60; k > 0; k--)
			churn(&s, &s.node[rnd(&s) % n], 800);
		run(&s, 1 + rnd(&s) % 10);
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
	random_run(1, 0, 2);
}

static void
test_loss(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 12; seed++)
		random_run(seed, 5, 2);
	for (uint64_t seed = 1; seed <= 12; seed++)
		random_run(seed, 20, 2);
}

/* After a restart the other side still holds flows the restarted node no longer has; only those that both know are
 * compared by assert_same() after the restarted node's peer has dropped what nobody confirmed. */
static void
test_restart(void **state)
{
	struct sim s;

	(void)state;
	for (uint64_t seed = 1; seed <= 8; seed++) {
		start(&s, seed, 10, 2);
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
		assert_same(s.node[0].t.of[SLOT_FLOW], s.node[1].external[0]);
		stop(&s);
	}
}

/* The link is cut for a while, longer than the resend queue can bridge. */
static void
test_cut(void **state)
{
	struct sim s;

	(void)state;
	start(&s, 99, 0, 2);
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

/* Each of the others has to have what a node says before it forgets it. */
static void
test_group(void **state)
{
	(void)state;
	random_run(1, 0, 3);
	for (uint64_t seed = 1; seed <= 6; seed++)
		random_run(seed, 10, 3 + (unsigned int)seed % 3);
}

/* One of a group is away for a while, the others go on; it comes back, and has everything. */
static void
test_group_member_away(void **state)
{
	struct mode_stats ms;
	struct sim s;

	(void)state;
	start(&s, 7, 5, 3);
	run(&s, 300);
	s.node[2].cut = true;
	for (int round = 0; round < 300; round++) {
		for (int k = 0; k < 20; k++)
			churn(&s, &s.node[rnd(&s) % 2], 800);
		run(&s, 8);
	}
	s.loss = 0;
	run(&s, 300);
	s.node[0].m->ops->stats(s.node[0].m, &ms, s.now);
	assert_int_equal(ms.unacked, 0); /* nobody waits for it */
	s.node[2].cut = false;
	run(&s, 2000);
	for (unsigned int i = 0; i < 2; i++)
		for (uint32_t pos = 0, slot; (slot = cache_walk(s.node[i].t.of[SLOT_FLOW], &pos)) != SLOT_NONE;)
			assert_int_not_equal(
				cache_find(s.node[2].external[i], &cache_entry(s.node[i].t.of[SLOT_FLOW], slot)->flow),
				SLOT_NONE);
	stop(&s);
}

/* A member restarts while the others have much to say: all of them answer it, and it has everything. */
static void
test_group_member_restarts(void **state)
{
	struct mode_stats ms;
	struct sim s;

	(void)state;
	start(&s, 5, 5, 3);
	run(&s, 300);
	node_stop(&s.node[1]);
	node_start(&s, &s.node[1], 9u << 26);
	for (int round = 0; round < 200; round++) {
		for (int k = 0; k < 30; k++)
			churn(&s, &s.node[k % 2 * 2], 800);
		run(&s, 2);
	}
	for (int i = 0; i < 3; i++) {
		s.node[i].m->ops->stats(s.node[i].m, &ms, s.now);
		assert_true(ms.in_sync);
	}
	s.loss = 0;
	run(&s, 1500);
	assert_converged(&s);
	stop(&s);
}

/* Numbers of two nodes are so near to each other that nobody knows whom an acknowledgement is for: said, not believed,
 * and repaired when they part. */
static void
test_group_with_alike_numbers(void **state)
{
	struct mode_stats ms;
	struct sim s;

	(void)state;
	start(&s, 11, 0, 3);
	node_stop(&s.node[1]);
	node_start(&s, &s.node[1], 0xffffff20u);
	run(&s, 300);
	for (int round = 0; round < 50; round++) {
		for (int k = 0; k < 20; k++)
			churn(&s, &s.node[k % 3], 800);
		run(&s, 10);
	}
	s.node[0].m->ops->stats(s.node[0].m, &ms, s.now);
	assert_false(ms.in_sync);
	/* one of them talks much */
	for (int round = 0; round < 600; round++) {
		for (int k = 0; k < 40; k++)
			churn(&s, &s.node[1], 800);
		run(&s, 10);
	}
	run(&s, 2000);
	assert_converged(&s);
	stop(&s);
}

/* Who joins a group, and one that never acknowledges, hold nobody up. */
static void
test_group_with_a_mute(void **state)
{
	struct mode_stats ms;
	struct mode_peer p;
	struct sim s;

	(void)state;
	start(&s, 9, 0, 2);
	run(&s, 300);
	for (int round = 0; round < 200; round++) {
		const struct wire_head alive = {
			.version = 1, .type = WIRE_CTL, .flags = WIRE_ALIVE, .len = 8, .seq = (uint32_t)round};

		for (int i = 0; i < 2; i++)
			s.node[i].m->ops->recv(s.node[i].m, 9, &alive, s.now);
		for (int k = 0; k < 5; k++)
			churn(&s, &s.node[k % 2], 800);
		run(&s, 10);
	}
	run(&s, 100);
	for (int i = 0; i < 2; i++) {
		s.node[i].m->ops->stats(s.node[i].m, &ms, s.now);
		assert_int_equal(ms.unacked, 0);
		assert_false(ms.in_sync);
		s.node[i].m->ops->peer(s.node[i].m, 9, &p, s.now);
		assert_true(p.known);
		assert_false(p.in_sync);
		assert_int_equal(p.speaks, SPEAKS_SHY);
		s.node[i].m->ops->peer(s.node[i].m, (unsigned int)!i, &p, s.now);
		assert_true(p.in_sync);
		s.node[i].m->ops->forget_peer(s.node[i].m, 9);
	}
	run(&s, 200);
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
		cmocka_unit_test(test_group),
		cmocka_unit_test(test_group_member_away),
		cmocka_unit_test(test_group_member_restarts),
		cmocka_unit_test(test_group_with_a_mute),
		cmocka_unit_test(test_group_with_alike_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

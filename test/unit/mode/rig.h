/* A mode with caches of its own and a clock, for the tests of the modes. */
#ifndef RIG_H
#define RIG_H

#include <stdlib.h>

#include "flows.h"
#include "mode.h"

struct ctx {
	struct tables t;
	struct mode *m;
	struct conf conf;
	uint64_t now;
	unsigned int events; /* of enum mode_event since last asked */
	unsigned int n_flows;
	uint32_t slot[9000];
	unsigned int sent[100]; /* per flow */
	struct mode_item it;
};

static inline void
on_event(void *arg, enum mode_event e)
{
	((struct ctx *)arg)->events |= e;
}

static inline void
on_unqueued(void *arg, enum slot_kind kind, uint32_t slot)
{
	(void)kind;
	cache_drop(((struct ctx *)arg)->t.of[SLOT_FLOW], slot);
}

static inline struct ctx *
ctx_new(struct mode *(*mode_new)(const struct conf *, const struct mode_env *, uint32_t, uint64_t), struct conf conf,
	uint32_t first_seq, uint64_t now)
{
	struct ctx *c = calloc(1, sizeof(*c));
	struct mode_env env = {c, &c->t, on_event, on_unqueued};

	assert_int_equal(tables_init(&c->t, 10000), 0);
	c->conf = conf;
	c->now = now;
	c->m = mode_new(&c->conf, &env, first_seq, now);
	return c;
}

static inline int
teardown(void **state)
{
	struct ctx *c = *state;

	c->m->ops->free(c->m);
	tables_clear(&c->t);
	free(c);
	return 0;
}

static inline uint32_t
one_more_flow(struct ctx *c)
{
	struct flow f = flow_nr(c->n_flows);

	assert_int_equal(cache_insert(c->t.of[SLOT_FLOW], &f, 0, &c->slot[c->n_flows]), 0);
	return c->slot[c->n_flows++];
}

static inline bool
in(struct ctx *c, uint8_t type, uint8_t flags, uint32_t seq, uint32_t from, uint32_t to)
{
	struct wire_head h = {
		.version = 1, .type = type, .flags = flags, .len = 16, .seq = seq, .from = from, .to = to};

	return c->m->ops->recv(c->m, 0, &h, c->now);
}

#endif

/*
 * Events and dumps handed to the store.
 */
#include "store_sink.h"

#include <string.h>

static void
prefetch(void *arg, const struct flow *f, size_t n)
{
	const struct store_sink *s = arg;

	cache_prefetch(s->store->t.of[SLOT_FLOW], f, n);
}

static bool
flow(void *arg, enum sink_op op, const struct flow *f, bool own)
{
	const struct store_sink *s = arg;
	const struct cache_stats *st = cache_stats(s->store->t.of[SLOT_FLOW]);
	const uint64_t before = st->deleted;

	store_flow(s->store, op, f, own, s->clock->s);
	return op == SINK_DEL && st->deleted != before;
}

static unsigned int
hidden(void *arg, const struct flow *f)
{
	const struct store_sink *s = arg;

	return store_early_drop(s->store, f, s->clock->s);
}

static bool
expect(void *arg, enum sink_op op, const struct expect *e, bool own)
{
	const struct store_sink *s = arg;

	if (op == SINK_DEL && store_expect_early_gone(s->store, e))
		return false;
	if (op != SINK_DEL && !store_has_master(s->store, e))
		return store_expect_early(s->store, e, s->clock->s);
	store_expect(s->store, op, e, own, s->clock->s);
	return true;
}

static void
flow_dumped(void *arg, const struct flow *f, bool shown)
{
	const struct store_sink *s = arg;

	if (shown)
		store_flow_dumped(s->store, f, s->clock->s);
	else
		store_flow_filtered(s->store, f);
}

static void
expect_dumped(void *arg, const struct expect *e)
{
	const struct store_sink *s = arg;

	if (store_has_master(s->store, e))
		store_expect_dumped(s->store, e, s->clock->s);
}

static bool
other_seqadj(const struct flow *f, const struct flow *known)
{
	return f->have & FLOW_SEQADJ && (!(known->have & FLOW_SEQADJ) ||
					 memcmp(f->side->seqadj, known->side->seqadj, sizeof(f->side->seqadj)) != 0);
}

static void
looked_at(void *arg, const struct flow *f)
{
	const struct store_sink *s = arg;
	const struct cache *c = s->store->t.of[SLOT_FLOW];
	const uint32_t slot = cache_find(c, f);

	if (slot != SLOT_NONE && (cache_entry(c, slot)->flags & ENTRY_DEAD) == 0 &&
	    other_seqadj(f, &cache_entry(c, slot)->flow))
		store_flow(s->store, SINK_UPD, f, false, s->clock->s);
}

struct sink
store_sink(struct store_sink *s)
{
	return (struct sink){
		.arg = s,
		.prefetch = prefetch,
		.flow = flow,
		.waiting = &s->store->early.n,
		.hidden = hidden,
		.expect = expect,
		.flow_dumped = flow_dumped,
		.expect_dumped = expect_dumped,
		.looked_at = looked_at,
	};
}

/*
 * Peers' states into tables. Called by the receive path, which has checked them; tuples are the peers' choice.
 */
#include "external.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>

#define EXPIRE_MS    2000 /* in which all entries are looked at */
#define EXPIRE_STEPS 8

struct external {
	struct external_conf conf;
	const struct clock *clock;
	struct tables t;
	uint32_t expire_pos[SLOT_KINDS];
	uint64_t expire_at;
	bool missed; /* flows were refused since somebody was last asked for them */
	uint64_t refused;
};

struct external *
external_new(const struct external_conf *conf, const struct clock *clock)
{
	struct external *x = calloc(1, sizeof(*x));

	if (x == NULL)
		return NULL;
	x->conf = *conf;
	x->clock = clock;
	if (tables_init(&x->t, conf->limit) == 0)
		return x;
	external_free(x);
	return NULL;
}

void
external_free(struct external *x)
{
	if (x == NULL)
		return;
	tables_clear(&x->t);
	free(x);
}

const struct tables *
external_tables(const struct external *x)
{
	return &x->t;
}

static void
apply(struct external *x, enum slot_kind kind, enum entry_change change, const void *object)
{
	struct cache *c = x->t.of[kind];
	uint32_t slot = cache_find(c, object);

	if (change == ENTRY_DEL) {
		if (slot != SLOT_NONE)
			cache_drop(c, slot);
		else
			cache_note_missing(c);
	} else if (slot == SLOT_NONE) {
		if (cache_insert(c, object, x->clock->s, &slot) != -ENOSPC)
			return;
		x->refused++;
		x->missed = x->missed || kind == SLOT_FLOW;
	} else {
		cache_entry(c, slot)->gen = 0; /* a commit that runs has not written this */
		(kind == SLOT_FLOW && change == ENTRY_NEW ? cache_revive : cache_update)(c, slot, object, x->clock->s);
	}
}

static void
apply_flows(void *arg, struct apply_batch *b)
{
	struct external *x = arg;

	cache_prefetch(x->t.of[SLOT_FLOW], b->flow, b->n);
	for (unsigned int i = 0; i < b->n; i++)
		apply(x, SLOT_FLOW, (enum entry_change)b->change[i], &b->flow[i]);
}

static void
apply_expect(void *arg, enum entry_change change, const struct expect *e)
{
	apply(arg, SLOT_EXPECT, change, e);
}

static unsigned int
room(void *arg)
{
	(void)arg;
	return UINT_MAX;
}

static void
expire(struct external *x, enum slot_kind kind)
{
	struct cache *c = x->t.of[kind];
	uint64_t visits = cache_stats(c)->total / EXPIRE_STEPS + 1;
	uint32_t slot;

	for (; visits > 0; visits--) {
		if ((slot = cache_walk(c, &x->expire_pos[kind])) == SLOT_NONE) {
			x->expire_pos[kind] = 0;
			break;
		}
		if (x->clock->s - cache_entry(c, slot)->updated >= x->conf.lifetime)
			cache_drop(c, slot);
	}
}

static bool
turn(void *arg)
{
	struct external *x = arg;
	const bool ask = x->missed && cache_has_room(x->t.of[SLOT_FLOW], x->conf.limit);

	x->missed = x->missed && !ask;
	if (x->conf.lifetime == 0 || x->clock->ms < x->expire_at)
		return ask;
	x->expire_at = x->clock->ms + EXPIRE_MS / EXPIRE_STEPS;
	for (int k = 0; k < SLOT_KINDS; k++)
		expire(x, (enum slot_kind)k);
	return ask;
}

static const struct cache_stats *
stats(void *arg, enum slot_kind kind)
{
	return cache_stats(((struct external *)arg)->t.of[kind]);
}

struct applier
external_applier(struct external *x)
{
	return (struct applier){x, apply_flows, apply_expect, room, turn, stats};
}

void
external_flush(struct external *x, unsigned int tables)
{
	uint32_t pos = 0, slot;

	for (int k = 0; k < SLOT_KINDS; k++, pos = 0)
		while (tables & 1U << k && (slot = cache_walk(x->t.of[k], &pos)) != SLOT_NONE)
			cache_drop(x->t.of[k], slot);
}

uint64_t
external_refused(struct external *x)
{
	const uint64_t n = x->refused;

	x->refused = 0;
	return n;
}

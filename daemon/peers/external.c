/*
 * Peers' states into tables. They were checked when they were decoded; tuples are the peers' choice.
 */
#include "external.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>

#define EXPIRE_MS    2000 /* in which all entries are looked at */
#define EXPIRE_STEPS 8
#define DISPLACE_MAX 512 /* entries looked at for one that gives its place */

struct external {
	struct external_conf conf;
	const struct clock *clock;
	struct tables t;
	uint32_t expire_pos[SLOT_KINDS];
	uint64_t expire_at;
	bool missed; /* flows were refused since somebody was last asked for them */
	uint32_t held[SLOT_KINDS][APPLY_SOURCES];
	uint32_t displace_pos[SLOT_KINDS];
	struct external_full full;
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
drop(struct external *x, enum slot_kind kind, uint32_t slot)
{
	x->held[kind][cache_entry(x->t.of[kind], slot)->queue]--;
	cache_drop(x->t.of[kind], slot);
}

static void
belongs_to(struct external *x, enum slot_kind kind, struct entry *e, unsigned int source)
{
	x->held[kind][e->queue]--;
	x->held[kind][source]++;
	e->queue = (uint8_t)source;
}

/* An equal part of the places for each that has any, or wants one. */
static uint32_t
share(const struct external *x, enum slot_kind kind, unsigned int source)
{
	unsigned int n = 1;

	for (unsigned int i = 0; i < APPLY_SOURCES; i++)
		n += i != source && x->held[kind][i] > 0;
	return x->conf.limit / n;
}

/* Who has less than that takes the place of an entry of somebody who has more. */
static bool
make_room(struct external *x, enum slot_kind kind, unsigned int source)
{
	const uint32_t *const held = x->held[kind], equal = share(x, kind, source);
	struct cache *c = x->t.of[kind];

	for (int i = 0; held[source] < equal && i < DISPLACE_MAX; i++) {
		const uint32_t slot = cache_walk(c, &x->displace_pos[kind]);

		if (slot == SLOT_NONE)
			x->displace_pos[kind] = 0;
		else if (held[cache_entry(c, slot)->queue] > equal) {
			drop(x, kind, slot);
			x->full.displaced++;
			return true;
		}
	}
	return false;
}

static void
insert(struct external *x, enum slot_kind kind, unsigned int source, const void *object)
{
	struct cache *c = x->t.of[kind];
	uint32_t slot;
	int r = cache_insert(c, object, x->clock->s, &slot);

	if (r == -ENOSPC) {
		x->missed = x->missed || kind == SLOT_FLOW;
		if (make_room(x, kind, source))
			r = cache_insert(c, object, x->clock->s, &slot);
		x->full.refused += r == -ENOSPC;
	}
	if (r < 0)
		return;
	cache_entry(c, slot)->queue = (uint8_t)source;
	x->held[kind][source]++;
}

static void
apply(struct external *x, enum slot_kind kind, unsigned int source, enum entry_change change, const void *object)
{
	struct cache *c = x->t.of[kind];
	uint32_t slot = cache_find(c, object);

	if (slot == SLOT_NONE && change == ENTRY_DEL)
		cache_note_missing(c);
	else if (slot == SLOT_NONE)
		insert(x, kind, source, object);
	else if (change == ENTRY_DEL)
		drop(x, kind, slot);
	else {
		cache_entry(c, slot)->gen = 0; /* a commit that runs has not written this */
		(kind == SLOT_FLOW && change == ENTRY_NEW ? cache_revive : cache_update)(c, slot, object, x->clock->s);
		belongs_to(x, kind, cache_entry(c, slot), source);
	}
}

static void
apply_flows(void *arg, struct apply_batch *b)
{
	struct external *x = arg;

	cache_prefetch(x->t.of[SLOT_FLOW], b->flow, b->n);
	for (unsigned int i = 0; i < b->n; i++)
		apply(x, SLOT_FLOW, b->source, (enum entry_change)b->change[i], &b->flow[i]);
}

static void
apply_expect(void *arg, unsigned int source, enum entry_change change, const struct expect *e)
{
	apply(arg, SLOT_EXPECT, source, change, e);
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
			drop(x, kind, slot);
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
			drop(x, (enum slot_kind)k, slot);
}

struct external_full
external_full(struct external *x)
{
	const struct external_full full = x->full;

	x->full = (struct external_full){0};
	return full;
}

uint32_t
external_held(const struct external *x, enum slot_kind kind, unsigned int source)
{
	return x->held[kind][source];
}

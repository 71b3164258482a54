/*
 * The caches. Tuples come from packets and peers: the hash is keyed and the number of entries is bounded.
 */
#include "cache.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>

#include "index.h"
#include "seed.h"
#include "slab.h"

#define SLAB_BIT     31 /* of a slot: which slab */
#define SLAB_V6      (1U << SLAB_BIT)
#define LIMIT_MAX    0x7ff00000U
#define ENTRY_V4     ((offsetof(struct entry, flow.addr) + 4 * sizeof(uint32_t) + 7) & ~(size_t)7)
#define ENTRY_V6     (offsetof(struct entry, flow) + sizeof(struct flow))
#define ENTRY_EXPECT sizeof(struct entry)
#define SIDE_MALLOC  ((sizeof(struct flow_side) + 8 + 15) & ~(size_t)15) /* what the allocator takes for one */

struct cache {
	struct index index;
	struct slab slab[2]; /* IPv4 flows, or expectations; IPv6 flows */
	struct cache_stats stats;
	uint64_t seed[2];
	uint32_t limit;
	uint32_t sides;
	enum slot_kind kind;
};

static inline struct entry *
entry_at(const struct cache *c, uint32_t slot)
{
	return slab_at(&c->slab[slot >> SLAB_BIT], slot & ~SLAB_V6);
}

static uint32_t
hash_of(const struct cache *c, const void *object)
{
	return c->kind == SLOT_FLOW ? flow_hash(object, c->seed) : expect_hash(object, c->seed);
}

static bool
same_key(const void *owner, uint32_t slot, const void *key)
{
	const struct cache *c = owner;
	const struct entry *e = entry_at(c, slot);

	return c->kind == SLOT_FLOW ? flow_same_key(&e->flow, key) : expect_same_key(&e->expect, key);
}

struct cache *
cache_new(enum slot_kind kind, uint32_t limit)
{
	struct cache *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return NULL;
	c->kind = kind;
	c->limit = limit < LIMIT_MAX ? limit : LIMIT_MAX;
	if (seed_fill(c->seed) < 0 || index_init(&c->index, c->limit) < 0 ||
	    slab_init(&c->slab[0], kind == SLOT_FLOW ? ENTRY_V4 : ENTRY_EXPECT, c->limit) < 0 ||
	    slab_init(&c->slab[1], ENTRY_V6, kind == SLOT_FLOW ? c->limit : 0) < 0) {
		cache_free(c);
		return NULL;
	}
	return c;
}

static void
free_side(struct cache *c, struct entry *e)
{
	if (c->kind != SLOT_FLOW || e->flow.side == NULL)
		return;
	flow_clear(&e->flow);
	c->sides--;
}

void
cache_free(struct cache *c)
{
	uint32_t pos = 0, slot;

	if (c == NULL)
		return;
	while (c->sides > 0 && (slot = cache_walk(c, &pos)) != SLOT_NONE)
		free_side(c, entry_at(c, slot));
	slab_clear(&c->slab[0]);
	slab_clear(&c->slab[1]);
	index_clear(&c->index);
	free(c);
}

uint32_t
cache_find(const struct cache *c, const void *object)
{
	return index_find(&c->index, hash_of(c, object), same_key, c, object);
}

#define PREFETCH_MAX 64

void
cache_prefetch(const struct cache *c, const struct flow *f, size_t n)
{
	uint32_t hash[PREFETCH_MAX], slot;

	if (n > PREFETCH_MAX)
		n = PREFETCH_MAX;
	for (size_t i = 0; i < n; i++) {
		hash[i] = flow_hash(&f[i], c->seed);
		__builtin_prefetch(index_line(&c->index, hash[i]));
	}
	for (size_t i = 0; i < n; i++)
		if ((slot = index_peek(&c->index, hash[i])) != INDEX_NONE) {
			__builtin_prefetch(entry_at(c, slot), 1);
			__builtin_prefetch((char *)entry_at(c, slot) + ENTRY_V4 - 1, 1);
		}
}

static int
refuse(struct cache *c, uint64_t *why, int err)
{
	c->stats.create_failed++;
	if (why != NULL)
		++*why;
	return err;
}

static uint32_t
take_slot(struct cache *c, const void *object)
{
	const bool v6 = c->kind == SLOT_FLOW && ((const struct flow *)object)->l3 != AF_INET;
	const uint32_t n = slab_get(&c->slab[v6]);

	return n == SLAB_NONE ? SLOT_NONE : n | (uint32_t)v6 << SLAB_BIT;
}

/* Puts the object into the entry, a flow in the way of how, and keeps count of side blocks. */
static int
fill(struct cache *c, struct entry *e, const void *object, int (*how)(struct flow *, const struct flow *))
{
	bool had;
	int r;

	if (c->kind == SLOT_EXPECT) {
		e->expect = *(const struct expect *)object;
		return 0;
	}
	had = e->flow.side != NULL;
	r = how(&e->flow, object);
	c->sides += (uint32_t)(e->flow.side != NULL) - (uint32_t)had;
	return r;
}

static void
discard(struct cache *c, uint32_t slot)
{
	free_side(c, entry_at(c, slot));
	slab_put(&c->slab[slot >> SLAB_BIT], slot & ~SLAB_V6);
}

int
cache_insert(struct cache *c, const void *object, uint32_t now, uint32_t *slot)
{
	const uint32_t hash = hash_of(c, object);
	struct entry *e;
	uint32_t s;

	if (index_find(&c->index, hash, same_key, c, object) != INDEX_NONE)
		return refuse(c, NULL, -EEXIST);
	if (c->stats.total >= c->limit)
		return refuse(c, &c->stats.no_space, -ENOSPC);
	if ((s = take_slot(c, object)) == SLOT_NONE)
		return refuse(c, &c->stats.no_memory, -ENOMEM);
	e = entry_at(c, s);
	e->flow.side = NULL;
	if (fill(c, e, object, flow_copy) < 0 || index_add(&c->index, s, hash) < 0) {
		discard(c, s);
		return refuse(c, &c->stats.no_memory, -ENOMEM);
	}
	e->link = (struct qlink){SLOT_NONE, SLOT_NONE, 0};
	e->created = e->updated = now;
	e->queue = e->gen = e->flags = 0;
	e->change = ENTRY_NEW;
	c->stats.active++;
	c->stats.total++;
	c->stats.created++;
	*slot = s;
	return 0;
}

static void
live(struct cache *c, struct entry *e, enum entry_change as, uint32_t now)
{
	if (e->flags & ENTRY_DEAD)
		c->stats.active++;
	e->flags &= (uint8_t)~ENTRY_DEAD;
	e->change = (uint8_t)as;
	e->updated = now;
}

int
cache_update(struct cache *c, uint32_t slot, const void *object, uint32_t now)
{
	struct entry *e = entry_at(c, slot);

	if (fill(c, e, object, flow_merge) < 0) {
		c->stats.update_failed++;
		return -ENOMEM;
	}
	live(c, e, ENTRY_UPD, now);
	c->stats.updated++;
	return 0;
}

void
cache_bury(struct cache *c, uint32_t slot)
{
	struct entry *e = entry_at(c, slot);

	if (e->flags & ENTRY_DEAD)
		return;
	e->flags |= ENTRY_DEAD;
	e->change = ENTRY_DEL;
	c->stats.active--;
	c->stats.deleted++;
}

int
cache_revive(struct cache *c, uint32_t slot, const void *object, uint32_t now)
{
	struct entry *e = entry_at(c, slot);

	if (fill(c, e, object, flow_copy) < 0)
		return refuse(c, &c->stats.no_memory, -ENOMEM);
	c->stats.deleted += (e->flags & ENTRY_DEAD) == 0;
	live(c, e, ENTRY_NEW, now);
	e->created = now;
	c->stats.created++;
	return 0;
}

void
cache_drop(struct cache *c, uint32_t slot)
{
	struct entry *e = entry_at(c, slot);

	cache_bury(c, slot);
	index_del(&c->index, slot, c->kind == SLOT_FLOW ? hash_of(c, &e->flow) : hash_of(c, &e->expect));
	discard(c, slot);
	c->stats.total--;
}

struct entry *
cache_entry(const struct cache *c, uint32_t slot)
{
	return entry_at(c, slot);
}

uint32_t
cache_walk(const struct cache *c, uint32_t *pos)
{
	uint32_t n;

	if (*pos == SLOT_NONE)
		return SLOT_NONE;
	if (!(*pos & SLAB_V6)) {
		if ((n = slab_next(&c->slab[0], *pos)) != SLAB_NONE) {
			*pos = n + 1;
			return n;
		}
		*pos = SLAB_V6;
	}
	if ((n = slab_next(&c->slab[1], *pos & ~SLAB_V6)) == SLAB_NONE) {
		*pos = SLOT_NONE;
		return SLOT_NONE;
	}
	*pos = (n | SLAB_V6) + 1;
	return n | SLAB_V6;
}

void
cache_note_missing(struct cache *c)
{
	c->stats.delete_failed++;
	c->stats.delete_missing++;
}

const struct cache_stats *
cache_stats(const struct cache *c)
{
	return &c->stats;
}

size_t
cache_memory(const struct cache *c)
{
	return sizeof(*c) + slab_memory(&c->slab[0]) + slab_memory(&c->slab[1]) + index_memory(&c->index) +
	       c->sides * SIDE_MALLOC;
}

int
tables_init(struct tables *t, uint32_t limit)
{
	for (int k = 0; k < SLOT_KINDS; k++)
		t->of[k] = cache_new((enum slot_kind)k, limit);
	return t->of[SLOT_FLOW] != NULL && t->of[SLOT_EXPECT] != NULL ? 0 : -ENOMEM;
}

void
tables_clear(struct tables *t)
{
	for (int k = 0; k < SLOT_KINDS; k++)
		cache_free(t->of[k]);
	*t = (struct tables){{NULL}};
}

uint32_t
tables_walk(const struct tables *t, enum slot_kind *kind, uint32_t *pos)
{
	for (uint32_t slot; *kind < SLOT_KINDS; ++*kind, *pos = 0)
		if ((slot = cache_walk(t->of[*kind], pos)) != SLOT_NONE)
			return slot;
	return SLOT_NONE;
}

uint64_t
tables_total(const struct tables *t)
{
	return t->of[SLOT_FLOW]->stats.total + t->of[SLOT_EXPECT]->stats.total;
}

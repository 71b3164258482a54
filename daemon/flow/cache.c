/*
 * The flow caches. Called by intake, apply, commit, resync and the control role of the sync worker. Tuples come from
 * packets and peers: the hash is keyed and the number of entries is bounded.
 */
#include "cache.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>

#include "index.h"
#include "seed.h"
#include "slab.h"

#define SLOT_V6     0x80000000U /* slots of IPv6 entries */
#define LIMIT_MAX   0x7ff00000U
#define ENTRY_V4    ((offsetof(struct entry, flow.addr) + 4 * sizeof(uint32_t) + 7) & ~(size_t)7)
#define ENTRY_V6    sizeof(struct entry)
#define SIDE_MALLOC ((sizeof(struct flow_side) + 8 + 15) & ~(size_t)15) /* what the allocator takes for one */

struct cache {
	struct index index;
	struct slab v4, v6;
	struct cache_stats stats;
	uint64_t seed[2];
	uint32_t limit;
	uint32_t sides;
};

static inline struct entry *
entry_at(const struct cache *c, uint32_t slot)
{
	return slab_at(slot & SLOT_V6 ? &c->v6 : &c->v4, slot & ~SLOT_V6);
}

static bool
is_flow(const void *owner, uint32_t slot, const void *key)
{
	return flow_same_key(&entry_at(owner, slot)->flow, key);
}

struct cache *
cache_new(const struct cache_conf *conf)
{
	struct cache *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return NULL;
	c->limit = conf->limit < LIMIT_MAX ? conf->limit : LIMIT_MAX;
	if (seed_fill(c->seed) < 0 || index_init(&c->index, c->limit) < 0 ||
	    slab_init(&c->v4, ENTRY_V4, c->limit) < 0 || slab_init(&c->v6, ENTRY_V6, c->limit) < 0) {
		cache_free(c);
		return NULL;
	}
	return c;
}

void
cache_free(struct cache *c)
{
	uint32_t pos = 0, slot;

	if (c == NULL)
		return;
	while (c->sides > 0 && (slot = cache_walk(c, &pos)) != SLOT_NONE)
		if (entry_at(c, slot)->flow.side != NULL) {
			flow_clear(&entry_at(c, slot)->flow);
			c->sides--;
		}
	slab_clear(&c->v4);
	slab_clear(&c->v6);
	index_clear(&c->index);
	free(c);
}

uint32_t
cache_find(const struct cache *c, const struct flow *f)
{
	return index_find(&c->index, flow_hash(f, c->seed), is_flow, c, f);
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

/* A free slot of the flow's family. */
static uint32_t
take_slot(struct cache *c, const struct flow *f)
{
	uint32_t n;

	if (f->l3 == AF_INET)
		return slab_get(&c->v4);
	n = slab_get(&c->v6);
	return n == SLAB_NONE ? SLOT_NONE : n | SLOT_V6;
}

static void
give_slot(struct cache *c, uint32_t slot)
{
	slab_put(slot & SLOT_V6 ? &c->v6 : &c->v4, slot & ~SLOT_V6);
}

/* Runs a change of the entry's flow and keeps count of side blocks. */
static int
change_flow(struct cache *c, struct entry *e, const struct flow *f, int (*how)(struct flow *, const struct flow *))
{
	const bool had = e->flow.side != NULL;
	const int r = how(&e->flow, f);

	c->sides += (uint32_t)(e->flow.side != NULL) - (uint32_t)had;
	return r;
}

static void
discard(struct cache *c, uint32_t slot)
{
	struct entry *e = entry_at(c, slot);

	if (e->flow.side != NULL) {
		flow_clear(&e->flow);
		c->sides--;
	}
	give_slot(c, slot);
}

int
cache_insert(struct cache *c, const struct flow *f, uint32_t now, uint32_t *slot)
{
	const uint32_t hash = flow_hash(f, c->seed);
	struct entry *e;
	uint32_t s;

	if (index_find(&c->index, hash, is_flow, c, f) != INDEX_NONE)
		return refuse(c, NULL, -EEXIST);
	if (c->stats.total >= c->limit)
		return refuse(c, &c->stats.no_space, -ENOSPC);
	if ((s = take_slot(c, f)) == SLOT_NONE)
		return refuse(c, &c->stats.no_memory, -ENOMEM);
	e = entry_at(c, s);
	e->flow.side = NULL;
	if (change_flow(c, e, f, flow_copy) < 0 || index_add(&c->index, s, hash) < 0) {
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

int
cache_update(struct cache *c, uint32_t slot, const struct flow *f, uint32_t now)
{
	struct entry *e = entry_at(c, slot);

	if (change_flow(c, e, f, flow_merge) < 0) {
		c->stats.update_failed++;
		return -ENOMEM;
	}
	e->updated = now;
	e->change = ENTRY_UPD;
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
cache_revive(struct cache *c, uint32_t slot, const struct flow *f, uint32_t now)
{
	struct entry *e = entry_at(c, slot);

	if (change_flow(c, e, f, flow_copy) < 0)
		return refuse(c, &c->stats.no_memory, -ENOMEM);
	if (e->flags & ENTRY_DEAD)
		c->stats.active++;
	e->flags &= (uint8_t)~ENTRY_DEAD;
	e->change = ENTRY_NEW;
	e->created = e->updated = now;
	c->stats.created++;
	return 0;
}

void
cache_drop(struct cache *c, uint32_t slot)
{
	cache_bury(c, slot);
	index_del(&c->index, slot, flow_hash(&entry_at(c, slot)->flow, c->seed));
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
	if (!(*pos & SLOT_V6)) {
		if ((n = slab_next(&c->v4, *pos)) != SLAB_NONE) {
			*pos = n + 1;
			return n;
		}
		*pos = SLOT_V6;
	}
	if ((n = slab_next(&c->v6, *pos & ~SLOT_V6)) == SLAB_NONE) {
		*pos = SLOT_NONE;
		return SLOT_NONE;
	}
	*pos = (n | SLOT_V6) + 1;
	return n | SLOT_V6;
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
	return sizeof(*c) + slab_memory(&c->v4) + slab_memory(&c->v6) + index_memory(&c->index) +
	       c->sides * SIDE_MALLOC;
}

/*
 * The expectation caches: like the flow caches, with one size of entry and whole-object updates. Same callers.
 */
#include "cache.h"

#include <errno.h>
#include <stdlib.h>

#include "index.h"
#include "seed.h"
#include "slab.h"

#define LIMIT_MAX 0x7ff00000U

struct xcache {
	struct index index;
	struct slab slab;
	struct cache_stats stats;
	uint64_t seed[2];
	uint32_t limit;
};

static bool
is_expect(const void *owner, uint32_t slot, const void *key)
{
	return expect_same_key(&xcache_entry(owner, slot)->expect, key);
}

struct xcache *
xcache_new(const struct cache_conf *conf)
{
	struct xcache *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return NULL;
	c->limit = conf->limit < LIMIT_MAX ? conf->limit : LIMIT_MAX;
	if (seed_fill(c->seed) < 0 || index_init(&c->index, c->limit) < 0 ||
	    slab_init(&c->slab, sizeof(struct xentry), c->limit) < 0) {
		xcache_free(c);
		return NULL;
	}
	return c;
}

void
xcache_free(struct xcache *c)
{
	if (c == NULL)
		return;
	slab_clear(&c->slab);
	index_clear(&c->index);
	free(c);
}

struct xentry *
xcache_entry(const struct xcache *c, uint32_t slot)
{
	return slab_at(&c->slab, slot);
}

uint32_t
xcache_find(const struct xcache *c, const struct expect *x)
{
	return index_find(&c->index, expect_hash(x, c->seed), is_expect, c, x);
}

static int
refuse(struct xcache *c, uint64_t *why, int err)
{
	c->stats.create_failed++;
	if (why != NULL)
		++*why;
	return err;
}

int
xcache_insert(struct xcache *c, const struct expect *x, uint32_t now, uint32_t *slot)
{
	struct xentry *e;
	uint32_t s;

	if (xcache_find(c, x) != SLOT_NONE)
		return refuse(c, NULL, -EEXIST);
	if (c->stats.total >= c->limit)
		return refuse(c, &c->stats.no_space, -ENOSPC);
	if ((s = slab_get(&c->slab)) == SLAB_NONE)
		return refuse(c, &c->stats.no_memory, -ENOMEM);
	if (index_add(&c->index, s, expect_hash(x, c->seed)) < 0) {
		slab_put(&c->slab, s);
		return refuse(c, &c->stats.no_memory, -ENOMEM);
	}
	e = xcache_entry(c, s);
	e->link = (struct qlink){SLOT_NONE, SLOT_NONE, 0};
	e->created = e->updated = now;
	e->queue = e->gen = e->flags = 0;
	e->change = ENTRY_NEW;
	e->expect = *x;
	c->stats.active++;
	c->stats.total++;
	c->stats.created++;
	*slot = s;
	return 0;
}

int
xcache_update(struct xcache *c, uint32_t slot, const struct expect *x, uint32_t now)
{
	struct xentry *e = xcache_entry(c, slot);

	if (e->flags & ENTRY_DEAD)
		c->stats.active++;
	e->flags &= (uint8_t)~ENTRY_DEAD;
	e->expect = *x;
	e->updated = now;
	e->change = ENTRY_UPD;
	c->stats.updated++;
	return 0;
}

void
xcache_bury(struct xcache *c, uint32_t slot)
{
	struct xentry *e = xcache_entry(c, slot);

	if (e->flags & ENTRY_DEAD)
		return;
	e->flags |= ENTRY_DEAD;
	e->change = ENTRY_DEL;
	c->stats.active--;
	c->stats.deleted++;
}

void
xcache_drop(struct xcache *c, uint32_t slot)
{
	xcache_bury(c, slot);
	index_del(&c->index, slot, expect_hash(&xcache_entry(c, slot)->expect, c->seed));
	slab_put(&c->slab, slot);
	c->stats.total--;
}

uint32_t
xcache_walk(const struct xcache *c, uint32_t *pos)
{
	const uint32_t n = *pos == SLOT_NONE ? SLAB_NONE : slab_next(&c->slab, *pos);

	*pos = n == SLAB_NONE ? SLOT_NONE : n + 1;
	return n;
}

void
xcache_note_missing(struct xcache *c)
{
	c->stats.delete_failed++;
	c->stats.delete_missing++;
}

const struct cache_stats *
xcache_stats(const struct xcache *c)
{
	return &c->stats;
}

/*
 * Hash index of 32-bit slots. Linear hashing over lines of one cache line each, which hold the hashes beside the slots:
 * looking something up touches one line and then the entry itself, and the index grows and shrinks by one line at a
 * time without looking at any entry.
 */
#ifndef INDEX_H
#define INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "slab.h"

#define INDEX_NONE     UINT32_MAX
#define INDEX_PER_LINE 7
#define INDEX_SHIFT    15 /* lines of a chunk: 2^15 */

struct index_line {
	uint32_t hash[INDEX_PER_LINE], slot[INDEX_PER_LINE];
	uint32_t n;    /* used of this line; one that has a next is full */
	uint32_t next; /* number of the overflow line that follows, plus 1; 0: none */
};

struct index {
	struct index_line **chunk;
	struct slab overflow;
	uint32_t n_dir, n_mapped;
	uint32_t n_lines, mask; /* mask: 2^k - 1 >= n_lines - 1 */
	uint32_t count;
};

/* limit: most slots ever. -ENOMEM */
int index_init(struct index *x, uint32_t limit);
void index_clear(struct index *x);
/* Files slot under hash. -ENOMEM: nothing changed. */
int index_add(struct index *x, uint32_t slot, uint32_t hash);
/* Takes slot out, which was filed under hash. */
void index_del(struct index *x, uint32_t slot, uint32_t hash);
size_t index_memory(const struct index *x);

static inline struct index_line *
index_line(const struct index *x, uint32_t hash)
{
	uint32_t i = hash & x->mask;

	if (i >= x->n_lines)
		i = hash & x->mask >> 1;
	return &x->chunk[i >> INDEX_SHIFT][i & ((1U << INDEX_SHIFT) - 1)];
}

static inline struct index_line *
index_line_next(const struct index *x, const struct index_line *l)
{
	return l->next != 0 ? slab_at(&x->overflow, l->next - 1) : NULL;
}

/* Asks is(owner, slot, key) about every slot under hash until one is the right one. INDEX_NONE: none is. */
static inline uint32_t
index_find(const struct index *x, uint32_t hash, bool (*is)(const void *owner, uint32_t slot, const void *key),
	   const void *owner, const void *key)
{
	for (const struct index_line *l = index_line(x, hash); l != NULL; l = index_line_next(x, l))
		for (uint32_t i = 0; i < l->n; i++)
			if (l->hash[i] == hash && is(owner, l->slot[i], key))
				return l->slot[i];
	return INDEX_NONE;
}

/* The slot that index_find will most likely ask about first. */
static inline uint32_t
index_peek(const struct index *x, uint32_t hash)
{
	const struct index_line *l = index_line(x, hash);

	for (uint32_t i = 0; i < l->n; i++)
		if (l->hash[i] == hash)
			return l->slot[i];
	return INDEX_NONE;
}

#endif

/*
 * Hash index of 32-bit slots: linear hashing, so it grows and shrinks by one bucket at a time and never stops to
 * rebuild. The entries carry the chain: every entry begins with struct index_head.
 */
#ifndef INDEX_H
#define INDEX_H

#include <stddef.h>
#include <stdint.h>

#define INDEX_NONE        UINT32_MAX
#define INDEX_CHUNK_SHIFT 12 /* buckets of a chunk: 2^12, 16 KiB */

struct index_head {
	uint32_t hash_next;
	uint32_t hash;
};

struct index {
	uint32_t **chunk;
	uint32_t n_dir, n_mapped;
	uint32_t buckets, mask; /* mask: 2^k - 1 >= buckets - 1 */
	uint32_t count;
	struct index_head *(*head)(const void *owner, uint32_t slot);
	const void *owner;
};

/* head: how the owner finds a slot's head. limit: most slots ever. -ENOMEM */
int index_init(struct index *x, uint32_t limit, struct index_head *(*head)(const void *, uint32_t), const void *owner);
void index_clear(struct index *x);
/* Files slot under hash. Without memory to grow chains get longer, nothing else. */
void index_add(struct index *x, uint32_t slot, uint32_t hash);
void index_del(struct index *x, uint32_t slot);
size_t index_memory(const struct index *x);

static inline uint32_t *
index_bucket(const struct index *x, uint32_t hash)
{
	uint32_t b = hash & x->mask;

	if (b >= x->buckets)
		b = hash & x->mask >> 1;
	return &x->chunk[b >> INDEX_CHUNK_SHIFT][b & ((1U << INDEX_CHUNK_SHIFT) - 1)];
}

/* First slot of the chain that hash is in; the others follow by hash_next. */
static inline uint32_t
index_first(const struct index *x, uint32_t hash)
{
	return *index_bucket(x, hash);
}

#endif

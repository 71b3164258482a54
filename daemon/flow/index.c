/*
 * Linear hashing: bucket number `buckets` is made by splitting bucket `buckets - 2^k`. One split per added entry keeps
 * chains at about one entry; at most two joins per removed entry once the table is half
 * empty.
 */
#include "index.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#define CHUNK     (1U << INDEX_CHUNK_SHIFT)
#define CHUNK_LEN (CHUNK * sizeof(uint32_t))
#define FEWEST    64 /* buckets, a power of two within one chunk */

static uint32_t *
bucket_at(const struct index *x, uint32_t b)
{
	return &x->chunk[b >> INDEX_CHUNK_SHIFT][b & (CHUNK - 1)];
}

static int
ensure(struct index *x, uint32_t b)
{
	const uint32_t i = b >> INDEX_CHUNK_SHIFT;
	uint32_t *p;

	if (i >= x->n_dir)
		return -ENOSPC;
	if (x->chunk[i] != NULL)
		return 0;
	p = mmap(NULL, CHUNK_LEN, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		return -ENOMEM;
	x->chunk[i] = p;
	x->n_mapped++;
	return 0;
}

int
index_init(struct index *x, uint32_t limit, struct index_head *(*head)(const void *, uint32_t), const void *owner)
{
	*x = (struct index){.buckets = FEWEST, .mask = FEWEST - 1, .head = head, .owner = owner};
	x->n_dir = limit / CHUNK + 1;
	if ((x->chunk = calloc(x->n_dir, sizeof(*x->chunk))) == NULL)
		return -ENOMEM;
	if (ensure(x, 0) < 0) {
		index_clear(x);
		return -ENOMEM;
	}
	for (uint32_t b = 0; b < FEWEST; b++)
		*bucket_at(x, b) = INDEX_NONE;
	return 0;
}

void
index_clear(struct index *x)
{
	for (uint32_t i = 0; x->chunk != NULL && i < x->n_dir; i++)
		if (x->chunk[i] != NULL)
			munmap(x->chunk[i], CHUNK_LEN);
	free(x->chunk);
	*x = (struct index){0};
}

/* Moves from the old bucket to the new one what the longer mask sends there. */
static void
split(struct index *x)
{
	const uint32_t fresh = x->buckets, mask = fresh > x->mask ? x->mask << 1 | 1 : x->mask;
	uint32_t *from, *to, slot;

	if (ensure(x, fresh) < 0)
		return; /* longer chains, nothing lost */
	x->mask = mask;
	x->buckets++;
	from = bucket_at(x, fresh & mask >> 1);
	to = bucket_at(x, fresh);
	while ((slot = *from) != INDEX_NONE) {
		struct index_head *h = x->head(x->owner, slot);

		if ((h->hash & mask) == fresh) {
			*to = slot;
			to = &h->hash_next;
			*from = h->hash_next;
		} else {
			from = &h->hash_next;
		}
	}
	*to = INDEX_NONE;
}

static void
join(struct index *x)
{
	const uint32_t last = x->buckets - 1, i = last >> INDEX_CHUNK_SHIFT;
	uint32_t *to;

	x->buckets = last;
	if (last <= x->mask >> 1)
		x->mask >>= 1;
	to = bucket_at(x, last & x->mask >> 1);
	while (*to != INDEX_NONE)
		to = &x->head(x->owner, *to)->hash_next;
	*to = *bucket_at(x, last);
	if ((last & (CHUNK - 1)) == 0) {
		munmap(x->chunk[i], CHUNK_LEN);
		x->chunk[i] = NULL;
		x->n_mapped--;
	}
}

void
index_add(struct index *x, uint32_t slot, uint32_t hash)
{
	struct index_head *h = x->head(x->owner, slot);
	uint32_t *b;

	if (x->count >= x->buckets)
		split(x);
	b = index_bucket(x, hash);
	h->hash = hash;
	h->hash_next = *b;
	*b = slot;
	x->count++;
}

void
index_del(struct index *x, uint32_t slot)
{
	struct index_head *h = x->head(x->owner, slot);
	uint32_t *b = index_bucket(x, h->hash);

	while (*b != slot)
		b = &x->head(x->owner, *b)->hash_next;
	*b = h->hash_next;
	x->count--;
	while (x->buckets > FEWEST && x->count < x->buckets / 2)
		join(x);
}

size_t
index_memory(const struct index *x)
{
	return x->n_mapped * CHUNK_LEN + x->n_dir * sizeof(*x->chunk);
}

/*
 * Elements of one size in chunks, addressed by 32-bit numbers (not dense). Elements never move: numbers and pointers
 * stay valid until slab_put. Chunks are mapped one by one and returned when their last element is, so growth never
 * copies and an emptied table gives its memory back.
 */
#ifndef SLAB_H
#define SLAB_H

#include <stddef.h>
#include <stdint.h>

#define SLAB_SHIFT 15 /* low bits of a number: element of its chunk */
#define SLAB_NONE  UINT32_MAX

struct slab_chunk {
	uint8_t *elems; /* NULL: not mapped */
	uint64_t *used; /* a bit per element, in front of the elements */
	uint32_t n_used;
	uint32_t hint;       /* no free element in words of used before this one */
	uint32_t next, prev; /* chunks with room */
};

struct slab {
	size_t elem;
	uint32_t per_chunk, words; /* elements of a chunk, words of used */
	struct slab_chunk *chunk;
	uint32_t n_chunks, n_mapped;
	uint32_t room; /* first chunk with room, SLAB_NONE */
	uint32_t top;  /* chunks from here on were never mapped */
};

/* At most limit elements of elem octets (a multiple of 8, at least 64). -ENOMEM */
int slab_init(struct slab *s, size_t elem, uint32_t limit);
void slab_clear(struct slab *s);
/* Number of a free element, contents zero or left over; SLAB_NONE: no memory or the limit is reached. */
uint32_t slab_get(struct slab *s);
void slab_put(struct slab *s, uint32_t n);
/* First element in use from n on, SLAB_NONE. */
uint32_t slab_next(const struct slab *s, uint32_t n);
size_t slab_memory(const struct slab *s);

static inline void *
slab_at(const struct slab *s, uint32_t n)
{
	return s->chunk[n >> SLAB_SHIFT].elems + (size_t)(n & ((1U << SLAB_SHIFT) - 1)) * s->elem;
}

#endif

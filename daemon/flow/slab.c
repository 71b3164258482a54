/*
 * Chunked elements for the caches. All numbers come from the caches themselves.
 */
#include "slab.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "chunk.h"

#define LINE    64 /* octets of a cache line: elements begin at one */
#define NUMBERS (1U << SLAB_SHIFT)

int
slab_init(struct slab *s, size_t elem, uint32_t limit)
{
	*s = (struct slab){.elem = elem, .room = SLAB_NONE};
	assert(elem >= LINE); /* so a chunk's elements have numbers enough */
	s->words = (uint32_t)((CHUNK_SIZE / elem + 63) / 64);
	s->per_chunk = (uint32_t)((CHUNK_SIZE - (s->words * sizeof(uint64_t) + LINE)) / elem);
	s->n_chunks = (uint32_t)(((uint64_t)limit + s->per_chunk - 1) / s->per_chunk);
	s->chunk = calloc(s->n_chunks, sizeof(*s->chunk));
	return s->chunk != NULL || s->n_chunks == 0 ? 0 : -ENOMEM;
}

void
slab_clear(struct slab *s)
{
	for (uint32_t i = 0; i < s->top; i++)
		chunk_unmap(s->chunk[i].used);
	free(s->chunk);
	*s = (struct slab){.room = SLAB_NONE};
}

static void
room_link(struct slab *s, uint32_t i)
{
	s->chunk[i].prev = SLAB_NONE;
	s->chunk[i].next = s->room;
	if (s->room != SLAB_NONE)
		s->chunk[s->room].prev = i;
	s->room = i;
}

static void
room_unlink(struct slab *s, uint32_t i)
{
	const struct slab_chunk *c = &s->chunk[i];

	if (c->next != SLAB_NONE)
		s->chunk[c->next].prev = c->prev;
	if (c->prev != SLAB_NONE)
		s->chunk[c->prev].next = c->next;
	else
		s->room = c->next;
}

static uint32_t
unmapped(const struct slab *s)
{
	if (s->n_mapped < s->top)
		for (uint32_t i = 0; i < s->top; i++)
			if (s->chunk[i].elems == NULL)
				return i;
	return s->top < s->n_chunks ? s->top : SLAB_NONE;
}

static int
grow(struct slab *s)
{
	const uint32_t i = unmapped(s);
	uint8_t *p;

	if (i == SLAB_NONE)
		return -ENOSPC;
	if ((p = chunk_map(i > 0)) == NULL)
		return -ENOMEM;
	s->chunk[i] = (struct slab_chunk){.used = (uint64_t *)p};
	s->chunk[i].elems = p + ((s->words * sizeof(uint64_t) + LINE - 1) & ~(size_t)(LINE - 1));
	s->n_mapped++;
	if (i == s->top)
		s->top++;
	room_link(s, i);
	return 0;
}

uint32_t
slab_get(struct slab *s)
{
	struct slab_chunk *c;
	uint32_t i, bit;

	if (s->room == SLAB_NONE && grow(s) < 0)
		return SLAB_NONE;
	i = s->room;
	c = &s->chunk[i];
	while (c->used[c->hint] == UINT64_MAX)
		c->hint++;
	bit = (uint32_t)__builtin_ctzll(~c->used[c->hint]);
	c->used[c->hint] |= 1ULL << bit;
	if (++c->n_used == s->per_chunk)
		room_unlink(s, i);
	return i << SLAB_SHIFT | c->hint << 6 | bit;
}

void
slab_put(struct slab *s, uint32_t n)
{
	const uint32_t i = n >> SLAB_SHIFT, at = n & (NUMBERS - 1);
	struct slab_chunk *c = &s->chunk[i];

	assert(c->used[at >> 6] & 1ULL << (at & 63));
	c->used[at >> 6] &= ~(1ULL << (at & 63));
	if (at >> 6 < c->hint)
		c->hint = at >> 6;
	if (c->n_used-- == s->per_chunk)
		room_link(s, i);
	/* One empty chunk may stay, or a table that hovers around a chunk's edge would map and unmap all the time. */
	if (c->n_used == 0 && (s->room != i || c->next != SLAB_NONE)) {
		room_unlink(s, i);
		chunk_unmap(c->used);
		c->elems = NULL;
		c->used = NULL;
		s->n_mapped--;
	}
}

uint32_t
slab_next(const struct slab *s, uint32_t n)
{
	uint32_t i = n >> SLAB_SHIFT, w = (n & (NUMBERS - 1)) >> 6;
	uint64_t mask = UINT64_MAX << (n & 63);

	for (; i < s->top; i++, w = 0, mask = UINT64_MAX) {
		if (s->chunk[i].elems == NULL)
			continue;
		for (; w < s->words; w++, mask = UINT64_MAX)
			if (s->chunk[i].used[w] & mask)
				return i << SLAB_SHIFT | w << 6 | (uint32_t)__builtin_ctzll(s->chunk[i].used[w] & mask);
	}
	return SLAB_NONE;
}

size_t
slab_memory(const struct slab *s)
{
	return s->n_mapped * CHUNK_SIZE + s->n_chunks * sizeof(*s->chunk);
}

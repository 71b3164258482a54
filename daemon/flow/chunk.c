/*
 * Chunks for slab.c and index.c. Entries are reached at random: with small pages every access costs a walk through the
 * page tables on top of the cache miss.
 */
#include "chunk.h"

#include <stdint.h>
#include <sys/mman.h>

void *
chunk_map(bool huge)
{
	uint8_t *p = mmap(NULL, 2 * CHUNK_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	size_t before;

	if (p == MAP_FAILED)
		return NULL;
	before = -(uintptr_t)p & (CHUNK_SIZE - 1);
	if (before > 0)
		munmap(p, before);
	munmap(p + before + CHUNK_SIZE, CHUNK_SIZE - before);
	if (huge)
		madvise(p + before, CHUNK_SIZE, MADV_HUGEPAGE); /* only a wish */
	return p + before;
}

void
chunk_unmap(void *chunk)
{
	if (chunk != NULL)
		munmap(chunk, CHUNK_SIZE);
}

/*
 * Linear hashing: line number n is made by splitting line n - 2^k. A line is split when lines hold more than three and
 * a half slots on average; the last one is joined to its origin when they hold less than half of that. Crowded lines go
 * on in overflow lines.
 */
#include "index.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "chunk.h"

#define FEWEST 64 /* lines, a power of two */
#define LINES  (1U << INDEX_SHIFT)

static struct index_line *
line_at(const struct index *x, uint32_t i)
{
	return &x->chunk[i >> INDEX_SHIFT][i & (LINES - 1)];
}

static int
ensure(struct index *x, uint32_t i)
{
	const uint32_t c = i >> INDEX_SHIFT;

	if (c >= x->n_dir)
		return -ENOSPC;
	if (x->chunk[c] != NULL)
		return 0;
	if ((x->chunk[c] = chunk_map(c > 0)) == NULL)
		return -ENOMEM;
	x->n_mapped++;
	return 0;
}

int
index_init(struct index *x, uint32_t limit)
{
	*x = (struct index){.n_lines = FEWEST, .mask = FEWEST - 1};
	x->n_dir = limit / 7 * 2 / LINES + 1;
	x->chunk = calloc(x->n_dir, sizeof(struct index_line *));
	if (slab_init(&x->overflow, sizeof(struct index_line), limit / INDEX_PER_LINE + 1) < 0 || x->chunk == NULL)
		return -ENOMEM;
	return ensure(x, 0); /* all zero: empty lines */
}

void
index_clear(struct index *x)
{
	for (uint32_t c = 0; x->chunk != NULL && c < x->n_dir; c++)
		chunk_unmap(x->chunk[c]);
	free(x->chunk);
	slab_clear(&x->overflow);
	*x = (struct index){0};
}

static struct index_line *
last_line(const struct index *x, struct index_line *l)
{
	while (l->next != 0)
		l = index_line_next(x, l);
	return l;
}

static void
put(struct index_line *l, uint32_t slot, uint32_t hash)
{
	l->hash[l->n] = hash;
	l->slot[l->n++] = slot;
}

/* Splitting and joining: slots are dealt out to the ends of one or two chains, which grow from a pool of overflow lines
 * that were emptied before, linked like a chain. */
struct deal {
	struct index *x;
	struct index_line *end[2];
	uint32_t mask, fresh; /* hashes that give fresh under mask go to end[1] */
	uint32_t pool;
};

static struct index_line *
pool_take(struct deal *d, struct index_line *after)
{
	struct index_line *l = slab_at(&d->x->overflow, d->pool - 1);

	after->next = d->pool;
	d->pool = l->next;
	l->n = l->next = 0;
	return l;
}

static void
deal_line(struct deal *d, const struct index_line *l)
{
	for (uint32_t i = 0; i < l->n; i++) {
		struct index_line **end = &d->end[(l->hash[i] & d->mask) == d->fresh];

		if ((*end)->n == INDEX_PER_LINE)
			*end = pool_take(d, *end);
		put(*end, l->slot[i], l->hash[i]);
	}
}

/* Deals out a line and the overflow lines behind it, which go to the pool once they are read: k lines of slots never
 * need more than k lines again, over two chains one more, and the second chain brings its own first one. */
static void
deal_chain(struct deal *d, struct index_line copy)
{
	deal_line(d, &copy);
	while (copy.next != 0) {
		const uint32_t n = copy.next;
		struct index_line *l = slab_at(&d->x->overflow, n - 1);

		copy = *l;
		l->next = d->pool;
		d->pool = n;
		deal_line(d, &copy);
	}
}

static void
pool_return(struct deal *d)
{
	while (d->pool != 0) {
		const uint32_t n = d->pool - 1;

		d->pool = ((struct index_line *)slab_at(&d->x->overflow, n))->next;
		slab_put(&d->x->overflow, n);
	}
}

static void
split(struct index *x)
{
	const uint32_t fresh = x->n_lines, mask = fresh > x->mask ? x->mask << 1 | 1 : x->mask;
	struct deal d = {.x = x, .mask = mask, .fresh = fresh};
	struct index_line copy;

	if (ensure(x, fresh) < 0)
		return; /* fuller lines, nothing lost */
	d.end[0] = line_at(x, fresh & mask >> 1);
	d.end[1] = line_at(x, fresh);
	copy = *d.end[0];
	d.end[0]->n = d.end[0]->next = 0;
	d.end[1]->n = d.end[1]->next = 0;
	deal_chain(&d, copy);
	pool_return(&d);
	x->mask = mask;
	x->n_lines++;
}

static bool
join(struct index *x)
{
	const uint32_t last = x->n_lines - 1, mask = last <= x->mask >> 1 ? x->mask >> 1 : x->mask;
	struct deal d = {.x = x, .mask = 0, .fresh = 1};
	struct index_line *to = line_at(x, last & mask >> 1);
	const uint32_t spare = slab_get(&x->overflow); /* the two may need one line more than the overflow they have */

	if (spare == SLAB_NONE)
		return false;
	((struct index_line *)slab_at(&x->overflow, spare))->next = 0;
	d.pool = spare + 1;
	d.end[0] = last_line(x, to);
	deal_chain(&d, *line_at(x, last));
	pool_return(&d);
	x->mask = mask;
	x->n_lines = last;
	if ((last & (LINES - 1)) == 0) {
		chunk_unmap(x->chunk[last >> INDEX_SHIFT]);
		x->chunk[last >> INDEX_SHIFT] = NULL;
		x->n_mapped--;
	}
	return true;
}

int
index_add(struct index *x, uint32_t slot, uint32_t hash)
{
	struct index_line *l;
	uint32_t n;

	if (x->count / 7 * 2 >= x->n_lines)
		split(x);
	l = last_line(x, index_line(x, hash));
	if (l->n == INDEX_PER_LINE) {
		if ((n = slab_get(&x->overflow)) == SLAB_NONE)
			return -ENOMEM;
		l->next = n + 1;
		l = slab_at(&x->overflow, n);
		l->n = l->next = 0;
	}
	put(l, slot, hash);
	x->count++;
	return 0;
}

/* The chain's last slot takes the place of the one that goes. */
static void
fill_gap(struct index *x, struct index_line *first, struct index_line *l, uint32_t i)
{
	struct index_line *last = first, *before = NULL;

	for (; last->next != 0; last = index_line_next(x, last))
		before = last;
	last->n--;
	l->hash[i] = last->hash[last->n];
	l->slot[i] = last->slot[last->n];
	if (last->n == 0 && before != NULL) {
		slab_put(&x->overflow, before->next - 1);
		before->next = 0;
	}
}

void
index_del(struct index *x, uint32_t slot, uint32_t hash)
{
	struct index_line *first = index_line(x, hash);

	for (struct index_line *l = first; l != NULL; l = index_line_next(x, l))
		for (uint32_t i = 0; i < l->n; i++)
			if (l->slot[i] == slot) {
				fill_gap(x, first, l, i);
				x->count--;
				while (x->n_lines > FEWEST && x->count / 7 * 4 < x->n_lines && join(x))
					;
				return;
			}
	assert(false); /* every slot in use is filed */
}

size_t
index_memory(const struct index *x)
{
	return x->n_mapped * CHUNK_SIZE + x->n_dir * sizeof(x->chunk[0]) + slab_memory(&x->overflow);
}

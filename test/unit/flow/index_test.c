/*
 * The index against a plain array: grows and shrinks through many sizes, with hashes that crowd lines, and loses
 * nothing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

#include "index.h"

#define SLOTS 20000U

static bool
is_slot(const void *owner, uint32_t slot, const void *key)
{
	(void)owner;
	return slot == *(const uint32_t *)key;
}

static bool
filed(const struct index *x, uint32_t slot, uint32_t hash)
{
	return index_find(x, hash, is_slot, NULL, &slot) == slot;
}

/* shift 0: even hashes; more: only a few different ones, so lines overflow and split badly */
static uint32_t
hash_of(uint32_t slot, unsigned int shift)
{
	return (slot * 2654435761U) >> shift;
}

static uint32_t
chained(const struct index *x)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < x->n_lines; i++)
		for (const struct index_line *l = &x->chunk[i >> INDEX_SHIFT][i & ((1U << INDEX_SHIFT) - 1)]; l != NULL;
		     l = index_line_next(x, l)) {
			assert_true(l->next == 0 || l->n == INDEX_PER_LINE);
			n += l->n;
		}
	return n;
}

static void
check_all(const struct index *x, const bool *in, unsigned int shift)
{
	uint32_t n = 0;

	for (uint32_t s = 0; s < SLOTS; s++) {
		assert_int_equal(filed(x, s, hash_of(s, shift)), in[s]);
		n += in[s];
	}
	assert_int_equal(x->count, n);
	assert_int_equal(chained(x), n);
}

static void
churn(unsigned int shift)
{
	static bool in[SLOTS];
	uint32_t rnd = 1, target = SLOTS;
	struct index x;

	assert_int_equal(index_init(&x, SLOTS), 0);
	for (int round = 0; round < 12; round++) {
		for (uint32_t i = 0; i < 2 * SLOTS; i++) {
			uint32_t s;

			rnd = rnd * 1664525 + 1013904223;
			s = (rnd >> 8) % SLOTS;
			if (s < target && !in[s]) {
				assert_int_equal(index_add(&x, s, hash_of(s, shift)), 0);
				in[s] = true;
			} else if (s >= target && in[s]) {
				index_del(&x, s, hash_of(s, shift));
				in[s] = false;
			}
		}
		check_all(&x, in, shift);
		target = round % 2 == 0 ? SLOTS / (uint32_t)(round + 2) : SLOTS;
	}
	for (uint32_t s = 0; s < SLOTS; s++)
		if (in[s]) {
			index_del(&x, s, hash_of(s, shift));
			in[s] = false;
		}
	check_all(&x, in, shift);
	assert_int_equal(slab_next(&x.overflow, 0), SLAB_NONE);
	index_clear(&x);
}

static void
even_hashes(void **state)
{
	(void)state;
	churn(0);
}

static void
crowded(void **state)
{
	(void)state;
	churn(20); /* 4096 hashes for 20000 slots: chains that no split can divide */
	churn(25);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(even_hashes), cmocka_unit_test(crowded)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

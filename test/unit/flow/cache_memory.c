/*
 * A million IPv4 TCP flows cost at most 170 octets of process memory each, index included, and emptying the cache gives
 * the memory back. Measured by the process's resident set, in a process that does nothing else.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <unistd.h>
#include <cmocka.h>

#include "cache.h"

#define FLOWS 1000000U

static size_t
resident(void)
{
	size_t size = 0, pages = 0;
	FILE *f = fopen("/proc/self/statm", "r");

	assert_non_null(f);
	assert_int_equal(fscanf(f, "%zu %zu", &size, &pages), 2);
	fclose(f);
	return pages * (size_t)sysconf(_SC_PAGESIZE);
}

static struct flow
nth(uint32_t n)
{
	struct flow f = {.l3 = 2, .l4 = 6, .state = 3, .status = 0x18e, .timeout = 432000};

	f.have = FLOW_STATUS | FLOW_TIMEOUT | FLOW_STATE | FLOW_PORTS | FLOW_ID | FLOW_SYNPROXY_ZERO;
	f.addr[0] = 0x0a000000 + n / 50000;
	f.addr[1] = 0xc6336414;
	f.port[0] = (uint16_t)(n % 50000);
	f.port[1] = 80;
	flow_derive_reply(&f, NULL);
	return f;
}

static void
million(void **state)
{
	const size_t before = resident();
	struct cache *c = cache_new(SLOT_FLOW, 2 * FLOWS);
	const size_t empty = cache_memory(c);
	uint32_t slot;
	size_t full, after;

	(void)state;
	for (uint32_t i = 0; i < FLOWS; i++) {
		const struct flow f = nth(i);

		assert_int_equal(cache_insert(c, &f, 1, &slot), 0);
	}
	full = resident() - before;
	print_message("resident %.1f, accounted %.1f octets per flow\n", (double)full / FLOWS,
		      (double)cache_memory(c) / FLOWS);
#ifndef CT_SANITIZE
	assert_true(full <= 170UL * FLOWS);
#endif
	assert_true(cache_memory(c) <= 170UL * FLOWS);
	assert_true(cache_memory(c) >= 90UL * FLOWS);
	for (uint32_t i = 0; i < FLOWS; i++) {
		const struct flow f = nth(i);

		cache_drop(c, cache_find(c, &f));
	}
	after = resident() - before;
	print_message("emptied: resident %zu, accounted %zu octets\n", after, cache_memory(c));
#ifndef CT_SANITIZE
	assert_true(after < full / 15);
#endif
	assert_true(cache_memory(c) <= empty + (4U << 20)); /* a chunk of entries and one of the index may stay */
	cache_free(c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(million)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

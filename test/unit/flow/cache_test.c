/*
 * The caches against a simple model: everything inserted is found, everything dropped is not, walks see each entry
 * once, limits hold, side blocks follow their flows.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "cache.h"

#define FLOWS 60000U

/* Every third flow is IPv6, every seventh has a helper, every fifth a zone. */
static struct flow
nth(uint32_t n, struct flow_side *side)
{
	struct flow f = {.l3 = n % 3 == 0 ? 10 : 2, .l4 = 17, .status = 0x188, .timeout = n};

	f.have = FLOW_STATUS | FLOW_TIMEOUT | FLOW_PORTS;
	for (unsigned int i = 0; i < 2 * flow_words(&f); i++)
		f.addr[i] = (n + i) * 2654435761U;
	f.port[0] = (uint16_t)n;
	f.port[1] = 53;
	if (n % 5 == 0) {
		f.zone = (uint16_t)(n % 1000 + 1);
		f.have |= FLOW_ZONE;
	}
	flow_derive_reply(&f, NULL);
	memset(side, 0, sizeof(*side));
	if (n % 7 == 0) {
		f.have |= FLOW_HELPER;
		f.side = side;
		strcpy(side->helper, "tftp");
	}
	return f;
}

static struct cache *
filled(uint32_t *slot, uint32_t n)
{
	struct cache *c = cache_new(SLOT_FLOW, n);
	struct flow_side side;

	assert_non_null(c);
	for (uint32_t i = 0; i < n; i++) {
		const struct flow f = nth(i, &side);

		assert_int_equal(cache_insert(c, &f, i, &slot[i]), 0);
	}
	return c;
}

static void
check_entry(const struct cache *c, uint32_t i, uint32_t slot)
{
	struct flow_side side;
	const struct flow f = nth(i, &side);

	assert_int_equal(cache_find(c, &f), slot);
	assert_true(flow_equal(&cache_entry(c, slot)->flow, &f));
	assert_int_equal(cache_entry(c, slot)->flow.timeout, i);
	assert_int_equal(cache_entry(c, slot)->created, i);
}

static uint32_t
walk_all(const struct cache *c, uint8_t *seen, const uint32_t *slot, uint32_t n)
{
	uint32_t pos = 0, s, count = 0;

	memset(seen, 0, n);
	while ((s = cache_walk(c, &pos)) != SLOT_NONE) {
		const uint32_t i = cache_entry(c, s)->created;

		assert_true(i < n && slot[i] == s && !seen[i]);
		seen[i] = 1;
		count++;
	}
	assert_int_equal(cache_walk(c, &pos), SLOT_NONE);
	return count;
}

static void
insert_find_drop(void **state)
{
	uint32_t *slot = malloc(FLOWS * sizeof(*slot)), left = FLOWS;
	uint8_t *seen = malloc(FLOWS);
	struct cache *c = filled(slot, FLOWS);
	struct flow_side side;

	(void)state;
	for (uint32_t i = 0; i < FLOWS; i++)
		check_entry(c, i, slot[i]);
	assert_int_equal(walk_all(c, seen, slot, FLOWS), FLOWS);
	cache_prefetch(c, &cache_entry(c, slot[1])->flow, 1);
	for (uint32_t i = 0; i < FLOWS; i++)
		if (i % 16 != 3) {
			cache_drop(c, slot[i]);
			left--;
		}
	for (uint32_t i = 0; i < FLOWS; i++) {
		const struct flow f = nth(i, &side);

		if (i % 16 == 3)
			check_entry(c, i, slot[i]);
		else
			assert_int_equal(cache_find(c, &f), SLOT_NONE);
	}
	assert_int_equal(walk_all(c, seen, slot, FLOWS), left);
	assert_int_equal(cache_stats(c)->active, left);
	assert_int_equal(cache_stats(c)->deleted, FLOWS - left);
	for (uint32_t i = 0; i < FLOWS; i++)
		if (i % 16 != 3) {
			const struct flow f = nth(i, &side);

			assert_int_equal(cache_insert(c, &f, i, &slot[i]), 0);
		}
	for (uint32_t i = 0; i < FLOWS; i++)
		check_entry(c, i, slot[i]);
	assert_int_equal(cache_stats(c)->total, FLOWS);
	cache_free(c);
	free(slot);
	free(seen);
}

static void
walk_while_dropping(void **state)
{
	uint32_t *slot = malloc(FLOWS * sizeof(*slot)), pos = 0, s, count = 0;
	struct cache *c = filled(slot, FLOWS);

	(void)state;
	while ((s = cache_walk(c, &pos)) != SLOT_NONE) {
		cache_drop(c, s);
		count++;
	}
	assert_int_equal(count, FLOWS);
	assert_int_equal(cache_stats(c)->total, 0);
	cache_free(c);
	free(slot);
}

static void
limits_and_dead(void **state)
{
	uint32_t slot[10], other;
	struct cache *c = filled(slot, 10);
	struct flow_side side;
	struct flow f = nth(10, &side);

	(void)state;
	assert_int_equal(cache_insert(c, &f, 0, &other), -ENOSPC);
	assert_int_equal(cache_stats(c)->no_space, 1);
	f = nth(3, &side);
	assert_int_equal(cache_insert(c, &f, 0, &other), -EEXIST);
	cache_bury(c, slot[3]);
	cache_bury(c, slot[3]);
	assert_int_equal(cache_stats(c)->active, 9);
	assert_int_equal(cache_stats(c)->total, 10);
	assert_int_equal(cache_entry(c, slot[3])->change, ENTRY_DEL);
	assert_int_equal(cache_find(c, &f), slot[3]);
	f = nth(10, &side);
	assert_int_equal(cache_insert(c, &f, 0, &other), -ENOSPC); /* the dead take room */
	f = nth(3, &side);
	assert_int_equal(cache_revive(c, slot[3], &f, 77), 0);
	assert_int_equal(cache_stats(c)->active, 10);
	assert_int_equal(cache_entry(c, slot[3])->change, ENTRY_NEW);
	assert_int_equal(cache_entry(c, slot[3])->created, 77);
	assert_int_equal(cache_stats(c)->deleted, 1);
	assert_int_equal(cache_revive(c, slot[3], &f, 78), 0); /* in the place of one that lived */
	assert_int_equal(cache_stats(c)->deleted, 2);
	assert_int_equal(cache_stats(c)->created - cache_stats(c)->deleted, cache_stats(c)->active);
	assert_int_equal(cache_stats(c)->create_failed, 3);
	cache_note_missing(c);
	assert_int_equal(cache_stats(c)->delete_failed, 1);
	cache_free(c);
}

static void
updates_merge(void **state)
{
	uint32_t slot[8];
	struct cache *c = filled(slot, 8);
	struct flow_side side = {.its = 1, .isn = 2, .tsoff = 3};
	struct flow f, *kept = &cache_entry(c, slot[7])->flow;
	const size_t before = cache_memory(c);

	(void)state;
	f = nth(7, &side);
	f.have = FLOW_MARK | FLOW_SYNPROXY;
	f.mark = 5;
	f.side = &side;
	side = (struct flow_side){.its = 1, .isn = 2, .tsoff = 3};
	assert_int_equal(cache_update(c, slot[7], &f, 9), 0);
	assert_int_equal(kept->mark, 5);
	assert_int_equal(kept->timeout, 7);
	assert_string_equal(kept->side->helper, "tftp");
	assert_int_equal(kept->side->isn, 2);
	assert_int_equal(cache_entry(c, slot[7])->updated, 9);
	assert_int_equal(cache_entry(c, slot[7])->change, ENTRY_UPD);
	assert_int_equal(cache_memory(c), before);
	f.have = FLOW_SYNPROXY_ZERO;
	f.side = NULL;
	assert_int_equal(cache_update(c, slot[7], &f, 9), 0);
	assert_true(kept->have & FLOW_SYNPROXY_ZERO && !(kept->have & FLOW_SYNPROXY));
	f = nth(1, &side);
	f.have |= FLOW_SYNPROXY;
	f.side = &side;
	assert_int_equal(cache_update(c, slot[1], &f, 9), 0);
	assert_true(cache_memory(c) > before);
	cache_drop(c, slot[1]);
	assert_int_equal(cache_memory(c), before);
	cache_free(c);
}

/* What a peer leaves out stays: NAT too, although its reply tuple is derived anew for every message. */
static void
nat_is_kept(void **state)
{
	struct cache *c = cache_new(SLOT_FLOW, 4);
	struct flow_side side;
	struct flow f = nth(1, &side);
	const struct flow_nat nat = {.snat = true, .snat_addr = {0x01020304}, .spat = true, .spat_port = 99};
	uint32_t slot;

	(void)state;
	flow_derive_reply(&f, &nat);
	assert_int_equal(cache_insert(c, &f, 0, &slot), 0);
	flow_derive_reply(&f, NULL);
	assert_int_equal(cache_update(c, slot, &f, 1), 0);
	assert_int_equal(*flow_addr(&cache_entry(c, slot)->flow, REPL_DST), 0x01020304);
	assert_int_equal(cache_entry(c, slot)->flow.port[3], 99);
	f.have |= FLOW_ID; /* but what our own kernel says is so */
	assert_int_equal(cache_update(c, slot, &f, 2), 0);
	assert_int_equal(*flow_addr(&cache_entry(c, slot)->flow, REPL_DST), f.addr[0]);
	cache_free(c);
}

static struct expect
nth_expect(uint32_t n)
{
	struct expect e = {.l3 = 2, .have = EXPECT_TIMEOUT | EXPECT_HELPER, .timeout = n, .helper = "ftp"};

	e.master = (struct flow_tuple){.src = {n}, .dst = {2}, .sport = 3, .dport = 21, .l4 = 6};
	e.tuple = (struct flow_tuple){.src = {2}, .dst = {n}, .dport = (uint16_t)n, .l4 = 6};
	e.mask = (struct flow_tuple){.src = {~0U}, .dst = {~0U}, .dport = 0xffff, .l4 = 6};
	return e;
}

static void
expectations(void **state)
{
	struct cache *c = cache_new(SLOT_EXPECT, 5000);
	uint32_t slot[5000], pos = 0, n = 0;
	struct expect e;

	(void)state;
	for (uint32_t i = 0; i < 5000; i++) {
		e = nth_expect(i);
		assert_int_equal(cache_insert(c, &e, i, &slot[i]), 0);
	}
	assert_int_equal(cache_insert(c, &e, 0, &pos), -EEXIST);
	e = nth_expect(5000);
	assert_int_equal(cache_insert(c, &e, 0, &pos), -ENOSPC);
	for (uint32_t i = 0; i < 5000; i += 2)
		cache_drop(c, slot[i]);
	for (uint32_t i = 0; i < 5000; i++) {
		e = nth_expect(i);
		e.timeout += 7; /* is not what makes it another one */
		assert_int_equal(cache_find(c, &e), i % 2 == 0 ? SLOT_NONE : slot[i]);
	}
	for (pos = 0; cache_walk(c, &pos) != SLOT_NONE; n++)
		;
	assert_int_equal(n, 2500);
	e = nth_expect(1);
	e.timeout = 1234;
	assert_int_equal(cache_update(c, slot[1], &e, 50), 0);
	assert_int_equal(cache_entry(c, slot[1])->expect.timeout, 1234);
	cache_bury(c, slot[1]);
	assert_int_equal(cache_stats(c)->active, 2499);
	assert_int_equal(cache_stats(c)->total, 2500);
	assert_int_equal(cache_update(c, slot[1], &e, 51), 0);
	assert_int_equal(cache_stats(c)->active, 2500);
	assert_int_equal(cache_entry(c, slot[1])->change, ENTRY_UPD);
	cache_free(c);
}

static void
walk_both(void **state)
{
	static const enum slot_kind kinds[] = {SLOT_FLOW, SLOT_FLOW, SLOT_EXPECT};
	struct flow_side side;
	struct tables t;
	enum slot_kind kind = SLOT_FLOW;
	uint32_t slot[3], pos = 0;

	(void)state;
	assert_int_equal(tables_init(&t, 10), 0);
	for (uint32_t i = 0; i < 3; i++) {
		const struct flow f = nth(i + 2, &side); /* IPv4, IPv6 */
		const struct expect e = nth_expect(i);

		assert_int_equal(cache_insert(t.of[kinds[i]], i < 2 ? (const void *)&f : (const void *)&e, 0, &slot[i]),
				 0);
	}
	assert_int_equal(tables_total(&t), 3);
	for (uint32_t i = 0; i < 3; i++) {
		assert_int_equal(tables_walk(&t, &kind, &pos), slot[i]);
		assert_int_equal(kind, kinds[i]);
	}
	assert_int_equal(tables_walk(&t, &kind, &pos), SLOT_NONE);
	assert_int_equal(kind, SLOT_KINDS);
	assert_int_equal(tables_walk(&t, &kind, &pos), SLOT_NONE);
	tables_clear(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(insert_find_drop), cmocka_unit_test(walk_while_dropping),
		cmocka_unit_test(limits_and_dead),  cmocka_unit_test(updates_merge),
		cmocka_unit_test(nat_is_kept),      cmocka_unit_test(expectations),
		cmocka_unit_test(walk_both),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

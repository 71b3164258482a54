/* Each attribute is merged with what it goes with, and nothing else is; a difference in any of them is seen. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <string.h>

#include "attrs.h"

#define ALL (FLOW_STATUS | FLOW_TIMEOUT | FLOW_MARK | FLOW_STATE | FLOW_WSCALE | FLOW_SIDE)

struct whole {
	struct flow f;
	struct flow_side s;
};

static uint8_t *
place(struct whole *w, const struct attr *a)
{
	return (a->base == BASE_SIDE ? (uint8_t *)&w->s : (uint8_t *)&w->f) + a->off;
}

static void
fill(struct whole *w, uint32_t have, uint8_t octet)
{
	*w = (struct whole){.f = {.l3 = AF_INET6, .l4 = IPPROTO_TCP, .have = have}};
	w->f.side = have & FLOW_SIDE ? &w->s : NULL;
	for (const struct attr *a = flow_attrs; a < flow_attrs + FA_MAX; a++)
		if (a->with != 0)
			memset(place(w, a), octet, attr_len(a));
}

/* All that can be known goes with some row. */
static void
all_is_there(void **state)
{
	uint32_t with = 0;
	uint64_t rows = 0;

	(void)state;
	for (unsigned int i = 0; i < FLOW_KEPT; i++) {
		rows |= ATTR_BIT(flow_kept[i]);
		assert_int_equal(flow_attrs[flow_kept[i]].base, i < FLOW_KEPT_MAIN ? BASE_MAIN : BASE_SIDE);
	}
	for (unsigned int i = 0; i < FA_MAX; i++)
		assert_int_equal(rows >> i & 1, flow_attrs[i].with != 0);
	for (const struct attr *a = flow_attrs; a < flow_attrs + FA_MAX; a++)
		with |= a->with;
	assert_int_equal(with, ALL);
}

static void
merged(void **state)
{
	struct whole old, news;

	(void)state;
	for (uint32_t bit = 1; bit != 0; bit <<= 1) {
		if ((bit & ALL) == 0)
			continue;
		fill(&old, ALL, 1);
		fill(&news, bit, 2);
		news.f.side = &news.s;
		assert_int_equal(flow_merge(&old.f, &news.f), 0);
		for (const struct attr *a = flow_attrs; a < flow_attrs + FA_MAX; a++)
			for (size_t i = 0; a->with != 0 && i < attr_len(a); i++)
				assert_int_equal(place(&old, a)[i], a->with == bit ? 2 : 1);
		assert_int_equal(old.f.have, ALL);
	}
}

static void
compared(void **state)
{
	struct whole one, other;

	(void)state;
	fill(&one, ALL, 1);
	fill(&other, ALL, 1);
	assert_true(flow_equal(&one.f, &other.f));
	for (const struct attr *a = flow_attrs; a < flow_attrs + FA_MAX; a++)
		for (size_t i = 0; a->with != 0 && i < attr_len(a); i++) {
			place(&other, a)[i] ^= 4;
			assert_int_equal(flow_equal(&one.f, &other.f), a->with == FLOW_TIMEOUT);
			place(&other, a)[i] ^= 4;
		}
	/* what is not known does not count */
	fill(&one, ALL & ~(uint32_t)FLOW_SIDE, 1);
	fill(&other, ALL & ~(uint32_t)FLOW_SIDE, 1);
	other.s.label[0] = 9;
	assert_true(flow_equal(&one.f, &other.f));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(all_is_there), cmocka_unit_test(merged),
					   cmocka_unit_test(compared)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* What the kernel says of its table, and what each peer gets of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <string.h>

#include "room.h"

/* nlmsghdr, nfgenmsg, entries, limit */
struct answer {
	uint32_t len;
	uint16_t type, flags;
	uint32_t seq, pid, nfg;
	struct {
		uint16_t len, type;
		uint32_t value;
	} attr[2];
};

static struct answer
says(uint32_t entries, uint32_t limit)
{
	return (struct answer){.len = sizeof(struct answer),
			       .type = 1 << 8 | 5,
			       .attr = {{8, 1, htonl(entries)}, {8, 2, htonl(limit)}}};
}

static void
a_part_stays_free(void **state)
{
	struct answer a = says(100, 1000);

	(void)state;
	assert_int_equal(room_of(&a, sizeof(a)), 850);
	a = says(950, 1000);
	assert_int_equal(room_of(&a, sizeof(a)), 0);
	a = says(2000, 1000);
	assert_int_equal(room_of(&a, sizeof(a)), 0);
	a = says(0, UINT32_MAX);
	assert_true(room_of(&a, sizeof(a)) != ROOM_UNKNOWN);
}

static void
no_answer(void **state)
{
	struct answer a = says(100, 0);

	(void)state;
	assert_true(room_of(&a, sizeof(a)) == ROOM_UNKNOWN);
	a = says(100, 1000);
	for (size_t len = 0; len < sizeof(a); len++)
		assert_true(room_of(&a, len) == ROOM_UNKNOWN);
	a.type = 1 << 8;
	assert_true(room_of(&a, sizeof(a)) == ROOM_UNKNOWN);
	a = says(100, 1000);
	a.attr[1].len = 6;
	assert_true(room_of(&a, sizeof(a)) == ROOM_UNKNOWN);
	a = says(100, 1000);
	a.len = 24; /* an older kernel has no limit in it */
	assert_true(room_of(&a, sizeof(a)) == ROOM_UNKNOWN);
}

static void
shares(void **state)
{
	uint32_t held[APPLY_SOURCES] = {0}, quota[APPLY_SOURCES];

	(void)state;
	held[3] = 10000;
	room_share(5000, held, quota);
	assert_int_equal(quota[3], 5000);
	assert_int_equal(quota[4], 0);
	held[0] = 100;
	held[1] = 3000;
	room_share(5000, held, quota);
	assert_int_equal(quota[0], 100);
	assert_int_equal(quota[1], 2450);
	assert_int_equal(quota[3], 2450);
	room_share(20000, held, quota);
	for (int i = 0; i < APPLY_SOURCES; i++)
		assert_int_equal(quota[i], 20000); /* enough for all, and for what is still to come */
	room_share(ROOM_UNKNOWN, held, quota);
	assert_true(quota[7] == ROOM_UNKNOWN);
	room_share(0, held, quota);
	assert_int_equal(quota[0] + quota[1] + quota[3], 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(a_part_stays_free), cmocka_unit_test(no_answer),
					   cmocka_unit_test(shares)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* What a peer deletes is gone; what it deletes and we never had is counted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "flows.h"
#include "rig.h"

static void
says(struct sync *s, enum wire_type type, uint32_t seq)
{
	const struct flow f = flow_nr(1);
	const struct expect e = {.have = EXPECT_TIMEOUT,
				 .l3 = AF_INET,
				 .timeout = 60,
				 .master = {.l4 = IPPROTO_TCP},
				 .tuple = {.l4 = IPPROTO_TCP},
				 .mask = {.l4 = 0xff}};
	uint8_t msg[512];
	int n = type < WIRE_EXP_NEW ? wire_enc_flow(&f, type, 0, seq, &s->enc, msg, sizeof(msg))
				    : wire_enc_expect(&e, type, 0, seq, &s->enc, msg, sizeof(msg));

	assert_true(n > 0);
	peer_datagram(&s->rx_arg[0], msg, (size_t)n);
}

static void
deleted_twice(void **state)
{
	struct rig rig = rig_new(false);
	const struct cache_stats *flows = cache_stats(rig.s->external.of[SLOT_FLOW]);
	const struct cache_stats *expects = cache_stats(rig.s->external.of[SLOT_EXPECT]);

	(void)state;
	says(rig.s, WIRE_CT_NEW, 1);
	says(rig.s, WIRE_CT_DEL, 2);
	assert_int_equal(flows->deleted, 1);
	assert_int_equal(flows->delete_failed, 0);
	says(rig.s, WIRE_CT_DEL, 3);
	assert_int_equal(flows->deleted, 1);
	assert_int_equal(flows->delete_failed, 1);
	assert_int_equal(flows->delete_missing, 1);
	says(rig.s, WIRE_EXP_NEW, 4);
	says(rig.s, WIRE_EXP_DEL, 5);
	says(rig.s, WIRE_EXP_DEL, 6);
	assert_int_equal(expects->deleted, 1);
	assert_int_equal(expects->delete_failed, 1);
	assert_int_equal(expects->delete_missing, 1);
	rig_free(&rig);
}

/* A commit that has written an entry must see that it is another one now. */
static void
news_unmark(void **state)
{
	struct rig rig = rig_new(false);
	const struct flow f = flow_nr(1);
	struct entry *e;

	(void)state;
	says(rig.s, WIRE_CT_NEW, 1);
	e = cache_entry(rig.s->external.of[SLOT_FLOW], cache_find(rig.s->external.of[SLOT_FLOW], &f));
	for (uint32_t seq = 2; seq < 4; seq++) {
		e->gen = 9;
		says(rig.s, seq == 2 ? WIRE_CT_UPD : WIRE_CT_NEW, seq);
		assert_int_equal(e->gen, 0);
	}
	rig_free(&rig);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(deleted_twice), cmocka_unit_test(news_unmark)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

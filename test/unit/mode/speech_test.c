/* Which mode a peer runs, by what it says and when. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "speech.h"

static uint8_t
hear(struct speech *s, uint8_t type, uint8_t flags, unsigned int n, uint64_t pause)
{
	static uint64_t now = 100000;
	const struct wire_head h = {.version = 1, .type = type, .flags = flags, .len = 16};

	for (; n > 0; n--) {
		now += pause;
		speech_hear(s, &h, now);
	}
	return s->speaks;
}

static void
ftfw(void **state)
{
	struct speech s = {0};

	(void)state;
	assert_int_equal(hear(&s, WIRE_CT_NEW, 0, 100, 10), SPEAKS_UNKNOWN);
	assert_int_equal(hear(&s, WIRE_CT_NEW, WIRE_HELLO, 1, 10), SPEAKS_FTFW);
	assert_int_equal(hear(&s, WIRE_CT_NEW, 0, 100, 10), SPEAKS_FTFW);
	assert_int_equal(hear(&s, WIRE_CTL, WIRE_ALIVE, 3, 1000), SPEAKS_FTFW);
	assert_int_equal(hear(&s, WIRE_CTL, WIRE_ACK, 1, 1000), SPEAKS_FTFW);
	/* it does not hear us any more, or is another daemon */
	assert_int_equal(hear(&s, WIRE_CTL, WIRE_ALIVE, 4, 1000), SPEAKS_SHY);
	assert_int_equal(hear(&s, WIRE_CTL, WIRE_NACK, 1, 1000), SPEAKS_FTFW);
}

static void
notrack(void **state)
{
	struct speech s = {0};

	(void)state;
	assert_int_equal(hear(&s, WIRE_CTL, WIRE_RESYNC, 1, 10), SPEAKS_UNKNOWN);
	for (int i = 0; i < 4; i++) {
		hear(&s, WIRE_CT_NEW, 0, 50, 10);
		hear(&s, WIRE_CTL, WIRE_ALIVE, 1, 1000);
	}
	assert_int_equal(s.speaks, SPEAKS_SHY);
	/* a link with losses is silent now and then */
	assert_int_equal(hear(&s, WIRE_CT_NEW, 0, 3, 3000), SPEAKS_SHY);
}

static void
alarm_mode(void **state)
{
	struct speech s = {0};

	(void)state;
	assert_int_equal(hear(&s, WIRE_CT_NEW, 0, 500, 100), SPEAKS_UNKNOWN);  /* any mode */
	assert_int_equal(hear(&s, WIRE_CT_NEW, 0, 10, 60000), SPEAKS_UNKNOWN); /* a bad link */
	assert_int_equal(hear(&s, WIRE_CT_NEW, 0, 4, 3000), SPEAKS_ALARM);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(ftfw), cmocka_unit_test(notrack),
					   cmocka_unit_test(alarm_mode)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

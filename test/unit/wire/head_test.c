/*
 * Cutting messages off byte streams: what is wanted when a message is not complete, and when waiting makes no sense.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "attrs.h"
#include "wire.h"

static size_t
need_of(const uint8_t *data, size_t len, enum wire_error expected)
{
	const uint8_t *p = data, *body;
	struct wire_head h;
	size_t left = len, body_len, need = 4711;

	assert_int_equal(wire_next(&p, &left, &h, &body, &body_len, &need), expected);
	if (expected == WIRE_TRUNCATED || expected == WIRE_BAD_SIZE)
		assert_ptr_equal(p, data);
	return need;
}

static void
streams_wait(void **state)
{
	uint8_t ack[64], flow[84] = {0x10, 0, 0, 84}, wrong[8] = {0x20, 0, 0, 84}, zero[8] = {0x10, 0, 0, 0};
	uint8_t small[8] = {0x1a, WIRE_ACK, 0, 8};

	(void)state;
	assert_int_equal(wire_enc_ctl(WIRE_ACK, 7, 1, 2, ack, sizeof(ack)), 16);
	assert_int_equal(need_of(ack, 3, WIRE_TRUNCATED), 8);
	assert_int_equal(need_of(ack, 8, WIRE_BAD_SIZE), 16);
	assert_int_equal(need_of(ack, 16, WIRE_OK), 0);
	assert_int_equal(need_of(flow, 83, WIRE_BAD_SIZE), 84);
	assert_int_equal(need_of(flow, 84, WIRE_OK), 0);
	assert_int_equal(need_of(wrong, 8, WIRE_BAD_SIZE), 0); /* another version: its length means nothing */
	assert_int_equal(need_of(zero, 8, WIRE_BAD_SIZE), 0);
	assert_int_equal(need_of(small, 8, WIRE_TRUNCATED), 0); /* can never become whole */
}

static void
types_find_their_rows(void **state)
{
	(void)state;
	for (unsigned int type = 0; type < FLOW_ATTR_TYPES; type++)
		assert_int_equal(flow_attrs[flow_attr_of[type]].type, type);
	for (unsigned int type = 0; type < EXPECT_ATTR_TYPES; type++)
		assert_int_equal(expect_attrs[expect_attr_of[type]].type, type);
}

static void
short_buffers(void **state)
{
	const struct wire_enc_opts o = {.wscale = false};
	struct flow f = {.l3 = 2, .l4 = 6, .have = FLOW_STATUS | FLOW_PORTS};
	uint8_t buf[64];

	(void)state;
	assert_int_equal(wire_enc_flow(&f, WIRE_CT_NEW, 0, 1, &o, buf, sizeof(buf)), 44);
	for (size_t size = 0; size < 44; size++)
		assert_true(wire_enc_flow(&f, WIRE_CT_NEW, 0, 1, &o, buf, size) < 0);
	assert_true(wire_enc_ctl(WIRE_ACK, 7, 1, 2, buf, 15) < 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(streams_wait),
		cmocka_unit_test(types_find_their_rows),
		cmocka_unit_test(short_buffers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

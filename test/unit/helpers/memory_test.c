/* What parsers remember of flows: helpers/lib/memory.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "memory.h"

#define SIZE 8

static struct msg_packet
packet_of(uint32_t id)
{
	struct msg_packet p = {.ct_id = id, .priv_len = 32};

	memcpy(p.orig.src, &id, sizeof(id));
	return p;
}

static void
remembers(void **state)
{
	struct memory *m = memory_new(SIZE);
	struct msg_packet a = packet_of(1), b = packet_of(2), reused = packet_of(1);
	uint8_t *of_a, *of_b;

	(void)state;
	assert_non_null(m);
	of_a = memory_of(m, &a, 0, 1);
	assert_memory_equal(of_a, "\0\0\0\0\0\0\0\0", SIZE);
	memset(of_a, 'a', SIZE);
	of_b = memory_of(m, &b, 0, 1);
	assert_ptr_not_equal(of_a, of_b);
	assert_ptr_equal(memory_of(m, &a, 0, 2), of_a);
	assert_memory_equal(of_a, "aaaaaaaa", SIZE);
	reused.orig.sport = 7; /* the kernel gives an id again: another flow */
	assert_memory_equal(memory_of(m, &reused, 0, 2), "\0\0\0\0\0\0\0\0", SIZE);
	assert_memory_equal(memory_of(m, &a, 0, 2 + MEMORY_IDLE + 1), "\0\0\0\0\0\0\0\0", SIZE);
	memory_free(m);
}

static void
private_data(void **state)
{
	struct memory *m = memory_new(SIZE);
	struct msg_packet p = packet_of(3);
	struct msg_verdict v = {.priv_len = 32};

	(void)state;
	memcpy(memory_of(m, &p, 4, 1), "abcdefgh", SIZE);
	memory_save(memory_of(m, &p, 4, 1), 4, &v);
	memory_free(m);
	m = memory_new(SIZE); /* a successor's */
	memcpy(p.priv, v.priv, sizeof(p.priv));
	assert_memory_equal(memory_of(m, &p, 4, 1), "abcd\0\0\0\0", SIZE);
	p = packet_of(4);
	memcpy(p.priv, "\2wxyz", 5); /* of another form */
	assert_memory_equal(memory_of(m, &p, 4, 1), "\0\0\0\0\0\0\0\0", SIZE);
	p = packet_of(5);
	memcpy(p.priv, v.priv, sizeof(p.priv));
	p.priv_len = 4; /* a stub of another size has no room for all of it */
	assert_memory_equal(memory_of(m, &p, 4, 1), "\0\0\0\0\0\0\0\0", SIZE);
	v = (struct msg_verdict){.priv_len = 4};
	memory_save("abcd", 4, &v);
	assert_memory_equal(v.priv, "\0\0\0\0", 4);
	memory_free(m);
}

/* A hundred thousand flows: each is remembered from one packet to the next, and the room does not grow. */
static void
many_flows(void **state)
{
	struct memory *m = memory_new(SIZE);

	(void)state;
	for (uint32_t i = 0; i < 100000; i++) {
		struct msg_packet p = packet_of(i);
		uint8_t *at = memory_of(m, &p, 0, i);

		assert_memory_equal(at, "\0\0\0\0\0\0\0\0", SIZE);
		memcpy(at, &i, sizeof(i));
		assert_memory_equal(memory_of(m, &p, 0, i), &i, sizeof(i));
	}
	memory_free(m);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(remembers),
		cmocka_unit_test(private_data),
		cmocka_unit_test(many_flows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

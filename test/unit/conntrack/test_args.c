/* Numbers, addresses and NAT targets of command lines: what is taken, what is refused, what is never truncated. */
#include "addr.h"
#include "args.h"

#include "cmt.h"
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void
numbers(void **state)
{
	uint16_t u16 = 7;
	uint32_t u32 = 7;

	(void)state;
	assert_int_equal(arg_u32("0", &u32), 0);
	assert_int_equal(u32, 0);
	assert_int_equal(arg_u32("0xffffffff", &u32), 0);
	assert_int_equal(u32, UINT32_MAX);
	assert_int_equal(arg_u32("010", &u32), 0);
	assert_int_equal(u32, 8);
	assert_int_equal(arg_u32("4294967296", &u32), -ERANGE);
	assert_int_equal(arg_u32("99999999999999999999999", &u32), -ERANGE);
	for (const char *const *bad = (const char *const[]){"", "-1", "+1", " 1", "1 ", "1x", "x", "0x", NULL}; *bad;
	     bad++)
		assert_int_not_equal(arg_u32(*bad, &u32), 0);
	assert_int_equal(u32, 8);
	assert_int_equal(arg_u16("65535", &u16), 0);
	assert_int_equal(arg_u16("65536", &u16), -ERANGE);
	assert_int_equal(u16, 65535);
}

static void
decimals(void **state)
{
	uint64_t v = 3;

	(void)state;
	assert_int_equal(arg_decimal("0070", 100, &v), 0);
	assert_int_equal(v, 70);
	assert_int_equal(arg_decimal("101", 100, &v), -ERANGE);
	assert_int_equal(arg_decimal("", 100, &v), -EINVAL);
	assert_int_equal(arg_decimal("0x1", 100, &v), -EINVAL);
	assert_int_equal(arg_decimal("18446744073709551616000", UINT32_MAX, &v), -ERANGE);
}

static void
marks(void **state)
{
	uint32_t v = 0, m = 0;

	(void)state;
	assert_int_equal(arg_mark("5", &v, &m), 0);
	assert_int_equal(m, UINT32_MAX);
	assert_int_equal(arg_mark("0x10/0xf0", &v, &m), 0);
	assert_int_equal(v, 0x10);
	assert_int_equal(m, 0xf0);
	assert_int_equal(arg_mark("1/", &v, &m), 0);
	assert_int_equal(m, 0);
	for (const char *const *bad =
		     (const char *const[]){"abc", "1/zz", "5000000000", "1/5000000000", "/1", "", NULL};
	     *bad; bad++)
		assert_int_not_equal(arg_mark(*bad, &v, &m), 0);
}

static void
addresses(void **state)
{
	struct addr a;

	(void)state;
	assert_int_equal(arg_addr("1.1", &a), 0);
	assert_memory_equal(a.u.b, "\1\0\0\1", 4);
	assert_int_equal(arg_addr("010.0.0.1", &a), 0);
	assert_memory_equal(a.u.b, "\10\0\0\1", 4);
	assert_int_equal(arg_addr("255.255.255.255", &a), 0);
	assert_int_equal(arg_addr("fe80::1", &a), 0);
	assert_int_equal(a.family, AF_INET6);
	for (const char *const *bad = (const char *const[]){"", "1.1.1.256", "1.1.1.1 x", "localhost", "fe80::1%lo",
							    "[::1]", "1.1.1.1.1", NULL};
	     *bad; bad++)
		assert_int_equal(arg_addr(*bad, &a), -EINVAL);
}

static void
networks(void **state)
{
	unsigned len;
	struct addr a;
	bool has;

	(void)state;
	assert_int_equal(arg_cidr("10.0.0.1", &a, &len, &has), 0);
	assert_int_equal(len, 32);
	assert_false(has);
	assert_int_equal(arg_cidr("10.0.0.0/8", &a, &len, &has), 0);
	assert_int_equal(len, 8);
	assert_true(has);
	assert_int_equal(arg_cidr("1.1.1.1/", &a, &len, &has), 0);
	assert_int_equal(len, 0);
	assert_int_equal(arg_cidr("::/128", &a, &len, &has), 0);
	for (const char *const *bad =
		     (const char *const[]){"1.1.1.1/33", "1.1.1.1/x", "1.1.1.1/255.255.255.0", "::/129", NULL};
	     *bad; bad++)
		assert_int_equal(arg_cidr(*bad, &a, &len, &has), -ERANGE);
	assert_int_equal(arg_cidr("x/8", &a, &len, &has), -EINVAL);
}

/* The text of random addresses, with many zero groups, is inet_ntop()'s, and reads back. */
static void
texts(void **state)
{
	(void)state;
	srand(1);
	for (int i = 0; i < 200000; i++) {
		struct addr a = {.family = i & 1 ? AF_INET6 : AF_INET}, back;
		char want[INET6_ADDRSTRLEN], got[ADDR_TEXT_MAX + 1];

		for (int b = 0; b < 16; b++)
			a.u.b[b] = rand() % 3 ? 0 : (uint8_t)rand();
		if (i % 16 == 3)
			a.u.b[10] = a.u.b[11] = 0xff;
		assert_non_null(inet_ntop(a.family, a.u.b, want, sizeof(want)));
		got[addr_text(&a, got)] = '\0';
		assert_string_equal(got, want);
		assert_int_equal(arg_addr(got, &back), 0);
		assert_true(addr_equal(&a, &back));
	}
}

static void
masks(void **state)
{
	(void)state;
	for (unsigned len = 0; len <= 128; len++) {
		struct addr m = addr_mask(AF_INET6, len);

		for (unsigned bit = 0; bit < 128; bit++)
			assert_int_equal(m.u.b[bit / 8] >> (7 - bit % 8) & 1, bit < len);
	}
}

static void
nat_targets(void **state)
{
	static const struct {
		const char *text;
		enum nat_arg_error error;
		uint16_t port;
		bool has_port;
	} rows[] = {
		{"1.2.3.4", NAT_ARG_OK, 0, false},
		{"1.2.3.4:80", NAT_ARG_OK, 80, true},
		{"1.2.3.4:0", NAT_ARG_OK, 0, true},
		{"fd00::1", NAT_ARG_OK, 0, false},
		{"[fd00::1]:65535", NAT_ARG_OK, 65535, true},
		{"1.2.3.4:", NAT_ARG_NO_PORT, 0, false},
		{"1.2.3.4:65536", NAT_ARG_BAD_PORT, 0, false},
		{"1.2.3.4:x", NAT_ARG_BAD_PORT, 0, false},
		{"1.2.3.4:-1", NAT_ARG_BAD_PORT, 0, false},
		{":80", NAT_ARG_BAD_ADDR, 80, true},
		{"[]:1", NAT_ARG_NO_ADDR6, 0, false},
		{"[fd00::1", NAT_ARG_NO_BRACKET, 0, false},
		{"[fd00::1]", NAT_ARG_BAD_ADDR, 0, false},
		{"[fd00::1]:", NAT_ARG_NO_PORT, 0, false},
		{"", NAT_ARG_BAD_ADDR, 0, false},
	};
	struct nat_arg n;

	(void)state;
	for (size_t i = 0; i < NITEMS(rows); i++) {
		assert_int_equal(arg_nat(rows[i].text, &n), rows[i].error);
		if (rows[i].error != NAT_ARG_OK)
			continue;
		assert_int_equal(n.port, rows[i].port);
		assert_int_equal(n.has_port, rows[i].has_port);
	}
}

static void
keywords(void **state)
{
	static const struct arg_word words[] = {{"ALL", 1}, {"ALMOST", 2}, {NULL, 0}};

	(void)state;
	assert_int_equal(arg_word_find(words, "a", 1)->bit, 1);
	assert_int_equal(arg_word_find(words, "almx", 3)->bit, 2);
	assert_null(arg_word_find(words, "", 0));
	assert_null(arg_word_find(words, "allx", 4));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers),   cmocka_unit_test(decimals),    cmocka_unit_test(marks),
		cmocka_unit_test(addresses), cmocka_unit_test(networks),    cmocka_unit_test(texts),
		cmocka_unit_test(masks),     cmocka_unit_test(nat_targets), cmocka_unit_test(keywords),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Reading and writing text of strangers: helpers/lib/text.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <string.h>

#include "text.h"

static struct rd
rd_text(const char *s)
{
	return rd_init(s, strlen(s));
}

static void
numbers(void **state)
{
	static const struct {
		const char *text;
		unsigned int digits;
		uint32_t most, value;
		bool good;
	} cases[] = {
		{"0", 3, 255, 0, true},
		{"255", 3, 255, 255, true},
		{"256", 3, 255, 0, false},
		{"0255", 3, 255, 0, false},
		{"", 3, 255, 0, false},
		{"-1", 3, 255, 0, false},
		{"+1", 3, 255, 0, false},
		{"65535x", 5, 65535, 65535, true},
		{"65536", 5, 65535, 0, false},
		{"4294967516", 10, 65535, 0, false},
		{"18446744073709551617", 20, 65535, 0, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct rd r = rd_text(cases[i].text);
		uint32_t n = 0;

		assert_int_equal(text_number(&r, cases[i].digits, cases[i].most, &n), cases[i].good);
		if (cases[i].good)
			assert_int_equal(n, cases[i].value);
	}
}

static void
words_and_lines(void **state)
{
	struct rd r = rd_text("poRt 1\r\nnext\nlast"), line;

	(void)state;
	assert_false(text_exact(&r, "PORT"));
	assert_true(text_word(&r, "PORT "));
	line = text_line(&r);
	assert_false(line.bad);
	assert_int_equal(rd_left(&line), 1);
	line = text_line(&r);
	assert_int_equal(rd_left(&line), 4);
	assert_true(text_line(&r).bad);
	r = rd_text("a\0bHOST=");
	r.end = r.p + 0;
	assert_false(text_find(&r, "HOST"));
	r = rd_init("a\0bHoSt=", 8);
	assert_true(text_find(&r, "HOST"));
	assert_int_equal(rd_left(&r), 5);
}

static void
addresses(void **state)
{
	uint8_t a[16];

	(void)state;
	assert_true(text_address(rd_text("10.1.0.2"), AF_INET, a));
	assert_memory_equal(a, "\x0a\x01\x00\x02", 4);
	assert_false(text_address(rd_text("10.1.0.258"), AF_INET, a));
	assert_false(text_address(rd_text("10.1.2"), AF_INET, a));
	assert_false(text_address(rd_text("fd01::2"), AF_INET, a));
	assert_true(text_address(rd_text("fd01::2"), AF_INET6, a));
	assert_false(text_address(rd_init("10.1.0.2\0", 9), AF_INET, a));
	assert_false(text_address(rd_text("1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa"), AF_INET6, a));
}

/* TCP over IPv6 cannot change its length: the address is written in as many octets as stood there. */
static void
padded(void **state)
{
	static const char *const address[] = {"fd01::2", "fd01::", "::1", "2001:db8:0:1:2:3:4:5", "::ffff:10.1.0.2"};
	char text[ADDRESS_TEXT_MAX];
	uint8_t a[16], back[16];

	(void)state;
	for (size_t i = 0; i < sizeof(address) / sizeof(address[0]); i++) {
		unsigned int good = 0;

		assert_int_equal(inet_pton(AF_INET6, address[i], a), 1);
		for (size_t len = 1; len < ADDRESS_TEXT_MAX; len++) {
			if (!address_text(AF_INET6, a, len, text))
				continue;
			good++;
			assert_int_equal(strlen(text), len);
			assert_int_equal(inet_pton(AF_INET6, text, back), 1);
			assert_memory_equal(a, back, 16);
		}
		assert_true(good > 10);
		assert_true(address_text(AF_INET6, a, 39, text));
		assert_false(address_text(AF_INET6, a, 40, text));
	}
	assert_int_equal(inet_pton(AF_INET, "10.1.0.2", a), 1);
	assert_true(address_text(AF_INET, a, 0, text));
	assert_string_equal(text, "10.1.0.2");
	assert_false(address_text(AF_INET, a, 9, text));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers),
		cmocka_unit_test(words_and_lines),
		cmocka_unit_test(addresses),
		cmocka_unit_test(padded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

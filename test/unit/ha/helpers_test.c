/* Which names are tried out: those of the kernel's helpers always, others by an equal share for each peer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "helpers.h"

static struct helpers h;

static int
setup(void **state)
{
	(void)state;
	h = (struct helpers){.n = 0};
	return 0;
}

static struct helper_key
named(const char *name, uint8_t l4)
{
	struct helper_key k = {.l3 = AF_INET, .l4 = l4};

	strcpy(k.name, name);
	return k;
}

static struct helper_key
number(unsigned int i)
{
	struct helper_key k = {.l3 = AF_INET, .l4 = IPPROTO_TCP};

	snprintf(k.name, sizeof(k.name), "j%u", i);
	return k;
}

/* So many of the names first to first + n - 1 are tried out for the peer; each is refused until it counts as missing.
 */
static unsigned int
tried(unsigned int source, unsigned int first, unsigned int n)
{
	unsigned int got = 0;

	for (unsigned int i = first; i < first + n; i++) {
		const struct helper_key k = number(i);

		got += helpers_judge(&h, &k, source) == HELPER_UNTRIED;
		for (int r = 0; r < HELPER_REFUSALS && helpers_judge(&h, &k, source) == HELPER_UNTRIED; r++)
			helpers_note(&h, &k, source, false);
		assert_int_equal(helpers_judge(&h, &k, source), HELPER_MISSING);
	}
	return got;
}

static void
those_of_the_kernel_fit(void **state)
{
	const struct helper_key ftp = named("ftp", IPPROTO_TCP), odd = named("ftp", 99);

	(void)state;
	assert_int_equal(tried(0, 0, 1000), HELPER_OTHERS);
	assert_int_equal(helpers_judge(&h, &ftp, 0), HELPER_UNTRIED);
	helpers_note(&h, &ftp, 0, true);
	assert_int_equal(helpers_judge(&h, &ftp, 0), HELPER_THERE);
	assert_int_equal(helpers_judge(&h, &odd, 0), HELPER_MISSING);
	for (unsigned int l4 = 0; l4 < 256; l4++) { /* a name with every protocol does not take all rows */
		const struct helper_key k = named("sip", (uint8_t)l4);

		helpers_note(&h, &k, 1, false);
	}
	assert_int_equal(helpers_judge(&h, &ftp, 0), HELPER_THERE);
}

static void
equal_shares(void **state)
{
	(void)state;
	assert_int_equal(tried(7, 0, 1000), HELPER_OTHERS);
	assert_int_equal(tried(2, 5000, 1000), HELPER_OTHERS / 2);
	assert_int_equal(tried(7, 20000, 1000), 0); /* and takes nothing back */
	assert_int_equal(tried(3, 6000, 1000), HELPER_OTHERS / 3);
	assert_true(h.n <= HELPER_ROWS);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test_setup(those_of_the_kernel_fit, setup),
					   cmocka_unit_test_setup(equal_shares, setup)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Requests back to back, and the way from an error to its request. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>

#include "batch.h"
#include "flows.h"

static struct batch b;
static const struct flow_nl_opts as_it_is;

static int
setup(void **state)
{
	(void)state;
	batch_clear(&b);
	return 0;
}

static uint32_t
put(uint32_t nr)
{
	const struct flow f = flow_nr(nr);
	const uint32_t seq = batch_seq(&b);

	assert_true(batch_flow(&b, FLOW_NL_CREATE, &f, &as_it_is) > 0);
	return seq;
}

static void
every_request_is_found(void **state)
{
	uint32_t seq[2000], n = 0;

	(void)state;
	while (batch_room(&b) && n < 2000) {
		seq[n] = put(n);
		n++;
	}
	assert_in_range(n, 100, 1999);
	assert_true(b.len <= BATCH_SIZE);
	for (uint32_t i = 0; i < n; i++) {
		const struct nlmsghdr *nlh = batch_request(&b, seq[i]);
		const struct flow want = flow_nr(i);
		struct flow_side side;
		struct flow f;

		assert_non_null(nlh);
		assert_true(request_creates(nlh) && !request_deletes(nlh) && !request_of_expect(nlh));
		assert_int_equal(flow_from_nl(nlh, &f, &side), 0);
		assert_true(flow_same_key(&f, &want));
	}
}

/* Numbers that stand for no request: none, between two, behind the last, and such as overflow. */
static void
others_are_not(void **state)
{
	uint32_t second;

	(void)state;
	put(1);
	second = put(2);
	for (uint32_t seq = 0; seq < batch_seq(&b) + 100; seq++)
		assert_int_equal(batch_request(&b, seq) != NULL, seq == 1 || seq == second);
	assert_null(batch_request(&b, UINT32_MAX));
	assert_null(batch_request(&b, 1 + (1U << 30)));
}

static void
copied_under_a_new_number(void **state)
{
	static uint8_t old[REQUEST_MAX];
	const struct nlmsghdr *nlh;
	uint32_t seq;

	(void)state;
	put(1);
	memcpy(old, b.data, b.len);
	batch_clear(&b);
	put(2);
	seq = batch_seq(&b);
	batch_copy(&b, (const struct nlmsghdr *)(void *)old);
	nlh = batch_request(&b, seq);
	assert_non_null(nlh);
	assert_int_equal(nlh->nlmsg_seq, seq);
}

static void
missing(void *arg, const char *name)
{
	assert_string_equal(name, "junk");
	++*(unsigned int *)arg;
}

static enum helper_verdict
judged(uint32_t seq, int err, int times, unsigned int *n_missing)
{
	const struct helper_key k = {.name = "junk", .l3 = AF_INET, .l4 = IPPROTO_TCP};
	const struct msg_error e = {seq, err};
	struct helpers h = {.n = 0};

	batch_clear(&b);
	assert_true(batch_try(&b, &k, 0));
	put(1);
	for (int i = 0; i < times; i++)
		batch_judge(&b, &e, err != 0, &h, missing, n_missing);
	return helpers_judge(&h, &k, 0);
}

/* Only what may have been the helper's fault counts against it. */
static void
helpers_on_trial(void **state)
{
	unsigned int n = 0;

	(void)state;
	assert_int_equal(judged(1, 0, 1, &n), HELPER_THERE);
	assert_int_equal(judged(1, -EOPNOTSUPP, HELPER_REFUSALS, &n), HELPER_MISSING);
	assert_int_equal(n, 1);
	assert_int_equal(judged(1, -EOPNOTSUPP, HELPER_REFUSALS - 1, &n), HELPER_UNTRIED);
	assert_int_equal(judged(1, -EEXIST, 10, &n), HELPER_UNTRIED);
	assert_int_equal(judged(0, -ENOBUFS, 10, &n), HELPER_UNTRIED);  /* the whole batch */
	assert_int_equal(judged(77, -EOPNOTSUPP, 1, &n), HELPER_THERE); /* another request */
	assert_int_equal(n, 1);
}

static void
few_on_trial(void **state)
{
	const struct helper_key k = {.name = "junk", .l3 = AF_INET, .l4 = IPPROTO_TCP};

	(void)state;
	for (int i = 0; i < BATCH_TRIES; i++) {
		assert_true(batch_try(&b, &k, 0));
		put((uint32_t)i);
	}
	assert_false(batch_try(&b, &k, 0));
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup(f, setup)
	const struct CMUnitTest tests[] = {T(every_request_is_found), T(others_are_not), T(copied_under_a_new_number),
					   T(helpers_on_trial), T(few_on_trial)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

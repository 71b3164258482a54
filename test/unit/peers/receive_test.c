/* Datagrams into changes: several messages in one, others' mistakes, and who may not be heard. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "fakes.h"
#include "receive.h"

struct ctx {
	struct fake_mode mode;
	struct notes notes;
	struct clock now;
	struct receive r;
	uint8_t datagram[8192];
	size_t len;
};

static int
setup(void **state)
{
	static struct ctx c;

	c = (struct ctx){.mode = {.mode = {&fake_ops}}};
	c.r = (struct receive){.to = noting(&c.notes), .mode = &c.mode.mode, .clock = &c.now};
	*state = &c;
	return 0;
}

static void
add_flow(struct ctx *c, enum wire_type type, const struct flow *f)
{
	c->len += flow_message(c->datagram + c->len, sizeof(c->datagram) - c->len, type, 1, f);
}

static bool
arrives(struct ctx *c)
{
	bool heard = receive_datagram(&c->r, 0, c->datagram, c->len);

	c->len = 0;
	return heard;
}

static void
many_in_one(void **state)
{
	const enum wire_type type[] = {WIRE_CT_NEW, WIRE_CT_UPD, WIRE_CT_DEL};
	struct ctx *c = *state;

	for (uint32_t nr = 0; nr < 40; nr++) {
		const struct flow f = flow_nr(nr);

		add_flow(c, type[nr % 3], &f);
	}
	assert_true(arrives(c));
	assert_int_equal(c->notes.flows, 40);
	assert_int_equal(c->notes.batches, 3);
	assert_in_range(c->notes.largest, 1, APPLY_BATCH);
	for (unsigned int i = 0; i < 40; i++)
		assert_int_equal(c->notes.change[i], i % 3);
}

/* A master is there before what it expects. */
static void
expectation_after_its_master(void **state)
{
	const struct flow f = flow_nr(1);
	struct ctx *c = *state;

	add_flow(c, WIRE_CT_NEW, &f);
	c->len += expect_message(c->datagram + c->len, sizeof(c->datagram) - c->len, WIRE_EXP_DEL, 2);
	assert_true(arrives(c));
	assert_int_equal(c->notes.expects, 1);
	assert_int_equal(c->notes.expect_change, ENTRY_DEL);
	assert_false(c->notes.expect_came_first);
}

/* Bits that the kernel sets for itself mean nothing here. */
static void
status_of_another_kernel(void **state)
{
	struct flow f = flow_nr(1);
	struct ctx *c = *state;

	f.status |= 1 << 9 | 1 << 11 | 1 << 12 | 1 << 14; /* dying, template, untracked, offload */
	add_flow(c, WIRE_CT_NEW, &f);
	arrives(c);
	assert_int_equal(c->notes.status, flow_nr(1).status);
}

static void
refused_by_the_mode(void **state)
{
	const struct flow f = flow_nr(1);
	struct ctx *c = *state;

	c->mode.refuse = true;
	add_flow(c, WIRE_CT_NEW, &f);
	assert_true(arrives(c));
	assert_int_equal(c->mode.heard, 1);
	assert_int_equal(c->notes.flows, 0);
}

static void
cut_short(void **state)
{
	const struct flow f = flow_nr(1);
	struct ctx *c = *state;

	add_flow(c, WIRE_CT_NEW, &f);
	add_flow(c, WIRE_CT_NEW, &f);
	c->len -= 4;
	assert_true(arrives(c)); /* the first one is whole */
	assert_int_equal(c->notes.flows, 1);
	assert_int_equal(c->r.malformed[WIRE_TRUNCATED] + c->r.malformed[WIRE_BAD_SIZE], 1);
}

/* Attributes that make no sense spoil one message, and not what follows it. */
static void
one_bad_among_good(void **state)
{
	const struct flow f = flow_nr(1);
	struct ctx *c = *state;
	size_t second;

	add_flow(c, WIRE_CT_NEW, &f);
	second = c->len;
	add_flow(c, WIRE_CT_NEW, &f);
	add_flow(c, WIRE_CT_NEW, &f);
	memset(c->datagram + second + 8, 0xff, second - 8);
	assert_true(arrives(c));
	assert_int_equal(c->notes.flows, 2);
	assert_int_equal(c->r.malformed[WIRE_BAD_PAYLOAD], 1);
}

static void
noise(void **state)
{
	struct ctx *c = *state;
	uint64_t refused = 0;

	memset(c->datagram, 0xa5, c->len = 200);
	assert_false(arrives(c));
	for (int i = 0; i < WIRE_ERRORS; i++)
		refused += c->r.malformed[i];
	assert_true(refused > 0);
	assert_int_equal(c->notes.flows, 0);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup(f, setup)
	const struct CMUnitTest tests[] = {T(many_in_one),
					   T(expectation_after_its_master),
					   T(status_of_another_kernel),
					   T(refused_by_the_mode),
					   T(cut_short),
					   T(one_bad_among_good),
					   T(noise)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The kernel's tables are emptied: whole, or flow by flow where a filter hides some. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <libmnl/libmnl.h>

#include "flows.h"
#include "flush.h"

struct ctx {
	struct flush x;
	struct cache *shown;
	bool busy;
	unsigned int batches, deleted, table_flushes, begun;
	uint32_t table_id[2], last_batch_id, done_id;
	int done_err;
	bool done_flows;
	unsigned int n_done;
};

static bool
ready(void *arg)
{
	return !((struct ctx *)arg)->busy;
}

static void
send_batch(void *arg, uint32_t id, const void *data, size_t len)
{
	const struct nlmsghdr *nlh = data;
	struct ctx *c = arg;
	int left = (int)len;

	for (; mnl_nlmsg_ok(nlh, left); nlh = mnl_nlmsg_next(nlh, &left)) {
		assert_true(request_deletes(nlh));
		c->deleted++;
	}
	c->batches++;
	c->last_batch_id = id;
}

static void
flush_table(void *arg, uint32_t id, const struct msg_flush *f)
{
	struct ctx *c = arg;

	assert_in_range(f->subsys, SUBSYS_CT, SUBSYS_EXP);
	c->table_id[f->subsys - SUBSYS_CT] = id;
	c->table_flushes++;
}

static void
begun(void *arg, unsigned int tables)
{
	((struct ctx *)arg)->begun |= tables;
}

static void
done(void *arg, uint32_t id, int err, bool flows)
{
	struct ctx *c = arg;

	c->n_done++;
	c->done_id = id;
	c->done_err = err;
	c->done_flows = flows;
}

static int
setup(void **state)
{
	static struct ctx c;

	c = (struct ctx){.x = {.env = {&c, ready, send_batch, flush_table, begun, done, &c}}};
	c.shown = cache_new(SLOT_FLOW, 10000);
	*state = &c;
	return 0;
}

static int
teardown(void **state)
{
	cache_free(((struct ctx *)*state)->shown);
	return 0;
}

static void
shows(struct ctx *c, uint32_t n)
{
	for (uint32_t nr = 0; nr < n; nr++) {
		const struct flow f = flow_nr(nr);
		uint32_t slot;

		assert_int_equal(cache_insert(c->shown, &f, 0, &slot), 0);
		if (nr % 10 == 9) /* has ended; its deletion waits to be sent */
			cache_bury(c->shown, slot);
	}
	c->x.shown = c->shown;
}

static void
whole_tables(void **state)
{
	struct ctx *c = *state;
	uint32_t id = flush_kernel(&c->x, 3);

	assert_int_equal(c->table_flushes, 2);
	assert_int_equal(c->begun, 3);
	assert_int_not_equal(c->table_id[0], c->table_id[1]);
	assert_int_equal(id, c->table_id[0]); /* that of flows comes last, and ends it */
	flush_result(&c->x, c->table_id[1], 0);
	assert_false(c->done_flows);
	flush_result(&c->x, id, -ENOENT);
	assert_int_equal(c->done_id, id);
	assert_int_equal(c->done_err, -ENOENT);
	assert_true(c->done_flows);
}

static void
flow_by_flow(void **state)
{
	struct ctx *c = *state;
	uint32_t id;

	shows(c, 4000);
	id = flush_kernel(&c->x, 1);
	assert_int_equal(c->deleted, 0);
	c->busy = true;
	assert_false(flush_turn(&c->x));
	c->busy = false;
	while (flush_turn(&c->x))
		if (c->x.deleting.active) /* nobody waits for the batches before the last */
			assert_int_equal(c->last_batch_id, 0);
	assert_int_equal(c->last_batch_id, id);
	assert_int_equal(c->deleted, 3600);
	assert_true(c->batches > 1);
	assert_int_equal(c->table_flushes, 0);
	flush_result(&c->x, id, 0);
	assert_int_equal(c->n_done, 1);
}

/* Asked for again before its end: from the beginning, and both end together. */
static void
twice(void **state)
{
	struct ctx *c = *state;
	uint32_t id;

	shows(c, 4000);
	id = flush_kernel(&c->x, 1);
	flush_turn(&c->x);
	assert_int_equal(flush_kernel(&c->x, 1), id);
	assert_int_equal(c->x.deleting.pos, 0);
}

static void
nothing_to_delete(void **state)
{
	struct ctx *c = *state;
	uint32_t id;

	shows(c, 0);
	id = flush_kernel(&c->x, 1);
	flush_turn(&c->x);
	assert_int_equal(c->n_done, 1);
	assert_int_equal(c->done_id, id);
	assert_int_equal(c->done_err, 0);
	assert_false(flush_turn(&c->x));
}

static void
stopped(void **state)
{
	struct ctx *c = *state;

	flush_stop(&c->x);
	assert_int_equal(c->n_done, 0);
	shows(c, 4000);
	flush_kernel(&c->x, 1);
	flush_turn(&c->x);
	flush_stop(&c->x);
	assert_int_equal(c->done_err, -ECANCELED);
	assert_false(flush_turn(&c->x));
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {T(whole_tables), T(flow_by_flow), T(twice), T(nothing_to_delete),
					   T(stopped)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

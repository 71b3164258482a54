/* Commit against a kernel of our own: order, windows, errors led back to their flows, second tries, joined requests. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <stdlib.h>

#include "commit.h"
#include "flows.h"
#include "kernel.h"

struct sent {
	uint32_t id, n;
	struct msg_error err[2000];
};

struct ctx {
	bool has_own, room_asked;
	uint32_t room;
	uint32_t own_flow;
	struct tables ext;
	struct commit *c;
	struct cache *kernel;
	struct sent wire[8]; /* answered in order by answer() */
	unsigned int n_wire, max_wire, requests, done, related_before_master;
	bool refuse_send, deny_all;
	struct commit_result result[4];
	unsigned int n_result, n_failed;
	int last_err;
	unsigned int module_requests, n_missing;
	char missing[16];
	uint32_t last_timeout;
};

static bool
send_batch(void *arg, uint32_t id, const void *data, size_t len)
{
	const struct nlmsghdr *nlh = data;
	struct ctx *c = arg;
	struct sent *s;
	struct flow f;
	int left = (int)len, r;

	if (c->refuse_send)
		return false;
	assert_true(c->n_wire < 8);
	s = &c->wire[c->n_wire++];
	*s = (struct sent){.id = id};
	if (c->n_wire > c->max_wire)
		c->max_wire = c->n_wire;
	for (; mnl_nlmsg_ok(nlh, left); nlh = mnl_nlmsg_next(nlh, &left)) {
		c->requests++;
		r = c->deny_all && !kernel_asked_to_delete(nlh) ? -EOPNOTSUPP
								: kernel_does(c->kernel, nlh, &f, &c->module_requests);
		if (!c->deny_all && !kernel_asked_to_delete(nlh))
			c->last_timeout = f.timeout;
		if (r < 0)
			s->err[s->n++] = (struct msg_error){nlh->nlmsg_seq, r};
	}
	assert_int_equal(left, 0);
	return true;
}

static bool
ask_room(void *arg)
{
	struct ctx *c = arg;

	c->room_asked = true;
	commit_room(c->c, c->room);
	return true;
}

static uint32_t
held(void *arg, unsigned int source)
{
	const struct ctx *c = arg;
	uint32_t pos = 0, slot, n = 0;

	while ((slot = cache_walk(c->ext.of[SLOT_FLOW], &pos)) != SLOT_NONE)
		n += cache_entry(c->ext.of[SLOT_FLOW], slot)->queue == source;
	return n;
}

static bool
owns(void *arg, const struct flow *f)
{
	const struct ctx *c = arg;
	const struct flow own = flow_nr(c->own_flow);

	return c->has_own && flow_same_key(f, &own);
}

static void
table_done(void *arg, const struct commit_result *r)
{
	struct ctx *c = arg;

	c->result[c->n_result++] = *r;
}

static void
all_done(void *arg)
{
	((struct ctx *)arg)->done++;
}

static void
failed(void *arg, const char *what, int err, const struct flow *f, const struct expect *e)
{
	struct ctx *c = arg;

	(void)what;
	assert_true((f == NULL) != (e == NULL));
	c->n_failed++;
	c->last_err = err;
}

static void
helper_missing(void *arg, const char *name)
{
	struct ctx *c = arg;

	c->n_missing++;
	strcpy(c->missing, name);
}

static uint64_t
usec(void *arg)
{
	(void)arg;
	return 1;
}

static int
setup(void **state)
{
	struct commit_conf conf = {0};
	struct ctx *c = calloc(1, sizeof(*c));
	struct commit_env env = {c,      send_batch, owns,     table_done, all_done,
				 failed, usec,       ask_room, held,       helper_missing};

	assert_int_equal(tables_init(&c->ext, 10000), 0);
	c->kernel = cache_new(SLOT_FLOW, 10000);
	c->room = ROOM_UNKNOWN;
	c->c = commit_new(&conf, &env, &c->ext);
	*state = c;
	return 0;
}

static int
teardown(void **state)
{
	struct ctx *c = *state;

	commit_free(c->c);
	tables_clear(&c->ext);
	cache_free(c->kernel);
	free(c);
	return 0;
}

static void
know(struct ctx *c, uint32_t first, uint32_t n)
{
	uint32_t slot;

	for (uint32_t i = first; i < first + n; i++) {
		struct flow f = flow_nr(i);

		assert_int_equal(cache_insert(c->ext.of[SLOT_FLOW], &f, 1000, &slot), 0);
	}
}

static void
answer(struct ctx *c)
{
	struct sent s = c->wire[0];

	assert_true(c->n_wire > 0);
	memmove(c->wire, c->wire + 1, sizeof(c->wire[0]) * --c->n_wire);
	commit_on_result(c->c, s.id, s.err, s.n);
}

static void
run(struct ctx *c, uint32_t now)
{
	for (int i = 0; i < 10000 && commit_running(c->c); i++) {
		while (commit_step(c->c, now))
			;
		if (c->n_wire > 0)
			answer(c);
	}
	assert_false(commit_running(c->c));
}

static void
commit(struct ctx *c, unsigned int tables, uint32_t now)
{
	commit_start(c->c, tables);
	run(c, now);
}

static void
test_all_of_them(void **state)
{
	struct ctx *c = *state;

	know(c, 0, 5000);
	commit(c, COMMIT_FLOWS, 1000);
	assert_int_equal(cache_stats(c->kernel)->active, 5000);
	assert_int_equal(c->n_result, 1);
	assert_int_equal(c->result[0].committed, 5000);
	assert_int_equal(c->result[0].failed, 0);
	assert_int_equal(c->done, 1);
	assert_int_equal(c->requests, 5000);
	assert_in_range(c->max_wire, 2, COMMIT_WINDOW);
	assert_int_equal(cache_stats(c->ext.of[SLOT_FLOW])->active, 5000); /* caches keep their entries */
}

static void
test_existing_are_replaced(void **state)
{
	struct ctx *c = *state;
	uint32_t slot;

	know(c, 0, 3000);
	for (uint32_t i = 0; i < 3000; i += 2) {
		struct flow f = flow_nr(i);

		f.state = 1;
		assert_int_equal(cache_insert(c->kernel, &f, 0, &slot), 0);
	}
	commit(c, COMMIT_FLOWS, 1000);
	assert_int_equal(c->result[0].committed, 3000);
	assert_int_equal(c->n_failed, 0);
	assert_int_equal(cache_stats(c->kernel)->active, 3000);
	for (uint32_t i = 0; i < 3000; i++) {
		struct flow f = flow_nr(i);

		assert_int_equal(cache_entry(c->kernel, cache_find(c->kernel, &f))->flow.state, 3);
	}
}

static void
test_failures_are_counted(void **state)
{
	struct ctx *c = *state;

	know(c, 0, 700);
	c->deny_all = true;
	commit(c, COMMIT_FLOWS, 1000);
	assert_int_equal(c->result[0].committed, 0);
	assert_int_equal(c->result[0].failed, 700);
	assert_int_equal(c->n_failed, 700);
	assert_int_equal(c->last_err, -EOPNOTSUPP);
}

/* flow_nr(i) with a helper. */
static struct flow
helped(uint32_t i, struct flow_side *side, const char *name)
{
	struct flow f = flow_nr(i);

	*side = (struct flow_side){0};
	strcpy(side->helper, name);
	f.side = side;
	f.have |= FLOW_HELPER;
	return f;
}

/* Where i is even the kernel has the helper, elsewhere one of `names` that it does not have. */
static void
know_helped(struct ctx *c, uint32_t n, uint32_t names)
{
	for (uint32_t i = 0; i < n; i++) {
		struct flow_side side;
		char name[16];
		uint32_t slot;

		snprintf(name, sizeof(name), i % 2 == 0 ? "ftp" : "junk%u", i / 2 % names);
		struct flow f = helped(i, &side, name);
		assert_int_equal(cache_insert(c->ext.of[SLOT_FLOW], &f, 1000, &slot), 0);
	}
}

static void
check_helped(const struct ctx *c, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		struct flow f = flow_nr(i);
		uint32_t slot = cache_find(c->kernel, &f);

		assert_int_not_equal(slot, SLOT_NONE);
		assert_int_equal((cache_entry(c->kernel, slot)->flow.have & FLOW_HELPER) != 0, i % 2 == 0);
	}
}

/* Names of helpers that the kernel does not have cost it a search for a module each: a few are tried, the flows are
 * created without, and those whose helper is there keep it. */
static void
test_unknown_helpers(void **state)
{
	struct ctx *c = *state;

	know_helped(c, 5000, 1);
	commit(c, COMMIT_FLOWS, 1000);
	check_helped(c, 5000);
	assert_int_equal(c->result[0].committed, 5000);
	assert_int_equal(c->result[0].failed, 0);
	assert_int_equal(c->result[0].without_helper, 2500);
	assert_in_range(c->module_requests, 4, 16);
	assert_int_equal(c->n_missing, 1);
	assert_string_equal(c->missing, "junk0");
	/* and once more, with everything in the way */
	c->module_requests = 0;
	commit(c, COMMIT_FLOWS, 1000);
	check_helped(c, 5000);
	assert_int_equal(c->result[1].committed, 5000);
	assert_in_range(c->module_requests, 4, 16);
}

static void
test_many_unknown_helpers(void **state)
{
	struct ctx *c = *state;

	know_helped(c, 9000, 4500);
	commit(c, COMMIT_FLOWS, 1000);
	check_helped(c, 9000);
	assert_int_equal(c->result[0].committed, 9000);
	assert_in_range(c->module_requests, 1, 128);
}

static void
test_timeouts(void **state)
{
	struct ctx *c = *state;

	know(c, 0, 1); /* 100 s, told at 1000 */
	commit(c, COMMIT_FLOWS, 1030);
	assert_int_equal(c->last_timeout, 70);
	commit(c, COMMIT_FLOWS, 1099); /* the flow's packets have prolonged it meanwhile, of which nobody tells */
	assert_int_equal(c->last_timeout, 10);
	commit(c, COMMIT_FLOWS, 1100);
	assert_int_equal(c->last_timeout, 100);
	commit(c, COMMIT_FLOWS, 1101);
	assert_int_equal(c->last_timeout, 60);
}

/* What peers say while it runs is written before it ends, wherever the walk has been by then. */
static void
test_late_news(void **state)
{
	struct ctx *c = *state;
	struct flow f = flow_nr(3), gone = flow_nr(0);
	uint32_t slot;

	know(c, 0, 5000);
	commit_start(c->c, COMMIT_FLOWS);
	for (int i = 0; i < 3; i++)
		commit_step(c->c, 1000);
	cache_drop(c->ext.of[SLOT_FLOW], cache_find(c->ext.of[SLOT_FLOW], &gone));
	know(c, 6000, 1);
	slot = cache_find(c->ext.of[SLOT_FLOW], &f);
	f.state = 7;
	cache_update(c->ext.of[SLOT_FLOW], slot, &f, 1000);
	cache_entry(c->ext.of[SLOT_FLOW], slot)->gen = 0;
	run(c, 1000);
	assert_int_equal(cache_stats(c->kernel)->active, 5001);
	assert_int_equal(cache_entry(c->kernel, cache_find(c->kernel, &f))->flow.state, 7);
	assert_int_equal(c->requests, 5002 + 2); /* what was in the way of the changed one is deleted */
	assert_int_equal(c->done, 1);
}

/* Peers that go on for ever do not keep it from ending. */
static void
test_endless_news(void **state)
{
	struct ctx *c = *state;
	uint32_t n = 0;

	know(c, 0, 1000);
	commit_start(c->c, COMMIT_FLOWS);
	for (; n < 1000 && commit_running(c->c); n++) {
		know(c, 1000 + n, 1);
		commit_step(c->c, 1000);
		if (c->n_wire > 0)
			answer(c);
	}
	assert_in_range(n, 4, 100);
	assert_int_equal(c->done, 1);
}

static void
test_stop(void **state)
{
	struct ctx *c = *state;

	know(c, 0, 5000);
	commit_start(c->c, COMMIT_FLOWS); /* not yet begun */
	commit_stop(c->c);
	assert_false(commit_running(c->c));
	assert_int_equal(c->done, 1);
	commit_start(c->c, COMMIT_FLOWS | COMMIT_EXPECTS);
	for (int i = 0; i < 3; i++)
		commit_step(c->c, 1000);
	commit_stop(c->c);
	run(c, 1000);
	assert_in_range(cache_stats(c->kernel)->active, 1, 4000);
	assert_int_equal(c->done, 2);
	assert_int_equal(c->n_result, 1);
	/* and a new start does not join the one that is being stopped */
	commit_start(c->c, COMMIT_FLOWS);
	for (int i = 0; i < 3; i++)
		commit_step(c->c, 1000);
	commit_stop(c->c);
	commit(c, COMMIT_FLOWS, 1000);
	assert_int_equal(cache_stats(c->kernel)->active, 5000);
	assert_int_equal(c->done, 3);
	assert_int_equal(c->n_failed, 0);
}

/* The answers to what was sent cause no second try any more: the flows are another's again. */
static void
test_stop_ends_second_tries(void **state)
{
	struct ctx *c = *state;
	unsigned int requests;

	know(c, 0, 5000);
	commit(c, COMMIT_FLOWS, 1000);
	commit_start(c->c, COMMIT_FLOWS);
	for (int i = 0; i < 3; i++)
		commit_step(c->c, 1000);
	assert_true(c->n_wire > 0);
	requests = c->requests;
	commit_stop(c->c);
	run(c, 1000);
	assert_int_equal(c->requests, requests);
	assert_int_equal(c->n_failed, 0);
	assert_int_equal(c->done, 2);
	commit(c, COMMIT_FLOWS, 1000); /* and the next commit has them */
	assert_int_equal(c->requests, requests + 3 * 5000);
	/* nor is sent what the parent did not take before */
	requests = c->requests;
	commit_start(c->c, COMMIT_FLOWS);
	c->refuse_send = true;
	for (int i = 0; i < 3; i++)
		commit_step(c->c, 1000);
	commit_stop(c->c);
	c->refuse_send = false;
	run(c, 1000);
	assert_int_equal(c->requests, requests);
}

/* A request for something else follows the running one and takes nothing away from it. */
static void
test_requests_join(void **state)
{
	struct ctx *c = *state;

	know(c, 0, 2000);
	commit_start(c->c, COMMIT_FLOWS);
	assert_true(commit_step(c->c, 1000));
	commit_step(c->c, 1000);
	commit_start(c->c, COMMIT_EXPECTS | COMMIT_FLOWS);
	run(c, 1000);
	assert_int_equal(c->done, 1);
	assert_int_equal(c->n_result, 2);
	assert_int_equal(c->result[0].committed, 2000);
	assert_int_equal(c->result[1].table, COMMIT_EXPECTS);
	/* and the next one starts from scratch */
	commit(c, COMMIT_FLOWS, 1000);
	assert_int_equal(c->done, 2);
	assert_int_equal(c->result[2].committed, 2000);
}

static void
test_slow_kernel(void **state)
{
	struct ctx *c = *state;

	know(c, 0, 4000);
	commit_start(c->c, COMMIT_FLOWS);
	c->refuse_send = true;
	for (int i = 0; i < 10; i++)
		commit_step(c->c, 1000);
	assert_int_equal(c->requests, 0);
	c->refuse_send = false;
	for (int i = 0; i < 50; i++)
		commit_step(c->c, 1000);
	assert_int_equal(c->n_wire, COMMIT_WINDOW); /* no more in flight than that */
	run(c, 1000);
	assert_int_equal(c->result[0].committed, 4000);
	assert_int_equal(c->requests, 4000);
}

/* Nonsense from the other side of the wall changes nothing. */
static void
test_wrong_results(void **state)
{
	struct ctx *c = *state;
	struct msg_error bad[] = {{0, 0}, {1u << 30, -EEXIST}, {2, -EEXIST}, {UINT32_MAX, -EPERM}};

	know(c, 0, 10);
	commit_start(c->c, COMMIT_FLOWS);
	while (commit_step(c->c, 1000))
		;
	commit_on_result(c->c, 0, bad, 4);
	commit_on_result(c->c, 999, bad, 4);
	commit_on_result(c->c, c->wire[0].id, bad, 4);
	c->n_wire = 0;
	run(c, 1000);
	assert_int_equal(c->result[0].committed, 10);
	assert_int_equal(c->n_failed, 0);
}

/* A batch that the kernel did not take is not committed. */
static void
test_batch_not_taken(void **state)
{
	struct msg_error none = {0, -ENOBUFS};
	struct ctx *c = *state;

	know(c, 0, 10);
	commit_start(c->c, COMMIT_FLOWS);
	while (commit_step(c->c, 1000))
		;
	commit_on_result(c->c, c->wire[0].id, &none, 1);
	c->n_wire = 0;
	run(c, 1000);
	assert_int_equal(c->result[0].committed, 0);
	assert_int_equal(c->result[0].failed, 10);
	assert_int_equal(c->last_err, -ENOBUFS);
	assert_int_equal(c->n_failed, 1);
}

static void
test_nothing_to_do(void **state)
{
	struct ctx *c = *state;

	commit_start(c->c, COMMIT_FLOWS | COMMIT_EXPECTS);
	assert_true(commit_running(c->c));
	run(c, 1000);
	assert_int_equal(c->done, 1);
	assert_int_equal(c->n_result, 2);
}

/* Related flows wait until every master is in. */
static void
test_masters_first(void **state)
{
	struct ctx *c = *state;
	struct flow_side side = {.master_l4 = IPPROTO_TCP, .master_has_ports = 1};
	struct flow f = flow_nr(9000), master = flow_nr(1500);
	uint32_t slot;

	side.master_port[0] = master.port[0];
	side.master_port[1] = master.port[1];
	side.master_addr[0] = master.addr[0];
	side.master_addr[1] = master.addr[1];
	f.side = &side;
	f.have |= FLOW_MASTER;
	assert_int_equal(cache_insert(c->ext.of[SLOT_FLOW], &f, 1000, &slot), 0);
	know(c, 0, 2000);
	commit_start(c->c, COMMIT_FLOWS);
	for (int i = 0; i < 100 && c->requests < 2000; i++) {
		commit_step(c->c, 1000);
		if (c->n_wire > 1)
			answer(c);
	}
	assert_int_equal(cache_find(c->kernel, &f), SLOT_NONE);
	run(c, 1000);
	assert_int_not_equal(cache_find(c->kernel, &f), SLOT_NONE);
	assert_int_equal(c->result[0].committed, 2001);
	assert_int_equal(c->n_result, 1);
}

static unsigned int
created_of(struct ctx *c, uint32_t first, uint32_t n)
{
	unsigned int there = 0;

	for (uint32_t i = first; i < first + n; i++) {
		const struct flow f = flow_nr(i);

		there += cache_find(c->kernel, &f) != SLOT_NONE;
	}
	return there;
}

static void
whose(struct ctx *c, uint32_t first, uint32_t n, uint8_t source)
{
	for (uint32_t i = first; i < first + n; i++) {
		const struct flow f = flow_nr(i);

		cache_entry(c->ext.of[SLOT_FLOW], cache_find(c->ext.of[SLOT_FLOW], &f))->queue = source;
	}
}

/* The kernel's table is not filled, and who has much to write leaves room for those who have less. */
static void
test_room_is_shared(void **state)
{
	struct ctx *c = *state;

	know(c, 0, 4500);
	whose(c, 0, 4000, 5);
	whose(c, 4000, 500, 1);
	c->room = 2000;
	commit(c, COMMIT_FLOWS, 1000);
	assert_true(c->room_asked);
	assert_int_equal(created_of(c, 4000, 500), 500);
	assert_int_equal(created_of(c, 0, 4000), 1500);
	assert_int_equal(c->result[0].committed, 2000);
	assert_int_equal(c->result[0].failed, 2500);
	assert_int_equal(c->result[0].no_room, 2500);
}

/* Flows that are there already take none. */
static void
test_room_for_existing(void **state)
{
	struct ctx *c = *state;
	uint32_t slot;

	know(c, 0, 3000);
	for (uint32_t i = 0; i < 2000; i++) {
		struct flow f = flow_nr(i);

		f.state = 1;
		assert_int_equal(cache_insert(c->kernel, &f, 0, &slot), 0);
	}
	c->room = 1000;
	commit(c, COMMIT_FLOWS, 1000);
	assert_int_equal(c->result[0].no_room, 0);
	assert_int_equal(c->result[0].committed, 3000);
	assert_int_equal(created_of(c, 0, 3000), 3000);
}

static void
test_no_room_at_all(void **state)
{
	struct ctx *c = *state;

	know(c, 0, 100);
	c->room = 0;
	commit(c, COMMIT_FLOWS, 1000);
	assert_int_equal(c->result[0].no_room, 100);
	assert_int_equal(cache_stats(c->kernel)->active, 0);
	assert_int_equal(c->done, 1);
}

/* What this kernel has itself, and says so, is not replaced by what a peer says; all others are. */
static void
test_own_flow_stays(void **state)
{
	struct ctx *c = *state;
	uint32_t slot;

	know(c, 0, 100);
	for (uint32_t i = 0; i < 100; i += 10) { /* in the way, with another mark */
		struct flow f = flow_nr(i);

		f.have |= FLOW_MARK;
		f.mark = 1;
		assert_int_equal(cache_insert(c->kernel, &f, 0, &slot), 0);
	}
	for (uint32_t i = 0; i < 100; i++) { /* what the peer says */
		struct flow f = flow_nr(i);

		f.have |= FLOW_MARK;
		f.mark = 2;
		cache_update(c->ext.of[SLOT_FLOW], cache_find(c->ext.of[SLOT_FLOW], &f), &f, 1000);
	}
	c->has_own = true;
	c->own_flow = 30;
	commit_start(c->c, COMMIT_FLOWS);
	run(c, 1000);
	assert_int_equal(c->result[0].kept, 1);
	assert_int_equal(c->result[0].committed, 99);
	assert_int_equal(c->result[0].failed, 0);
	assert_int_equal(c->n_failed, 0);
	for (uint32_t i = 0; i < 100; i++) {
		struct flow f = flow_nr(i);

		slot = cache_find(c->kernel, &f);
		assert_int_not_equal(slot, SLOT_NONE);
		assert_int_equal(cache_entry(c->kernel, slot)->flow.mark, i == 30 ? 1 : 2);
		assert_int_equal(cache_entry(c->kernel, slot)->flow.state, 3);
	}
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_all_of_them),
		T(test_existing_are_replaced),
		T(test_failures_are_counted),
		T(test_unknown_helpers),
		T(test_many_unknown_helpers),
		T(test_timeouts),
		T(test_late_news),
		T(test_endless_news),
		T(test_stop),
		T(test_stop_ends_second_tries),
		T(test_requests_join),
		T(test_slow_kernel),
		T(test_wrong_results),
		T(test_batch_not_taken),
		T(test_nothing_to_do),
		T(test_masters_first),
		T(test_own_flow_stays),
		T(test_room_is_shared),
		T(test_room_for_existing),
		T(test_no_room_at_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Peers' states straight into a kernel of our own: one batch in flight, second tries before what came later. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <stdlib.h>

#include "flows.h"
#include "inject.h"
#include "kernel.h"

struct ctx {
	struct inject *j;
	struct cache *kernel;
	unsigned int batches, n_failed;
	uint32_t id;
	struct msg_error err[2000];
	size_t n_err;
	bool busy;
	unsigned int module_requests, n_missing;
	uint8_t created[2000]; /* the last creation that was asked for */
};

static bool
send_batch(void *arg, uint32_t id, const void *data, size_t len)
{
	const struct nlmsghdr *nlh = data;
	struct ctx *c = arg;
	struct flow f;
	int left = (int)len, r;

	if (c->busy)
		return false;
	assert_int_equal(c->id, 0);
	c->id = id;
	c->batches++;
	c->n_err = 0;
	for (; mnl_nlmsg_ok(nlh, left); nlh = mnl_nlmsg_next(nlh, &left)) {
		if (nlh->nlmsg_flags & NLM_F_EXCL && nlh->nlmsg_len <= sizeof(c->created))
			memcpy(c->created, nlh, nlh->nlmsg_len);
		if ((r = kernel_does(c->kernel, nlh, &f, &c->module_requests)) < 0)
			c->err[c->n_err++] = (struct msg_error){nlh->nlmsg_seq, r};
	}
	return true;
}

static void
failed(void *arg, const char *what, int err, const struct flow *f, const struct expect *e)
{
	(void)what;
	(void)err;
	assert_true((f == NULL) != (e == NULL));
	((struct ctx *)arg)->n_failed++;
}

static void
helper_missing(void *arg, const char *name)
{
	assert_string_equal(name, "junk");
	((struct ctx *)arg)->n_missing++;
}

static bool
knows(void *arg, const struct flow *f)
{
	const struct ctx *c = arg;

	return cache_find(c->kernel, f) != SLOT_NONE;
}

static int
setup(void **state)
{
	struct ctx *c = calloc(1, sizeof(*c));
	struct inject_env env = {c, send_batch, knows, failed, helper_missing};

	c->kernel = cache_new(SLOT_FLOW, 10000);
	c->j = inject_new(&env, false);
	*state = c;
	return 0;
}

static int
teardown(void **state)
{
	struct ctx *c = *state;

	inject_free(c->j);
	cache_free(c->kernel);
	free(c);
	return 0;
}

static void
answer(struct ctx *c)
{
	uint32_t id = c->id;

	c->id = 0;
	inject_on_result(c->j, id, c->err, c->n_err);
}

static void
settle(struct ctx *c)
{
	do {
		inject_flush(c->j);
		if (c->id == 0)
			return;
		answer(c);
	} while (true);
}

static void
says(struct ctx *c, enum entry_change change, uint32_t nr, uint8_t state)
{
	struct flow f = flow_nr(nr);

	f.state = state;
	inject_flow(c->j, 0, change, &f);
}

static int
kernel_state(struct ctx *c, uint32_t nr)
{
	struct flow f = flow_nr(nr);
	uint32_t slot = cache_find(c->kernel, &f);

	return slot == SLOT_NONE ? -1 : cache_entry(c->kernel, slot)->flow.state;
}

static void
test_new_update_delete(void **state)
{
	struct ctx *c = *state;

	says(c, ENTRY_NEW, 1, 1);
	says(c, ENTRY_NEW, 2, 3);
	inject_flush(c->j);
	assert_int_equal(c->batches, 1);
	says(c, ENTRY_UPD, 1, 5);
	says(c, ENTRY_DEL, 2, 3);
	inject_flush(c->j);
	assert_int_equal(c->batches, 1); /* one in flight */
	settle(c);
	assert_int_equal(c->batches, 2);
	assert_int_equal(kernel_state(c, 1), 5);
	assert_int_equal(kernel_state(c, 2), -1);
	assert_int_equal(c->n_failed, 0);
}

static void
test_in_the_way_and_missing(void **state)
{
	struct ctx *c = *state;

	says(c, ENTRY_NEW, 1, 1);
	settle(c);
	says(c, ENTRY_NEW, 1, 3); /* exists: replaced */
	says(c, ENTRY_UPD, 2, 3); /* unknown: created */
	says(c, ENTRY_DEL, 3, 3); /* unknown: nothing */
	settle(c);
	assert_int_equal(kernel_state(c, 1), 3);
	assert_int_equal(kernel_state(c, 2), 3);
	assert_int_equal(kernel_state(c, 3), -1);
	assert_int_equal(c->n_failed, 0);
}

static void
says_translated(struct ctx *c, enum entry_change change, const char *helper)
{
	const struct flow_nat nat = {
		.snat = true, .spat = true, .snat_addr = {htonl(0xcb007100)}, .spat_port = htons(4000)};
	struct flow_side side = {.label = {1, 2}, .master_l4 = IPPROTO_TCP, .master_has_ports = 1};
	struct flow f = flow_nr(1);

	strcpy(side.helper, helper);
	side.master_port[0] = side.master_port[1] = htons(21);
	side.master_addr[0] = side.master_addr[1] = htonl(0x0a000001);
	side.seqadj[0].after = 7;
	f.side = &side;
	f.have |= FLOW_HELPER | FLOW_LABELS | FLOW_MASTER | FLOW_SEQADJ | FLOW_MARK;
	f.status |= 0x190; /* translated */
	f.mark = 5;
	flow_derive_reply(&f, &nat);
	inject_flow(c->j, 0, change, &f);
}

static void
created_as(struct ctx *c, uint8_t copy[sizeof(c->created)])
{
	struct nlmsghdr *nlh = (struct nlmsghdr *)c->created;

	nlh->nlmsg_seq = 0;
	memcpy(copy, c->created, sizeof(c->created));
	memset(c->created, 0, sizeof(c->created));
	says(c, ENTRY_DEL, 1, 3);
	settle(c);
	assert_int_equal(c->n_failed, 0);
}

/* What stands in the way, or is not there to be changed, is replaced by all that the peer said. */
static void
test_replaced_whole(void **state)
{
	static uint8_t first[2000], then[2000];
	struct ctx *c = *state;

	says_translated(c, ENTRY_NEW, "ftp");
	settle(c);
	created_as(c, first);
	says_translated(c, ENTRY_UPD, "ftp");
	settle(c);
	created_as(c, then);
	assert_memory_equal(then, first, sizeof(first));
	says(c, ENTRY_NEW, 1, 3);
	says_translated(c, ENTRY_NEW, "ftp");
	settle(c);
	created_as(c, then);
	assert_memory_equal(then, first, sizeof(first));
}

/* The same in three tries: the flow that is in the way goes, then it turns out that there is no such helper. */
static void
test_replaced_without_helper(void **state)
{
	static uint8_t first[2000], then[2000];
	struct ctx *c = *state;

	says(c, ENTRY_NEW, 1, 3);
	says_translated(c, ENTRY_NEW, "junk");
	settle(c);
	created_as(c, first);
	says_translated(c, ENTRY_NEW, "junk"); /* nothing in the way: two tries */
	settle(c);
	created_as(c, then);
	assert_memory_equal(then, first, sizeof(first));
}

/* A second try never overwrites what the peer said later. */
static void
test_order(void **state)
{
	struct ctx *c = *state;

	says(c, ENTRY_NEW, 1, 1);
	settle(c);
	says(c, ENTRY_NEW, 1, 3);
	inject_flush(c->j);
	says(c, ENTRY_UPD, 1, 7);
	settle(c);
	assert_int_equal(kernel_state(c, 1), 7);
}

static void
test_full(void **state)
{
	struct ctx *c = *state;
	uint32_t n = 0;

	c->busy = true;
	while (inject_room(c->j)) {
		says(c, ENTRY_NEW, n++, 3);
		inject_flush(c->j);
	}
	assert_in_range(n, 1000, 9000);
	c->busy = false;
	settle(c);
	assert_int_equal(cache_stats(c->kernel)->active, n);
	assert_true(inject_room(c->j));
	assert_int_equal(inject_stats(c->j, false)->create_failed, 0);
}

/* Second tries need more room than the first ones. */
static void
test_everything_in_the_way(void **state)
{
	struct ctx *c = *state;

	for (uint32_t i = 0; i < 2000; i++)
		says(c, ENTRY_NEW, i, 1);
	settle(c);
	for (uint32_t i = 0; i < 2000; i++)
		says(c, ENTRY_NEW, i, 3);
	for (uint32_t i = 2000; i < 4000; i++)
		says(c, ENTRY_UPD, i, 3);
	settle(c);
	for (uint32_t i = 0; i < 4000; i++)
		assert_int_equal(kernel_state(c, i), 3);
	assert_int_equal(c->n_failed, 0);
}

static void
says_helped(struct ctx *c, enum entry_change change, uint32_t nr)
{
	struct flow_side side = {0};
	struct flow f = flow_nr(nr);

	strcpy(side.helper, nr % 2 == 0 ? "ftp" : "junk");
	f.side = &side;
	f.have |= FLOW_HELPER;
	inject_flow(c->j, 0, change, &f);
	if (!inject_room(c->j))
		settle(c);
}

/* A name that the kernel does not have costs it a search for a module: after a few it is left out, and the flows come
 * without; whether they are new, there already, or only changed. */
static void
test_unknown_helper(void **state)
{
	struct ctx *c = *state;

	for (uint32_t i = 0; i < 100; i++)
		says_helped(c, ENTRY_UPD, i); /* an update names no helper, the creation that follows does */
	settle(c);
	for (uint32_t i = 0; i < 2000; i++)
		says_helped(c, ENTRY_NEW, i);
	settle(c);
	for (uint32_t i = 0; i < 2000; i++)
		says_helped(c, ENTRY_NEW, i);
	for (uint32_t i = 0; i < 3000; i++)
		says_helped(c, ENTRY_UPD, i);
	settle(c);
	for (uint32_t i = 0; i < 3000; i++) {
		struct flow f = flow_nr(i);
		uint32_t slot = cache_find(c->kernel, &f);

		assert_int_not_equal(slot, SLOT_NONE);
		assert_int_equal((cache_entry(c->kernel, slot)->flow.have & FLOW_HELPER) != 0, i % 2 == 0);
	}
	assert_int_equal(c->n_failed, 0);
	assert_in_range(c->module_requests, 4, 400);
	assert_int_equal(c->n_missing, 1);
}

/* A peer that repeats itself does not tear down what lives here. */
static void
test_repetition(void **state)
{
	struct ctx *c = *state;
	const struct applier a = inject_applier(c->j);
	struct apply_batch b;

	for (uint8_t tcp = 1; tcp < 4; tcp++) {
		b.flow[0] = flow_nr(1);
		b.flow[0].state = tcp;
		b.change[0] = ENTRY_NEW;
		b.n = 1;
		b.source = 0;
		a.flows(a.arg, &b);
		assert_false(a.turn(a.arg));
		settle(c);
		assert_int_equal(kernel_state(c, 1), tcp);
	}
	assert_int_equal(a.stats(a.arg, SLOT_FLOW)->created, 1);
	assert_int_equal(a.stats(a.arg, SLOT_FLOW)->updated, 2);
	assert_int_equal(cache_stats(c->kernel)->deleted, 0);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {T(test_new_update_delete),
					   T(test_in_the_way_and_missing),
					   T(test_order),
					   T(test_full),
					   T(test_everything_in_the_way),
					   T(test_unknown_helper),
					   T(test_replaced_whole),
					   T(test_replaced_without_helper),
					   T(test_repetition)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

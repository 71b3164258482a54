/* Requests that come while the work of another one goes on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "flows.h"
#include "rig.h"

static void
request(struct sync *s, struct ctl_request r)
{
	struct ctl_client c = {.req = r};

	verb_ops.begin(s, &c);
	assert_true(c.waiting);
}

/* With a filter the kernel's table is flushed flow by flow, and a commit writes what has just been deleted. */
static void
commit_ends_a_flush(void **state)
{
	struct rig rig = rig_new(false);
	struct sync *s = rig.s;
	const uint8_t verbs[] = {CTL_COMMIT, CTL_ROLE};

	(void)state;
	s->filtering = true;
	for (uint32_t nr = 0; nr < 4000; nr++) {
		struct flow f = flow_nr(nr);
		uint32_t slot;

		store_flow(&s->store, STORE_NEW, &f, false, s->clock.s);
		assert_int_equal(cache_insert(external_tables(s->external)->of[SLOT_FLOW], &f, s->clock.s, &slot), 0);
	}
	for (size_t i = 0; i < sizeof(verbs); i++) {
		request(s, (struct ctl_request){.verb = CTL_FLUSH_KERNEL, .tables = CTL_TABLE_CT});
		verbs_turn(s);
		assert_true(s->deleting.active);
		request(s, (struct ctl_request){.verb = verbs[i], .role = CTL_ROLE_PRIMARY});
		assert_true(commit_running(s->commit));
		assert_false(s->deleting.active);
	}
	rig_free(&rig);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(commit_ends_a_flush)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

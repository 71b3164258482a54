/* The loop: readiness, timers, turns, removal from within a callback. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <sys/socket.h>
#include <unistd.h>

#include "loop.h"

struct ctx {
	struct loop *loop;
	struct watch *w;
	struct timer *t;
	int sv[2];
	unsigned int reads, writes, timers, turns;
};

static void
ready(void *arg, unsigned int what)
{
	struct ctx *c = arg;
	char b;

	if (what == LOOP_WRITE) {
		c->writes++;
		watch_want(c->w, LOOP_READ);
		assert_int_equal(write(c->sv[1], "x", 1), 1);
		return;
	}
	assert_int_equal(read(c->sv[0], &b, 1), 1);
	c->reads++;
	watch_free(c->w);
	c->w = NULL;
	timer_arm(c->t, 20);
}

static void
fires(void *arg)
{
	struct ctx *c = arg;

	c->timers++;
	loop_stop(c->loop);
}

static void
turn(void *arg)
{
	struct ctx *c = arg;

	if (c->turns++ < 3)
		loop_again(c->loop);
}

static void
test_turns(void **state)
{
	struct ctx c = {0};
	uint64_t start;

	(void)state;
	c.loop = loop_new();
	assert_non_null(c.loop);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, c.sv), 0);
	c.w = watch_new(c.loop, c.sv[0], ready, &c);
	c.t = timer_new(c.loop, fires, &c);
	watch_want(c.w, LOOP_WRITE);
	start = loop_now(c.loop);
	assert_int_equal(loop_run(c.loop, turn, &c), 0);
	assert_int_equal(c.writes, 1);
	assert_int_equal(c.reads, 1);
	assert_int_equal(c.timers, 1);
	assert_true(c.turns >= 3);
	assert_true(loop_now(c.loop) >= start + 10);
	timer_free(c.t);
	watch_free(c.w);
	loop_free(c.loop);
	close(c.sv[0]);
	close(c.sv[1]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_turns)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

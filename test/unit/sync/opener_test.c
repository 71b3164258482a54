/* Sockets of links: those of the start once, then only what was asked for, and only datagram sockets. */
#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "opener.h"

struct rig {
	struct loop *loop;
	struct opener o;
	struct chan link; /* as ctd-link has it */
	unsigned int turns, channels, failed;
	uint32_t last;
};

static void
answer(void *arg, const struct msg *m)
{
	struct rig *r = arg;

	r->channels += m->type == MSG_CHANNEL;
	r->failed += m->type == MSG_CHANNEL_FAILED;
	r->last = m->arg;
	for (unsigned int i = 0; i < m->nfds; i++)
		assert_int_equal(close(m->fd[i]), 0);
}

static void
turn(void *arg)
{
	struct rig *r = arg;

	opener_turn(&r->o);
	if (++r->turns % 3 == 0)
		loop_stop(r->loop);
	else
		loop_again(r->loop);
}

static void
run(struct rig *r)
{
	loop_again(r->loop);
	assert_int_equal(loop_run(r->loop, turn, r), 0);
}

static int
setup(void **state)
{
	static struct rig r;
	int sv[2];

	r = (struct rig){.loop = loop_new()};
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, sv), 0);
	opener_init(&r.o, &(struct opener_env){&r, answer}, NULL);
	assert_true(opener_wall(&r.o, r.loop, sv[0]));
	r.link.fd = sv[1];
	*state = &r;
	return 0;
}

static int
teardown(void **state)
{
	struct rig *r = *state;

	opener_clear(&r->o);
	loop_free(r->loop);
	close(r->link.fd);
	return 0;
}

/* What ctd-link hands in for link i: two sockets of that kind. */
static void
hand_in(struct rig *r, uint32_t i, int domain, int type)
{
	struct msg_channel info = {1500, 1};
	struct iovec part = {&info, sizeof(info)};
	int fd[2] = {socket(AF_INET, SOCK_DGRAM, 0), socket(domain, type, 0)};

	assert_true(fd[0] != -1 && fd[1] != -1);
	assert_int_equal(chan_sendv(&r->link, MSG_CHANNEL, i, &part, 1, fd, 2), 0);
	close(fd[0]);
	close(fd[1]);
}

/* How often it was asked, and whether the wall still stands. */
static unsigned int
asked(struct rig *r)
{
	uint8_t buf[64];
	struct msg m;
	unsigned int n = 0;

	while (chan_recv(&r->link, buf, sizeof(buf), &m) > 0)
		n += m.type == MSG_CHANNEL_OPEN;
	return n;
}

static bool
stands(struct rig *r)
{
	return r->o.wall.chan.fd != -1;
}

static void
those_of_the_start_come_first(void **state)
{
	struct rig *r = *state;
	struct msg_channel info = {1500, 7};
	struct msg given = {MSG_CHANNEL, 2, &info, sizeof(info), {dup(0), dup(0)}, 2};

	opener_given(&r->o, &given);
	run(r);
	assert_int_equal(r->channels, 0);
	opener_ask(&r->o, 2);
	assert_int_equal(r->channels, 0); /* not while who asks is at it */
	run(r);
	assert_true(r->channels == 1 && r->last == 2 && asked(r) == 0);
	opener_ask(&r->o, 2);
	run(r);
	assert_true(r->channels == 1 && asked(r) == 1);
}

static void
then_it_asks_once(void **state)
{
	struct rig *r = *state;
	struct msg_error e = {0, -ENODEV};

	for (int i = 0; i < 3; i++)
		opener_ask(&r->o, 1);
	run(r);
	assert_int_equal(asked(r), 1);
	hand_in(r, 1, AF_INET6, SOCK_DGRAM);
	run(r);
	assert_true(r->channels == 1 && r->last == 1 && stands(r));
	opener_ask(&r->o, 1);
	assert_int_equal(chan_send(&r->link, MSG_CHANNEL_FAILED, 1, &e, sizeof(e)), 0);
	run(r);
	assert_true(asked(r) == 1 && r->failed == 1 && stands(r));
}

/* Whatever else ctd-link says ends it. */
static void
nothing_else_is_taken(void **state)
{
	static const struct {
		uint32_t link;
		int domain, type, again;
	} rows[] = {{0, AF_INET, SOCK_DGRAM, 1},
		    {3, AF_INET, SOCK_DGRAM, 0},
		    {0, AF_INET, SOCK_STREAM, 0},
		    {0, AF_UNIX, SOCK_DGRAM, 0},
		    {9, AF_INET, SOCK_DGRAM, 0}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		void *s = NULL;
		struct rig *r;

		setup(&s);
		r = s;
		opener_ask(&r->o, 0);
		for (int n = 0; n <= rows[i].again; n++)
			hand_in(r, rows[i].link, rows[i].domain, rows[i].type);
		run(r);
		assert_int_equal(r->channels, rows[i].again);
		assert_false(stands(r));
		opener_ask(&r->o, 0); /* of nobody */
		run(r);
		teardown(&s);
	}
}

static void
its_end_is_no_end(void **state)
{
	struct rig *r = *state;

	close(r->link.fd);
	r->link.fd = -1;
	run(r);
	assert_false(stands(r));
	opener_ask(&r->o, 0);
	run(r);
	assert_int_equal(r->channels + r->failed, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(those_of_the_start_come_first, setup, teardown),
		cmocka_unit_test_setup_teardown(then_it_asks_once, setup, teardown),
		cmocka_unit_test(nothing_else_is_taken),
		cmocka_unit_test_setup_teardown(its_end_is_no_end, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

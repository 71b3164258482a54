/* Choice of the sending link: start, fail-over, none left, following the peer, a device made again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "link.h"

struct ctx {
	enum link_status status[3];
	uint32_t ifindex[3];
	char last[20];
	unsigned int changes, opened, closed;
	struct links ls;
	struct conf conf;
	int far[3];
	unsigned int peer;
	uint64_t now;
};

static enum link_status
probe(void *arg, const struct link *l, uint32_t *ifindex)
{
	struct ctx *c = arg;
	unsigned int i = (unsigned int)(l - c->ls.link);

	*ifindex = c->ifindex[i];
	return c->status[i];
}

static void
dedicated(void *arg, const char *ifname)
{
	struct ctx *c = arg;

	c->changes++;
	strncpy(c->last, ifname != NULL ? ifname : "none", sizeof(c->last) - 1);
}

static void
opened(void *arg, unsigned int i)
{
	(void)i;
	((struct ctx *)arg)->opened++;
}

static void
closing(void *arg, unsigned int i)
{
	(void)i;
	((struct ctx *)arg)->closed++;
}

/* Every datagram is one of the protocol. */
static bool
datagram(void *arg, unsigned int peer, const uint8_t *data, size_t len)
{
	(void)data;
	(void)len;
	((struct ctx *)arg)->peer = peer;
	return true;
}

static int
proves(void *arg, const uint8_t *data, size_t len)
{
	(void)arg;
	(void)data;
	(void)len;
	return -1;
}

static void
forget_peer(void *arg, unsigned int peer)
{
	(void)arg;
	(void)peer;
}

/* The peer, or another one, is heard on link i. */
static void
heard(struct ctx *c, unsigned int i, uint8_t who)
{
	const struct channel_from from = {.family = AF_INET, .addr = {10, 0, (uint8_t)i, who}, .port = 1000};

	assert_true(links_datagram(&c->ls, i, &from, (const uint8_t *)"", 0, c->now));
}

static int
open_link(struct ctx *c, unsigned int i)
{
	struct msg_channel mc = {.mtu = 1500, .ifindex = c->ifindex[i]};
	int sv[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, sv), 0);
	if (c->far[i] > 0)
		close(c->far[i]);
	c->far[i] = sv[1];
	return links_open(&c->ls, i, &mc, sv[0], dup(sv[0]));
}

static int
setup(void **state)
{
	struct ctx *c = calloc(1, sizeof(*c));
	struct links_env env = {c, opened, closing, dedicated, probe, datagram, proves, forget_peer};

	c->conf.n_links = 3;
	for (unsigned int i = 0; i < 3; i++) {
		c->conf.link[i] = (struct msg_link){.kind = LINK_UDP, .family = AF_INET, .is_default = i == 1};
		c->conf.link[i].ifname[0] = (char)('a' + i);
		c->conf.link_any_source[i] = true;
		c->status[i] = LINK_RUNNING;
		c->ifindex[i] = 10 + i;
	}
	c->now = 100000;
	links_init(&c->ls, &c->conf, &env);
	*state = c;
	return 0;
}

static int
teardown(void **state)
{
	struct ctx *c = *state;

	links_clear(&c->ls);
	for (unsigned int i = 0; i < 3; i++)
		if (c->far[i] > 0)
			close(c->far[i]);
	assert_int_equal(c->opened, c->closed);
	free(c);
	return 0;
}

static void
open_all(struct ctx *c)
{
	for (unsigned int i = 0; i < 3; i++)
		assert_int_equal(open_link(c, i), 0);
	links_poll(&c->ls, c->now);
}

static void
test_fail_over(void **state)
{
	struct ctx *c = *state;

	assert_null(links_active(&c->ls));
	open_all(c);
	assert_ptr_equal(links_active(&c->ls), c->ls.link[1].channel);
	assert_int_equal(c->changes, 0);
	/* a device without carrier does not take over */
	c->status[1] = LINK_DOWN;
	c->status[0] = LINK_NO_CARRIER;
	links_poll(&c->ls, c->now);
	assert_ptr_equal(links_active(&c->ls), c->ls.link[2].channel);
	assert_string_equal(c->last, "c");
	/* the old one is back: no return */
	c->status[1] = LINK_RUNNING;
	links_poll(&c->ls, c->now);
	assert_ptr_equal(links_active(&c->ls), c->ls.link[2].channel);
	assert_int_equal(c->changes, 1);
}

static void
test_none_left(void **state)
{
	struct ctx *c = *state;

	open_all(c);
	for (int i = 0; i < 3; i++)
		c->status[i] = LINK_DOWN;
	links_poll(&c->ls, c->now);
	links_poll(&c->ls, c->now);
	assert_null(links_active(&c->ls));
	assert_string_equal(c->last, "none");
	assert_int_equal(c->changes, 1);
	c->status[1] = LINK_RUNNING;
	links_poll(&c->ls, c->now);
	assert_ptr_equal(links_active(&c->ls), c->ls.link[1].channel);
	assert_string_equal(c->last, "b");
	assert_int_equal(c->changes, 2);
}

static void
test_follow_peer(void **state)
{
	struct ctx *c = *state;
	uint8_t buf[64], *p;

	open_all(c);
	p = channel_room(links_active(&c->ls));
	memcpy(p, "message", 7);
	channel_add(links_active(&c->ls), 7);
	heard(c, 0, 1);
	assert_ptr_equal(links_active(&c->ls), c->ls.link[0].channel);
	/* what was not yet sent goes out on the new link */
	channel_flush(links_active(&c->ls));
	assert_int_equal(recv(c->far[0], buf, sizeof(buf), MSG_DONTWAIT), 7);
	assert_int_equal(recv(c->far[1], buf, sizeof(buf), MSG_DONTWAIT), -1);
	/* not to a link that cannot send */
	c->status[2] = LINK_NO_CARRIER;
	links_poll(&c->ls, c->now);
	heard(c, 2, 1);
	assert_ptr_equal(links_active(&c->ls), c->ls.link[0].channel);
}

/* A second peer does not draw us away from one that speaks. */
static void
test_two_peers(void **state)
{
	struct ctx *c = *state;

	open_all(c);
	heard(c, 1, 1);
	heard(c, 1, 2); /* two on one link: those of another link are others, as far as anybody knows */
	assert_int_equal(c->peer, 1);
	heard(c, 2, 3);
	assert_int_equal(c->peer, 2);
	assert_ptr_equal(links_active(&c->ls), c->ls.link[1].channel);
	assert_true(links_unserved(&c->ls, 2, c->now));
	assert_false(links_unserved(&c->ls, 1, c->now));
	c->now += 6000;
	heard(c, 2, 3);
	assert_ptr_equal(links_active(&c->ls), c->ls.link[2].channel);
	assert_false(links_unserved(&c->ls, 1, c->now));
}

/* Bound to no device: it does not matter which one that is now. */
static void
test_unbound(void **state)
{
	struct ctx *c = *state;

	c->ifindex[2] = 0;
	open_all(c);
	c->ifindex[2] = 99;
	links_poll(&c->ls, c->now);
	assert_false(c->ls.link[2].reopen);
	assert_int_equal(c->ls.link[2].status, LINK_RUNNING);
}

static void
test_device_made_again(void **state)
{
	struct ctx *c = *state;

	open_all(c);
	assert_false(c->ls.link[2].reopen);
	c->ifindex[2] = 77;
	links_poll(&c->ls, c->now);
	assert_true(c->ls.link[2].reopen);
	assert_int_equal(c->ls.link[2].status, LINK_DOWN);
	/* the same sockets again are no help */
	c->ifindex[2] = 12;
	assert_int_equal(open_link(c, 2), -ENODEV);
	c->ifindex[2] = 77;
	links_poll(&c->ls, c->now);
	assert_true(c->ls.link[2].reopen);
	c->ls.link[2].channel->stats.recv_pkts = 5;
	assert_int_equal(open_link(c, 2), 0);
	assert_false(c->ls.link[2].reopen);
	assert_int_equal(links_stats(&c->ls, 2).recv_pkts, 5);
	assert_int_equal(c->closed, 1);
}

/* All links fall silent, and the owner is told. */
static void
all_down(struct ctx *c)
{
	open_all(c);
	for (unsigned int i = 0; i < 3; i++)
		c->status[i] = LINK_DOWN;
	links_poll(&c->ls, c->now);
	assert_string_equal(c->last, "none");
}

/* Who was told that there is none hears of the one that new sockets bring. */
static void
test_found_again(void **state)
{
	struct ctx *c = *state;

	all_down(c);
	c->status[1] = LINK_RUNNING;
	c->ifindex[1] = 77;
	links_poll(&c->ls, c->now);
	assert_string_equal(c->last, "none");
	assert_int_equal(open_link(c, 1), 0);
	links_poll(&c->ls, c->now);
	assert_non_null(links_active(&c->ls));
	assert_string_equal(c->last, "b");
	assert_int_equal(c->changes, 2);
}

/* So does who hears of it from the peer first. */
static void
test_found_by_the_peer(void **state)
{
	struct ctx *c = *state;

	all_down(c);
	c->status[2] = LINK_RUNNING;
	c->ifindex[2] = 77;
	links_poll(&c->ls, c->now);
	assert_int_equal(open_link(c, 2), 0);
	heard(c, 2, 1);
	links_poll(&c->ls, c->now);
	assert_non_null(links_active(&c->ls));
	assert_string_equal(c->last, "c");
	assert_int_equal(c->changes, 2);
}

static void
test_unknown_index(void **state)
{
	struct ctx *c = *state;
	struct msg_channel mc = {.mtu = 1500};
	int sv[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM, 0, sv), 0);
	assert_int_equal(links_open(&c->ls, 3, &mc, sv[0], sv[1]), -EINVAL);
	assert_int_equal(write(sv[0], "x", 1), -1); /* it was closed */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_fail_over, setup, teardown),
		cmocka_unit_test_setup_teardown(test_none_left, setup, teardown),
		cmocka_unit_test_setup_teardown(test_follow_peer, setup, teardown),
		cmocka_unit_test_setup_teardown(test_two_peers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unbound, setup, teardown),
		cmocka_unit_test_setup_teardown(test_device_made_again, setup, teardown),
		cmocka_unit_test_setup_teardown(test_found_again, setup, teardown),
		cmocka_unit_test_setup_teardown(test_found_by_the_peer, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unknown_index, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

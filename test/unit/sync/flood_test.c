/* What others can make the daemon say to its log is bounded, however much they say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "rig.h"

struct ctx {
	struct rig rig;
	struct log log;
	int lines;
};

static int
setup(void **state)
{
	static struct ctx c;
	int sv[2], size = 4 << 20;

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, sv), 0);
	setsockopt(sv[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	c.rig = rig_new(false);
	c.log = (struct log){.fd = sv[0], .fd_err = sv[0], .form = LF_RECORD};
	c.lines = sv[1];
	c.rig.s->log = &c.log;
	*state = &c;
	return 0;
}

static int
teardown(void **state)
{
	struct ctx *c = *state;

	rig_free(&c->rig);
	close(c->log.fd);
	close(c->lines);
	return 0;
}

/* Lines with the text; what could not be written counts, too. */
static unsigned int
lines_with(struct ctx *c, const char *text)
{
	unsigned int n = (unsigned int)c->log.lost;
	char line[2000];
	ssize_t len;

	while ((len = recv(c->lines, line, sizeof(line) - 1, 0)) > 0) {
		line[len] = '\0';
		n += strstr(line + 1, text) != NULL;
	}
	return n;
}

static void
demands_of_a_peer(void **state)
{
	struct ctx *c = *state;
	struct sync *s = c->rig.s;
	uint8_t msg[64];

	for (uint32_t seq = 1; seq <= 1000; seq++) {
		int n = wire_enc_ctl(WIRE_RESYNC, seq, 0, 0, msg, sizeof(msg));

		assert_true(n > 0);
		peer_datagram(&s->rx_arg[0], msg, (size_t)n);
	}
	assert_true(s->bulk.wanted);
	assert_in_range(lines_with(c, "resync requested by other node"), 1, 2);
}

/* A second of demands, one in each turn: how often everything was sent. */
static uint64_t
served_in_a_second(struct sync *s)
{
	const uint64_t before = s->count.resyncs_served;
	static uint32_t seq = 5000;
	uint8_t msg[64];

	s->resync.first_done = true;
	s->now += 10000;
	for (int i = 0; i < 1000; i++, s->now++) {
		int n = wire_enc_ctl(WIRE_RESYNC, seq++, 0, 0, msg, sizeof(msg));

		peer_datagram(&s->rx_arg[0], msg, (size_t)n);
		peer_turn(s);
	}
	return s->count.resyncs_served - before;
}

static void
demands_turn_by_turn(void **state)
{
	struct ctx *c = *state;
	struct sync *s = c->rig.s;

	assert_in_range(served_in_a_second(s), 1, 20); /* though there is nothing to send */
	assert_in_range(lines_with(c, "resync requested by other node"), 1, 22);
	s->bypass = true; /* nor is there when each costs a dump of the kernel's table */
	assert_in_range(served_in_a_second(s), 1, 2);
}

static void
clients_that_find_no_place(void **state)
{
	struct msg_client who = {.uid = 1234, .access = CLIENT_READ};
	struct ctx *c = *state;
	struct sync *s = c->rig.s;
	int sv[2];

	for (int i = 0; i < 1000; i++) {
		struct msg m = {.type = MSG_CLIENT, .data = &who, .len = sizeof(who), .nfds = 1};

		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, sv), 0);
		m.fd[0] = sv[0];
		sync_client(s, &m);
		close(sv[1]);
	}
	assert_in_range(lines_with(c, "too many control clients"), 1, 2);
	s->now += 3600000;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, sv), 0);
	sync_client(s, &(struct msg){.type = MSG_CLIENT, .data = &who, .len = sizeof(who), .fd = {sv[0]}, .nfds = 1});
	close(sv[1]);
	assert_int_equal(lines_with(c, "too many control clients"), 1); /* later again */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(demands_of_a_peer, setup, teardown),
		cmocka_unit_test_setup_teardown(demands_turn_by_turn, setup, teardown),
		cmocka_unit_test_setup_teardown(clients_that_find_no_place, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

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
	s->clock.ms += 3600000;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, sv), 0);
	sync_client(s, &(struct msg){.type = MSG_CLIENT, .data = &who, .len = sizeof(who), .fd = {sv[0]}, .nfds = 1});
	close(sv[1]);
	assert_int_equal(lines_with(c, "too many control clients"), 1); /* later again */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(clients_that_find_no_place, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

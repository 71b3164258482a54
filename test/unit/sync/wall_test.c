/* The worker's end of the wall: order is kept, nothing is lost up to a bound, sending never waits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "wall.h"

static void
test_backlog(void **state)
{
	static uint8_t buf[MSG_DATA_MAX + sizeof(struct msg_hdr)], data[30000];
	struct wall w = {0};
	struct chan far = {0};
	struct msg m;
	uint32_t sent = 0, seen = 0;
	int sv[2], r;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, sv), 0);
	w.chan.fd = sv[0];
	far.fd = sv[1];
	while ((r = wall_send(&w, MSG_REQUEST, sent, data, sizeof(data))) == 0)
		sent++;
	assert_int_equal(r, -ENOBUFS);
	assert_false(wall_ready(&w));
	assert_int_equal(w.count, WALL_KEPT_MAX);
	do {
		while (chan_recv(&far, buf, sizeof(buf), &m) == 1) {
			assert_int_equal(m.arg, seen++);
			assert_int_equal(m.len, sizeof(data));
		}
	} while (wall_flush(&w) == -EAGAIN || seen < sent);
	assert_true(wall_ready(&w));
	assert_int_equal(seen, sent);
	assert_false(wall_closed(&w));
	assert_int_equal(write(far.fd, "unread", 6), 6);
	close(sv[1]);
	assert_true(wall_closed(&w));
	assert_int_equal(wall_send(&w, MSG_STOP, 0, NULL, 0), -EPIPE);
	wall_clear(&w);
	close(sv[0]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_backlog)};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* One endpoint of the wall: records keep their edges, descriptors arrive once, and nothing malformed passes. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <dirent.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "chan.h"

struct pair {
	struct chan a, b;
	uint8_t buf[MSG_DATA_MAX + sizeof(struct msg_hdr)];
};

static int
setup(void **state)
{
	static struct pair p;
	int sv[2];

	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, sv), 0);
	p.a = (struct chan){.fd = sv[0]};
	p.b = (struct chan){.fd = sv[1]};
	*state = &p;
	return 0;
}

static int
teardown(void **state)
{
	struct pair *p = *state;

	close(p->a.fd);
	close(p->b.fd);
	return 0;
}

static int
open_fds(void)
{
	DIR *d = opendir("/proc/self/fd");
	int n = 0;

	while (readdir(d) != NULL)
		n++;
	closedir(d);
	return n;
}

static void
records_keep_their_edges(void **state)
{
	struct pair *p = *state;
	struct iovec part[2] = {{(char[]){"ab"}, 2}, {(char[]){"cde"}, 3}};
	struct msg m;

	assert_int_equal(chan_recv(&p->b, p->buf, sizeof(p->buf), &m), 0);
	assert_int_equal(chan_sendv(&p->a, 5, 77, part, 2, NULL, 0), 0);
	assert_int_equal(chan_send(&p->a, 6, 0, NULL, 0), 0);
	assert_int_equal(chan_recv(&p->b, p->buf, sizeof(p->buf), &m), 1);
	assert_int_equal(m.type, 5);
	assert_int_equal(m.arg, 77);
	assert_int_equal(m.len, 5);
	assert_memory_equal(m.data, "abcde", 5);
	assert_int_equal(m.nfds, 0);
	assert_int_equal(chan_recv(&p->b, p->buf, sizeof(p->buf), &m), 1);
	assert_int_equal(m.type, 6);
	assert_int_equal(m.len, 0);
}

static void
descriptors_arrive_once(void **state)
{
	struct pair *p = *state;
	int two[2], before = open_fds();
	struct msg m;

	assert_int_equal(pipe(two), 0);
	assert_int_equal(chan_sendv(&p->a, 1, 0, NULL, 0, two, 2), 0);
	assert_int_equal(chan_recv(&p->b, p->buf, sizeof(p->buf), &m), 1);
	assert_int_equal(m.nfds, 2);
	assert_int_equal(fcntl(m.fd[0], F_GETFD), FD_CLOEXEC);
	assert_int_equal(write(m.fd[1], "x", 1), 1);
	assert_int_equal(read(two[0], p->buf, 1), 1);
	msg_close_fds(&m);
	assert_int_equal(m.nfds, 0);
	close(two[0]);
	close(two[1]);
	assert_int_equal(open_fds(), before);
}

/* As a taken-over worker would send it: n descriptors and len bytes, not through chan_sendv(). */
static void
send_raw(int sock, const void *data, size_t len, unsigned int n)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(32 * sizeof(int))];
	} space = {0};
	struct iovec iov = {(void *)(uintptr_t)data, len};
	struct msghdr mh = {.msg_iov = &iov, .msg_iovlen = 1};
	struct cmsghdr *cm = &space.align;

	if (n > 0) {
		*cm = (struct cmsghdr){CMSG_LEN(n * sizeof(int)), SOL_SOCKET, SCM_RIGHTS};
		for (unsigned int i = 0; i < n; i++)
			((int *)(void *)CMSG_DATA(cm))[i] = sock;
		mh.msg_control = space.bytes;
		mh.msg_controllen = CMSG_SPACE(n * sizeof(int));
	}
	assert_int_equal(sendmsg(sock, &mh, 0), (ssize_t)len);
}

static void
malformed_records_are_refused(void **state)
{
	struct pair *p = *state;
	uint8_t small[sizeof(struct msg_hdr) + 4];
	int before = open_fds();
	struct msg m;

	send_raw(p->a.fd, "short", 5, 0);
	assert_int_equal(chan_recv(&p->b, p->buf, sizeof(p->buf), &m), -EBADMSG);
	send_raw(p->a.fd, "shorter", 7, 2); /* its descriptors are closed */
	assert_int_equal(chan_recv(&p->b, p->buf, sizeof(p->buf), &m), -EBADMSG);
	assert_int_equal(m.nfds, 0);
	send_raw(p->a.fd, "more descriptors than fit", 25, 32);
	assert_int_equal(chan_recv(&p->b, p->buf, sizeof(p->buf), &m), -EBADMSG);
	send_raw(p->a.fd, "one more than fit", 17, CHAN_FDS_MAX + 1);
	assert_int_equal(chan_recv(&p->b, p->buf, sizeof(p->buf), &m), -EBADMSG);
	send_raw(p->a.fd, "longer than the buffer", 22, 1);
	assert_int_equal(chan_recv(&p->b, small, sizeof(small), &m), -EBADMSG);
	assert_int_equal(open_fds(), before);
}

static void
too_much_is_not_sent(void **state)
{
	struct pair *p = *state;
	static struct iovec part[MSG_EVENTS_MAX + 2];
	int fds[CHAN_FDS_MAX + 1] = {0};

	assert_int_equal(chan_sendv(&p->a, 1, 0, part, MSG_EVENTS_MAX + 2, NULL, 0), -EINVAL);
	assert_int_equal(chan_sendv(&p->a, 1, 0, NULL, 0, fds, CHAN_FDS_MAX + 1), -EINVAL);
}

static void
a_slow_reader_is_told_apart_from_a_dead_one(void **state)
{
	struct pair *p = *state;
	static const uint8_t data[MSG_DATA_MAX];
	struct msg m;
	int r;

	while ((r = chan_send(&p->a, 1, 0, data, sizeof(data))) == 0)
		;
	assert_int_equal(r, -EAGAIN);
	while (chan_recv(&p->b, p->buf, sizeof(p->buf), &m) == 1)
		assert_int_equal(m.len, MSG_DATA_MAX);
	close(p->b.fd);
	assert_int_equal(chan_send(&p->a, 1, 0, NULL, 0), -EPIPE);
	assert_int_equal(chan_recv(&p->a, p->buf, sizeof(p->buf), &m), -EPIPE);
	p->b.fd = -1;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(records_keep_their_edges, setup, teardown),
		cmocka_unit_test_setup_teardown(descriptors_arrive_once, setup, teardown),
		cmocka_unit_test_setup_teardown(malformed_records_are_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(too_much_is_not_sent, setup, teardown),
		cmocka_unit_test_setup_teardown(a_slow_reader_is_told_apart_from_a_dead_one, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

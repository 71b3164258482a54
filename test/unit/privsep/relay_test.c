/* The parent's reading of events, with a kernel whose answers are written down. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "parent.h"

/* What recvmmsg() says, in order: datagrams, or an error; nothing behind the last. */
static struct {
	int say[64];
	unsigned int n, calls;
	unsigned int forwarded, overruns;
} kernel;

int
recvmmsg(int fd, struct mmsghdr *mm, unsigned int n, int flags, struct timespec *timeout)
{
	int got = kernel.calls < kernel.n ? kernel.say[kernel.calls] : -EAGAIN;

	(void)fd;
	(void)flags;
	(void)timeout;
	kernel.calls++;
	if (got < 0) {
		errno = -got;
		return -1;
	}
	for (int i = 0; i < got && i < (int)n; i++)
		mm[i].msg_len = 100;
	return got;
}

static struct worker *const server = (struct worker *)&kernel;

struct worker *
server_of(struct parent *p)
{
	(void)p;
	return server;
}

void
forward(struct parent *p, struct worker *w, uint32_t type, uint32_t arg, const struct iovec *part, int n)
{
	(void)p;
	(void)arg;
	assert_ptr_equal(w, server);
	assert_int_equal(type, MSG_EVENTS);
	assert_int_equal(part[0].iov_len, 100);
	kernel.forwarded += (unsigned int)n;
}

void
tell(struct parent *p, struct worker *w, const struct msg *m)
{
	(void)p;
	(void)w;
	assert_int_equal(m->type, MSG_OVERRUN);
	kernel.overruns++;
}

uint64_t
now_ns(void)
{
	return 1000000000;
}

static void
reads(const int *say, size_t n)
{
	static struct parent p;

	memset(&kernel, 0, sizeof(kernel));
	memcpy(kernel.say, say, n * sizeof(say[0]));
	kernel.n = (unsigned int)n;
	relay_events(&p);
}
#define READS(...) reads((const int[]){__VA_ARGS__}, sizeof((const int[]){__VA_ARGS__}) / sizeof(int))

/* The kernel gives a socket that has lost something nothing more until a read finds it empty; recvmmsg() does not get
 * so far as long as it has the loss to tell. Without another read the socket would stay mute, and nothing says so. */
static void
reads_on_after_a_loss(void **state)
{
	(void)state;
	READS(-ENOBUFS);
	assert_int_equal(kernel.calls, 2);
	READS(3, -ENOBUFS); /* told by the next turn's first read */
	assert_int_equal(kernel.calls, 1);
	READS(-ENOBUFS, 3);
	assert_int_equal(kernel.forwarded, 3);
	assert_int_equal(kernel.overruns, 1);
	READS(-ENOBUFS, -ENOBUFS, 3);
	assert_int_equal(kernel.forwarded, 3);
	assert_int_equal(kernel.overruns, 2);
}

/* However the events come, others get their turn; but not with a loss as the last thing that was read. */
static void
not_for_ever(void **state)
{
	int say[40];

	(void)state;
	for (int i = 0; i < 40; i++)
		say[i] = MSG_EVENTS_MAX;
	reads(say, 40);
	assert_int_equal(kernel.calls, 16);
	say[15] = -ENOBUFS;
	reads(say, 40);
	assert_int_equal(kernel.calls, 17);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(reads_on_after_a_loss), cmocka_unit_test(not_for_ever)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

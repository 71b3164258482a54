/* The control server: whole, split, late, wrong and forbidden requests; readers that are slow or never read. */
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

#include "ctl.h"

struct ctx {
	struct loop *loop;
	struct ctl *t;
	struct timer *timer;
	unsigned int begun, gone, displaced, turns, max_turns;
	uint32_t displaced_uid;
	unsigned int slices; /* how many a dump has */
};

static void
begin(void *arg, struct ctl_client *c)
{
	struct ctx *x = arg;

	x->begun++;
	if (c->req.verb == CTL_DUMP)
		c->streaming = true;
	else if (c->req.verb == CTL_COMMIT)
		c->waiting = true;
	else
		ctl_done(c);
}

static void
more(void *arg, struct ctl_client *c)
{
	struct ctx *x = arg;

	assert_int_equal(ctl_room(c), CTL_PAYLOAD_MAX);
	if (c->pos++ == x->slices) {
		ctl_done(c);
		return;
	}
	memset(ctl_payload(c), 7, CTL_PAYLOAD_MAX);
	ctl_put(c, CTL_R_FLOW, CTL_PAYLOAD_MAX);
}

static void
gone(void *arg, struct ctl_client *c)
{
	(void)c;
	((struct ctx *)arg)->gone++;
}

static void
displaced(void *arg, const struct msg_client *who, uint64_t idle)
{
	struct ctx *x = arg;

	(void)idle;
	x->displaced++;
	x->displaced_uid = who->uid;
}

static void
turn(void *arg)
{
	struct ctx *x = arg;

	ctl_turn(x->t);
	if (++x->turns >= x->max_turns)
		loop_stop(x->loop);
	else
		timer_arm(x->timer, 1);
}

static void
nothing(void *arg)
{
	(void)arg;
}

static int
setup(void **state)
{
	static const struct ctl_ops ops = {begin, more, gone, displaced};
	struct ctx *x = calloc(1, sizeof(*x));

	x->loop = loop_new();
	x->t = ctl_new(x->loop, &ops, x);
	x->timer = timer_new(x->loop, nothing, NULL);
	*state = x;
	return 0;
}

static int
teardown(void **state)
{
	struct ctx *x = *state;

	ctl_free(x->t);
	timer_free(x->timer);
	loop_free(x->loop);
	free(x);
	return 0;
}

static void
run(struct ctx *x, unsigned int turns)
{
	x->turns = 0;
	x->max_turns = turns;
	timer_arm(x->timer, 1);
	loop_run(x->loop, turn, x);
}

static int
connect_uid(struct ctx *x, uint32_t access, uint32_t uid, int *result)
{
	struct msg_client who = {.uid = uid, .access = access};
	int sv[2], r;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, sv), 0);
	r = ctl_accept(x->t, sv[0], &who);
	if (result != NULL)
		*result = r;
	return sv[1];
}

static int
connect_as(struct ctx *x, uint32_t access, int *result)
{
	return connect_uid(x, access, 1, result);
}

/* Type of the next frame, 0 nothing yet, -1 end of stream. */
static int
frame(int fd, struct ctl_fail *fail)
{
	struct ctl_frame f;
	static uint8_t body[CTL_PAYLOAD_MAX];
	ssize_t n = recv(fd, &f, sizeof(f), 0);

	if (n <= 0)
		return n == 0 ? -1 : 0;
	assert_int_equal(n, sizeof(f));
	if (f.len > 0)
		assert_int_equal(recv(fd, body, f.len, 0), f.len);
	if (fail != NULL && f.type == CTL_FAIL)
		memcpy(fail, body, sizeof(*fail));
	return (int)f.type;
}

static void
ask(int fd, int verb)
{
	struct ctl_request r = {.magic = CTL_MAGIC, .layout = ctl_layout(), .verb = (uint16_t)verb};

	assert_int_equal(send(fd, &r, sizeof(r), 0), sizeof(r));
}

static void
test_whole_and_split(void **state)
{
	struct ctx *x = *state;
	struct ctl_request request = {.magic = CTL_MAGIC, .layout = ctl_layout(), .verb = CTL_STATS};
	const char *p = (const char *)&request;
	int fd = connect_as(x, CLIENT_FULL, NULL);

	ask(fd, CTL_STATS);
	run(x, 3);
	assert_int_equal(frame(fd, NULL), CTL_DONE);
	assert_int_equal(frame(fd, NULL), -1);
	close(fd);
	fd = connect_as(x, CLIENT_FULL, NULL);
	for (size_t i = 0; i < sizeof(request); i++) {
		assert_int_equal(frame(fd, NULL), 0);
		send(fd, p + i, 1, 0);
		run(x, 3);
	}
	assert_int_equal(frame(fd, NULL), CTL_DONE);
	close(fd);
	assert_int_equal(x->begun, 2);
}

static void
test_garbage(void **state)
{
	struct ctx *x = *state;
	struct ctl_fail fail;
	static uint8_t junk[4096];
	int fd = connect_as(x, CLIENT_FULL, NULL);

	memset(junk, 0x41, sizeof(junk));
	send(fd, junk, sizeof(junk), 0);
	run(x, 3);
	close(fd);
	fd = connect_as(x, CLIENT_FULL, NULL);
	ask(fd, CTL_VERB_MAX);
	run(x, 3);
	assert_int_equal(frame(fd, &fail), CTL_FAIL);
	assert_int_equal(fail.why, CTL_WHY_BAD_REQUEST);
	close(fd);
	fd = connect_as(x, CLIENT_FULL, NULL);
	send(fd, junk, 3, 0);
	close(fd);
	run(x, 3);
	assert_int_equal(x->begun, 0);
	assert_int_equal(ctl_counts(x->t)->unknown, 2);
	assert_int_equal(ctl_counts(x->t)->read_failed, 1);
}

/* What acts works across builds, what shows needs the same structs; a program of another kind is told at once. */
static void
test_other_builds(void **state)
{
	struct ctx *x = *state;
	struct ctl_request r = {.magic = CTL_MAGIC, .layout = ctl_layout() + 1};
	static const uint32_t first[3] = {0x4f437431, CTL_STATS, 0};
	struct ctl_fail fail;

	for (int verb = CTL_NONE + 1; verb < CTL_VERB_MAX; verb++) {
		int fd = connect_as(x, CLIENT_FULL, NULL);

		r.verb = (uint16_t)verb;
		assert_int_equal(send(fd, &r, sizeof(r), 0), sizeof(r));
		run(x, 3);
		if (r.verb == CTL_STATS || r.verb == CTL_RSQUEUE || r.verb == CTL_DUMP) {
			assert_int_equal(frame(fd, &fail), CTL_FAIL);
			assert_int_equal(fail.why, CTL_WHY_LAYOUT);
		} else
			assert_int_equal(frame(fd, NULL), r.verb == CTL_COMMIT ? 0 : CTL_DONE);
		close(fd);
	}
	int fd = connect_as(x, CLIENT_FULL, NULL);

	assert_int_equal(send(fd, first, sizeof(first), 0), sizeof(first));
	run(x, 3);
	assert_int_equal(frame(fd, &fail), CTL_FAIL);
	assert_int_equal(fail.why, CTL_WHY_BAD_REQUEST);
	close(fd);
}

static void
test_access(void **state)
{
	struct ctx *x = *state;

	for (int verb = CTL_NONE + 1; verb < CTL_VERB_MAX; verb++) {
		bool reads = verb == CTL_STATS || verb == CTL_RSQUEUE || verb == CTL_DUMP;
		struct ctl_fail fail = {0};
		int reader = connect_as(x, CLIENT_READ, NULL), nobody = connect_as(x, 0, NULL);

		ask(reader, verb);
		ask(nobody, verb);
		run(x, 4);
		if (reads)
			assert_int_equal(frame(reader, NULL), CTL_DONE);
		else {
			assert_int_equal(frame(reader, &fail), CTL_FAIL);
			assert_int_equal(fail.why, CTL_WHY_DENIED);
		}
		assert_int_equal(frame(nobody, &fail), CTL_FAIL);
		assert_int_equal(fail.why, CTL_WHY_DENIED);
		close(reader);
		close(nobody);
	}
	assert_int_equal(x->begun, 3);
}

static void
test_dump_and_slow_reader(void **state)
{
	struct ctx *x = *state;
	int fast, slow;
	unsigned int frames = 0, r;

	x->slices = 40;
	slow = connect_as(x, CLIENT_READ, NULL);
	ask(slow, CTL_DUMP);
	run(x, 5);
	/* one that never reads does not hold up another */
	fast = connect_as(x, CLIENT_READ, NULL);
	ask(fast, CTL_DUMP);
	for (int i = 0; i < 1000; i++) {
		run(x, 2);
		while ((r = (unsigned int)frame(fast, NULL)) == CTL_R_FLOW)
			frames++;
		if (r == CTL_DONE)
			break;
	}
	assert_int_equal(frames, 40);
	assert_int_equal(x->gone, 0);
	close(slow); /* it leaves in the middle */
	run(x, 3);
	assert_int_equal(x->gone, 1);
	close(fast);
}

/* One that is turned away is told why, and closed. */
static void
refused(struct ctx *x, uint32_t access, uint32_t uid)
{
	struct ctl_fail fail = {0};
	int r, fd = connect_uid(x, access, uid, &r);

	assert_int_equal(r, -EUSERS);
	assert_int_equal(frame(fd, &fail), CTL_FAIL);
	assert_int_equal(fail.why, CTL_WHY_BUSY);
	assert_non_null(strstr(fail.text, "too many"));
	assert_int_equal(frame(fd, NULL), -1);
	close(fd);
}

static int
admitted(struct ctx *x, uint32_t access, uint32_t uid)
{
	int r, fd = connect_uid(x, access, uid, &r);

	assert_int_equal(r, 0);
	return fd;
}

/* Of one user a few, of all readers half; who may act has all places, those of readers too. */
static void
test_places(void **state)
{
	struct ctx *x = *state;
	int fd[CTL_READERS_MAX + 1 + CTL_CLIENTS_MAX], n = 0;

	for (uint32_t uid = 1; uid <= CTL_READERS_MAX / CTL_READERS_UID; uid++) {
		for (int i = 0; i < CTL_READERS_UID; i++)
			fd[n++] = admitted(x, CLIENT_READ, uid);
		refused(x, CLIENT_READ, uid);
	}
	assert_int_equal(n, CTL_READERS_MAX);
	assert_int_equal(ctl_counts(x->t)->turned_away, CTL_READERS_MAX / CTL_READERS_UID);
	fd[n++] = admitted(x, CLIENT_READ, 77); /* whose user has none is worth more than the fourth of another */
	assert_int_equal(x->displaced, 1);
	for (int i = 0; i < CTL_CLIENTS_MAX; i++)
		fd[n++] = admitted(x, CLIENT_FULL, 0);
	assert_int_equal(x->displaced, 1 + CTL_READERS_MAX);
	refused(x, CLIENT_FULL, 0);
	refused(x, CLIENT_READ, 78);
	while (n > 0)
		close(fd[--n]);
	run(x, 3);
	close(admitted(x, CLIENT_READ, 1));
	assert_int_equal(ctl_counts(x->t)->displaced, x->displaced);
}

/* The time in which nothing is read: the loop's clock goes on, whatever it is called. */
static void
stand_still(struct ctx *x)
{
	uint64_t until = loop_now(x->loop) + CTL_STALL_MS;

	while (loop_now(x->loop) < until)
		run(x, 50);
}

/* A dump that its reader does not take keeps nobody out for long: neither the same user nor another, and a reader that
 * goes on is left alone. */
static void
test_stalled_readers(void **state)
{
	struct ctx *x = *state;
	int fd[CTL_READERS_MAX], good;

	x->slices = 1000;
	for (int i = 0; i < CTL_READERS_UID; i++) {
		fd[i] = admitted(x, CLIENT_READ, 5);
		ask(fd[i], CTL_DUMP);
	}
	run(x, 5);
	refused(x, CLIENT_READ, 5);
	stand_still(x);
	good = admitted(x, CLIENT_READ, 5);
	assert_int_equal(x->displaced, 1);
	assert_int_equal(x->displaced_uid, 5);
	ask(good, CTL_DUMP);
	run(x, 5);
	assert_int_equal(frame(good, NULL), CTL_R_FLOW);
	for (int i = 1; i < CTL_READERS_UID; i++) {
		fd[i - 1] = admitted(x, CLIENT_READ, 5);
		assert_int_equal(x->displaced, 1 + (unsigned int)i);
	}
	assert_int_equal(x->gone, CTL_READERS_UID);
	run(x, 5);
	assert_int_equal(frame(good, NULL), CTL_R_FLOW);
	close(good);
}

static void
count_waiting(void *arg, struct ctl_client *c)
{
	++*(unsigned int *)arg;
	if (c->step == 0)
		ctl_done(c);
}

static void
test_waiting(void **state)
{
	struct ctx *x = *state;
	unsigned int n = 0;
	int a = connect_as(x, CLIENT_FULL, NULL), b = connect_as(x, CLIENT_FULL, NULL);

	ask(a, CTL_COMMIT);
	ask(b, CTL_COMMIT);
	run(x, 4);
	assert_int_equal(frame(a, NULL), 0);
	ctl_each_waiting(x->t, count_waiting, &n);
	assert_int_equal(n, 2);
	run(x, 4);
	assert_int_equal(frame(a, NULL), CTL_DONE);
	assert_int_equal(frame(b, NULL), CTL_DONE);
	ctl_each_waiting(x->t, count_waiting, &n);
	assert_int_equal(n, 2);
	close(a);
	close(b);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_whole_and_split),      T(test_garbage), T(test_other_builds),    T(test_access),
		T(test_dump_and_slow_reader), T(test_places),  T(test_stalled_readers), T(test_waiting)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The frame reader before an honest, a lying, a dying and a silent daemon. */
#include "client.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "flow.h"

struct fixture {
	struct client *c;
	int daemon;
};

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	int sv[2], size = 1 << 20;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, sv), 0);
	setsockopt(sv[1], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	f->c = client_from(sv[0], 100);
	f->daemon = sv[1];
	*state = f;
	return f->c == NULL;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	client_free(f->c);
	if (f->daemon >= 0)
		close(f->daemon);
	free(f);
	return 0;
}

static void
say(struct fixture *f, const void *data, size_t len)
{
	assert_int_equal(send(f->daemon, data, len, 0), len);
}

static void
say_frame(struct fixture *f, uint32_t type, uint32_t len, const void *payload)
{
	struct ctl_frame h = {type, len};

	say(f, &h, sizeof(h));
	if (len > 0)
		say(f, payload, len);
}

static void
hang_up(struct fixture *f)
{
	close(f->daemon);
	f->daemon = -1;
}

static void
test_ask(void **state)
{
	struct fixture *f = *state;
	struct ctl_request q = {.magic = CTL_MAGIC, .verb = CTL_STATS}, got;

	assert_int_equal(client_ask(f->c, &q), 0);
	assert_int_equal(recv(f->daemon, &got, sizeof(got), 0), sizeof(got));
	assert_memory_equal(&q, &got, sizeof(q));
	hang_up(f);
	assert_int_equal(client_ask(f->c, &q), -EPIPE);
}

static void
test_frames(void **state)
{
	struct fixture *f = *state;
	struct ctl_commit commit = {.table = CTL_TABLE_CT, .committed = 7};
	struct ctl_frame h;
	const uint8_t *p;

	say_frame(f, CTL_R_COMMIT, sizeof(commit), &commit);
	say_frame(f, CTL_DONE, 0, NULL);
	assert_int_equal(client_next(f->c, &h, &p), 0);
	assert_int_equal(h.type, CTL_R_COMMIT);
	assert_memory_equal(p, &commit, sizeof(commit));
	assert_int_equal(client_next(f->c, &h, &p), 0);
	assert_int_equal(h.type, CTL_DONE);
	assert_int_equal(client_next(f->c, &h, &p), -ETIMEDOUT);
	hang_up(f);
	assert_int_equal(client_next(f->c, &h, &p), -EPIPE);
}

/* Octet by octet, and frames of the largest size across the buffer's end. */
static void
test_pieces(void **state)
{
	struct fixture *f = *state;
	struct ctl_fail fail = {.why = CTL_WHY_BUSY, .text = "busy"};
	struct ctl_frame h = {CTL_FAIL, sizeof(fail)};
	uint8_t whole[sizeof(h) + sizeof(fail)], *big = calloc(1, CTL_PAYLOAD_MAX);
	const uint8_t *p;

	memcpy(whole, &h, sizeof(h));
	memcpy(whole + sizeof(h), &fail, sizeof(fail));
	for (size_t i = 0; i < sizeof(whole) - 1; i++)
		say(f, whole + i, 1);
	assert_int_equal(client_next(f->c, &h, &p), -ETIMEDOUT);
	say(f, whole + sizeof(whole) - 1, 1);
	assert_int_equal(client_next(f->c, &h, &p), 0);
	assert_memory_equal(p, &fail, sizeof(fail));
	for (unsigned int i = 0; i < 40; i++) {
		memset(big, (int)i, CTL_PAYLOAD_MAX);
		say_frame(f, CTL_R_FLOW, CTL_PAYLOAD_MAX - 8 * i, big);
		if (i % 4 == 3)
			for (unsigned int j = i - 3; j <= i; j++) {
				assert_int_equal(client_next(f->c, &h, &p), 0);
				assert_int_equal(h.len, CTL_PAYLOAD_MAX - 8 * j);
				assert_int_equal(p[0], j);
				assert_int_equal(p[h.len - 1], j);
			}
	}
	free(big);
}

static void
test_lies(void **state)
{
	static const struct ctl_frame lie[] = {
		{CTL_R_NONE, 0},
		{CTL_FAIL + 1, 0},
		{UINT32_MAX, 0},
		{CTL_R_FLOW, CTL_PAYLOAD_MAX + 8},
		{CTL_R_FLOW, UINT32_MAX},
		{CTL_R_FLOW, 7},
		{CTL_R_STATS, sizeof(struct ctl_stats) - 1},
		{CTL_R_STATS, 0},
		{CTL_R_EXPECT, sizeof(struct ctl_expect) + 1},
		{CTL_R_RSQUEUE, 1},
		{CTL_R_COMMIT, 0},
		{CTL_DONE, 1},
		{CTL_FAIL, 0},
		{CTL_FAIL, sizeof(struct ctl_fail) + 1},
	};
	struct ctl_frame h;
	const uint8_t *p;

	(void)state;
	for (size_t i = 0; i < sizeof(lie) / sizeof(lie[0]); i++) {
		void *s;
		struct fixture *f;

		setup(&s);
		f = s;
		say(f, &lie[i], sizeof(lie[i]));
		assert_int_equal(client_next(f->c, &h, &p), -EBADMSG);
		teardown(&s);
	}
}

static void
test_truncated(void **state)
{
	struct fixture *f = *state;
	struct ctl_frame h = {CTL_R_STATS, sizeof(struct ctl_stats)};
	const uint8_t *p;

	say(f, &h, sizeof(h));
	say(f, &h, sizeof(h));
	hang_up(f);
	assert_int_equal(client_next(f->c, &h, &p), -ECONNRESET);
}

/* A flow record as the daemon writes it. Returns its length. */
static size_t
put_flow(uint8_t *buf, uint8_t l3, uint32_t have)
{
	struct flow f = {.have = have, .l3 = l3, .l4 = 6, .mark = 9};
	struct flow_side side = {.its = 77};
	struct ctl_flow h = {.age = 5, .expires = 8};
	size_t len = sizeof(h) + flow_size(&f);

	memcpy(buf + sizeof(h), &f, flow_size(&f));
	memset(side.helper, 'x', sizeof(side.helper));
	if (have & FLOW_SIDE) {
		memcpy(buf + len, &side, sizeof(side));
		len += sizeof(side);
	}
	while (len % 8 != 0)
		buf[len++] = 0;
	h.len = (uint32_t)len;
	memcpy(buf, &h, sizeof(h));
	return len;
}

static void
test_flows(void **state)
{
	uint8_t buf[2048];
	size_t n = put_flow(buf, AF_INET, FLOW_MARK);
	struct flow_rec rec;
	struct rd r;

	(void)state;
	n += put_flow(buf + n, AF_INET6, FLOW_MARK | FLOW_HELPER);
	r = rd_init(buf, n);
	assert_int_equal(client_flow(&r, &rec), 1);
	assert_int_equal(rec.age, 5);
	assert_int_equal(rec.expires, 8);
	assert_int_equal(rec.flow.mark, 9);
	assert_null(rec.flow.side);
	assert_int_equal(client_flow(&r, &rec), 1);
	assert_ptr_equal(rec.flow.side, &rec.side);
	assert_int_equal(rec.side.its, 77);
	assert_int_equal(strlen(rec.side.helper), sizeof(rec.side.helper) - 1);
	assert_int_equal(client_flow(&r, &rec), 0);
}

/* Every shortened row, every wrong length in its head, a wrong family, a side block that is not there. */
static void
test_flow_lies(void **state)
{
	uint8_t buf[2048], copy[2048];
	size_t n = put_flow(buf, AF_INET6, FLOW_HELPER);
	struct flow_rec rec;
	struct rd r;

	(void)state;
	for (size_t cut = 1; cut < n; cut++) {
		uint8_t *exact = malloc(cut);

		memcpy(exact, buf, cut);
		r = rd_init(exact, cut);
		assert_int_equal(client_flow(&r, &rec), -EBADMSG);
		free(exact);
	}
	for (uint32_t len = 0; len < 2 * n; len++) {
		memcpy(copy, buf, sizeof(copy));
		memcpy(copy, &len, sizeof(len));
		r = rd_init(copy, n);
		assert_int_equal(client_flow(&r, &rec), len == n ? 1 : -EBADMSG);
	}
	memcpy(copy, buf, sizeof(copy));
	copy[sizeof(struct ctl_flow) + offsetof(struct flow, l3)] = 3;
	r = rd_init(copy, n);
	assert_int_equal(client_flow(&r, &rec), -EBADMSG);
}

static void
test_expects(void **state)
{
	struct ctl_expect e[2], got;
	struct rd r;

	(void)state;
	memset(e, 0xff, sizeof(e));
	e[0].expect.l3 = AF_INET;
	r = rd_init(e, sizeof(e));
	assert_int_equal(client_expect(&r, &got), 1);
	assert_int_equal(strlen(got.expect.helper), sizeof(got.expect.helper) - 1);
	assert_int_equal(strlen(got.expect.fn), sizeof(got.expect.fn) - 1);
	assert_int_equal(client_expect(&r, &got), -EBADMSG);
	r = rd_init(e, sizeof(e[0]) - 1);
	assert_int_equal(client_expect(&r, &got), -EBADMSG);
	r = rd_init(e, 0);
	assert_int_equal(client_expect(&r, &got), 0);
}

static void
test_connect(void **state)
{
	char path[300];
	int err = 0;

	(void)state;
	assert_null(client_new("/nonexistent/socket", 100, &err));
	assert_int_equal(err, -ENOENT);
	memset(path, 'a', sizeof(path));
	path[sizeof(path) - 1] = '\0';
	assert_null(client_new(path, 100, &err));
	assert_int_equal(err, -ENAMETOOLONG);
	client_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_ask, setup, teardown),
		cmocka_unit_test_setup_teardown(test_frames, setup, teardown),
		cmocka_unit_test_setup_teardown(test_pieces, setup, teardown),
		cmocka_unit_test_setup_teardown(test_truncated, setup, teardown),
		cmocka_unit_test(test_lies),
		cmocka_unit_test(test_flows),
		cmocka_unit_test(test_flow_lies),
		cmocka_unit_test(test_expects),
		cmocka_unit_test(test_connect),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

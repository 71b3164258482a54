/* The whole role, with a parent that is played here: what it asks the parent for, and what clients get to hear. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "blob.h"
#include "flow_nl.h"
#include "flows.h"
#include "parse.h"
#include "sync.h"

#define PATIENCE_MS 20000

struct ctx {
	struct sync *s;
	struct log log;
	struct chan parent; /* its end of the wall */
	int wall;
	pthread_t thread;
	int status;
	int client;
	_Alignas(8) uint8_t in[MSG_DATA_MAX + sizeof(struct msg_hdr)];
};

static void *
serve(void *arg)
{
	struct ctx *c = arg;

	c->status = sync_serve(c->s, c->wall, &c->log);
	close(c->wall);
	return NULL;
}

static void
say(struct ctx *c, uint32_t type, uint32_t arg, const void *data, size_t len)
{
	assert_int_equal(chan_send(&c->parent, type, arg, data, len), 0);
}

static void
hand(struct ctx *c, uint32_t type, const void *data, size_t len, int fd)
{
	const struct iovec part = {(void *)(uintptr_t)data, len};

	assert_int_equal(chan_sendv(&c->parent, type, 0, &part, len > 0, &fd, 1), 0);
	close(fd);
}

/* The next record of this type; READY_ALIVE and others in between are passed over. */
static struct msg
hear(struct ctx *c, uint32_t type)
{
	struct pollfd pfd = {c->parent.fd, POLLIN, 0};
	struct msg m;
	int r;

	while ((r = chan_recv(&c->parent, c->in, sizeof(c->in), &m)) >= 0) {
		if (r > 0 && m.type == type)
			return m;
		if (r == 0)
			assert_int_equal(poll(&pfd, 1, PATIENCE_MS), 1);
	}
	fail_msg("the worker has left");
	return m;
}

static void
hear_ready(struct ctx *c, enum ready what)
{
	while (hear(c, MSG_READY).arg != what)
		;
}

/* --- as the parent --- */

static int
setup(void **state)
{
	static struct ctx c;
	static const char text[] = "General { HashLimit 4096 LogFile on UNIX { Path /run/c.ctl } }\n"
				   "Sync { Mode FTFW { } UDP { IPv4_address 10.0.0.1 IPv4_Destination_Address 10.0.0.2 "
				   "Port 3780 Interface eth1 } }\n";
	const struct conf_source src = {.text = text, .len = sizeof(text) - 1};
	struct conf conf;
	int sv[2], fd;

	c = (struct ctx){.client = -1, .log = {.fd = -1, .fd_err = -1, .form = LF_RECORD}};
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, sv), 0);
	c.wall = sv[0];
	c.parent.fd = sv[1];
	assert_non_null(c.s = calloc(1, sizeof(*c.s)));
	assert_int_equal(pthread_create(&c.thread, NULL, serve, &c), 0);
	hear_ready(&c, READY_JAILED);
	assert_int_equal(conf_parse(&conf, &src), 0);
	fd = blob_memfd();
	assert_int_equal(blob_store(&conf, fd), 0);
	hand(&c, MSG_CONF, NULL, 0, fd);
	conf_clear(&conf);
	say(&c, MSG_START, 0, NULL, 0);
	*state = &c;
	return 0;
}

static int
teardown(void **state)
{
	struct ctx *c = *state;

	close(c->parent.fd);
	pthread_join(c->thread, NULL);
	assert_int_equal(c->status, 0);
	if (c->client >= 0)
		close(c->client);
	free(c->s);
	return 0;
}

static size_t
one_flow(uint8_t *buf, size_t size, uint32_t nr)
{
	static const struct flow_nl_opts as_it_is;
	const struct flow f = flow_nr(nr);
	int n = flow_to_nl(&f, FLOW_NL_CREATE, &as_it_is, 0, buf, size);

	assert_true(n > 0);
	return (size_t)n;
}

/* A dump is asked for, shows flows 0 to n - 1, and ends. */
static void
dump(struct ctx *c, uint32_t n)
{
	_Alignas(8) uint8_t buf[1024];
	struct msg_dump_start d;
	struct msg_dump_done done = {0};

	memcpy(&d, hear(c, MSG_DUMP_START).data, sizeof(d));
	assert_int_equal(d.subsys, SUBSYS_CT);
	for (uint32_t nr = 0; nr < n; nr++)
		say(c, MSG_DUMP, d.id, buf, one_flow(buf, sizeof(buf), nr));
	done.id = d.id;
	say(c, MSG_DUMP_DONE, 0, &done, sizeof(done));
}

/* --- as a client --- */

static void
request(struct ctx *c, struct ctl_request r)
{
	const struct msg_client who = {.access = CLIENT_FULL | CLIENT_READ};
	int sv[2];

	if (c->client >= 0)
		close(c->client);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv), 0);
	c->client = sv[1];
	assert_int_equal(fcntl(sv[0], F_SETFL, O_NONBLOCK), 0);
	hand(c, MSG_CLIENT, &who, sizeof(who), sv[0]);
	r.magic = CTL_MAGIC;
	r.layout = ctl_layout();
	assert_int_equal(send(c->client, &r, sizeof(r), 0), sizeof(r));
}

static uint32_t
answer(struct ctx *c, void *to, size_t size)
{
	struct ctl_frame f;
	uint8_t rest[CTL_PAYLOAD_MAX];

	assert_int_equal(recv(c->client, &f, sizeof(f), MSG_WAITALL), sizeof(f));
	assert_true(f.len <= sizeof(rest));
	if (f.len > 0)
		assert_int_equal(recv(c->client, rest, f.len, MSG_WAITALL), f.len);
	memcpy(to, rest, f.len < size ? f.len : size);
	return f.type;
}

static struct ctl_stats
status(struct ctx *c)
{
	struct ctl_stats st;

	request(c, (struct ctl_request){.verb = CTL_STATS});
	assert_int_equal(answer(c, &st, sizeof(st)), CTL_R_STATS);
	return st;
}

/* --- tests --- */

/* It serves when it knows the kernel's table, and counts what events say from then on. */
static void
start(void **state)
{
	_Alignas(8) uint8_t buf[1024];
	struct ctx *c = *state;
	const struct msg_status alive = {.cpu = MSG_ALL_CPUS};

	dump(c, 3);
	hear_ready(c, READY_SERVING);
	say(c, MSG_EVENTS, 1, buf, one_flow(buf, sizeof(buf), 7));
	say(c, MSG_STATUS, 0, &alive, sizeof(alive));
	hear_ready(c, READY_ALIVE);
	assert_int_equal(status(c).internal.active, 4);
}

/* The client of a take-over is answered when the kernel has all, and only then is the table read again. */
static void
take_over(void **state)
{
	struct ctx *c = *state;
	struct ctl_commit done;
	struct ctl_stats st;
	struct msg m;

	dump(c, 3);
	hear_ready(c, READY_SERVING);
	request(c, (struct ctl_request){.verb = CTL_ROLE, .role = CTL_ROLE_PRIMARY});
	m = hear(c, MSG_REQUEST); /* how full is the table? */
	say(c, MSG_RESULT, m.arg, NULL, 0);
	assert_int_equal(answer(c, &done, sizeof(done)), CTL_R_COMMIT);
	assert_int_equal(done.failed, 0);
	assert_int_equal(answer(c, &done, sizeof(done)), CTL_DONE);
	dump(c, 5);
	do
		st = status(c);
	while (st.internal.active < 5);
	assert_int_equal(st.role, CTL_ROLE_PRIMARY);
	assert_int_equal(st.commits.count, 1);
}

/* A flush is the parent's business, and is answered with what that says of it. */
static void
flush(void **state)
{
	const struct msg_error refused = {0, -EPERM};
	struct ctx *c = *state;
	struct ctl_fail f;
	struct msg m;

	dump(c, 0);
	hear_ready(c, READY_SERVING);
	request(c, (struct ctl_request){.verb = CTL_FLUSH_KERNEL, .tables = CTL_TABLE_CT});
	m = hear(c, MSG_FLUSH);
	say(c, MSG_RESULT, m.arg, &refused, sizeof(refused));
	assert_int_equal(answer(c, &f, sizeof(f)), CTL_FAIL);
	assert_int_equal(f.err, -EPERM);
}

/* Lost events are counted, and made up for. */
static void
overrun(void **state)
{
	const struct msg_overrun o = {.count = 1, .bufsize = 4711};
	struct ctx *c = *state;
	struct ctl_stats st;

	dump(c, 0);
	hear_ready(c, READY_SERVING);
	say(c, MSG_OVERRUN, 0, &o, sizeof(o));
	do
		st = status(c);
	while (st.resync.overruns == 0);
	assert_int_equal(st.resync.overruns, 1);
}

/* What the parent may not say is refused, and changes nothing. */
static void
refuses_the_parent(void **state)
{
	struct ctx *c = *state;
	struct ctl_stats st;

	dump(c, 0);
	hear_ready(c, READY_SERVING);
	say(c, MSG_DUMP_START, 0, "12345678", 8);
	do
		st = status(c);
	while (st.runtime.wall_refused == 0);
	assert_int_equal(st.runtime.wall_refused, 1);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {T(start), T(take_over), T(flush), T(overrun), T(refuses_the_parent)};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

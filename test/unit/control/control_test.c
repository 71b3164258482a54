/* Requests over a socket, with an owner that takes notes: which are refused, who waits for what, and listings. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "control.h"
#include "flows.h"
#include "settings.h"

struct ctx {
	struct conf conf;
	struct clock now;
	struct log log;
	int lines;
	struct loop *loop;
	struct tables internal, external;
	struct control *k;
	int client;
	bool runs; /* what is asked for takes time */
	int busy;
	unsigned int did, role, caches, tables, sends, asks, purges, stops;
	unsigned int in_queue;
	unsigned int max_turns;
};

static bool
commit(void *arg, unsigned int tables)
{
	struct ctx *c = arg;

	c->did++;
	c->tables = tables;
	return c->runs;
}

static bool
role(void *arg, unsigned int r)
{
	struct ctx *c = arg;

	c->did++;
	c->role = r;
	return c->runs;
}

static int
flush_caches(void *arg, unsigned int caches, unsigned int tables)
{
	struct ctx *c = arg;

	c->did++;
	c->caches = caches;
	c->tables = tables;
	return c->busy;
}

static uint32_t
flush_kernel(void *arg, unsigned int tables)
{
	struct ctx *c = arg;

	c->did++;
	c->tables = tables;
	return 7;
}

static uint32_t
resync(void *arg, unsigned int tables)
{
	struct ctx *c = arg;

	c->did++;
	c->tables = tables;
	return 3;
}

static void
ask(void *arg)
{
	((struct ctx *)arg)->asks++;
}

static void
send_all(void *arg)
{
	((struct ctx *)arg)->sends++;
}

static void
purge(void *arg)
{
	((struct ctx *)arg)->purges++;
}

static void
stop(void *arg)
{
	((struct ctx *)arg)->stops++;
}

static void
figures(void *arg, struct ctl_stats *st)
{
	(void)arg;
	st->daemon.uptime = 4711;
}

static bool
waiting(void *arg, uint32_t i, struct mode_item *it)
{
	const struct ctx *c = arg;

	*it = (struct mode_item){.kind = ITEM_CONTROL, .flags = WIRE_RESYNC, .seq = i};
	return i < c->in_queue;
}

static int
setup(void **state)
{
	static struct ctx c;
	const struct control_env env = {&c,  commit,   role,  flush_caches, flush_kernel, resync,
					ask, send_all, purge, stop,         figures,      waiting};
	struct control_parts parts = {&c.log, NULL, &c.now, &c.conf, &c.internal, &c.external};
	int sv[2];

	c = (struct ctx){.client = -1};
	clock_set(&c.now, 100000);
	conf_init(&c.conf);
	c.conf.sync = true;
	c.conf.mode = MODE_FTFW;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, sv), 0);
	c.log = (struct log){.fd = sv[0], .fd_err = sv[0], .form = LF_RECORD};
	c.lines = sv[1];
	assert_int_equal(tables_init(&c.internal, 10000), 0);
	assert_int_equal(tables_init(&c.external, 10000), 0);
	assert_non_null(parts.loop = c.loop = loop_new());
	assert_non_null(c.k = control_new(&parts, &env));
	*state = &c;
	return 0;
}

static int
teardown(void **state)
{
	struct ctx *c = *state;

	control_free(c->k);
	loop_free(c->loop);
	if (c->client >= 0)
		close(c->client);
	close(c->log.fd);
	close(c->lines);
	tables_clear(&c->internal);
	tables_clear(&c->external);
	conf_clear(&c->conf);
	return 0;
}

static void
turn(void *arg)
{
	struct ctx *c = arg;

	control_turn(c->k);
	loop_again(c->loop);
	if (c->max_turns-- == 0)
		loop_stop(c->loop);
}

static void
run(struct ctx *c)
{
	c->max_turns = 20;
	loop_again(c->loop);
	loop_run(c->loop, turn, c);
}

static void
connects(struct ctx *c)
{
	const struct msg_client who = {.access = CLIENT_FULL | CLIENT_READ};
	struct msg m = {.type = MSG_CLIENT, .data = &who, .len = sizeof(who), .nfds = 1};
	int sv[2];

	if (c->client >= 0)
		close(c->client);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, sv), 0);
	m.fd[0] = sv[0];
	c->client = sv[1];
	control_client(c->k, &m);
}

static void
asks_for(struct ctx *c, struct ctl_request r)
{
	connects(c);
	r.magic = CTL_MAGIC;
	r.layout = ctl_layout();
	assert_int_equal(send(c->client, &r, sizeof(r), 0), sizeof(r));
	run(c);
}

static size_t
reads(struct ctx *c, void *to, size_t len)
{
	size_t got = 0;

	while (got < len) {
		ssize_t n = recv(c->client, (uint8_t *)to + got, len - got, 0);

		if (n <= 0)
			break;
		got += (size_t)n;
	}
	return got;
}

/* The next frame; its type, CTL_R_NONE: none yet. */
static uint32_t
frame(struct ctx *c, void *payload, size_t size, uint32_t *len)
{
	struct ctl_frame f;

	if (reads(c, &f, sizeof(f)) < sizeof(f))
		return CTL_R_NONE;
	assert_true(f.len <= size);
	for (size_t got = 0; got < f.len; run(c))
		got += reads(c, (uint8_t *)payload + got, f.len - got);
	*len = f.len;
	return f.type;
}

static uint32_t
answer(struct ctx *c)
{
	uint8_t payload[CTL_PAYLOAD_MAX];
	uint32_t len;

	run(c);
	return frame(c, payload, sizeof(payload), &len);
}

/* Why the request failed; CTL_WHY_NONE: it did not. */
static uint32_t
refused(struct ctx *c, struct ctl_request r)
{
	struct ctl_fail f = {0};
	uint32_t len, type;

	asks_for(c, r);
	type = frame(c, &f, sizeof(f), &len);
	assert_true(type == CTL_FAIL || type == CTL_DONE);
	return type == CTL_FAIL ? f.why : (uint32_t)CTL_WHY_NONE;
}

static void
at_once(void **state)
{
	struct ctx *c = *state;

	assert_int_equal(refused(c, (struct ctl_request){.verb = CTL_SEND}), CTL_WHY_NONE);
	assert_int_equal(refused(c, (struct ctl_request){.verb = CTL_RESYNC_PEERS}), CTL_WHY_NONE);
	assert_int_equal(refused(c, (struct ctl_request){.verb = CTL_PURGE}), CTL_WHY_NONE);
	assert_int_equal(refused(c, (struct ctl_request){.verb = CTL_COMMIT}), CTL_WHY_NONE); /* nothing to do */
	assert_int_equal(c->sends * 100 + c->asks * 10 + c->purges, 111);
	assert_int_equal(c->did, 1);
}

/* What this mode has nothing of. */
static void
unsupported(void **state)
{
	struct ctx *c = *state;

	assert_int_equal(refused(c, (struct ctl_request){.verb = CTL_COMMIT, .tables = CTL_TABLE_EXP}),
			 CTL_WHY_UNSUPPORTED);
	c->conf.mode = MODE_ALARM;
	assert_int_equal(refused(c, (struct ctl_request){.verb = CTL_SEND}), CTL_WHY_UNSUPPORTED);
	assert_int_equal(refused(c, (struct ctl_request){.verb = CTL_RSQUEUE}), CTL_WHY_UNSUPPORTED);
	c->conf.mode = MODE_NOTRACK;
	c->conf.disable_internal_cache = c->conf.disable_external_cache = true;
	assert_int_equal(refused(c, (struct ctl_request){.verb = CTL_RESYNC_KERNEL}), CTL_WHY_UNSUPPORTED);
	assert_int_equal(refused(c, (struct ctl_request){.verb = CTL_DUMP, .caches = CTL_INTERNAL}),
			 CTL_WHY_UNSUPPORTED);
	assert_int_equal(refused(c, (struct ctl_request){.verb = CTL_DUMP, .caches = CTL_EXTERNAL}),
			 CTL_WHY_UNSUPPORTED);
	assert_int_equal(refused(c, (struct ctl_request){.verb = CTL_ROLE, .role = 9}), CTL_WHY_BAD_REQUEST);
	assert_int_equal(c->did + c->sends, 0);
}

static void
flushes(void **state)
{
	struct ctx *c = *state;

	assert_int_equal(refused(c, (struct ctl_request){.verb = CTL_FLUSH}), CTL_WHY_NONE);
	assert_int_equal(c->caches, CTL_INTERNAL | CTL_EXTERNAL);
	assert_int_equal(c->tables, CTL_TABLE_CT); /* all that are replicated */
	c->conf.expect_sync = true;
	assert_int_equal(refused(c, (struct ctl_request){.verb = CTL_FLUSH, .caches = CTL_EXTERNAL}), CTL_WHY_NONE);
	assert_int_equal(c->caches, CTL_EXTERNAL);
	assert_int_equal(c->tables, CTL_TABLE_CT | CTL_TABLE_EXP);
	c->busy = -EBUSY;
	assert_int_equal(refused(c, (struct ctl_request){.verb = CTL_FLUSH}), CTL_WHY_BUSY);
}

/* A commit's client hears of each table, and of the end. */
static void
waits_for_a_commit(void **state)
{
	const struct ctl_commit r = {.table = CTL_TABLE_CT, .committed = 5};
	const struct ctl_request by[] = {{.verb = CTL_COMMIT}, {.verb = CTL_ROLE, .role = CTL_ROLE_PRIMARY}};
	struct ctx *c = *state;
	struct ctl_commit got;
	uint32_t len;

	c->runs = true;
	for (size_t i = 0; i < 2; i++) {
		asks_for(c, by[i]);
		assert_int_equal(answer(c), CTL_R_NONE);
		control_flushed(c->k, 7, 0); /* others' */
		control_resynced(c->k, 9, false);
		assert_int_equal(answer(c), CTL_R_NONE);
		control_table_done(c->k, &r);
		run(c);
		assert_int_equal(frame(c, &got, sizeof(got), &len), CTL_R_COMMIT);
		assert_int_equal(got.committed, 5);
		assert_int_equal(answer(c), CTL_R_NONE);
		control_committed(c->k);
		assert_int_equal(answer(c), CTL_DONE);
	}
}

static void
superseded(void **state)
{
	struct ctx *c = *state;
	struct ctl_fail f;
	uint32_t len;

	c->runs = true;
	asks_for(c, (struct ctl_request){.verb = CTL_ROLE, .role = CTL_ROLE_PRIMARY});
	control_superseded(c->k);
	run(c);
	assert_int_equal(frame(c, &f, sizeof(f), &len), CTL_FAIL);
	assert_int_equal(f.why, CTL_WHY_SUPERSEDED);
}

static void
waits_for_a_flush(void **state)
{
	const int err[] = {0, -ENOENT, -EPERM};
	struct ctx *c = *state;

	for (size_t i = 0; i < 3; i++) {
		asks_for(c, (struct ctl_request){.verb = CTL_FLUSH_KERNEL});
		control_flushed(c->k, 6, -EPERM); /* another one */
		assert_int_equal(answer(c), CTL_R_NONE);
		control_flushed(c->k, 7, err[i]);
		assert_int_equal(answer(c), err[i] == -EPERM ? CTL_FAIL : CTL_DONE);
	}
}

/* Those that had begun before do not count. */
static void
waits_for_a_resync(void **state)
{
	struct ctx *c = *state;

	for (int failed = 0; failed < 2; failed++) {
		asks_for(c, (struct ctl_request){.verb = CTL_RESYNC_KERNEL});
		control_resynced(c->k, 2, false);
		assert_int_equal(answer(c), CTL_R_NONE);
		control_resynced(c->k, 3, failed);
		assert_int_equal(answer(c), failed ? CTL_FAIL : CTL_DONE);
	}
	asks_for(c, (struct ctl_request){.verb = CTL_RESYNC_KERNEL});
	control_resynced(c->k, 4, false);
	assert_int_equal(answer(c), CTL_DONE);
}

static void
waits_for_the_end(void **state)
{
	struct ctx *c = *state;

	asks_for(c, (struct ctl_request){.verb = CTL_STOP});
	assert_int_equal(c->stops, 1);
	control_committed(c->k);
	assert_int_equal(answer(c), CTL_R_NONE);
	control_last_words(c->k);
	assert_int_equal(answer(c), CTL_DONE);
}

static void
holds(struct tables *t, uint32_t n)
{
	for (uint32_t nr = 0; nr < n; nr++) {
		const struct flow f = flow_nr(nr);
		uint32_t slot;

		assert_int_equal(cache_insert(t->of[SLOT_FLOW], &f, 40, &slot), 0);
	}
}

/* Flows of a listing, frame by frame, and those of the frames before the last one. */
static unsigned int
listed(struct ctx *c, uint8_t caches, struct ctl_flow *first)
{
	static uint8_t payload[CTL_PAYLOAD_MAX];
	uint32_t len, type;
	unsigned int n = 0;

	asks_for(c, (struct ctl_request){.verb = CTL_DUMP, .caches = caches, .tables = CTL_TABLE_CT});
	while ((type = frame(c, payload, sizeof(payload), &len)) == CTL_R_FLOW)
		for (uint32_t at = 0; at < len; n++) {
			struct ctl_flow h;

			memcpy(&h, payload + at, sizeof(h));
			assert_true(h.len % 8 == 0 && h.len > sizeof(h) && at + h.len <= len);
			if (n == 0)
				*first = h;
			at += h.len;
		}
	assert_int_equal(type, CTL_DONE);
	return n;
}

static void
listings(void **state)
{
	struct ctx *c = *state;
	struct ctl_flow first;

	holds(&c->internal, 3000);
	holds(&c->external, 500);
	cache_bury(c->internal.of[SLOT_FLOW], 7); /* has ended */
	c->conf.mode = MODE_ALARM;
	c->conf.cache_timeout = 180;
	assert_int_equal(listed(c, CTL_INTERNAL, &first), 2999);
	assert_int_equal(first.age, 60);
	assert_int_equal(first.expires, 0);
	assert_int_equal(listed(c, CTL_EXTERNAL, &first), 500);
	assert_int_equal(first.expires, 120); /* unless it is repeated */
	assert_int_equal(listed(c, CTL_INTERNAL | CTL_EXTERNAL, &first), 3499);
}

static void
resend_queue(void **state)
{
	static uint8_t payload[CTL_PAYLOAD_MAX];
	struct ctx *c = *state;
	uint32_t len, type, n[2] = {0, 0};

	holds(&c->internal, 1000);
	for (uint32_t slot = 0; slot < 1000; slot += 2)
		cache_entry(c->internal.of[SLOT_FLOW], slot)->queue = QUEUE_RS;
	c->in_queue = 3;
	asks_for(c, (struct ctl_request){.verb = CTL_RSQUEUE});
	while ((type = frame(c, payload, sizeof(payload), &len)) == CTL_R_RSQUEUE)
		for (uint32_t at = 0; at < len; at += sizeof(struct ctl_rsq)) {
			struct ctl_rsq r;

			memcpy(&r, payload + at, sizeof(r));
			n[r.control != 0]++;
		}
	assert_int_equal(type, CTL_DONE);
	assert_int_equal(n[0], 500);
	assert_int_equal(n[1], 3);
}

static void
status(void **state)
{
	struct ctx *c = *state;
	struct ctl_stats st;
	uint32_t len;

	asks_for(c, (struct ctl_request){.verb = CTL_STATS});
	assert_int_equal(frame(c, &st, sizeof(st), &len), CTL_R_STATS);
	assert_int_equal(st.daemon.uptime, 4711);
	assert_int_equal(answer(c), CTL_DONE);
}

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

/* Who finds no place is turned away; the log says so once a minute at most. */
static void
clients_that_find_no_place(void **state)
{
	struct msg_client who = {.uid = 1234, .access = CLIENT_READ};
	struct ctx *c = *state;
	int sv[2];

	for (int i = 0; i < 1001; i++) {
		struct msg m = {.type = MSG_CLIENT, .data = &who, .len = sizeof(who), .nfds = 1};

		if (i == 1000) {
			assert_in_range(lines_with(c, "too many control clients"), 1, 2);
			c->now.ms += 3600000;
		}
		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, sv), 0);
		m.fd[0] = sv[0];
		control_client(c->k, &m);
		close(sv[1]);
	}
	assert_int_equal(lines_with(c, "too many control clients"), 1); /* later again */
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {T(at_once),
					   T(unsupported),
					   T(flushes),
					   T(waits_for_a_commit),
					   T(superseded),
					   T(waits_for_a_flush),
					   T(waits_for_a_resync),
					   T(waits_for_the_end),
					   T(listings),
					   T(resend_queue),
					   T(status),
					   T(clients_that_find_no_place)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

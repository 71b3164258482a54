/* The whole of it over a pair of sockets: what goes out, what comes in, who is asked, and what is held back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <net/if.h>

#include "fakes.h"
#include "peers.h"
#include "settings.h"

struct ctx {
	struct conf conf;
	struct clock now;
	struct heard_log log;
	struct loop *loop;
	struct tables internal;
	struct notes notes;
	struct peers *p;
	unsigned int wanted_links, unqueued, kernel_reads;
	bool replaced;
};

static bool
serving(void *arg)
{
	return !((struct ctx *)arg)->replaced;
}

static void
open_link(void *arg, unsigned int i)
{
	((struct ctx *)arg)->wanted_links |= 1U << i;
}

static void
unqueued(void *arg, enum slot_kind kind, uint32_t slot)
{
	struct ctx *c = arg;

	c->unqueued++;
	cache_drop(c->internal.of[kind], slot);
}

static bool
complete(void *arg)
{
	(void)arg;
	return true;
}

static void
announce(void *arg, enum slot_kind kind, uint32_t slot)
{
	struct mode *m = peers_mode(((struct ctx *)arg)->p);

	m->ops->change(m, kind, slot);
}

static void
read_kernel(void *arg)
{
	((struct ctx *)arg)->kernel_reads++;
}

static struct ctx *
made(void **state, enum conf_mode mode, bool bypass)
{
	struct ctx *c = *state;
	const struct peers_env env = {c, serving, open_link, unqueued, complete, announce, bypass ? read_kernel : NULL};
	struct peers_parts parts;

	conf_init(&c->conf);
	c->conf.mode = mode;
	c->conf.n_links = 2;
	c->conf.resend_queue_size = 512;
	assert_int_equal(tables_init(&c->internal, 4096), 0);
	parts = (struct peers_parts){&c->log.log, c->loop, &c->now, &c->conf, &c->internal, noting(&c->notes)};
	assert_int_equal(peers_new(&c->p, &parts, &env), 0);
	peers_start(c->p);
	return c;
}

static int
setup(void **state)
{
	static struct ctx c;

	c = (struct ctx){.notes = {.room = 1}};
	clock_set(&c.now, 100000);
	heard_log_open(&c.log);
	c.loop = loop_new();
	assert_non_null(c.loop);
	*state = &c;
	return 0;
}

static int
teardown(void **state)
{
	struct ctx *c = *state;

	peers_free(c->p);
	tables_clear(&c->internal);
	loop_free(c->loop);
	heard_log_close(&c->log);
	conf_clear(&c->conf);
	return 0;
}

/* A peer's message that carries no state. */
static void
demand(struct ctx *c, uint32_t seq)
{
	uint8_t msg[64];
	int n = wire_enc_ctl(WIRE_RESYNC, seq, 0, 0, msg, sizeof(msg));

	assert_true(n > 0);
	peers_datagram(c->p, 0, msg, (size_t)n);
}

static void
says(struct ctx *c, enum wire_type type, uint32_t seq)
{
	const struct flow f = flow_nr(1);
	uint8_t msg[512];

	peers_datagram(c->p, 0, msg, flow_message(msg, sizeof(msg), type, seq, &f));
}

static void
links_are_asked_for(void **state)
{
	struct ctx *c = made(state, MODE_FTFW, false);

	assert_int_equal(c->wanted_links, 3);
	c->wanted_links = 0;
	peers_turn(c->p);
	assert_int_equal(c->wanted_links, 0);
	for (int i = 0; i < 20; i++) { /* not there yet: again, from time to time */
		clock_set(&c->now, peers_due(c->p));
		peers_turn(c->p);
	}
	assert_int_equal(c->wanted_links, 3);
}

/* What is demanded often is said once, and done once. */
static void
demands_of_a_peer(void **state)
{
	struct ctx *c = made(state, MODE_FTFW, false);
	struct peers_stats st;

	for (uint32_t seq = 1; seq <= 1000; seq++)
		demand(c, seq);
	assert_in_range(heard_lines(&c->log, "resync requested by other node"), 1, 2);
	clock_set(&c->now, c->now.ms + 10000);
	peers_turn(c->p);
	peers_stats(c->p, &st);
	assert_int_equal(st.resyncs_served, 1);
}

/* Without internal cache everything is the kernel's table. */
static void
demand_without_cache(void **state)
{
	struct ctx *c = made(state, MODE_NOTRACK, true);

	demand(c, 1);
	clock_set(&c->now, c->now.ms + 10000);
	peers_turn(c->p);
	assert_int_equal(c->kernel_reads, 1);
}

/* A new peer is asked for everything, and once more when what was refused has room. */
static void
asks(void **state)
{
	struct ctx *c = made(state, MODE_FTFW, false);
	struct peers_stats st;

	says(c, WIRE_CT_NEW, 1);
	assert_int_equal(c->notes.flows, 1);
	for (int i = 0; i < 3; i++) {
		clock_set(&c->now, c->now.ms + 60000);
		peers_turn(c->p);
	}
	peers_stats(c->p, &st);
	assert_int_equal(st.resyncs_sent, 1);
	c->notes.ask = true;
	peers_turn(c->p);
	peers_stats(c->p, &st);
	assert_int_equal(st.resyncs_sent, 2);
}

static void
nothing_to_send_on(void **state)
{
	struct ctx *c = made(state, MODE_NOTRACK, true);
	struct flow f = flow_nr(1);
	struct peers_stats st;

	peers_direct(c->p, ENTRY_NEW, &f, NULL);
	f.have |= FLOW_ZONE | FLOW_ZONE_ORIG;
	peers_direct(c->p, ENTRY_NEW, &f, NULL);
	peers_stats(c->p, &st);
	assert_int_equal(st.unsendable, 1);
	assert_int_equal(st.uncarried, 1);
}

/* Noise of strangers is counted by kind, and changes nothing. */
static void
noise(void **state)
{
	struct ctx *c = made(state, MODE_FTFW, false);
	uint8_t msg[100];
	struct peers_stats st;
	uint64_t sum = 0;

	memset(msg, 0xa5, sizeof(msg));
	peers_datagram(c->p, 0, msg, sizeof(msg));
	peers_stats(c->p, &st);
	for (int i = 1; i < WIRE_ERRORS; i++)
		sum += st.malformed[i];
	assert_int_equal(sum, 1);
	assert_int_equal(c->notes.flows, 0);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {T(links_are_asked_for),  T(demands_of_a_peer),
					   T(demand_without_cache), T(asks),
					   T(nothing_to_send_on),   T(noise)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

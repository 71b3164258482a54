/* Whose datagrams are taken, by which link and peer they count, and who is refused and named. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <string.h>

#include "senders.h"

#define PORT 3780

struct ctx {
	struct conf conf;
	struct senders s;
	uint64_t now;
	int proof; /* what a datagram is worth */
	unsigned int forgotten;
};

static int
proves(void *arg, const uint8_t *data, size_t len)
{
	(void)data;
	(void)len;
	return ((struct ctx *)arg)->proof;
}

static void
forget_peer(void *arg, unsigned int peer)
{
	(void)peer;
	((struct ctx *)arg)->forgotten++;
}

/* Links to 10.0.x.1, x the number of the link, from 10.0.x.9. */
static struct ctx *
links(void **state, unsigned int n, enum link_kind kind)
{
	static struct ctx c;

	c = (struct ctx){.now = 100000, .proof = -1, .conf = {.n_links = n}};
	for (uint8_t i = 0; i < n; i++) {
		c.conf.link[i] = (struct msg_link){.kind = (uint8_t)kind,
						   .family = AF_INET,
						   .port = PORT,
						   .ifname = {'e', (char)('0' + i)},
						   .local = {10, 0, i, 9},
						   .peer = {10, 0, i, 1}};
	}
	*state = &c;
	return &c;
}

static void
start(struct ctx *c)
{
	senders_init(&c->s, &c->conf);
	c->s.arg = c;
	c->s.proves = proves;
	c->s.forget_peer = forget_peer;
}

static struct channel_from
who(uint8_t net, uint8_t host, uint16_t port)
{
	return (struct channel_from){.family = AF_INET, .addr = {10, 0, net, host}, .port = port};
}

static struct verdict
from(struct ctx *c, unsigned int link, uint8_t net, uint8_t host, uint16_t port)
{
	const struct channel_from f = who(net, host, port);
	struct verdict v = senders_judge(&c->s, link, &f, (const uint8_t *)"", 0, c->now);

	if (v.why == REFUSED_NOT)
		senders_proved(&c->s, &v, &f);
	return v;
}

static void
only_the_peer(void **state)
{
	struct ctx *c = links(state, 1, LINK_UDP);
	const struct refused *r;

	start(c);
	assert_int_equal(from(c, 0, 0, 1, 4000).why, REFUSED_NOT);
	for (int i = 0; i < 3; i++)
		assert_int_equal(from(c, 0, 0, 2, 4000).why, REFUSED_ADDRESS);
	r = senders_refused(&c->s, 0, 0, c->now);
	assert_non_null(r);
	assert_int_equal(r->count, 3);
	assert_int_equal(r->from.addr[3], 2);
	assert_null(senders_refused(&c->s, 0, 1, c->now));
	assert_null(senders_refused(&c->s, 0, 0, c->now + 600000)); /* not any more */
	c->conf.link_any_source[0] = true;
	start(c);
	assert_int_equal(from(c, 0, 0, 2, 4000).why, REFUSED_NOT);
}

/* Once in the log, not at once, and again after long. */
static void
named(void **state)
{
	struct ctx *c = links(state, 1, LINK_UDP);
	unsigned int n = 0;

	start(c);
	for (unsigned int s = 0; s < 600; s++, c->now += 1000) {
		from(c, 0, 0, 2, 4000);
		from(c, 0, 0, 3, 4000);
		n += senders_to_name(&c->s, 0, c->now) != NULL;
		assert_true(n == 0 || s >= 5);
	}
	assert_int_equal(n, 2);
	for (unsigned int s = 0; s < 3600; s++, c->now += 1000) {
		from(c, 0, 0, 2, 4000);
		n += senders_to_name(&c->s, 0, c->now) != NULL;
	}
	assert_int_equal(n, 3);
}

/* However many strangers there are. */
static void
named_in_a_flood(void **state)
{
	struct ctx *c = links(state, 1, LINK_UDP);
	unsigned int n = 0;

	start(c);
	for (unsigned int s = 0; s < 600; s++, c->now += 100) {
		for (uint8_t host = 2; host < 250; host++)
			from(c, 0, 0, host, 4000);
		n += senders_to_name(&c->s, 0, c->now) != NULL;
	}
	assert_in_range(n, 0, 6);
	assert_non_null(senders_refused(&c->s, 0, REFUSED_MAX - 1, c->now));
	assert_null(senders_refused(&c->s, 0, REFUSED_MAX, c->now));
}

/* Two links with one local end: the kernel gives the datagrams of both to either. */
static void
one_local_end(void **state)
{
	struct ctx *c = links(state, 2, LINK_UDP);
	struct verdict v;

	c->conf.link[1] = c->conf.link[0];
	c->conf.link[1].peer[3] = 2;
	start(c);
	v = from(c, 0, 0, 2, PORT);
	assert_int_equal(v.why, REFUSED_NOT);
	assert_int_equal(v.link, 1);
	assert_int_equal(v.peer, 0);
	v = from(c, 0, 0, 1, PORT);
	assert_int_equal(v.link, 0);
	assert_int_equal(v.peer, 1);
	assert_int_equal(from(c, 1, 0, 3, PORT).why, REFUSED_ADDRESS);
}

/* One peer, several links: it keeps its number. */
static void
peer_changes_the_link(void **state)
{
	struct ctx *c = links(state, 3, LINK_UDP);

	start(c);
	assert_int_equal(from(c, 1, 1, 1, PORT).peer, 0);
	assert_int_equal(from(c, 2, 2, 1, PORT).peer, 0);
	assert_int_equal(from(c, 0, 0, 1, 4000).peer, 0);
	assert_int_equal(senders_address(&c->s, 0)->addr[2], 1);
	assert_null(senders_address(&c->s, 1));
}

static void
group(void **state)
{
	struct ctx *c = links(state, 1, LINK_MCAST);

	start(c);
	for (int round = 0; round < 3; round++)
		for (uint8_t host = 0; host < SENDERS_PEERS; host++)
			assert_int_equal(from(c, 0, 0, host, PORT).peer, host);
	assert_int_equal(from(c, 0, 0, 200, PORT).why, REFUSED_CROWD);
	assert_int_equal(c->forgotten, 0);
	/* one that is silent for long makes room */
	c->now += SENDER_STAYS_MS;
	for (uint8_t host = 0; host < SENDERS_PEERS; host++)
		if (host != 5)
			from(c, 0, 0, host, PORT);
	assert_int_equal(from(c, 0, 0, 200, PORT).peer, 5);
	assert_int_equal(c->forgotten, 1);
}

/* Who never says anything of the protocol is in nobody's way. */
static void
noise_in_a_group(void **state)
{
	struct ctx *c = links(state, 1, LINK_MCAST);

	start(c);
	assert_int_equal(from(c, 0, 0, 1, PORT).peer, 0);
	for (uint8_t host = 100; host < 200; host++) {
		const struct channel_from f = who(0, host, PORT);

		assert_int_equal(senders_judge(&c->s, 0, &f, (const uint8_t *)"", 0, c->now).why, REFUSED_NOT);
	}
	for (uint8_t host = 1; host <= SENDERS_PEERS; host++)
		assert_int_equal(from(c, 0, 0, host, PORT).why, REFUSED_NOT);
	assert_int_equal(from(c, 0, 0, 1, PORT).peer, 0);
}

/* A peer of 1.4.x that sends from another address of its device shows that it receives at the configured one. */
static void
second_address(void **state)
{
	struct ctx *c = links(state, 1, LINK_UDP);
	const struct verdict none = {.why = REFUSED_ADDRESS};

	start(c);
	assert_int_equal(from(c, 0, 0, 7, 4000).why, none.why);
	c->proof = 0;
	assert_int_equal(from(c, 0, 0, 7, 4000).why, none.why);
	c->proof = 1;
	assert_int_equal(from(c, 0, 0, 7, 4000).why, none.why); /* so soon after a wrong one: it could be guessed */
	c->now += 1000;
	assert_int_equal(from(c, 0, 0, 7, 4000).why, REFUSED_NOT);
	c->proof = -1;
	assert_int_equal(from(c, 0, 0, 7, 4001).why, REFUSED_NOT);
	assert_null(senders_refused(&c->s, 0, 0, c->now));
	assert_int_equal(from(c, 0, 0, 8, 4000).why, none.why);
	/* the configured address is the same peer, and from then on the only one */
	assert_int_equal(from(c, 0, 0, 1, 4000).peer, 0);
	assert_int_equal(from(c, 0, 0, 7, 4000).why, none.why);
	c->proof = 1;
	assert_int_equal(from(c, 0, 0, 7, 4000).why, none.why);
	c->now += 4000;
	assert_int_equal(from(c, 0, 0, 7, 4000).why, REFUSED_NOT);
	c->proof = -1;
	c->now += SENDER_STAYS_MS;
	assert_int_equal(from(c, 0, 0, 7, 4000).why, none.why);
}

/* A peer that speaks from the link's port has nothing to say from another one, unless it was silent for long. */
static void
other_programs_of_the_peer(void **state)
{
	struct ctx *c = links(state, 1, LINK_UDP);

	start(c);
	assert_int_equal(from(c, 0, 0, 1, 4000).why, REFUSED_NOT);
	assert_int_equal(from(c, 0, 0, 1, PORT).why, REFUSED_NOT);
	assert_int_equal(from(c, 0, 0, 1, 4000).why, REFUSED_PORT);
	assert_int_equal(senders_refused(&c->s, 0, 0, c->now)->from.port, 4000);
	c->now += OWN_PORT_MS - 1;
	assert_int_equal(from(c, 0, 0, 1, 4000).why, REFUSED_PORT);
	c->now++;
	assert_int_equal(from(c, 0, 0, 1, 4000).why, REFUSED_NOT);
	c->conf.link_any_source[0] = true;
	start(c);
	assert_int_equal(from(c, 0, 0, 1, PORT).why, REFUSED_NOT);
	assert_int_equal(from(c, 0, 0, 1, 4000).why, REFUSED_NOT);
}

static void
both_ends_one_address(void **state)
{
	struct ctx *c = links(state, 1, LINK_UDP);

	memcpy(c->conf.link[0].peer, c->conf.link[0].local, 16);
	start(c);
	assert_int_equal(from(c, 0, 0, 9, PORT).why, REFUSED_OURSELVES);
	assert_int_equal(from(c, 0, 0, 9, 4000).why, REFUSED_NOT); /* a relay */
}

int
main(void)
{
#define T(f) cmocka_unit_test(f)
	const struct CMUnitTest tests[] = {T(only_the_peer),
					   T(named),
					   T(named_in_a_flood),
					   T(one_local_end),
					   T(peer_changes_the_link),
					   T(group),
					   T(noise_in_a_group),
					   T(second_address),
					   T(other_programs_of_the_peer),
					   T(both_ends_one_address)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

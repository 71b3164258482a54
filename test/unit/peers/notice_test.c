/* What is said about who speaks on the links: each thing once, and that it is over. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>

#include "fakes.h"
#include "notice.h"

struct ctx {
	struct conf conf;
	struct links ls;
	struct notice n;
	struct mode mode;
	struct mode_ops ops;
	struct mode_peer peer;
	struct heard_log log;
	struct channel channel;
	uint64_t now;
};

static struct ctx *current;

static void
peer(const struct mode *m, unsigned int which, struct mode_peer *p, uint64_t now)
{
	(void)m;
	*p = which == 0 ? current->peer : (struct mode_peer){.known = false};
	if (p->known || p->speaks != SPEAKS_UNKNOWN)
		p->heard = now;
}

static bool
datagram(void *arg, unsigned int who, const uint8_t *data, size_t len)
{
	(void)arg;
	(void)who;
	(void)data;
	(void)len;
	return true;
}

static int
proves(void *arg, const uint8_t *data, size_t len)
{
	(void)arg;
	(void)len;
	return data[0] == 1 ? 1 : -1;
}

static int
setup(void **state)
{
	static struct ctx c;
	const struct links_env env = {.arg = &c, .datagram = datagram, .proves = proves};

	c = (struct ctx){.now = 100000, .conf = {.n_links = 1}};
	c.conf.link[0] = (struct msg_link){
		.kind = LINK_UDP, .family = AF_INET, .port = 3780, .ifname = "eth2", .peer = {192, 0, 2, 1}};
	c.ops = (struct mode_ops){.peer = peer};
	c.mode.ops = &c.ops;
	links_init(&c.ls, &c.conf, &env);
	c.ls.link[0].ifindex = 4;
	heard_log_open(&c.log);
	*state = current = &c;
	return 0;
}

static int
teardown(void **state)
{
	heard_log_close(&((struct ctx *)*state)->log);
	return 0;
}

static void
from(struct ctx *c, uint8_t host, uint16_t port, uint8_t first)
{
	const struct channel_from f = {.family = AF_INET, .addr = {192, 0, 2, host}, .port = port};

	links_datagram(&c->ls, 0, &f, &first, 1, c->now);
}

static void
pass(struct ctx *c, enum conf_mode own, unsigned int seconds)
{
	for (; seconds > 0; seconds--, c->now += 1000)
		notice_turn(&c->n, &c->ls, &c->mode, own, &c->log.log, c->now);
}

static void
strangers(void **state)
{
	struct ctx *c = *state;

	for (int i = 0; i < 60; i++) {
		from(c, 9, 4000, 0);
		pass(c, MODE_NOTRACK, 1);
	}
	assert_int_equal(heard_lines(&c->log,
				     "datagrams from 192.0.2.9 on eth2 are refused: the peer there is 192.0.2.1 "
				     "(IPv4_Destination_Address); CheckSource Off"),
			 1);
	from(c, 1, 3780, 0);
	for (int i = 0; i < 30; i++) {
		from(c, 1, 4001, 0);
		pass(c, MODE_NOTRACK, 1);
	}
	assert_int_equal(heard_lines(&c->log, "datagrams from 192.0.2.1 port 4001 on eth2 are refused"), 1);
}

static void
second_address(void **state)
{
	struct ctx *c = *state;

	from(c, 7, 4000, 1);
	pass(c, MODE_FTFW, 20);
	assert_int_equal(heard_lines(&c->log, "the peer 192.0.2.1 on eth2 sends from 192.0.2.7"), 1);
}

/* Whatever it is, it has to last; and then it is over. */
static void
says(struct ctx *c, enum conf_mode own, enum speaks speaks, bool in_sync, const char *text, bool deaf)
{
	c->peer = (struct mode_peer){.known = true, .in_sync = in_sync, .speaks = (uint8_t)speaks};
	from(c, 1, 3780, 0);
	pass(c, own, 9);
	assert_int_equal(heard_lines(&c->log, "192.0.2.1"), 0);
	pass(c, own, 30);
	assert_int_equal(heard_lines(&c->log, text), 1);
	assert_int_equal(notice_odds(&c->n, 0) == ODDS_DEAF, deaf);
	c->peer = (struct mode_peer){.known = true, .in_sync = true};
	pass(c, own, 30);
	assert_int_equal(heard_lines(&c->log, "the peer 192.0.2.1 speaks as it should again"), 1);
	assert_int_equal(notice_odds(&c->n, 0), ODDS_NONE);
}

static void
other_modes(void **state)
{
	struct ctx *c = *state;

	says(c, MODE_FTFW, SPEAKS_SHY, false, "seems to run Mode NOTRACK (or does not hear this node)", false);
	says(c, MODE_FTFW, SPEAKS_ALARM, false, "seems to run Mode ALARM", false);
	says(c, MODE_FTFW, SPEAKS_FTFW, false, "is heard, but does not acknowledge", true);
	says(c, MODE_FTFW, SPEAKS_UNKNOWN, false, "is heard, but does not acknowledge", true);
	says(c, MODE_NOTRACK, SPEAKS_FTFW, true, "seems to run Mode FTFW", false);
	says(c, MODE_NOTRACK, SPEAKS_ALARM, true, "seems to run Mode ALARM", false);
	says(c, MODE_ALARM, SPEAKS_FTFW, false, "seems to run Mode FTFW", false);
	says(c, MODE_ALARM, SPEAKS_SHY, false, "seems to run Mode NOTRACK:", false);
}

static void
alike(void **state)
{
	struct ctx *c = *state;

	from(c, 1, 3780, 0);
	for (int i = 0; i < 3; i++) {
		c->peer = (struct mode_peer){.known = true,
					     .in_sync = true,
					     .speaks = (uint8_t[]){SPEAKS_FTFW, SPEAKS_SHY, SPEAKS_ALARM}[i]};
		pass(c, (enum conf_mode[]){MODE_FTFW, MODE_NOTRACK, MODE_ALARM}[i], 30);
	}
	assert_int_equal(heard_lines(&c->log, ""), 0);
}

static void
nobody_listens(void **state)
{
	struct ctx *c = *state;

	c->channel = (struct channel){.send_error = -ECONNREFUSED};
	c->ls.link[0].channel = &c->channel;
	for (int i = 0; i < 300; i++) {
		c->ls.link[0].failed_at = c->now;
		pass(c, MODE_FTFW, 1);
		assert_true(i >= 29 || heard_lines(&c->log, "") == 0);
	}
	assert_int_equal(heard_lines(&c->log, "nobody listens on port 3780 of 192.0.2.1"), 1);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {T(strangers), T(second_address), T(other_modes), T(alike),
					   T(nobody_listens)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

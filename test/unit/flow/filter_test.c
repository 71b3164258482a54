/*
 * The Filter block: policies, empty lists, both address families, states, deletions.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <arpa/inet.h>
#include <string.h>
#include <cmocka.h>

#include "filter.h"

static struct flow
flow4(uint8_t l4, const char *src, const char *dst)
{
	struct flow f = {.l3 = AF_INET, .l4 = l4, .state = 3, .have = l4 == IPPROTO_TCP ? FLOW_STATE : 0};

	inet_pton(AF_INET, src, &f.addr[0]);
	inet_pton(AF_INET, dst, &f.addr[1]);
	flow_derive_reply(&f, NULL);
	return f;
}

static struct flow
flow6(const char *src, const char *dst)
{
	struct flow f = {.l3 = AF_INET6, .l4 = IPPROTO_UDP};

	inet_pton(AF_INET6, src, &f.addr[0]);
	inet_pton(AF_INET6, dst, &f.addr[4]);
	flow_derive_reply(&f, NULL);
	return f;
}

static struct conf_net
net(int family, const char *addr, uint8_t prefix)
{
	struct conf_net n = {.family = (uint8_t)family, .prefix = prefix};

	inet_pton(family, addr, n.addr);
	return n;
}

static bool
passes(const struct conf_filter *conf, struct flow f, bool deletion)
{
	struct filter *filter = filter_new(conf);
	const bool r = filter_passes(filter, &f, deletion);

	filter_free(filter);
	return r;
}

static void
protocols(void **state)
{
	struct conf_filter c = {.proto_policy = FILTER_ACCEPT};

	(void)state;
	assert_false(passes(&c, flow4(6, "10.0.0.1", "10.0.0.2"), false)); /* Accept {} */
	c.proto[0] = 1 << 6;
	assert_true(passes(&c, flow4(6, "10.0.0.1", "10.0.0.2"), false));
	assert_false(passes(&c, flow4(17, "10.0.0.1", "10.0.0.2"), false));
	c.proto_policy = FILTER_IGNORE;
	assert_false(passes(&c, flow4(6, "10.0.0.1", "10.0.0.2"), true));
	assert_true(passes(&c, flow4(17, "10.0.0.1", "10.0.0.2"), false));
	c.proto_policy = FILTER_OFF;
	assert_true(passes(&c, flow4(6, "10.0.0.1", "10.0.0.2"), false));
}

static void
addresses(void **state)
{
	struct conf_net nets[] = {net(AF_INET, "10.1.0.0", 16), net(AF_INET, "192.0.2.7", 32),
				  net(AF_INET, "10.20.16.0", 20), net(AF_INET6, "2001:db8::", 32)};
	struct conf_filter c = {.addr_policy = FILTER_IGNORE, .net = nets, .n_nets = 4};
	struct flow f;

	(void)state;
	assert_false(passes(&c, flow4(6, "10.1.2.3", "10.9.0.2"), false));
	assert_false(passes(&c, flow4(6, "10.9.2.3", "192.0.2.7"), true));
	assert_false(passes(&c, flow4(6, "10.20.31.255", "10.9.0.1"), false));
	assert_true(passes(&c, flow4(6, "10.20.32.0", "192.0.2.8"), false));
	assert_false(passes(&c, flow6("2001:db8:1::1", "2001:db9::1"), false));
	assert_true(passes(&c, flow6("2001:db7::1", "2001:db9::1"), false));
	f = flow4(6, "10.9.0.1", "10.1.0.1");
	f.addr[REPL_SRC] = htonl(0x0a090909); /* DNAT: the real server counts, not what was called */
	assert_true(passes(&c, f, false));
	c.addr_policy = FILTER_ACCEPT;
	assert_true(passes(&c, flow4(6, "10.9.2.3", "192.0.2.7"), false));
	assert_false(passes(&c, flow4(6, "10.9.2.3", "192.0.2.8"), false));
	c.n_nets = 3;
	assert_false(passes(&c, flow6("2001:db8:1::1", "2001:db9::1"), false)); /* a family without entries */
	nets[0] = net(AF_INET, "0.0.0.0", 0);
	c.addr_policy = FILTER_IGNORE;
	assert_false(passes(&c, flow4(6, "1.2.3.4", "5.6.7.8"), false));
	assert_true(passes(&c, flow6("2001:db8:1::1", "2001:db9::1"), false));
}

/* In whatever order they were written. */
static void
many_addresses(void **state)
{
	enum { MANY = 1000 };
	static struct conf_net nets[MANY];
	struct conf_filter c = {.addr_policy = FILTER_IGNORE, .net = nets};

	(void)state;
	for (uint32_t n = 0; n <= MANY; n += n < 70 ? 1 : 93) {
		for (uint32_t i = 0; i < n; i++) {
			uint32_t a = htonl(0x0a000000 | (i * 7919 % n << 8) | (i * 31 & 1 ? 0 : 7));

			nets[i] = (struct conf_net){.family = AF_INET, .prefix = i * 31 & 1 ? 24 : 32};
			memcpy(nets[i].addr, &a, sizeof(a));
		}
		c.n_nets = n;
		for (uint32_t i = 0; i <= n; i += i < 70 ? 1 : 77) {
			struct flow f = flow4(6, "10.0.0.0", "192.0.2.1");
			bool listed = false;

			f.addr[ORIG_SRC] = htonl(0x0a000005 | i << 8);
			for (uint32_t k = 0; k < n; k++)
				listed = listed || (nets[k].prefix == 24 && k * 7919 % n == i);
			assert_int_equal(passes(&c, f, false), !listed);
			f.addr[ORIG_SRC] = htonl(0x0a000007 | i << 8);
			for (uint32_t k = 0; k < n; k++)
				listed = listed || k * 7919 % n == i;
			assert_int_equal(passes(&c, f, false), !listed);
		}
	}
}

static void
states(void **state)
{
	struct conf_filter c = {.state_policy = FILTER_ACCEPT, .tcp_states = 1 << 3};
	struct flow f = flow4(6, "10.0.0.1", "10.0.0.2");

	(void)state;
	assert_true(passes(&c, f, false));
	f.state = 7;
	assert_false(passes(&c, f, false));
	assert_true(passes(&c, f, true)); /* or it would stay for ever */
	f.state = 200;
	assert_false(passes(&c, f, false));
	f.have = 0;
	assert_true(passes(&c, f, false));
	assert_true(passes(&c, flow4(17, "10.0.0.1", "10.0.0.2"), false));
	c.state_policy = FILTER_IGNORE;
	assert_false(passes(&c, flow4(6, "10.0.0.1", "10.0.0.2"), false));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(protocols),
		cmocka_unit_test(addresses),
		cmocka_unit_test(many_addresses),
		cmocka_unit_test(states),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

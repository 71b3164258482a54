/*
 * Prints what one cache operation and one message cost at a million flows, in nanoseconds. No test: numbers are for
 * people.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cache.h"
#include "flow_nl.h"
#include "wire.h"

static struct flow
nth(uint32_t n)
{
	struct flow f = {.l3 = 2, .l4 = 6, .state = 3, .status = 0x18e, .timeout = 432000};

	f.have = FLOW_STATUS | FLOW_TIMEOUT | FLOW_STATE | FLOW_PORTS | FLOW_ID;
	f.addr[0] = 0x0a000000 + n / 60000;
	f.addr[1] = 0xc6336414;
	f.port[0] = (uint16_t)(n % 60000);
	f.port[1] = 80;
	f.id = n;
	flow_derive_reply(&f, NULL);
	return f;
}

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t); /* other work on the machine does not count */
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static uint32_t
shuffled(uint32_t i, uint32_t n)
{
	return (uint32_t)((uint64_t)i * 2654435761U % n);
}

static void
run(uint32_t n)
{
	struct cache *c = cache_new(SLOT_FLOW, n);
	double t[6], worst = 0;
	uint32_t slot = 0;

	t[0] = now();
	for (uint32_t i = 0; i < n; i += 64) {
		const double before = now();

		for (uint32_t j = i; j < i + 64 && j < n; j++) {
			const struct flow f = nth(j);

			cache_insert(c, &f, 0, &slot);
		}
		if (now() - before > worst)
			worst = now() - before;
	}
	t[1] = now();
	for (uint32_t i = 0; i < n; i++) {
		const struct flow f = nth(shuffled(i, n));

		slot ^= cache_find(c, &f);
	}
	t[2] = now();
	for (uint32_t i = 0; i < n; i++) {
		const struct flow f = nth(shuffled(i, n));

		cache_update(c, cache_find(c, &f), &f, 1);
	}
	t[3] = now();
	for (uint32_t i = 0; i < n; i++) {
		const struct flow f = nth(shuffled(i, n));

		cache_drop(c, cache_find(c, &f));
	}
	t[4] = now();
	for (uint32_t i = 0; i < n; i++) {
		const struct flow f = nth(shuffled(i, n));

		slot ^= f.addr[0];
	}
	t[5] = now();
	printf("%u flows: insert %.0f (worst 64: %.0f), find %.0f, find+update %.0f, find+drop %.0f, of each %.0f are "
	       "the "
	       "test's (%u)\n",
	       n, (t[1] - t[0]) / n, worst, (t[2] - t[1]) / n, (t[3] - t[2]) / n, (t[4] - t[3]) / n, (t[5] - t[4]) / n,
	       slot & 1);
	cache_free(c);
}

/* The same in batches with cache_prefetch. */
static void
run_batches(uint32_t n)
{
	struct cache *c = cache_new(SLOT_FLOW, n);
	struct flow f[16];
	uint32_t slot = 0;
	double t[4];

	for (int pass = 0; pass < 3; pass++) {
		t[pass] = now();
		for (uint32_t i = 0; i + 16 <= n; i += 16) {
			for (uint32_t j = 0; j < 16; j++)
				f[j] = nth(pass == 0 ? i + j : shuffled(i + j, n));
			cache_prefetch(c, f, 16);
			for (uint32_t j = 0; j < 16; j++)
				if (pass == 0)
					cache_insert(c, &f[j], 0, &slot);
				else if (pass == 1)
					cache_update(c, cache_find(c, &f[j]), &f[j], 1);
				else
					cache_drop(c, cache_find(c, &f[j]));
		}
	}
	t[3] = now();
	printf("%u flows in batches: insert %.0f, find+update %.0f, find+drop %.0f\n", n, (t[1] - t[0]) / n,
	       (t[2] - t[1]) / n, (t[3] - t[2]) / n);
	cache_free(c);
}

static void
run_codec(void)
{
	const struct wire_enc_opts o = {.wscale = false};
	const uint32_t n = 5000000;
	const struct flow_nl_opts nl = {.tcp_liberal = true};
	uint8_t msg[2048] __attribute__((aligned(4)));
	struct flow f = nth(7), g;
	struct flow_side side;
	uint8_t buf[WIRE_MSG_MAX];
	double t[3];
	int len = 0, sum = 0;

	t[0] = now();
	for (uint32_t i = 0; i < n; i++)
		len = wire_enc_flow(&f, WIRE_CT_UPD, 0, i, &o, buf, sizeof(buf));
	t[1] = now();
	for (uint32_t i = 0; i < n; i++) {
		buf[20] = (uint8_t)i;
		sum += wire_dec_flow(buf + 8, (size_t)len - 8, &g, &side, NULL);
	}
	t[2] = now();
	printf("encode %.1f, decode %.1f (%d octets, %d)\n", (t[1] - t[0]) / n, (t[2] - t[1]) / n, len, sum);
	len = flow_to_nl(&f, FLOW_NL_CREATE, &nl, 1, msg, sizeof(msg));
	t[0] = now();
	for (uint32_t i = 0; i < n; i++)
		sum += flow_from_nl((const struct nlmsghdr *)msg, &g, &side);
	t[1] = now();
	for (uint32_t i = 0; i < n; i++)
		sum += flow_to_nl(&f, FLOW_NL_CREATE, &nl, i, msg, sizeof(msg));
	t[2] = now();
	printf("from kernel %.1f, to kernel %.1f (%d octets, %d)\n", (t[1] - t[0]) / n, (t[2] - t[1]) / n, len, sum);
}

int
main(int argc, char **argv)
{
	const uint32_t n = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 1000000;

	run_codec();
	run(n);
	run_batches(n & ~15U);
	return 0;
}

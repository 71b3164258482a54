/*
 * Datagrams as a peer may send them. What decodes must encode, and encoding what that decodes to must give the same
 * octets again: a message means one thing. Whatever a peer says must also be safe to write for the kernel, as the guard
 * sees it.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "flow_nl.h"
#include "guard.h"
#include "wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct wire_enc_opts opts = {.wscale = true};

static void
must(int ok)
{
	if (!ok)
		abort();
}

static void
for_the_kernel(const struct flow *f)
{
	const struct flow_nl_opts o = {.timeout = 60, .tcp_liberal = true};
	uint8_t buf[2048] __attribute__((aligned(4)));
	struct flow_side side;
	struct flow again;

	for (int op = FLOW_NL_CREATE; op <= FLOW_NL_GET; op++) {
		const int n = flow_to_nl(f, (enum flow_nl_op)op, &o, 1, buf, sizeof(buf));

		must(n <= (int)sizeof(buf) && (n < 0 || n % 4 == 0));
		if (n > 0) {
			must(guard_batch(ROLE_SYNC, buf, (size_t)n) == 0); /* a refusal ends the worker */
			must(flow_from_nl((const struct nlmsghdr *)buf, &again, &side) == 0);
			must(flow_to_nl(f, (enum flow_nl_op)op, &o, 1, buf, (size_t)n - 1) < 0);
		}
	}
}

static void
flow_body(const uint8_t *body, size_t len, enum wire_type type)
{
	uint8_t one[WIRE_MSG_MAX], two[WIRE_MSG_MAX];
	struct flow_side side;
	struct flow f;
	int n;

	if (wire_dec_flow(body, len, &f, &side, NULL) != WIRE_OK)
		return;
	for_the_kernel(&f);
	n = wire_enc_flow(&f, type, 0, 1, &opts, one, sizeof(one));
	must(n > 0 && n % 4 == 0);
	must(wire_dec_flow(one + 8, (size_t)n - 8, &f, &side, NULL) == WIRE_OK);
	must(wire_enc_flow(&f, type, 0, 1, &opts, two, sizeof(two)) == n && memcmp(one, two, (size_t)n) == 0);
}

static void
expect_body(const uint8_t *body, size_t len, enum wire_type type)
{
	uint8_t one[WIRE_MSG_MAX] __attribute__((aligned(4))), two[WIRE_MSG_MAX];
	struct expect e;
	int n;

	if (wire_dec_expect(body, len, &e, NULL) != WIRE_OK)
		return;
	for (int op = FLOW_NL_CREATE; op <= FLOW_NL_GET; op++) {
		n = expect_to_nl(&e, (enum flow_nl_op)op, 60, 1, one, sizeof(one));
		must(n < 0 || guard_batch(ROLE_SYNC, one, (size_t)n) == 0);
	}
	n = wire_enc_expect(&e, type, 0, 1, &opts, one, sizeof(one));
	must(n > 0 && n % 4 == 0);
	must(wire_dec_expect(one + 8, (size_t)n - 8, &e, NULL) == WIRE_OK);
	must(wire_enc_expect(&e, type, 0, 1, &opts, two, sizeof(two)) == n && memcmp(one, two, (size_t)n) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size > 0 ? size : 1); /* exactly as long as the datagram: reading on is noticed */
	const uint8_t *p = copy, *body;
	size_t left = size, len, need;
	struct wire_head h;

	must(copy != NULL);
	if (size > 0)
		memcpy(copy, data, size);
	while (left > 0) {
		const size_t before = left;
		const enum wire_error e = wire_next(&p, &left, &h, &body, &len, &need);

		if (e == WIRE_TRUNCATED || e == WIRE_BAD_SIZE) {
			must(left == before && (need == 0 || need > left));
			break;
		}
		must(left < before);
		if (e != WIRE_OK || !wire_is_state(&h))
			continue;
		if (h.type <= WIRE_CT_DEL)
			flow_body(body, len, (enum wire_type)h.type);
		else
			expect_body(body, len, (enum wire_type)h.type);
	}
	free(copy);
	return 0;
}

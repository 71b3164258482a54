/*
 * ctnetlink messages of any content. What is read must be safe to encode for peers and for the kernel, and what was
 * written for the kernel must read back. Inputs are messages from nlmsghdr on (corpus: recorded by test/unit/flow with
 * CT_RECORD).
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "flow_nl.h"
#include "wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(int ok)
{
	if (!ok)
		abort();
}

static void
use_flow(const struct flow *f)
{
	const struct wire_enc_opts o = {.wscale = true};
	const struct flow_nl_opts nl = {.timeout = 1};
	uint8_t buf[2048] __attribute__((aligned(4)));
	struct flow_side side;
	struct flow again;
	int n = wire_enc_flow(f, WIRE_CT_NEW, 0, 1, &o, buf, sizeof(buf));

	must(n > 0 && n <= WIRE_MSG_MAX);
	must(wire_dec_flow(buf + 8, (size_t)n - 8, &again, &side, NULL) == WIRE_OK);
	/* one that is not sent is never created elsewhere, and the kernel is only asked for it by its original tuple */
	n = flow_to_nl(f, wire_carries(f) ? FLOW_NL_CREATE : FLOW_NL_DELETE, &nl, 1, buf, sizeof(buf));
	if (n < 0)
		return;
	must(flow_from_nl((const struct nlmsghdr *)buf, &again, &side) == 0);
	must(again.l4 == f->l4 && memcmp(f->addr, again.addr, 8 * flow_words(f)) == 0);
	must(!wire_carries(f) || again.zone == f->zone);
}

static void
use_expect(const struct expect *e)
{
	const struct wire_enc_opts o = {.wscale = true};
	uint8_t buf[2048] __attribute__((aligned(4)));
	struct expect again;
	int n = wire_enc_expect(e, WIRE_EXP_NEW, 0, 1, &o, buf, sizeof(buf));

	must(n > 0 && n <= WIRE_MSG_MAX);
	must(wire_dec_expect(buf + 8, (size_t)n - 8, &again, NULL) == WIRE_OK);
	n = expect_to_nl(e, FLOW_NL_CREATE, 1, 1, buf, sizeof(buf));
	if (n > 0)
		must(expect_from_nl((const struct nlmsghdr *)buf, &again) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct nlmsghdr *nlh;
	struct flow_side side;
	struct expect e;
	struct flow f;

	if (size < sizeof(*nlh) || size > 65536 || (nlh = malloc(size)) == NULL)
		return 0;
	memcpy(nlh, data, size);
	nlh->nlmsg_len = (uint32_t)size; /* the caller's promise */
	if (flow_from_nl(nlh, &f, &side) == 0)
		use_flow(&f);
	if (expect_from_nl(nlh, &e) == 0)
		use_expect(&e);
	free(nlh);
	return 0;
}

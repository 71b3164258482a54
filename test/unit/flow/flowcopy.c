/*
 * flowcopy save|load FILE: carries the kernel's flows to a file in the peer protocol, or from there into the kernel, as
 * two nodes do at a take-over. For takeover.sh.
 */
#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdio.h>
#include <string.h>

#include "flow_nl.h"
#include "nltest.h"
#include "wire.h"

static int
on_flow(const struct nlmsghdr *nlh, void *file)
{
	const struct wire_enc_opts o = {.wscale = false};
	uint8_t msg[WIRE_MSG_MAX];
	struct flow_side side;
	struct flow f;
	int n;

	if (flow_from_nl(nlh, &f, &side) < 0 || (n = wire_enc_flow(&f, WIRE_CT_NEW, 0, 1, &o, msg, sizeof(msg))) < 0 ||
	    fwrite(msg, (size_t)n, 1, file) != 1)
		return MNL_CB_ERROR;
	return MNL_CB_OK;
}

static int
load(struct mnl_socket *nl, const uint8_t *data, size_t left)
{
	const struct flow_nl_opts o = {.tcp_liberal = true};
	uint8_t buf[2048] __attribute__((aligned(4)));
	struct flow_side side;
	const uint8_t *body;
	struct wire_head h;
	struct flow f;
	int failed = 0, r;
	size_t len;

	while (left > 0) {
		if (wire_next(&data, &left, &h, &body, &len, NULL) != WIRE_OK)
			return 1;
		if (wire_dec_flow(body, len, &f, &side, NULL) != WIRE_OK)
			return 1;
		r = flow_to_nl(&f, FLOW_NL_CREATE, &o, 1, buf, sizeof(buf));
		if (r > 0)
			r = nltest_talk(nl, buf, NULL, NULL);
		if (r < 0)
			fprintf(stderr, "protocol %u: %s\n", f.l4, strerror(-r));
		failed += r < 0;
	}
	return failed != 0;
}

int
main(int argc, char **argv)
{
	static uint8_t data[1 << 20];
	struct mnl_socket *nl = nltest_open(0);
	const int saving = argc == 3 && strcmp(argv[1], "save") == 0;
	FILE *file = argc == 3 ? fopen(argv[2], saving ? "wb" : "rb") : NULL;
	int r;

	if (nl == NULL || file == NULL) {
		fputs("usage: flowcopy save|load FILE\n", stderr);
		return 2;
	}
	if (saving)
		r = nltest_dump(nl, NFNL_SUBSYS_CTNETLINK, 0, on_flow, file) != 0;
	else
		r = load(nl, data, fread(data, 1, sizeof(data), file));
	mnl_socket_close(nl);
	return fclose(file) != 0 || r;
}

/*
 * The listing: a netlink message from the kernel, decoded and written in every format, and the requests that a
 * deletion and an update of it would send.
 */
#include "fmt.h"
#include "request.h"

#include <linux/netfilter/nfnetlink_conntrack.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
flow(struct out *o, const struct nlmsghdr *nlh)
{
	const struct cmd update = {.op = CMD_UPDATE, .given = OPT_BIT(OPT_MARK) | OPT_BIT(OPT_LABEL_DEL), .mark = 5};
	const struct fmt f = {.event = EV_NEW, .timestamp = true, .ktimestamp = true, .id = true};
	uint8_t buf[NL_MSG_MAX];
	struct ct_rec rec;

	if (ct_rec_decode(&rec, nlh) < 0)
		return;
	text_flow(o, &rec, &f);
	xml_flow(o, &rec, &f);
	save_flow(o, &rec, &(struct fmt){0});
	json_flow(o, &rec, &f);
	(void)request_delete(buf, &rec);
	(void)request_update(buf, &update, &rec);
}

static void
expect(struct out *o, const struct nlmsghdr *nlh)
{
	const struct fmt f = {.timestamp = true};
	struct exp_rec rec;

	if (exp_rec_decode(&rec, nlh) < 0)
		return;
	text_expect(o, &rec, &f);
	xml_expect(o, &rec, &f);
	json_expect(o, &rec, &f);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct nlmsghdr *nlh;
	struct out o;

	if (size < sizeof(*nlh) || (nlh = malloc(size)) == NULL)
		return 0;
	memcpy(nlh, data, size);
	nlh->nlmsg_len = (uint32_t)size; /* the conversation has checked it against the datagram */
	if (out_init(&o, -1) == 0) {
		flow(&o, nlh);
		expect(&o, nlh);
		out_done(&o);
	}
	free(nlh);
	return 0;
}

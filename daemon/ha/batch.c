/*
 * Building requests and finding them again. Entries were checked by the codec, the
 * parent's guard checks every request once more.
 */
#include "batch.h"

#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <string.h>

static int
added(struct batch *b, int n)
{
	b->len += n > 0 ? (uint32_t)n : 0;
	return n;
}

int
batch_flow(struct batch *b, enum flow_nl_op op, const struct flow *f, const struct flow_nl_opts *o)
{
	return added(b, flow_to_nl(f, op, o, batch_seq(b), b->data + b->len, BATCH_SIZE - b->len));
}

int
batch_expect(struct batch *b, enum flow_nl_op op, const struct expect *e, uint32_t timeout)
{
	return added(b, expect_to_nl(e, op, timeout, batch_seq(b), b->data + b->len, BATCH_SIZE - b->len));
}

void
batch_copy(struct batch *b, const struct nlmsghdr *nlh)
{
	struct nlmsghdr *to = (struct nlmsghdr *)(b->data + b->len);

	memcpy(to, nlh, nlh->nlmsg_len);
	to->nlmsg_seq = batch_seq(b);
	b->len += nlh->nlmsg_len;
}

bool
batch_try(struct batch *b, const struct helper_key *k, unsigned int source)
{
	if (b->n_tried == BATCH_TRIES)
		return false;
	b->tried[b->n_tried].seq = batch_seq(b);
	b->tried[b->n_tried].source = (uint8_t)source;
	b->tried[b->n_tried++].key = *k;
	return true;
}

const struct nlmsghdr *
batch_request(const struct batch *b, uint32_t seq)
{
	const uint64_t offset = ((uint64_t)seq - 1) * 4;
	const struct nlmsghdr *nlh;

	if (seq == 0 || offset + sizeof(*nlh) > b->len)
		return NULL;
	nlh = (const struct nlmsghdr *)(b->data + offset);
	return nlh->nlmsg_seq == seq ? nlh : NULL;
}

void
batch_judge(const struct batch *b, const struct msg_error *err, size_t n, struct helpers *h,
	    void (*missing)(void *arg, const char *name), void *arg)
{
	for (unsigned int i = 0; i < b->n_tried; i++) {
		int r = 0;

		for (size_t k = 0; k < n && r == 0; k++)
			r = err[k].seq == b->tried[i].seq || err[k].seq == 0 ? err[k].err : 0;
		if ((r == 0 || r == -EOPNOTSUPP) && helpers_note(h, &b->tried[i].key, b->tried[i].source, r == 0))
			missing(arg, b->tried[i].key.name);
	}
}

bool
request_creates(const struct nlmsghdr *nlh)
{
	return (nlh->nlmsg_type & 0xff) == IPCTNL_MSG_CT_NEW && nlh->nlmsg_flags & NLM_F_CREATE;
}

bool
request_deletes(const struct nlmsghdr *nlh)
{
	return (nlh->nlmsg_type & 0xff) == IPCTNL_MSG_CT_DELETE;
}

bool
request_of_expect(const struct nlmsghdr *nlh)
{
	return nlh->nlmsg_type >> 8 == NFNL_SUBSYS_CTNETLINK_EXP;
}

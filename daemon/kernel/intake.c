/*
 * Kernel messages in batches. They come as the parent got them: it has not read them.
 */
#include <endian.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <netinet/in.h>
#include <string.h>
#include <strings.h>

#include "flow_nl.h"
#include "intake.h"
#include "store.h"

int
intake_init(struct intake *in, const struct conf *conf, const struct sink *to)
{
	in->conf = conf;
	in->to = *to;
	if (!filter_hides(&conf->filter))
		return 0;
	in->filter = filter_new(&conf->filter);
	return in->filter != NULL ? 0 : -ENOMEM;
}

void
intake_clear(struct intake *in)
{
	filter_free(in->filter);
}

static bool
own(const struct intake *in, const struct nlmsghdr *nlh)
{
	return nlh->nlmsg_pid != 0 && nlh->nlmsg_pid == in->portid;
}

static int
add_counter(const struct nlattr *attr, void *data)
{
	uint64_t *const to = data; /* packets, bytes */
	uint16_t type = mnl_attr_get_type(attr);

	if ((type == CTA_COUNTERS_PACKETS || type == CTA_COUNTERS_BYTES) && mnl_attr_validate(attr, MNL_TYPE_U64) == 0)
		to[type == CTA_COUNTERS_BYTES] += be64toh(mnl_attr_get_u64(attr));
	return MNL_CB_OK;
}

static int
find_counters(const struct nlattr *attr, void *data)
{
	uint16_t type = mnl_attr_get_type(attr);

	if (type == CTA_COUNTERS_ORIG || type == CTA_COUNTERS_REPLY)
		mnl_attr_parse_nested(attr, add_counter, data);
	return MNL_CB_OK;
}

/* Traffic of a flow that ended, as far as the kernel counted it. */
static void
add_traffic(struct intake *in, const struct nlmsghdr *nlh)
{
	uint64_t sum[2] = {0, 0};

	mnl_attr_parse(nlh, sizeof(struct nfgenmsg), find_counters, sum);
	in->traffic.packets += sum[0];
	in->traffic.bytes += sum[1];
}

/* 0 new, 1 update, 2 gone; -1 none of them. */
static int
op_of(const struct nlmsghdr *nlh)
{
	uint8_t msg = (uint8_t)nlh->nlmsg_type;

	if (msg == IPCTNL_MSG_CT_DELETE)
		return SINK_DEL;
	if (msg != IPCTNL_MSG_CT_NEW)
		return -1;
	return nlh->nlmsg_flags & (NLM_F_CREATE | NLM_F_EXCL) ? SINK_NEW : SINK_UPD;
}

/* Flows of events or a dump that were read but not looked up yet: memory waits for the whole batch at once. */
#define BATCH 16
struct batch {
	struct flow flow[BATCH];
	struct flow_side side[BATCH];
	const struct nlmsghdr *nlh[BATCH];
	unsigned int n;
};

static void
flow_event(struct intake *in, const struct nlmsghdr *nlh, const struct flow *f)
{
	const int op = op_of(nlh);

	if (in->filter != NULL && !filter_passes(in->filter, f, op == SINK_DEL)) {
		in->count.filtered++;
		if (in->to.waiting != NULL && *in->to.waiting > 0 && !filter_passes(in->filter, f, true))
			in->count.filtered += in->to.hidden(in->to.arg, f);
		return;
	}
	if (in->to.flow(in->to.arg, (enum sink_op)op, f, own(in, nlh)))
		add_traffic(in, nlh);
	if (op == SINK_DEL && in->to.ended != NULL)
		in->to.ended(in->to.ended_arg, nlh);
}

static void
batch_end(struct intake *in, struct batch *b,
	  void (*use)(struct intake *, const struct nlmsghdr *, const struct flow *))
{
	in->to.prefetch(in->to.arg, b->flow, b->n);
	for (unsigned int i = 0; i < b->n; i++)
		use(in, b->nlh[i], &b->flow[i]);
	b->n = 0;
}

/* false: not a flow. */
static bool
batch_add(struct batch *b, const struct nlmsghdr *nlh)
{
	if (flow_from_nl(nlh, &b->flow[b->n], &b->side[b->n]) < 0)
		return false;
	b->nlh[b->n++] = nlh;
	return true;
}

static bool
wanted_helper(const struct intake *in, const struct expect *e)
{
	if (in->conf->n_expect_helpers == 0)
		return true;
	for (uint32_t i = 0; i < in->conf->n_expect_helpers; i++)
		if (strncasecmp(e->helper, in->conf->expect_helper[i], strlen(in->conf->expect_helper[i])) == 0)
			return true;
	return false;
}

/* A helper that translates what it found in a packet may have changed its length: the master then needs its sequence
 * numbers adjusted, of which no event tells. What does not fit now is asked for with the next expectation. */
static void
look_at_master(struct intake *in, const struct expect *e)
{
	const struct flow_nl_opts o = {0};
	const struct flow master = store_master_of(e);
	int n;

	if (e->master.l4 != IPPROTO_TCP)
		return;
	n = flow_to_nl(&master, FLOW_NL_GET, &o, 1, in->look + in->look_len, sizeof(in->look) - in->look_len);
	in->look_len += n > 0 ? (uint32_t)n : 0;
}

void
intake_answer(struct intake *in, const struct msg *m)
{
	const struct nlmsghdr *nlh = m->data;
	int left = (int)m->len;
	struct flow_side side;
	struct flow f;

	for (; mnl_nlmsg_ok(nlh, left); nlh = mnl_nlmsg_next(nlh, &left))
		if (nlh->nlmsg_type >> 8 == NFNL_SUBSYS_CTNETLINK && flow_from_nl(nlh, &f, &side) == 0)
			in->to.looked_at(in->to.arg, &f);
}

static void
expect_event(struct intake *in, const struct nlmsghdr *nlh, int op)
{
	struct expect e;

	if (own(in, nlh) && op != SINK_DEL) /* a peer's */
		return;
	if (expect_from_nl(nlh, &e) < 0)
		in->count.unknown++;
	else if (!in->conf->expect_sync || !wanted_helper(in, &e) ||
		 !in->to.expect(in->to.arg, (enum sink_op)op, &e, own(in, nlh)))
		in->count.filtered++;
	else if (op != SINK_DEL && e.have & EXPECT_NAT && in->to.looked_at != NULL)
		look_at_master(in, &e);
}

void
intake_events(struct intake *in, const struct msg *m)
{
	const struct nlmsghdr *nlh = m->data;
	int left = (int)m->len;
	struct batch b;

	b.n = 0;
	for (; mnl_nlmsg_ok(nlh, left); nlh = mnl_nlmsg_next(nlh, &left)) {
		const uint8_t subsys = (uint8_t)(nlh->nlmsg_type >> 8);
		const int op = op_of(nlh);

		in->count.events++;
		if (op >= 0 && subsys == NFNL_SUBSYS_CTNETLINK) {
			in->count.unknown += !batch_add(&b, nlh);
			if (b.n == BATCH)
				batch_end(in, &b, flow_event);
		} else if (op >= 0 && subsys == NFNL_SUBSYS_CTNETLINK_EXP) {
			batch_end(in, &b, flow_event); /* a master before what it expects */
			expect_event(in, nlh, op);
		} else
			in->count.unknown++;
	}
	batch_end(in, &b, flow_event);
}

static void
flow_dumped(struct intake *in, const struct nlmsghdr *nlh, const struct flow *f)
{
	(void)nlh;
	in->to.flow_dumped(in->to.arg, f, in->filter == NULL || filter_passes(in->filter, f, false));
}

static void
expect_dumped(struct intake *in, const struct nlmsghdr *nlh)
{
	struct expect e;

	if (expect_from_nl(nlh, &e) < 0)
		in->count.dump_unknown++;
	else if (wanted_helper(in, &e))
		in->to.expect_dumped(in->to.arg, &e);
}

void
intake_dump(struct intake *in, enum slot_kind kind, const struct msg *m)
{
	const struct nlmsghdr *nlh = m->data;
	int left = (int)m->len;
	struct batch b;

	b.n = 0;
	for (; mnl_nlmsg_ok(nlh, left); nlh = mnl_nlmsg_next(nlh, &left)) {
		uint8_t subsys = (uint8_t)(nlh->nlmsg_type >> 8);

		if (subsys == NFNL_SUBSYS_CTNETLINK && kind == SLOT_FLOW) {
			in->count.dump_unknown += !batch_add(&b, nlh);
			if (b.n == BATCH)
				batch_end(in, &b, flow_dumped);
		} else if (subsys == NFNL_SUBSYS_CTNETLINK_EXP && kind == SLOT_EXPECT)
			expect_dumped(in, nlh);
		else
			in->count.dump_unknown++;
	}
	batch_end(in, &b, flow_dumped);
}

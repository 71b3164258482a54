/*
 * Kernel messages into the internal caches: events as they happen, dumps when resync.c asked for one. What they carry
 * was chosen by packets; the walk checks every length.
 */
#include <endian.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <netinet/in.h>
#include <string.h>
#include <strings.h>

#include "sync.h"

static bool
own(const struct sync *s, const struct nlmsghdr *nlh)
{
	return nlh->nlmsg_pid != 0 && nlh->nlmsg_pid == s->parent.portid;
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
add_traffic(struct sync *s, const struct nlmsghdr *nlh)
{
	uint64_t sum[2] = {0, 0};

	mnl_attr_parse(nlh, sizeof(struct nfgenmsg), find_counters, sum);
	s->count.traffic_pkts += sum[0];
	s->count.traffic_bytes += sum[1];
}

/* 0 new, 1 update, 2 gone; -1 none of them. */
static int
op_of(const struct nlmsghdr *nlh)
{
	uint8_t msg = (uint8_t)nlh->nlmsg_type;

	if (msg == IPCTNL_MSG_CT_DELETE)
		return STORE_DEL;
	if (msg != IPCTNL_MSG_CT_NEW)
		return -1;
	return nlh->nlmsg_flags & (NLM_F_CREATE | NLM_F_EXCL) ? STORE_NEW : STORE_UPD;
}

/* Flows of events or a dump that were read but not looked up yet: memory waits for the whole batch at once. */
#define BATCH 16
struct batch {
	struct flow flow[BATCH];
	struct flow_side side[BATCH];
	const struct nlmsghdr *nlh[BATCH];
	unsigned int n;
};

/* DisableInternalCache: past all tables. */
static void
direct(struct sync *s, enum entry_change change, const struct flow *f, const struct expect *e)
{
	struct cache_stats *st = &s->bypassed[e != NULL];
	uint64_t *const done[] = {&st->created, &st->updated, &st->deleted};

	++*done[change];
	peers_direct(s->peers, change, f, e);
}

static void
flow_event(struct sync *s, const struct nlmsghdr *nlh, const struct flow *f)
{
	const int op = op_of(nlh);
	uint64_t before;

	if (s->filtering && !filter_passes(s->filter, f, op == STORE_DEL)) {
		s->count.filtered++;
		if (s->store.early.n > 0 && !filter_passes(s->filter, f, true)) /* in no state */
			s->count.filtered += store_early_drop(&s->store, f, s->clock.s);
		return;
	}
	if (s->bypass) {
		if (!own(s, nlh))
			direct(s, (enum entry_change)op, f, NULL);
		return;
	}
	before = cache_stats(s->store.t.of[SLOT_FLOW])->deleted;
	store_flow(&s->store, (enum store_op)op, f, own(s, nlh), s->clock.s);
	if (op == STORE_DEL && cache_stats(s->store.t.of[SLOT_FLOW])->deleted != before)
		add_traffic(s, nlh);
}

static void
batch_end(struct sync *s, struct batch *b, void (*use)(struct sync *, const struct nlmsghdr *, const struct flow *))
{
	cache_prefetch(s->store.t.of[SLOT_FLOW], b->flow, b->n);
	for (unsigned int i = 0; i < b->n; i++)
		use(s, b->nlh[i], &b->flow[i]);
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
wanted_helper(const struct sync *s, const struct expect *e)
{
	if (s->conf.n_expect_helpers == 0)
		return true;
	for (uint32_t i = 0; i < s->conf.n_expect_helpers; i++)
		if (strncasecmp(e->helper, s->conf.expect_helper[i], strlen(s->conf.expect_helper[i])) == 0)
			return true;
	return false;
}

/* A helper that translates what it found in a packet may have changed its length: the master then needs its sequence
 * numbers adjusted, of which no event tells. What does not fit now is asked for with the next expectation. */
static void
look_at_master(struct sync *s, const struct expect *e)
{
	const struct flow_nl_opts o = {0};
	const struct flow master = store_master_of(e);
	int n;

	if (e->master.l4 != IPPROTO_TCP)
		return;
	n = flow_to_nl(&master, FLOW_NL_GET, &o, 1, s->look + s->look_len, sizeof(s->look) - s->look_len);
	s->look_len += n > 0 ? (uint32_t)n : 0;
}

void
intake_turn(struct sync *s)
{
	if (s->look_len == 0 || !wall_ready(&s->wall))
		return;
	wall_send(&s->wall, MSG_REQUEST, (uint32_t)ASK_LOOK << ASKER_SHIFT, s->look, s->look_len);
	s->look_len = 0;
}

static bool
other_seqadj(const struct flow *f, const struct flow *known)
{
	return f->have & FLOW_SEQADJ && (!(known->have & FLOW_SEQADJ) ||
					 memcmp(f->side->seqadj, known->side->seqadj, sizeof(f->side->seqadj)) != 0);
}

void
intake_answer(struct sync *s, const struct msg *m)
{
	const struct nlmsghdr *nlh = m->data;
	int left = (int)m->len;
	struct flow_side side;
	struct flow f;
	uint32_t slot;

	for (; mnl_nlmsg_ok(nlh, left); nlh = mnl_nlmsg_next(nlh, &left)) {
		if (nlh->nlmsg_type >> 8 != NFNL_SUBSYS_CTNETLINK || flow_from_nl(nlh, &f, &side) < 0 ||
		    (slot = cache_find(s->store.t.of[SLOT_FLOW], &f)) == SLOT_NONE)
			continue;
		if ((cache_entry(s->store.t.of[SLOT_FLOW], slot)->flags & ENTRY_DEAD) == 0 &&
		    other_seqadj(&f, &cache_entry(s->store.t.of[SLOT_FLOW], slot)->flow))
			store_flow(&s->store, STORE_UPD, &f, false, s->clock.s);
	}
}

static void
expect_event(struct sync *s, const struct nlmsghdr *nlh, int op)
{
	struct expect e;

	if (own(s, nlh) && op != STORE_DEL) /* a peer's */
		return;
	if (expect_from_nl(nlh, &e) < 0)
		s->count.unknown++;
	else if (!s->conf.expect_sync || !wanted_helper(s, &e))
		s->count.filtered++;
	else if (s->bypass) {
		if (!own(s, nlh))
			direct(s, (enum entry_change)op, NULL, &e);
	} else if (op == STORE_DEL && store_expect_early_gone(&s->store, &e))
		s->count.filtered++;
	else if (op == STORE_DEL || store_has_master(&s->store, &e)) {
		store_expect(&s->store, (enum store_op)op, &e, own(s, nlh), s->clock.s);
		if (op != STORE_DEL && e.have & EXPECT_NAT)
			look_at_master(s, &e);
	} else
		s->count.filtered += !store_expect_early(&s->store, &e, s->clock.s);
}

void
intake_events(struct sync *s, const struct msg *m)
{
	const struct nlmsghdr *nlh = m->data;
	int left = (int)m->len;
	struct batch b;

	b.n = 0;
	for (; mnl_nlmsg_ok(nlh, left); nlh = mnl_nlmsg_next(nlh, &left)) {
		const uint8_t subsys = (uint8_t)(nlh->nlmsg_type >> 8);
		const int op = op_of(nlh);

		s->count.events++;
		if (op >= 0 && subsys == NFNL_SUBSYS_CTNETLINK) {
			s->count.unknown += !batch_add(&b, nlh);
			if (b.n == BATCH)
				batch_end(s, &b, flow_event);
		} else if (op >= 0 && subsys == NFNL_SUBSYS_CTNETLINK_EXP) {
			batch_end(s, &b, flow_event); /* a master before what it expects */
			expect_event(s, nlh, op);
		} else
			s->count.unknown++;
	}
	batch_end(s, &b, flow_event);
}

static void
flow_dumped(struct sync *s, const struct nlmsghdr *nlh, const struct flow *f)
{
	(void)nlh;
	if (s->filtering && !filter_passes(s->filter, f, false)) {
		if (!s->bypass)
			store_flow_filtered(&s->store, f);
	} else if (s->bypass)
		direct(s, ENTRY_NEW, f, NULL); /* the answer to a peer that wants everything */
	else
		store_flow_dumped(&s->store, f, s->clock.s);
}

static void
expect_dumped(struct sync *s, const struct nlmsghdr *nlh)
{
	struct expect e;

	if (expect_from_nl(nlh, &e) < 0)
		s->count.dump_unknown++;
	else if (wanted_helper(s, &e) && store_has_master(&s->store, &e))
		store_expect_dumped(&s->store, &e, s->clock.s);
}

void
intake_dump(struct sync *s, const struct msg *m)
{
	const struct nlmsghdr *nlh = m->data;
	int left = (int)m->len;
	struct batch b;

	b.n = 0;
	if (s->resync.state != RESYNC_DUMP || m->arg != s->resync.id)
		return;
	for (; mnl_nlmsg_ok(nlh, left); nlh = mnl_nlmsg_next(nlh, &left)) {
		uint8_t subsys = (uint8_t)(nlh->nlmsg_type >> 8);

		if (subsys == NFNL_SUBSYS_CTNETLINK && s->resync.kind == SLOT_FLOW) {
			s->count.dump_unknown += !batch_add(&b, nlh);
			if (b.n == BATCH)
				batch_end(s, &b, flow_dumped);
		} else if (subsys == NFNL_SUBSYS_CTNETLINK_EXP && s->resync.kind == SLOT_EXPECT)
			expect_dumped(s, nlh);
		else
			s->count.dump_unknown++;
	}
	batch_end(s, &b, flow_dumped);
}

/*
 * One comparison a function, one row an option; an entry passes only those that the command line asks for. Takes the
 * kernel's word for what an entry is, but not for having filtered.
 */
#include "filter.h"

#include <string.h>

#define NITEMS(a) (sizeof(a) / sizeof((a)[0]))

static bool
is_family(const struct cmd *c, const struct ct_rec *rec)
{
	return rec->family == c->family;
}

static bool
is_src(const struct cmd *c, const struct ct_rec *rec)
{
	if (cmd_has(c, OPT_MASK_SRC))
		return addr_equal_masked(&rec->orig.src, &c->orig.src, &c->mask_src);
	return addr_equal(&rec->orig.src, &c->orig.src);
}

static bool
is_dst(const struct cmd *c, const struct ct_rec *rec)
{
	if (cmd_has(c, OPT_MASK_DST))
		return addr_equal_masked(&rec->orig.dst, &c->orig.dst, &c->mask_dst);
	return addr_equal(&rec->orig.dst, &c->orig.dst);
}

static bool
is_reply_src(const struct cmd *c, const struct ct_rec *rec)
{
	return addr_equal(&rec->reply.src, &c->reply.src);
}

static bool
is_reply_dst(const struct cmd *c, const struct ct_rec *rec)
{
	return addr_equal(&rec->reply.dst, &c->reply.dst);
}

static bool
is_proto(const struct cmd *c, const struct ct_rec *rec)
{
	return rec->orig.proto == c->orig.proto;
}

static bool
is_ports(const struct cmd *c, const struct ct_rec *rec)
{
	return (!cmd_has_proto(c, FIELD_SPORT) || rec->orig.sport == c->orig.sport) &&
	       (!cmd_has_proto(c, FIELD_DPORT) || rec->orig.dport == c->orig.dport) &&
	       (!cmd_has_proto(c, FIELD_RSPORT) || rec->reply.sport == c->reply.sport) &&
	       (!cmd_has_proto(c, FIELD_RDPORT) || rec->reply.dport == c->reply.dport);
}

static bool
is_icmp(const struct cmd *c, const struct ct_rec *rec)
{
	return (!cmd_has_proto(c, FIELD_TYPE) || rec->orig.icmp_type == c->orig.icmp_type) &&
	       (!cmd_has_proto(c, FIELD_CODE) || rec->orig.icmp_code == c->orig.icmp_code) &&
	       (!cmd_has_proto(c, FIELD_ICMPID) || rec->orig.icmp_id == c->orig.icmp_id);
}

static bool
is_state(const struct cmd *c, const struct ct_rec *rec)
{
	return rec->has & REC_STATE && rec->state == c->state;
}

static bool
is_timeout(const struct cmd *c, const struct ct_rec *rec)
{
	return rec->has & REC_TIMEOUT && rec->timeout == c->timeout;
}

/* An event without a mark is about an entry whose mark is 0. */
static bool
is_mark(const struct cmd *c, const struct ct_rec *rec)
{
	return (rec->mark & c->mark_mask) == c->mark;
}

static bool
is_secmark(const struct cmd *c, const struct ct_rec *rec)
{
	return rec->secmark == c->secmark;
}

static bool
is_status(const struct cmd *c, const struct ct_rec *rec)
{
	return (rec->status & c->status_set) == c->status_set && (rec->status & c->status_clear) == 0;
}

static bool
is_id(const struct cmd *c, const struct ct_rec *rec)
{
	return rec->id == c->id;
}

static bool
is_zone(const struct cmd *c, const struct ct_rec *rec)
{
	return rec->zone == c->zone;
}

static bool
is_orig_zone(const struct cmd *c, const struct ct_rec *rec)
{
	return rec->orig.zone == c->orig.zone;
}

static bool
is_reply_zone(const struct cmd *c, const struct ct_rec *rec)
{
	return rec->reply.zone == c->reply.zone;
}

static bool
is_labelled(const struct cmd *c, const struct ct_rec *rec)
{
	for (unsigned i = 0; i < LABEL_WORDS; i++) {
		uint32_t have = 0;

		if (c->want.word[i] == 0)
			continue;
		if (i < rec->label_words)
			memcpy(&have, rec->labels + i * 4, sizeof(have));
		if ((have & c->want.word[i]) != c->want.word[i])
			return false;
	}
	return true;
}

/* Whether a translation made n of an address, and of a port where n has one. What it only left as it was does not
 * count: every flow has an address in the other direction, and a flow that is translated in one direction is marked as
 * done in both. */
static bool
became(const struct nat_arg *n, const struct addr *was, const struct addr *is, uint16_t port_was, uint16_t port_is)
{
	if (!addr_equal(is, &n->addr) || addr_equal(is, was))
		return false;
	return !n->has_port || (port_is == n->port && port_is != port_was);
}

/* Without a value any translation of this direction will do. */
static bool
is_snat_to(const struct nat_arg *n, const struct ct_rec *rec)
{
	if (n->addr.family == 0)
		return ct_rec_snat(rec);
	return rec->status & IPS_SRC_NAT_DONE &&
	       became(n, &rec->orig.src, &rec->reply.dst, rec->orig.sport, rec->reply.dport);
}

static bool
is_dnat_to(const struct nat_arg *n, const struct ct_rec *rec)
{
	if (n->addr.family == 0)
		return ct_rec_dnat(rec);
	return rec->status & IPS_DST_NAT_DONE &&
	       became(n, &rec->orig.dst, &rec->reply.src, rec->orig.dport, rec->reply.sport);
}

static bool
is_snat(const struct cmd *c, const struct ct_rec *rec)
{
	return is_snat_to(&c->nat[NAT_SRC], rec);
}

static bool
is_dnat(const struct cmd *c, const struct ct_rec *rec)
{
	return is_dnat_to(&c->nat[NAT_DST], rec);
}

static bool
is_any_nat(const struct cmd *c, const struct ct_rec *rec)
{
	return is_snat_to(&c->nat[NAT_ANY], rec) || is_dnat_to(&c->nat[NAT_ANY], rec);
}

static const struct {
	enum opt opt;
	filter_fn fn;
	bool update; /* -U selects by it; everything else is a new value there */
} rows[] = {
	{OPT_SRC, is_src, true},          {OPT_DST, is_dst, true},          {OPT_RSRC, is_reply_src, true},
	{OPT_RDST, is_reply_dst, true},   {OPT_PROTO, is_proto, true},      {OPT_TIMEOUT, is_timeout, false},
	{OPT_MARK, is_mark, false},       {OPT_STATUS, is_status, false},   {OPT_ID, is_id, true},
	{OPT_ZONE, is_zone, false},       {OPT_OZONE, is_orig_zone, false}, {OPT_RZONE, is_reply_zone, false},
	{OPT_SECMARK, is_secmark, false}, {OPT_LABEL, is_labelled, true},   {OPT_SNAT, is_snat, true},
	{OPT_DNAT, is_dnat, true},        {OPT_ANYNAT, is_any_nat, true},
};

static void
add(struct filter *f, filter_fn fn)
{
	f->check[f->n++] = fn;
}

#define FIELD_PORTS \
	(FIELD_BIT(FIELD_SPORT) | FIELD_BIT(FIELD_DPORT) | FIELD_BIT(FIELD_RSPORT) | FIELD_BIT(FIELD_RDPORT))
#define FIELD_ICMP (FIELD_BIT(FIELD_TYPE) | FIELD_BIT(FIELD_CODE) | FIELD_BIT(FIELD_ICMPID))

void
filter_init(struct filter *f, const struct cmd *c)
{
	*f = (struct filter){.cmd = c};
	if (c->family != 0)
		add(f, is_family);
	for (size_t i = 0; i < NITEMS(rows); i++)
		if (cmd_has(c, rows[i].opt) && (rows[i].update || c->op != CMD_UPDATE))
			add(f, rows[i].fn);
	if (c->proto_given & FIELD_PORTS)
		add(f, is_ports);
	if (c->proto_given & FIELD_ICMP)
		add(f, is_icmp);
	if (cmd_has_proto(c, FIELD_STATE) && c->op != CMD_UPDATE)
		add(f, is_state);
}

bool
filter_match(const struct filter *f, const struct ct_rec *rec)
{
	for (unsigned i = 0; i < f->n; i++)
		if (!f->check[i](f->cmd, rec))
			return false;
	return true;
}

/* Written against the format's description, not against the codec's tables: a wrong table must not cancel out. */
#include "text.h"

#include <arpa/inet.h>
#include <string.h>

static const struct {
	uint8_t type;
	const char *name;
} types[] = {
	{WIRE_CT_NEW, "CT_NEW"},   {WIRE_CT_UPD, "CT_UPD"},   {WIRE_CT_DEL, "CT_DEL"}, {WIRE_EXP_NEW, "EXP_NEW"},
	{WIRE_EXP_UPD, "EXP_UPD"}, {WIRE_EXP_DEL, "EXP_DEL"}, {WIRE_CTL, "CTL"},
};

static const char *const flags[8] = {"1", "RESYNC", "NACK", "ACK", "ALIVE", "HELLO", "HELLO_BACK", "80"};

void
text_head(FILE *out, const struct wire_head *h)
{
	const char *sep = "[";

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (types[i].type == h->type)
			fputs(types[i].name, out);
	for (int bit = 0; bit < 8; bit++)
		if (h->flags >> bit & 1) {
			fprintf(out, "%s%s", sep, flags[bit]);
			sep = "|";
		}
	fprintf(out, "%s len=%u seq=%u", h->flags != 0 ? "]" : "", h->len, h->seq);
	if (h->type == WIRE_CTL && h->len == 16)
		fprintf(out, " from=%u to=%u", h->from, h->to);
}

static const char *
addr(const void *a, int family)
{
	static char text[4][INET6_ADDRSTRLEN];
	static unsigned int next;

	next = (next + 1) % 4;
	return inet_ntop(family, a, text[next], sizeof(text[next]));
}

static void
text_pair(FILE *out, const char *name, int family, const void *src, const void *dst)
{
	fprintf(out, " %s_IPV%d=%s>%s", name, family == AF_INET ? 4 : 6, addr(src, family), addr(dst, family));
}

static bool
has_ports(uint8_t l4)
{
	return l4 == IPPROTO_TCP || l4 == IPPROTO_UDP || l4 == IPPROTO_SCTP || l4 == IPPROTO_DCCP;
}

static void
text_proto(FILE *out, const struct flow *f)
{
	const uint8_t *type_code = (const uint8_t *)&f->port[1];

	if (has_ports(f->l4))
		fprintf(out, " PORT=%u>%u", ntohs(f->port[0]), ntohs(f->port[1]));
	if (f->l4 == IPPROTO_ICMP || f->l4 == IPPROTO_ICMPV6)
		fprintf(out, " ICMP_TYPE=%u ICMP_CODE=%u ICMP_ID=%u(le)", type_code[0], type_code[1],
			ntohs(f->port[0]));
	if (!(f->have & FLOW_STATE))
		return;
	if (f->l4 == IPPROTO_TCP)
		fprintf(out, " TCP_STATE=%u", f->state);
	if (f->have & FLOW_WSCALE)
		fprintf(out, " TCP_WSCALE_ORIG=%u TCP_WSCALE_REPL=%u", f->wscale[0], f->wscale[1]);
	if (f->l4 == IPPROTO_SCTP)
		fprintf(out, " SCTP_STATE=%u SCTP_VTAG_ORIG=0x%x SCTP_VTAG_REPL=0x%x", f->state, f->vtag[0],
			f->vtag[1]);
	if (f->l4 == IPPROTO_DCCP)
		fprintf(out, " DCCP_STATE=%u DCCP_ROLE=%u", f->state, f->dccp_role);
}

static void
text_master(FILE *out, const struct flow *f)
{
	const struct flow_side *s = f->side;

	if (!(f->have & FLOW_MASTER))
		return;
	text_pair(out, "MASTER", f->l3, s->master_addr, s->master_addr + flow_words(f));
	fprintf(out, " MASTER_L4PROTO=%u", s->master_l4);
	if (s->master_has_ports)
		fprintf(out, " MASTER_PORT=%u>%u", ntohs(s->master_port[0]), ntohs(s->master_port[1]));
}

static void
text_nat(FILE *out, const struct flow *f)
{
	const size_t len = flow_words(f) * 4;
	const bool icmp = f->l4 == IPPROTO_ICMP || f->l4 == IPPROTO_ICMPV6;
	const int v = f->l3 == AF_INET ? 4 : 6;

	if (f->status & 0x80 && memcmp(flow_addr(f, REPL_DST), flow_addr(f, ORIG_SRC), len) != 0)
		fprintf(out, " SNAT_IPV%d=%s", v, addr(flow_addr(f, REPL_DST), f->l3));
	if (f->status & 0x100 && memcmp(flow_addr(f, REPL_SRC), flow_addr(f, ORIG_DST), len) != 0)
		fprintf(out, " DNAT_IPV%d=%s", v, addr(flow_addr(f, REPL_SRC), f->l3));
	if (f->status & 0x80 && (icmp || f->port[3] != f->port[0]))
		fprintf(out, " SPAT_PORT=%u(le)", icmp ? 0 : ntohs(f->port[3]));
	if (f->status & 0x100 && (icmp || f->port[2] != f->port[1]))
		fprintf(out, " DPAT_PORT=%u(le)", icmp ? 0 : ntohs(f->port[2]));
}

static void
text_labels(FILE *out, const uint32_t *label)
{
	const char *sep = "";

	fputs(" LABELS=128:{", out);
	for (unsigned int i = 0; i < 128; i++)
		if (label[i / 32] >> i % 32 & 1) {
			fprintf(out, "%s%u", sep, i);
			sep = ",";
		}
	fputs("}", out);
}

static void
text_side(FILE *out, const struct flow *f)
{
	const struct flow_side *s = f->side;

	if (f->have & FLOW_SEQADJ)
		fprintf(out, " NAT_SEQ_ADJ=%u,%u,%u,%u,%u,%u", s->seqadj[0].pos, s->seqadj[0].before,
			s->seqadj[0].after, s->seqadj[1].pos, s->seqadj[1].before, s->seqadj[1].after);
	if (f->have & FLOW_HELPER)
		fprintf(out, " HELPER_NAME=%s", s->helper);
	if (f->have & FLOW_LABELS)
		text_labels(out, s->label);
	if (f->have & FLOW_SYNPROXY)
		fprintf(out, " SYNPROXY=its=%u,isn=%u,tsoff=%u", s->its, s->isn, s->tsoff);
	if (f->have & FLOW_SYNPROXY_ZERO)
		fputs(" SYNPROXY=its=0,isn=0,tsoff=0", out);
}

void
text_flow(FILE *out, const struct flow *f)
{
	fprintf(out, " IPV%d=%s>%s", f->l3 == AF_INET ? 4 : 6, addr(flow_addr(f, ORIG_SRC), f->l3),
		addr(flow_addr(f, ORIG_DST), f->l3));
	if (f->have & FLOW_STATUS)
		fprintf(out, " STATUS=0x%x", f->status);
	fprintf(out, " L4PROTO=%u", f->l4);
	text_proto(out, f);
	if (f->have & FLOW_TIMEOUT)
		fprintf(out, " TIMEOUT=%u", f->timeout);
	if (f->have & FLOW_MARK)
		fprintf(out, " MARK=0x%x", f->mark);
	text_master(out, f);
	text_nat(out, f);
	text_side(out, f);
	if (f->have & FLOW_ZONE)
		fprintf(out, " ZONE=%u", f->zone);
}

static void
text_tuple(FILE *out, const char *name, const struct expect *e, const struct flow_tuple *t)
{
	text_pair(out, name, e->l3, t->src, t->dst);
	fprintf(out, " %s_L4PROTO=%u", name, t->l4);
	if (has_ports(e->master.l4))
		fprintf(out, " %s_PORT=%u>%u", name, ntohs(t->sport), ntohs(t->dport));
}

void
text_expect(FILE *out, const struct expect *e)
{
	text_tuple(out, "MASTER", e, &e->master);
	text_tuple(out, "EXPECT", e, &e->tuple);
	text_tuple(out, "MASK", e, &e->mask);
	if (e->have & EXPECT_TIMEOUT)
		fprintf(out, " TIMEOUT=%u", e->timeout);
	fprintf(out, " FLAGS=0x%x", e->flags);
	if (e->have & EXPECT_CLASS)
		fprintf(out, " CLASS=%u", e->class);
	if (e->have & EXPECT_NAT) {
		text_tuple(out, "NAT", e, &e->nat);
		fprintf(out, " NAT_DIR=%u", e->nat_dir);
	}
	if (e->have & EXPECT_HELPER)
		fprintf(out, " HELPER_NAME=%s", e->helper);
	if (e->have & EXPECT_FN)
		fprintf(out, " FN=%s", e->fn);
}

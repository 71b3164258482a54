/*
 * Builds messages for the kernel's queue and expectation tables.
 */
#include "queue.h"

#include <arpa/inet.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netfilter/nfnetlink_queue.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <sys/socket.h>

/* Network order, as an attribute's content. */
#define BE32(v) ((const uint32_t[]){htonl(v)}), sizeof(uint32_t)
#define BE16(v) ((const uint16_t[]){htons(v)}), sizeof(uint16_t)
#define TEXT(s) s, strlen(s) + 1

static void
begin(struct out *o, uint16_t type, uint16_t flags, uint32_t seq, uint8_t family, uint16_t queue)
{
	struct {
		struct nlmsghdr h;
		struct nfgenmsg g;
	} m = {{sizeof(m), type, (uint16_t)(NLM_F_REQUEST | flags), seq, 0}, {family, NFNETLINK_V0, htons(queue)}};

	memcpy(o->bytes, &m, sizeof(m));
	o->len = sizeof(m);
	o->bad = false;
}

/* One attribute; data NULL: the caller fills in its len octets. NULL: it does not fit. */
static uint8_t *
put(struct out *o, uint16_t type, const void *data, size_t len)
{
	struct nlattr a = {(uint16_t)(NLA_HDRLEN + len), type};
	uint8_t *at = o->bytes + o->len;

	o->bad = o->bad || NLA_ALIGN(NLA_HDRLEN + len) > sizeof(o->bytes) - o->len;
	if (o->bad)
		return NULL;
	memset(at, 0, NLA_ALIGN(NLA_HDRLEN + len));
	memcpy(at, &a, sizeof(a));
	if (data != NULL)
		memcpy(at + NLA_HDRLEN, data, len);
	o->len += NLA_ALIGN(NLA_HDRLEN + len);
	((struct nlmsghdr *)o->bytes)->nlmsg_len = (uint32_t)o->len;
	return at + NLA_HDRLEN;
}

/* Where the nest begins, which is open until close_nest(). */
static size_t
nest(struct out *o, uint16_t type)
{
	size_t at = o->len;

	put(o, type | NLA_F_NESTED, NULL, 0);
	return at;
}

static void
close_nest(struct out *o, size_t at)
{
	uint16_t len = (uint16_t)(o->len - at);

	if (!o->bad)
		memcpy(o->bytes + at, &len, sizeof(len));
}

struct ends {
	const uint8_t *src, *dst;
	uint16_t sport, dport; /* host order */
};

static void
put_tuple(struct out *o, uint16_t type, const struct packet *p, uint8_t proto, struct ends e)
{
	bool v4 = p->facts.family == AF_INET;
	size_t whole = nest(o, type), part = nest(o, CTA_TUPLE_IP);

	put(o, v4 ? CTA_IP_V4_SRC : CTA_IP_V6_SRC, e.src, v4 ? 4 : 16);
	put(o, v4 ? CTA_IP_V4_DST : CTA_IP_V6_DST, e.dst, v4 ? 4 : 16);
	close_nest(o, part);
	part = nest(o, CTA_TUPLE_PROTO);
	put(o, CTA_PROTO_NUM, &proto, 1);
	put(o, CTA_PROTO_SRC_PORT, BE16(e.sport));
	put(o, CTA_PROTO_DST_PORT, BE16(e.dport));
	close_nest(o, part);
	close_nest(o, whole);
}

/* Everything that the kernel wants of an expectation, for both ways to make one. */
static void
put_expect(struct out *o, const struct queue_conf *c, const struct packet *p, const struct msg_expect *e)
{
	static const uint8_t zero[16];
	static const uint8_t ones[16] = {255, 255, 255, 255, 255, 255, 255, 255,
					 255, 255, 255, 255, 255, 255, 255, 255};
	const struct msg_tuple *orig = &p->facts.orig, *reply = &p->facts.reply;
	const uint8_t *of[REF_MAX] = {zero, orig->src, orig->dst, reply->src, reply->dst, e->address};
	int direction = policy_nat_direction(c, p, e);
	size_t at;

	put_tuple(o, CTA_EXPECT_TUPLE, p, e->proto, (struct ends){of[e->src], of[e->dst], e->sport, e->dport});
	put_tuple(o, CTA_EXPECT_MASK, p, e->proto,
		  (struct ends){e->src != REF_ANY ? ones : zero, ones, e->sport != 0 ? 0xffff : 0, 0xffff});
	put(o, CTA_EXPECT_CLASS, BE32(0));
	put(o, CTA_EXPECT_FLAGS, BE32(e->permanent ? NF_CT_EXPECT_PERMANENT : 0));
	if (e->follow)
		put(o, CTA_EXPECT_HELP_NAME, TEXT(helper_name(c->kind)));
	if (direction < 0)
		return;
	at = nest(o, CTA_EXPECT_NAT);
	put(o, CTA_EXPECT_NAT_DIR, BE32((uint32_t)direction));
	put_tuple(o, CTA_EXPECT_NAT_TUPLE, p, e->proto, (struct ends){zero, zero, e->nat_port, 0});
	close_nest(o, at);
	put(o, CTA_EXPECT_FN, TEXT("nat-follow-master"));
}

static void
set16(uint8_t *at, size_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

/* The Internet checksum of len octets, of two ranges when more is not NULL, and of start. */
static uint16_t
checksum(const uint8_t *at, size_t len, const uint8_t *more, size_t more_len, uint32_t start)
{
	for (size_t i = 0; i < len; i++)
		start += (uint32_t)at[i] << (i % 2 == 0 ? 8 : 0);
	for (size_t i = 0; i < more_len; i++)
		start += (uint32_t)more[i] << (i % 2 == 0 ? 8 : 0);
	start = (start & 0xffff) + (start >> 16);
	return (uint16_t) ~(start + (start >> 16));
}

/* Lengths and checksums of an edited packet of len octets. */
static void
fix_headers(uint8_t *ip, size_t len, const struct packet *p, int growth)
{
	bool v4 = p->facts.family == AF_INET, tcp = p->facts.orig.proto == IPPROTO_TCP;
	uint8_t *l4 = ip + p->l4, *check = l4 + (tcp ? 16 : 6);
	size_t l4_len = p->facts.payload - p->l4 + p->facts.payload_len + (size_t)growth; /* without what follows UDP */
	bool unused = !tcp && v4 && check[0] == 0 && check[1] == 0;

	set16(ip + (v4 ? 2 : 4), v4 ? len : len - 40);
	if (v4) {
		set16(ip + 10, 0);
		set16(ip + 10, checksum(ip, p->l4, NULL, 0, 0));
	}
	if (!tcp)
		set16(l4 + 4, l4_len);
	if (unused)
		return;
	set16(check, 0);
	set16(check, checksum(ip + (v4 ? 12 : 8), v4 ? 8 : 32, l4, l4_len, (uint32_t)l4_len + p->facts.orig.proto));
	if (!tcp && check[0] == 0 && check[1] == 0)
		set16(check, 0xffff);
}

/* The packet's length stands at the beginning of TNS, that of the text of a redirect behind its header. */
static void
fix_tns(uint8_t *tns, size_t len, int growth)
{
	for (size_t at = 0; at <= 8 && at + 2 <= len && (at == 0 || tns[4] == 5); at += 8)
		set16(tns + at, (uint16_t)((tns[at] << 8 | tns[at + 1]) + growth));
}

static void
put_packet(struct out *o, const struct queue_conf *c, const struct packet *p, const struct msg_verdict *v)
{
	int growth = policy_growth(v);
	size_t len = p->facts.len + (size_t)growth, from = 0;
	uint8_t *ip = put(o, NFQA_PAYLOAD, NULL, len), *to = ip;

	if (ip == NULL)
		return;
	for (const struct msg_edit *e = v->edit; e < v->edit + v->n_edits; e++) {
		memcpy(to, p->data + from, e->offset - from);
		memcpy(to + (e->offset - from), e->bytes, e->new_len);
		to += e->offset - from + e->new_len;
		from = e->offset + e->old_len;
	}
	memcpy(to, p->data + from, p->facts.len - from);
	if (c->kind == HELPER_TNS)
		fix_tns(ip + p->facts.payload, len - p->facts.payload, growth);
	fix_headers(ip, len, p, growth);
}

void
verdict_plain(struct out *o, uint16_t queue, uint32_t id, bool accept)
{
	uint32_t hdr[2] = {htonl(accept), htonl(id)}; /* NF_DROP is 0, NF_ACCEPT 1 */

	begin(o, NFNL_SUBSYS_QUEUE << 8 | NFQNL_MSG_VERDICT, 0, 0, AF_UNSPEC, queue);
	put(o, NFQA_VERDICT_HDR, hdr, sizeof(hdr));
}

void
verdict_full(struct out *o, const struct queue_conf *c, const struct packet *p, const struct msg_verdict *v)
{
	size_t at, help;

	verdict_plain(o, c->queue, p->id, v->accept);
	if (!v->accept || (v->timeout == 0 && c->priv_len == 0 && v->n_expect == 0 && v->n_edits == 0))
		return;
	/* Of the flow only what a helper may change: never status, mark or labels, of which this is an old copy.
	 * Without the nest the kernel ignores the expectation and does not note a change of length; nor does it note
	 * that when it refuses the private data, so a packet whose length changes leaves them as they were. */
	at = nest(o, NFQA_CT);
	if (v->timeout != 0)
		put(o, CTA_TIMEOUT, BE32(v->timeout));
	if (c->priv_len > 0 && !p->facts.has_master &&
	    policy_growth(v) == 0) { /* expected flows have no private data */
		help = nest(o, CTA_HELP);
		put(o, CTA_HELP_NAME, TEXT(helper_name(c->kind)));
		put(o, CTA_HELP_INFO, v->priv, c->priv_len);
		close_nest(o, help);
	}
	close_nest(o, at);
	if (v->n_expect > 0) {
		at = nest(o, NFQA_EXP);
		put_expect(o, c, p, &v->expect[v->n_expect - 1]);
		close_nest(o, at);
	}
	if (v->n_edits > 0)
		put_packet(o, c, p, v);
}

void
verdict_expect(struct out *o, const struct queue_conf *c, const struct packet *p, const struct msg_expect *e)
{
	const struct msg_tuple *t = &p->facts.orig;

	/* without EXCL another flow's expectation would be reported as success */
	begin(o, NFNL_SUBSYS_CTNETLINK_EXP << 8 | IPCTNL_MSG_EXP_NEW, NLM_F_CREATE | NLM_F_EXCL, 0, p->facts.family, 0);
	put_tuple(o, CTA_EXPECT_MASTER, p, t->proto, (struct ends){t->src, t->dst, ntohs(t->sport), ntohs(t->dport)});
	put_expect(o, c, p, e);
	if (p->zone != 0)
		put(o, CTA_EXPECT_ZONE, &p->zone, sizeof(p->zone));
}

void
verdict_bind(struct out *o, const struct queue_conf *c)
{
	struct nfqnl_msg_config_cmd cmd = {.command = NFQNL_CFG_CMD_BIND, .pf = htons(c->family)};
	struct nfqnl_msg_config_params params = {htonl(0xffff), NFQNL_COPY_PACKET};
	uint32_t flags = NFQA_CFG_F_CONNTRACK | (c->flags & QUEUE_FAIL_OPEN ? NFQA_CFG_F_FAIL_OPEN : 0U);

	begin(o, NFNL_SUBSYS_QUEUE << 8 | NFQNL_MSG_CONFIG, NLM_F_ACK, BIND_SEQ, AF_UNSPEC, c->queue);
	put(o, NFQA_CFG_CMD, &cmd, sizeof(cmd));
	put(o, NFQA_CFG_PARAMS, &params, sizeof(params));
	put(o, NFQA_CFG_FLAGS, BE32(flags));
	put(o, NFQA_CFG_MASK, BE32(UINT32_MAX));
	if (c->queue_len > 0)
		put(o, NFQA_CFG_QUEUE_MAXLEN, BE32(c->queue_len));
}

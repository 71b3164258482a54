/*
 * Reads what NFQUEUE sends. It trusts no length in it.
 */
#include "queue.h"

#include <arpa/inet.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netfilter/nfnetlink_queue.h>
#include <netinet/in.h>
#include <sys/socket.h>

/* The first attribute of that type; bad when there is none, or what comes before it does not parse. */
static struct rd
find(struct rd r, unsigned int type)
{
	struct nla a;

	while (nla_next(&r, &a))
		if (a.type == type)
			return nla_nested(&a);
	return (struct rd){NULL, NULL, true};
}

/* Copies the attribute when it has exactly that size. */
static bool
get(struct rd r, unsigned int type, void *dst, size_t n)
{
	r = find(r, type);
	if (r.bad || rd_left(&r) != n)
		return false;
	rd_copy(&r, dst, n);
	return true;
}

static uint32_t
get32(struct rd r, unsigned int type, uint32_t otherwise)
{
	uint32_t v;

	return get(r, type, &v, sizeof(v)) ? ntohl(v) : otherwise;
}

static bool
tuple_read(struct rd r, bool v4, struct msg_tuple *t)
{
	struct rd ip = find(r, CTA_TUPLE_IP), proto = find(r, CTA_TUPLE_PROTO);
	size_t n = v4 ? 4 : 16;

	return get(ip, v4 ? CTA_IP_V4_SRC : CTA_IP_V6_SRC, t->src, n) &&
	       get(ip, v4 ? CTA_IP_V4_DST : CTA_IP_V6_DST, t->dst, n) && get(proto, CTA_PROTO_NUM, &t->proto, 1) &&
	       get(proto, CTA_PROTO_SRC_PORT, &t->sport, 2) && get(proto, CTA_PROTO_DST_PORT, &t->dport, 2);
}

static bool
flow_read(struct rd ct, struct packet *p)
{
	struct msg_packet *f = &p->facts;
	struct rd help = find(ct, CTA_HELP), name = find(help, CTA_HELP_NAME), info = find(help, CTA_HELP_INFO);

	if (!tuple_read(find(ct, CTA_TUPLE_ORIG), f->family == AF_INET, &f->orig) ||
	    !tuple_read(find(ct, CTA_TUPLE_REPLY), f->family == AF_INET, &f->reply) ||
	    f->orig.proto != f->reply.proto || find(ct, CTA_STATUS).bad || rd_left(&name) >= sizeof(p->helper) ||
	    rd_left(&info) > sizeof(f->priv))
		return false;
	f->status = get32(ct, CTA_STATUS, 0);
	f->ct_id = get32(ct, CTA_ID, 0);
	f->has_master = !find(ct, CTA_TUPLE_MASTER).bad;
	get(ct, CTA_ZONE, &p->zone, sizeof(p->zone));
	rd_copy(&name, p->helper, rd_left(&name));
	f->priv_len = (uint8_t)rd_left(&info);
	rd_copy(&info, f->priv, f->priv_len);
	return true;
}

static uint16_t
be16(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

/* IP, then TCP or UDP. facts.len becomes what IP says; the payload ends where UDP says. */
static enum count
headers_read(struct packet *p)
{
	struct msg_packet *f = &p->facts;
	const uint8_t *ip = p->data, *l4;
	bool v4 = f->family == AF_INET, tcp = f->orig.proto == IPPROTO_TCP;
	uint32_t head = v4 ? 20 : 40, least = tcp ? 20 : 8, len, end;

	if (f->len < head || ip[0] >> 4 != (v4 ? 4 : 6) || ip[v4 ? 9 : 6] != f->orig.proto)
		return WHY_HEADERS;
	len = v4 ? be16(ip + 2) : head + be16(ip + 4);
	head = v4 ? (ip[0] & 15U) * 4 : head;
	if (head < 20 || len > f->len || len < head)
		return WHY_HEADERS;
	if (v4 && (be16(ip + 6) & 0x3fff) != 0)
		return WHY_FRAGMENT;
	if (len - head < least)
		return WHY_HEADERS;
	l4 = ip + head;
	end = tcp ? len : head + be16(l4 + 4);
	f->payload = head + (tcp ? (l4[12] >> 4) * 4U : 8);
	if (f->payload < head + least || f->payload > end || end > len)
		return WHY_HEADERS;
	p->l4 = head;
	f->len = len;
	f->payload_len = end - f->payload;
	return f->payload_len == 0 ? WHY_EMPTY : OK;
}

enum count
packet_read(struct rd attrs, uint8_t family, struct packet *p)
{
	struct rd payload = find(attrs, NFQA_PAYLOAD), ct = find(attrs, NFQA_CT);
	struct msg_packet *f = &p->facts;
	struct nfqnl_msg_packet_hdr hdr = {0};

	*p = (struct packet){.has_id = get(attrs, NFQA_PACKET_HDR, &hdr, sizeof(hdr)), .facts.family = family};
	if (!p->has_id)
		return WHY_MESSAGE;
	p->id = ntohl(hdr.packet_id);
	p->data = payload.p;
	f->hook = hdr.hook;
	f->len = (uint32_t)rd_left(&payload);
	f->ct_info = get32(attrs, NFQA_CT_INFO, UINT32_MAX);
	if (family != AF_INET && family != AF_INET6)
		return WHY_MESSAGE;
	if (payload.bad || ct.bad || f->ct_info > 4 || !flow_read(ct, p))
		return WHY_NO_FLOW;
	if (get32(attrs, NFQA_CAP_LEN, f->len) != f->len)
		return WHY_TRUNCATED;
	if (get32(attrs, NFQA_SKB_INFO, 0) & NFQA_SKB_GSO)
		return WHY_SEGMENTS;
	return f->orig.proto == IPPROTO_TCP || f->orig.proto == IPPROTO_UDP ? headers_read(p) : WHY_NOT_OURS;
}

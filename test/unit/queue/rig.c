/* Builds with libmnl, so that what is tested does not test itself. */
#include "rig.h"

#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netfilter/nfnetlink_queue.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>

void
rig_tuple(struct msg_tuple *t, uint8_t family, uint8_t proto, const char *src, uint16_t sport, const char *dst,
	  uint16_t dport)
{
	*t = (struct msg_tuple){.sport = htons(sport), .dport = htons(dport), .proto = proto};
	inet_pton(family, src, t->src);
	inet_pton(family, dst, t->dst);
}

struct rig_flow
rig_flow(uint8_t family, uint8_t proto, uint16_t dport, bool nated)
{
	bool v4 = family == AF_INET;
	struct rig_flow f = {.family = family, .proto = proto, .ct_id = 77, .status = nated ? 0x12 : 0x2};
	const char *client = v4 ? "10.1.0.2" : "fd01::2", *server = v4 ? "10.2.0.2" : "fd02::2";
	const char *outside = v4 ? "10.2.0.1" : "fd02::1";

	rig_tuple(&f.orig, family, proto, client, 41001, server, dport);
	rig_tuple(&f.reply, family, proto, server, dport, nated ? outside : client, nated ? 50001 : 41001);
	return f;
}

size_t
rig_packet(uint8_t *buf, const struct rig_flow *f, const void *payload, size_t len)
{
	bool v4 = f->family == AF_INET, tcp = f->proto == IPPROTO_TCP, reply = f->ct_info >= 3;
	const struct msg_tuple *t = reply ? &f->orig : &f->reply; /* as the receiver sees the flow */
	size_t head = v4 ? sizeof(struct iphdr) : sizeof(struct ip6_hdr);
	size_t l4 = tcp ? sizeof(struct tcphdr) : sizeof(struct udphdr), n = head + l4 + len;

	memset(buf, 0, head + l4);
	if (v4) {
		struct iphdr ip = {
			.version = 4, .ihl = 5, .ttl = 64, .tot_len = htons((uint16_t)n), .protocol = f->proto};

		memcpy(&ip.saddr, t->dst, 4);
		memcpy(&ip.daddr, t->src, 4);
		memcpy(buf, &ip, sizeof(ip));
	} else {
		struct ip6_hdr ip = {.ip6_flow = htonl(6U << 28), .ip6_plen = htons((uint16_t)(l4 + len))};

		ip.ip6_nxt = f->proto;
		memcpy(&ip.ip6_src, t->dst, 16);
		memcpy(&ip.ip6_dst, t->src, 16);
		memcpy(buf, &ip, sizeof(ip));
	}
	if (tcp) {
		struct tcphdr th = {.source = t->dport, .dest = t->sport, .doff = 5, .ack = 1};

		memcpy(buf + head, &th, sizeof(th));
	} else {
		struct udphdr uh = {
			.source = t->dport, .dest = t->sport, .len = htons((uint16_t)(l4 + len)), .check = 1};

		memcpy(buf + head, &uh, sizeof(uh));
	}
	if (len > 0)
		memcpy(buf + head + l4, payload, len);
	return n;
}

static void
put_tuple(struct nlmsghdr *h, uint16_t type, const struct rig_flow *f, const struct msg_tuple *t)
{
	bool v4 = f->family == AF_INET;
	struct nlattr *whole = mnl_attr_nest_start(h, type), *part = mnl_attr_nest_start(h, CTA_TUPLE_IP);

	mnl_attr_put(h, v4 ? CTA_IP_V4_SRC : CTA_IP_V6_SRC, v4 ? 4 : 16, t->src);
	mnl_attr_put(h, v4 ? CTA_IP_V4_DST : CTA_IP_V6_DST, v4 ? 4 : 16, t->dst);
	mnl_attr_nest_end(h, part);
	part = mnl_attr_nest_start(h, CTA_TUPLE_PROTO);
	mnl_attr_put_u8(h, CTA_PROTO_NUM, t->proto);
	mnl_attr_put_u16(h, CTA_PROTO_SRC_PORT, t->sport);
	mnl_attr_put_u16(h, CTA_PROTO_DST_PORT, t->dport);
	mnl_attr_nest_end(h, part);
	mnl_attr_nest_end(h, whole);
}

size_t
rig_message(uint8_t *buf, uint32_t id, const struct rig_flow *f, const void *packet, size_t len)
{
	struct nlmsghdr *h = mnl_nlmsg_put_header(buf);
	struct nfgenmsg *g = mnl_nlmsg_put_extra_header(h, sizeof(*g));
	struct nfqnl_msg_packet_hdr hdr = {htonl(id), htons(0x800), 4};
	struct nlattr *ct, *help;

	h->nlmsg_type = NFNL_SUBSYS_QUEUE << 8 | NFQNL_MSG_PACKET;
	g->nfgen_family = f->family;
	mnl_attr_put(h, NFQA_PACKET_HDR, sizeof(hdr), &hdr);
	mnl_attr_put_u32(h, NFQA_IFINDEX_INDEV, htonl(2));
	ct = mnl_attr_nest_start(h, NFQA_CT);
	put_tuple(h, CTA_TUPLE_ORIG, f, &f->orig);
	put_tuple(h, CTA_TUPLE_REPLY, f, &f->reply);
	if (f->zone != 0)
		mnl_attr_put_u16(h, CTA_ZONE, htons(f->zone));
	mnl_attr_put_u32(h, CTA_ID, htonl(f->ct_id));
	mnl_attr_put_u32(h, CTA_STATUS, htonl(f->status));
	mnl_attr_put_u32(h, CTA_MARK, htonl(5));
	if (f->helper != NULL) {
		help = mnl_attr_nest_start(h, CTA_HELP);
		mnl_attr_put_strz(h, CTA_HELP_NAME, f->helper);
		if (f->priv_len > 0)
			mnl_attr_put(h, CTA_HELP_INFO, f->priv_len, f->priv);
		mnl_attr_nest_end(h, help);
	}
	if (f->has_master)
		put_tuple(h, CTA_TUPLE_MASTER, f, &f->orig);
	mnl_attr_nest_end(h, ct);
	mnl_attr_put_u32(h, NFQA_CT_INFO, htonl(f->ct_info));
	mnl_attr_put(h, NFQA_PAYLOAD, len, packet);
	return h->nlmsg_len;
}

enum count
rig_read(const uint8_t *msg, size_t len, struct packet *p)
{
	size_t head = NLMSG_LENGTH(sizeof(struct nfgenmsg));

	return packet_read(rd_init(msg + head, len - head), msg[NLMSG_HDRLEN], p);
}

/*
 * Any bytes as a packet message of the kernel and as a helper's answer to it. Whatever the policy lets through must
 * become whole messages with nothing in them but what a verdict may have, about flow and packet of the question.
 * Input: kind, flags, private size, L4 of the helper; family; reserved (3); struct msg_verdict; attributes.
 */
#include <arpa/inet.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netfilter/nfnetlink_queue.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "queue.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct out out;

static void
must(bool ok)
{
	if (!ok)
		abort();
}

/* Walks attributes at at..end; the types it meets as bits. Nests are padded, whole and end where they say. */
static uint32_t
walk(size_t at, size_t end, uint32_t allowed, struct rd *body)
{
	uint32_t seen = 0;

	while (at < end) {
		struct nlattr a;
		unsigned int type;

		must(end - at >= sizeof(a));
		memcpy(&a, out.bytes + at, sizeof(a));
		must(a.nla_len >= sizeof(a) && (size_t)NLA_ALIGN(a.nla_len) <= end - at);
		type = a.nla_type & NLA_TYPE_MASK;
		must(type < 32 && (allowed & 1U << type) != 0 && (seen & 1U << type) == 0);
		seen |= 1U << type;
		body[type] = rd_init(out.bytes + at + sizeof(a), a.nla_len - sizeof(a));
		at += NLA_ALIGN(a.nla_len);
	}
	must(at == end);
	return seen;
}

static uint32_t
walk_nest(struct rd r, uint32_t allowed, struct rd *body)
{
	return walk((size_t)(r.p - out.bytes), (size_t)(r.end - out.bytes), allowed, body);
}

#define BIT(type) (1U << (type))

/* Whole, with tuple and mask: without them the kernel crashes. */
static void
check_expect(struct rd r)
{
	struct rd body[32] = {0}, tuple[32] = {0};
	const uint32_t parts = BIT(CTA_TUPLE_IP) | BIT(CTA_TUPLE_PROTO);
	uint32_t seen = walk_nest(r,
				  BIT(CTA_EXPECT_TUPLE) | BIT(CTA_EXPECT_MASK) | BIT(CTA_EXPECT_CLASS) |
					  BIT(CTA_EXPECT_FLAGS) | BIT(CTA_EXPECT_HELP_NAME) | BIT(CTA_EXPECT_NAT) |
					  BIT(CTA_EXPECT_FN) | BIT(CTA_EXPECT_MASTER) | BIT(CTA_EXPECT_ZONE),
				  body);

	must(seen & BIT(CTA_EXPECT_TUPLE) && seen & BIT(CTA_EXPECT_MASK));
	must(walk_nest(body[CTA_EXPECT_TUPLE], parts, tuple) == parts);
	must(walk_nest(body[CTA_EXPECT_MASK], parts, tuple) == parts);
	must(!(seen & BIT(CTA_EXPECT_NAT)) == !(seen & BIT(CTA_EXPECT_FN)));
}

static void
check_verdict(const struct packet *p, const struct msg_verdict *v)
{
	struct rd body[32] = {0}, ct[32] = {0};
	uint32_t hdr[2];
	uint32_t seen = walk(NLMSG_LENGTH(sizeof(uint32_t)), out.len,
			     BIT(NFQA_VERDICT_HDR) | BIT(NFQA_CT) | BIT(NFQA_EXP) | BIT(NFQA_PAYLOAD), body);

	must(!out.bad && seen & BIT(NFQA_VERDICT_HDR));
	rd_copy(&body[NFQA_VERDICT_HDR], hdr, sizeof(hdr));
	must(ntohl(hdr[0]) == v->accept && ntohl(hdr[1]) == p->id);
	must(!(seen & BIT(NFQA_EXP)) == (v->n_expect == 0) && !(seen & BIT(NFQA_PAYLOAD)) == (v->n_edits == 0));
	must(!(seen & (BIT(NFQA_EXP) | BIT(NFQA_PAYLOAD))) || seen & BIT(NFQA_CT));
	if (seen & BIT(NFQA_CT))
		walk_nest(body[NFQA_CT], BIT(CTA_HELP) | BIT(CTA_TIMEOUT), ct);
	if (seen & BIT(NFQA_EXP))
		check_expect(body[NFQA_EXP]);
	if (seen & BIT(NFQA_PAYLOAD)) {
		const uint8_t *ip = body[NFQA_PAYLOAD].p;

		must(rd_left(&body[NFQA_PAYLOAD]) == p->facts.len + (size_t)policy_growth(v));
		/* addresses and ports are as they were */
		must(p->facts.family == AF_INET ? memcmp(ip + 12, p->data + 12, p->l4 - 12) == 0
						: memcmp(ip + 8, p->data + 8, 32) == 0);
		must(memcmp(ip + p->l4, p->data + p->l4, 4) == 0);
	}
}

static void
check_packet(const struct packet *p, const uint8_t *data, size_t size)
{
	const struct msg_packet *f = &p->facts;

	must(p->has_id && p->data >= data && f->len <= size && p->data + f->len <= data + size);
	must(f->payload_len > 0 && f->payload < f->len && f->payload_len <= f->len - f->payload && p->l4 < f->payload);
	must(f->priv_len <= sizeof(f->priv) && memchr(p->helper, 0, sizeof(p->helper)) != NULL && f->ct_info <= 4);
}

static void
try_answer(const struct queue_conf *c, const struct packet *p, const struct msg_verdict *v)
{
	if (policy_judge(c, p, v) != OK)
		return;
	must(v->accept || c->flags & QUEUE_MAY_DROP);
	must(v->n_edits == 0 || (p->facts.status & STATUS_NAT) != 0);
	for (unsigned int i = 0; i + 1 < v->n_expect; i++) {
		struct rd all;

		verdict_expect(&out, c, p, &v->expect[i]);
		must(!out.bad);
		all = rd_init(out.bytes + 20, out.len - 20);
		check_expect(all);
	}
	verdict_full(&out, c, p, v);
	check_verdict(p, v);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct queue_conf c = {.queue = 5, .min_port = 1024};
	size_t head = 8 + sizeof(struct msg_verdict);
	struct msg_verdict v;
	struct packet p;
	uint8_t *attrs;

	if (size < head)
		return 0;
	c.kind = data[0] % HELPER_KINDS;
	c.flags = data[1] & 7;
	c.priv_len = data[2] % 33;
	c.proto = data[3];
	c.family = data[4];
	memcpy(&v, data + 8, sizeof(v));
	must((attrs = malloc(size - head + 1)) !=
	     NULL); /* of exactly this size, so that the sanitizer sees one too many */
	memcpy(attrs, data + head, size - head);
	if (packet_read(rd_init(attrs, size - head), data[4], &p) == OK) {
		check_packet(&p, attrs, size - head);
		if (p.facts.len > MSG_EDIT_MAX)
			p.data = NULL;
		try_answer(&c, &p, &v);
	}
	free(attrs);
	return 0;
}

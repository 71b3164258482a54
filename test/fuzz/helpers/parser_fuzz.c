/*
 * Any payloads in any directions of a flow: whatever the parser answers passes the policy of ctd-queue, so that an
 * honest helper is never taken for a hostile one. Input: flags of the flow (bit 0 IPv6, 1 UDP, 2 source and 3
 * destination translated, 4 master, 5 other hosts allowed, 6 group as destination), then packets: direction and state,
 * length (two octets), payload.
 */
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "inspect.h"
#include "memory.h"
#include "queue.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

extern const struct parser PARSER;

static const uint8_t client4[16] = {10, 1, 0, 2}, server4[16] = {10, 2, 0, 2}, seen4[16] = {10, 2, 0, 222};
static const uint8_t client6[16] = {0xfd, 1, [15] = 2}, server6[16] = {0xfd, 2, [15] = 2},
		     seen6[16] = {0xfd, 1, [15] = 1};
static const uint8_t group4[16] = {239, 255, 255, 250}, group6[16] = {0xff, 2, [15] = 12};

static uint8_t
kind(void)
{
	for (uint8_t k = 0; k < HELPER_KINDS; k++)
		if (strcmp(helper_name(k), PARSER.name) == 0)
			return k;
	abort();
}

/* What flows the helper is registered for; both: as the input says. */
static uint8_t
proto_of(uint8_t k, uint8_t flags)
{
	if (k == HELPER_FTP || k == HELPER_SANE || k == HELPER_TNS)
		return IPPROTO_TCP;
	return (k != HELPER_RPC && k != HELPER_SSDP) || flags & 2 ? IPPROTO_UDP : IPPROTO_TCP;
}

static void
make_flow(struct msg_packet *p, uint8_t flags)
{
	bool v6 = flags & 1 || kind() == HELPER_DHCPV6;
	const uint8_t *client = v6 ? client6 : client4, *server = v6 ? server6 : server4, *seen = v6 ? seen6 : seen4;

	if (flags & 64)
		server = v6 ? group6 : group4;
	p->family = v6 ? AF_INET6 : AF_INET;
	p->status = (flags & 4 ? 0x10U : 0) | (flags & 8 ? 0x20U : 0);
	p->has_master = flags & 16 ? 1 : 0;
	p->orig.proto = p->reply.proto = proto_of(kind(), flags);
	memcpy(p->orig.src, client, 16);
	memcpy(p->orig.dst, flags & 8 ? seen : server, 16);
	memcpy(p->reply.src, server, 16);
	memcpy(p->reply.dst, flags & 4 ? seen : client, 16);
	p->orig.sport = p->reply.dport = 0x29a0;
	p->orig.dport = p->reply.sport = 0x1500;
	p->priv_len = 32;
}

static void
one_packet(const struct queue_conf *conf, struct memory *memory, struct msg_packet *facts, const uint8_t *payload,
	   size_t n)
{
	const struct inspect_options options = {.foreign = conf->flags & QUEUE_FOREIGN};
	static uint32_t seq;
	size_t head = (facts->family == AF_INET ? 20 : 40) + (facts->orig.proto == IPPROTO_TCP ? 20 : 8);
	uint8_t *bytes = calloc(1, head + n); /* of its own, so that a look beyond it is noticed */
	struct msg_verdict v;
	struct packet p;

	if (bytes == NULL)
		return;
	bytes[0] = facts->family == AF_INET ? 0x45 : 0x60;
	memcpy(bytes + (facts->family == AF_INET ? 24 : 44), &seq, 4);
	memcpy(bytes + head, payload, n);
	facts->seq = seq++;
	facts->payload = (uint32_t)head;
	facts->payload_len = (uint32_t)n;
	facts->len = (uint32_t)(head + n);
	inspect_packet(&PARSER, &options, memory, facts, bytes, head + n, 1, &v);
	p = (struct packet){.facts = *facts, .data = head + n <= MSG_EDIT_MAX ? bytes : NULL};
	if (policy_judge(conf, &p, &v) != OK)
		abort();
	memcpy(facts->priv, v.priv, sizeof(facts->priv));
	free(bytes);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct queue_conf conf = {.kind = kind(), .priv_len = 32};
	static struct memory *memory; /* one for all inputs: each is another flow */
	static uint32_t id;
	struct msg_packet facts = {0};
	struct rd r = rd_init(data, size);
	uint8_t flags = rd_u8(&r);

	if (memory == NULL && PARSER.memory > 0)
		memory = memory_new(PARSER.memory);
	make_flow(&facts, flags);
	facts.ct_id = ++id;
	conf.flags = flags & 32 ? QUEUE_FOREIGN : 0;
	while (!r.bad && rd_left(&r) >= 3) {
		uint8_t info = rd_u8(&r);
		size_t n = rd_be16(&r);

		if (info == 255) /* the next process takes over */
			memset(facts.priv, (int)n, sizeof(facts.priv));
		facts.ct_info = info % 5;
		n = n < rd_left(&r) ? n : rd_left(&r);
		one_packet(&conf, memory, &facts, rd_take(&r, n), n);
	}
	return 0;
}

/*
 * Messages of many senders, some of them strangers, through the judgement of sources and FT-FW, while flows change. Six
 * octets a message: who (link, host, port), how long after the last one, type and flags, and how its numbers lie to
 * ours. First octet: the kind of link, and whether sources are checked.
 */
#include <stdlib.h>
#include <string.h>

#include "link.h"
#include "mode.h"

#define LINKS 3
#define FLOWS 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct group {
	struct conf conf;
	struct tables t;
	struct links ls;
	struct mode *m;
	uint32_t slot[FLOWS], newest; /* newest: our last number */
	uint64_t now;
	struct wire_head head; /* of the message that is on its way */
};

static void
must(bool ok)
{
	if (!ok)
		abort();
}

static void
event(void *arg, enum mode_event e)
{
	(void)arg;
	(void)e;
}

static void
unqueued(void *arg, enum slot_kind kind, uint32_t slot)
{
	(void)arg;
	(void)kind;
	(void)slot;
}

static bool
datagram(void *arg, unsigned int peer, const uint8_t *data, size_t len)
{
	struct group *g = arg;

	(void)data;
	(void)len;
	must(peer < MODE_PEERS);
	g->m->ops->recv(g->m, peer, &g->head, g->now);
	return wire_is_state(&g->head) || wire_is_control(&g->head);
}

static int
proves(void *arg, const uint8_t *data, size_t len)
{
	struct group *g = arg;

	(void)data;
	(void)len;
	return g->m->ops->acknowledges(g->m, &g->head);
}

static void
forget_peer(void *arg, unsigned int peer)
{
	struct group *g = arg;

	must(peer < MODE_PEERS);
	g->m->ops->forget_peer(g->m, peer);
}

static void
begin(struct group *g, uint8_t form)
{
	const struct mode_env menv = {g, &g->t, event, unqueued};
	const struct links_env lenv = {.arg = g, .datagram = datagram, .proves = proves, .forget_peer = forget_peer};

	*g = (struct group){.now = 100000, .conf = {.n_links = LINKS, .resend_queue_size = 32, .ack_window_size = 4}};
	for (uint8_t i = 0; i < LINKS; i++) {
		g->conf.link[i] = (struct msg_link){.kind = form & 1 ? LINK_MCAST : LINK_UDP,
						    .family = 2,
						    .port = 3780,
						    .ifname = {'e', (char)('0' + (form & 2 ? i : 0))},
						    .local = {10, 0, 0, 9},
						    .peer = {10, 0, 0, i}};
		g->conf.link_any_source[i] = (form & 4) != 0;
	}
	must(tables_init(&g->t, FLOWS) == 0);
	for (uint32_t i = 0; i < FLOWS; i++) {
		struct flow f = {.l3 = 2, .l4 = 17, .port = {(uint16_t)i}, .have = FLOW_PORTS};

		must(cache_insert(g->t.of[SLOT_FLOW], &f, 0, &g->slot[i]) == 0);
	}
	g->m = ftfw_new(&g->conf, &menv, 0xfffffff0u, g->now);
	must(g->m != NULL);
	links_init(&g->ls, &g->conf, &lenv);
}

static void
message(struct group *g, const uint8_t *p)
{
	const uint16_t ports[] = {3780, 4000};
	const struct channel_from from = {
		.family = 2, .addr = {10, 0, 0, (uint8_t)(p[0] >> 3)}, .port = ports[p[0] >> 2 & 1]};
	const uint32_t base = p[4] & 0x80 ? g->newest : (uint32_t)from.addr[3] << 27;

	g->now += (uint64_t)p[1] * (p[1] & 1 ? 1 : 200);
	g->head = (struct wire_head){.version = 1,
				     .type = p[2] & 1 ? WIRE_CTL : WIRE_CT_NEW,
				     .flags = p[2] & 0xfe,
				     .seq = base + (p[4] & 0x7f),
				     .from = g->newest - (p[5] & 0x1f),
				     .to = g->newest - (p[5] >> 5)};
	links_datagram(&g->ls, p[0] % LINKS, &from, p, 6, g->now);
	g->m->ops->change(g->m, SLOT_FLOW, g->slot[p[3] % FLOWS]);
}

static void
turn(struct group *g)
{
	struct mode_item it;
	struct mode_stats ms;
	struct mode_peer mp;
	const struct refused *r;

	g->m->ops->tick(g->m, g->now);
	for (int i = 0; i < 20 && g->m->ops->next(g->m, &it, g->now); i++)
		g->newest = it.seq;
	g->m->ops->stats(g->m, &ms, g->now);
	must(ms.rs_len <= 32 && ms.unacked <= ms.rs_len);
	for (unsigned int i = 0; i < MODE_PEERS; i++) {
		g->m->ops->peer(g->m, i, &mp, g->now);
		must(!mp.in_sync || mp.known);
		senders_address(&g->ls.senders, i);
	}
	for (unsigned int i = 0; i < LINKS; i++) {
		senders_to_name(&g->ls.senders, i, g->now);
		for (unsigned int k = 0; (r = senders_refused(&g->ls.senders, i, k, g->now)) != NULL; k++)
			must(k < REFUSED_MAX && r->count > 0);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct group g;

	if (size < 1)
		return 0;
	begin(&g, data[0]);
	for (data++, size--; size >= 6; data += 6, size -= 6) {
		message(&g, data);
		turn(&g);
	}
	g.m->ops->free(g.m);
	tables_clear(&g.t);
	return 0;
}

/*
 * Flow records: derive the reply tuple, copy. Every value is data, only side pointers and sizes are ours.
 */
#include "flow.h"
#include "facts.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

bool
flow_is_icmp(uint8_t l4)
{
	return l4 == IPPROTO_ICMP || l4 == IPPROTO_ICMPV6;
}

static void
derive_ports(struct flow *f, const struct flow_nat *nat)
{
	f->port[2] = nat != NULL && nat->dpat ? nat->dpat_port : f->port[1];
	f->port[3] = nat != NULL && nat->spat ? nat->spat_port : f->port[0];
}

/* The id keeps its place, the type becomes that of the answer. Peers say 0 when the id was not translated. */
static void
derive_icmp(struct flow *f, const struct flow_nat *nat)
{
	uint8_t tc[2];
	int reply;

	memcpy(tc, &f->port[1], sizeof(tc));
	if ((reply = icmp_answer(f->l4, tc[0])) >= 0)
		tc[0] = (uint8_t)reply;
	memcpy(&f->port[3], tc, sizeof(tc));
	f->port[2] = nat != NULL && nat->spat && nat->spat_port != 0 ? nat->spat_port : f->port[0];
}

void
flow_derive_reply(struct flow *f, const struct flow_nat *nat)
{
	const unsigned int w = flow_words(f);
	const uint32_t *src = f->addr + ORIG_DST * w, *dst = f->addr + ORIG_SRC * w;

	if (nat != NULL && nat->dnat)
		src = nat->dnat_addr;
	if (nat != NULL && nat->snat)
		dst = nat->snat_addr;
	memcpy(f->addr + REPL_SRC * w, src, w * sizeof(*src));
	memcpy(f->addr + REPL_DST * w, dst, w * sizeof(*dst));
	if (flow_is_icmp(f->l4))
		derive_icmp(f, nat);
	else
		derive_ports(f, nat);
	f->have |= FLOW_REPLY;
}

void
flow_find_nat(const struct flow *f, struct flow_nat *nat)
{
	const size_t len = flow_words(f) * sizeof(uint32_t);
	const bool icmp = flow_is_icmp(f->l4);

	*nat = (struct flow_nat){0};
	if (!(f->have & FLOW_REPLY))
		return;
	memcpy(nat->snat_addr, flow_addr(f, REPL_DST), len);
	memcpy(nat->dnat_addr, flow_addr(f, REPL_SRC), len);
	nat->snat = memcmp(nat->snat_addr, flow_addr(f, ORIG_SRC), len) != 0;
	nat->dnat = memcmp(nat->dnat_addr, flow_addr(f, ORIG_DST), len) != 0;
	nat->spat_port = icmp ? f->port[2] : f->port[3];
	nat->dpat_port = icmp ? 0 : f->port[2];
	nat->spat = nat->spat_port != f->port[0];
	nat->dpat = !icmp && nat->dpat_port != f->port[1];
}

int
flow_copy(struct flow *dst, const struct flow *src)
{
	struct flow_side *side = dst->side;

	if (!(src->have & FLOW_SIDE)) {
		free(side);
		side = NULL;
	} else if (side == NULL && (side = malloc(sizeof(*side))) == NULL) {
		return -ENOMEM;
	}
	memcpy(dst, src, flow_size(src));
	if (side != NULL)
		*side = *src->side;
	dst->side = side;
	return 0;
}

void
flow_clear(struct flow *f)
{
	free(f->side);
	f->side = NULL;
	f->have &= ~(uint32_t)FLOW_SIDE;
}

/*
 * What is new of a flow into what was known of it, by the rows of its attributes. Every value is data.
 */
#include "attrs.h"

#include <errno.h>
#include <stdlib.h>

/* The kernel's reply tuple is a fact. A peer's is derived, and it leaves out what it sent before: NAT that was known
 * is not lost by a message that does not mention it. */
static bool
takes_reply(const struct flow *dst, const struct flow *src)
{
	struct flow_nat nat;

	if (!(src->have & FLOW_REPLY))
		return false;
	if (src->have & FLOW_ID || !(dst->have & FLOW_REPLY))
		return true;
	flow_find_nat(src, &nat);
	return nat.snat || nat.dnat || nat.spat || nat.dpat;
}

static void
merge_reply(struct flow *dst, const struct flow *src)
{
	const size_t len = 2 * flow_words(src) * sizeof(uint32_t);

	memcpy(dst->addr + REPL_SRC * flow_words(dst), flow_addr(src, REPL_SRC), len);
	memcpy(dst->port + 2, src->port + 2, 2 * sizeof(src->port[0]));
}

/* Most are of one or four octets: no call for these. */
static inline void
copy_attr(uint8_t *to, const uint8_t *from, size_t len)
{
	if (len == sizeof(uint32_t))
		memcpy(to, from, sizeof(uint32_t));
	else if (len == 1)
		*to = *from;
	else
		memcpy(to, from, len);
}

static void
merge_attrs(struct flow *dst, const struct flow *src)
{
	uint8_t *const to[] = {[BASE_MAIN] = (uint8_t *)dst, [BASE_SIDE] = (uint8_t *)dst->side};
	const uint8_t *const from[] = {[BASE_MAIN] = (const uint8_t *)src, [BASE_SIDE] = (const uint8_t *)src->side};

	for (unsigned int i = 0; i < (src->have & FLOW_SIDE ? FLOW_KEPT : FLOW_KEPT_MAIN); i++) {
		const struct attr *a = &flow_attrs[flow_kept[i]];

		if (a->with & src->have)
			copy_attr(to[a->base] + a->off, from[a->base] + a->off, attr_len(a));
	}
	if (src->have & FLOW_MASTER)
		dst->side->master_has_ports = src->side->master_has_ports;
}

int
flow_merge(struct flow *dst, const struct flow *src)
{
	const bool reply = takes_reply(dst, src);

	if (src->have & FLOW_SIDE && dst->side == NULL && (dst->side = calloc(1, sizeof(*dst->side))) == NULL)
		return -ENOMEM;
	merge_attrs(dst, src);
	if (src->have & FLOW_ID)
		dst->id = src->id;
	if (reply)
		merge_reply(dst, src);
	if (src->have & FLOW_SYNPROXY)
		dst->have &= ~(uint32_t)FLOW_SYNPROXY_ZERO;
	if (src->have & FLOW_SYNPROXY_ZERO)
		dst->have &= ~(uint32_t)FLOW_SYNPROXY;
	dst->have |= src->have;
	return 0;
}

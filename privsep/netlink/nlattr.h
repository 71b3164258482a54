/*
 * Netlink attributes by the reading cursor: the one bounded walk of privileged programs and workers. The next one is
 * read from the cursor, which moves behind it and its padding, as far as there is any; false at the end, or with the
 * cursor bad where the rest is none. Nothing is interpreted but lengths.
 */
#ifndef NLATTR_H
#define NLATTR_H

#include <linux/netlink.h>

#include "cursor.h"

struct nla {
	const uint8_t *data;
	uint16_t type, len, flags; /* len of data; flags: NLA_F_NESTED, NLA_F_NET_BYTEORDER */
};

/* The cursor over the rest of something of that length whose head has been read. */
static inline struct rd
nl_rest(struct rd *r, size_t len, size_t head)
{
	struct rd rest = rd_sub(r, len >= head ? len - head : SIZE_MAX);
	size_t pad = NLMSG_ALIGN(len) - len;

	rd_take(r, pad < rd_left(r) ? pad : rd_left(r));
	return rest;
}

static inline bool
nla_next(struct rd *r, struct nla *a)
{
	struct nlattr h;
	struct rd body;

	if (r->bad || rd_left(r) == 0)
		return false;
	rd_copy(r, &h, sizeof(h));
	body = nl_rest(r, h.nla_len, sizeof(h));
	*a = (struct nla){body.p, h.nla_type & NLA_TYPE_MASK, (uint16_t)rd_left(&body),
			  (uint16_t)(h.nla_type & ~NLA_TYPE_MASK)};
	return !r->bad;
}

static inline struct rd
nla_nested(const struct nla *nest)
{
	return rd_init(nest->data, nest->len);
}

#endif

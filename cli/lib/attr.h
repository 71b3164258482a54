/*
 * Walks netlink attributes with a bounded cursor: one header check per attribute, no copies. Whatever the kernel, a
 * test or a fuzzer hands in, nothing outside the message is read.
 */
#ifndef ATTR_H
#define ATTR_H

#include "buf.h"

#include <arpa/inet.h>
#include <endian.h>
#include <linux/netlink.h>

struct attr {
	uint16_t type; /* without the nested and byte order flags */
	uint16_t len;  /* of data */
	const uint8_t *data;
};

/* Next attribute; false at the end, or with r->bad set where the rest is no attribute. */
static inline bool
attr_next(struct rd *r, struct attr *a)
{
	struct nlattr h;
	size_t left = rd_left(r), step;

	if (left < sizeof(h)) {
		r->bad |= left > 0;
		return false;
	}
	memcpy(&h, r->p, sizeof(h));
	if (h.nla_len < sizeof(h) || h.nla_len > left) {
		r->bad = true;
		return false;
	}
	*a = (struct attr){h.nla_type & NLA_TYPE_MASK, (uint16_t)(h.nla_len - sizeof(h)), r->p + sizeof(h)};
	step = NLA_ALIGN(h.nla_len);
	r->p += step < left ? step : left;
	return true;
}

static inline struct rd
attr_nest(const struct attr *a)
{
	return rd_init(a->data, a->len);
}

/* Callers check a->len first. */
static inline uint16_t
attr_be16(const struct attr *a)
{
	uint16_t v;

	memcpy(&v, a->data, sizeof(v));
	return ntohs(v);
}

static inline uint32_t
attr_be32(const struct attr *a)
{
	uint32_t v;

	memcpy(&v, a->data, sizeof(v));
	return ntohl(v);
}

static inline uint64_t
attr_be64(const struct attr *a)
{
	uint64_t v;

	memcpy(&v, a->data, sizeof(v));
	return be64toh(v);
}

#endif

/*
 * Netlink attributes between bytes and struct fields: a bounded walk, and rows (size, byte order, place) that serve
 * reading and writing alike. Only flow_nl.c and expect_nl.c know it.
 */
#ifndef NLA_H
#define NLA_H

#include <endian.h>
#include <linux/netlink.h>

#include "buf.h"
#include "flow.h"

struct nla {
	const uint8_t *data;
	uint16_t type, len; /* len: of data */
};

/* The next attribute; false at the end. An attribute that does not fit makes the cursor bad. */
static inline bool
nla_next(struct rd *r, struct nla *a)
{
	struct nlattr h;
	size_t step;

	if (rd_left(r) < sizeof(h))
		return false;
	memcpy(&h, r->p, sizeof(h));
	if (h.nla_len < sizeof(h) || h.nla_len > rd_left(r)) {
		r->bad = true;
		return false;
	}
	a->type = h.nla_type & NLA_TYPE_MASK;
	a->len = (uint16_t)(h.nla_len - sizeof(h));
	a->data = r->p + sizeof(h);
	step = NLA_ALIGN(h.nla_len);
	r->p += step < rd_left(r) ? step : rd_left(r);
	return true;
}

enum nla_kind { NLA_RAW, NLA_BE }; /* NLA_BE: number, host order in the struct */

/* One attribute of fixed size. Rows stand at the index of their type; size 0: not ours, skipped. */
struct nla_row {
	uint8_t size; /* 1, 2, 4 or 16 */
	uint8_t kind;
	uint16_t off;  /* in the struct */
	uint32_t have; /* what reading it makes known; what must be known to write it */
};

/* One field between message and struct; from network to host order is the same as back. */
static inline void
nla_copy(uint8_t *at, const struct nla_row *row, const uint8_t *p)
{
	uint32_t v32;
	uint16_t v16;

	switch (row->size) {
	case 1:
		*at = *p;
		break;
	case 2:
		memcpy(&v16, p, sizeof(v16));
		v16 = row->kind == NLA_BE ? be16toh(v16) : v16;
		memcpy(at, &v16, sizeof(v16));
		break;
	case 4:
		memcpy(&v32, p, sizeof(v32));
		v32 = row->kind == NLA_BE ? be32toh(v32) : v32;
		memcpy(at, &v32, sizeof(v32));
		break;
	default:
		memcpy(at, p, 16);
	}
}

/* Stores one attribute; returns its have bits, 0 with r bad when the size is wrong. */
static inline uint32_t
nla_get(struct rd *r, const struct nla_row *row, const struct nla *a, void *base)
{
	if (a->len != row->size) {
		r->bad = true;
		return 0;
	}
	nla_copy((uint8_t *)base + row->off, row, a->data);
	return row->have;
}

/* All attributes in data against rows. false: malformed. Adds to *have. */
bool nla_get_all(const struct nla *nest, const struct nla_row *rows, size_t n, void *base, uint32_t *have);
/* Writes the rows of which all have bits are in have, in order of type. */
void nla_put_all(struct wr *w, const struct nla_row *rows, size_t n, const void *base, uint32_t have);
void nla_put(struct wr *w, uint16_t type, const void *data, size_t len);
void nla_put_be16(struct wr *w, uint16_t type, uint16_t v);
void nla_put_be32(struct wr *w, uint16_t type, uint32_t v);
void nla_put_str(struct wr *w, uint16_t type, const char *s, size_t max); /* terminated; s fills at most max octets */
/* Where the nest began, for nla_nest_end. */
uint8_t *nla_nest(struct wr *w, uint16_t type);
void nla_nest_end(struct wr *w, uint8_t *nest);
/* String attribute, with or without terminator: false when it does not fit in size - 1 octets. */
bool nla_str(const struct nla *a, char *dst, size_t size);

/* CTA_TUPLE_*: family is that of the message. */
enum nla_tuple_have { TUPLE_L4 = 1 << 0, TUPLE_PORTS = 1 << 1 };
bool nla_get_tuple(const struct nla *a, uint8_t l3, struct flow_tuple *t, uint32_t *have);
void nla_put_tuple(struct wr *w, uint16_t type, uint8_t l3, const struct flow_tuple *t);

/* nlmsghdr and nfgenmsg; nla_msg_end fills in the length. Returns the length or -ENOSPC. */
void nla_msg(struct wr *w, uint16_t type, uint16_t flags, uint32_t seq, uint8_t family);
int nla_msg_end(struct wr *w);
/* A cursor over the attributes of a ctnetlink message; bad when it is too short. */
struct rd nla_msg_attrs(const struct nlmsghdr *nlh, uint8_t *family);

#endif

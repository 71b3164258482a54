/*
 * Reads netlink attributes by the walk of nlattr.h: rows (size, byte order, place) put one of fixed size into a struct.
 * Shared by the daemon's flows and the records of the tools. Sizes are checked, values are not interpreted; nothing is
 * copied but the fields, nothing outside the message is read.
 */
#ifndef NLA_H
#define NLA_H

#include <endian.h>
#include <linux/netfilter/nfnetlink.h>

#include "buf.h"
#include "nlattr.h"

/* A cursor over the attributes of an nfnetlink message, and its head (NULL: not wanted); bad, empty and zero when the
 * message is too short for them. */
static inline struct rd
nla_msg_attrs(const struct nlmsghdr *nlh, struct nfgenmsg *head)
{
	struct rd r = rd_init(nlh, nlh->nlmsg_len);
	struct nfgenmsg g;

	rd_take(&r, NLMSG_HDRLEN);
	rd_copy(&r, &g, sizeof(g));
	if (r.bad)
		r.p = r.end;
	if (head != NULL)
		*head = g;
	return r;
}

/* Callers check a->len first. */
static inline uint32_t
nla_be32(const struct nla *a)
{
	uint32_t v;

	memcpy(&v, a->data, sizeof(v));
	return be32toh(v);
}

enum nla_kind { NLA_RAW, NLA_BE }; /* NLA_BE: number, host order in the struct */

/* One attribute of fixed size. Rows stand at the index of their type; size 0: not ours, skipped. */
struct nla_row {
	uint8_t size; /* 1, 2, 4, 8 (NLA_BE only) or 16 (NLA_RAW only) */
	uint8_t kind;
	uint16_t off;  /* in the struct */
	uint32_t have; /* what reading it makes known; what must be known to write it */
};

/* One field between message and struct; from network to host order is the same as back. */
static inline void
nla_copy(uint8_t *at, const struct nla_row *row, const uint8_t *p)
{
	uint64_t v64;
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
	case 8:
		memcpy(&v64, p, sizeof(v64));
		v64 = be64toh(v64);
		memcpy(at, &v64, sizeof(v64));
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

/* All attributes of a nest against rows. false: malformed. Adds to *have. */
static inline bool
nla_get_all(const struct nla *nest, const struct nla_row *rows, size_t n, void *base, uint32_t *have)
{
	struct rd r = nla_nested(nest);
	struct nla a;

	while (nla_next(&r, &a))
		if (a.type < n && rows[a.type].size != 0)
			*have |= nla_get(&r, &rows[a.type], &a, base);
	return !r.bad;
}

#endif

/*
 * What flows and expectations are made of: one row per attribute of the peer protocol, in order of emission. The codec
 * (daemon/wire) writes and reads by it, and flows are merged and compared by it.
 */
#ifndef ATTRS_H
#define ATTRS_H

#include <endian.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "flow.h"

/* How a payload lies on the wire. */
enum attr_kind {
	ATTR_RAW,    /* octets as in the struct */
	ATTR_BE16,   /* number, most significant octet first */
	ATTR_BE32,   /* numbers of four octets each */
	ATTR_HOST16, /* a 16-bit value of the packet after one byte swap too many: see doc/wire.md, byte order */
	ATTR_STR,    /* terminated string */
	ATTR_LABELS, /* words of four octets, any number */
	ATTR_ZERO,   /* emitted only: zeros */
};

/* Which struct a row's offset is in. */
enum attr_base { BASE_MAIN, BASE_SIDE, BASE_NAT, BASE_MAX };

struct attr {
	uint8_t type, kind, base, l3; /* l3: family that the attribute decides, 0: none */
	uint16_t min, max;            /* payload octets taken */
	uint16_t off, size;           /* place in the struct */
	uint32_t have;                /* what it makes known */
	uint32_t with; /* with what it is merged and compared; 0: it is of the key, or where another row is */
};

enum flow_attr {
	FA_IPV4,
	FA_IPV6,
	FA_STATUS,
	FA_L4PROTO,
	FA_PORT,
	FA_ICMP_TYPE,
	FA_ICMP_CODE,
	FA_ICMP_ID,
	FA_TCP_STATE,
	FA_WSCALE_ORIG,
	FA_WSCALE_REPL,
	FA_SCTP_STATE,
	FA_VTAG_ORIG,
	FA_VTAG_REPL,
	FA_DCCP_STATE,
	FA_DCCP_ROLE,
	FA_TIMEOUT,
	FA_MARK,
	FA_MASTER_IPV4,
	FA_MASTER_IPV6,
	FA_MASTER_L4PROTO,
	FA_MASTER_PORT,
	FA_SNAT_IPV4,
	FA_SNAT_IPV6,
	FA_DNAT_IPV4,
	FA_DNAT_IPV6,
	FA_SPAT_PORT,
	FA_DPAT_PORT,
	FA_SEQADJ,
	FA_HELPER,
	FA_LABELS,
	FA_SYNPROXY,
	FA_SYNPROXY_ZERO,
	FA_ZONE,
	FA_MAX
};

enum expect_attr {
	XA_MASTER_IPV4,
	XA_MASTER_IPV6,
	XA_MASTER_L4PROTO,
	XA_MASTER_PORT,
	XA_EXPECT_IPV4,
	XA_EXPECT_IPV6,
	XA_EXPECT_L4PROTO,
	XA_EXPECT_PORT,
	XA_MASK_IPV4,
	XA_MASK_IPV6,
	XA_MASK_L4PROTO,
	XA_MASK_PORT,
	XA_TIMEOUT,
	XA_FLAGS,
	XA_CLASS,
	XA_NAT_IPV4,
	XA_NAT_L4PROTO,
	XA_NAT_PORT,
	XA_NAT_DIR,
	XA_HELPER,
	XA_FN,
	XA_MAX
};

#define FLOW_ATTR_TYPES   33 /* types 0 … 32 */
#define EXPECT_ATTR_TYPES 21
#define ATTR_BIT(a)       (1ULL << (a))

bool attr_has_ports(uint8_t l4); /* in PORT: TCP, UDP, SCTP, DCCP and no others */

extern const struct attr flow_attrs[FA_MAX];
extern const uint8_t flow_attr_of[FLOW_ATTR_TYPES]; /* type → enum flow_attr */
/* The rows that go with something; from FLOW_KEPT_MAIN on those of the side block. */
#define FLOW_KEPT      16
#define FLOW_KEPT_MAIN 9
extern const uint8_t flow_kept[FLOW_KEPT];
extern const struct attr expect_attrs[XA_MAX];
extern const uint8_t expect_attr_of[EXPECT_ATTR_TYPES];

/* Octets in the struct. */
static inline size_t
attr_len(const struct attr *a)
{
	return a->kind == ATTR_STR || a->kind == ATTR_LABELS ? a->size : a->min;
}

/* Numbers between struct and wire; there is the same as back. */
static inline void
attr_swap16(uint8_t *at, const uint8_t *p)
{
	uint16_t v;

	memcpy(&v, p, sizeof(v));
	v = htobe16(v);
	memcpy(at, &v, sizeof(v));
}

static inline void
attr_swap32(uint8_t *at, const uint8_t *p, size_t len)
{
	uint32_t v;

	for (size_t i = 0; i < len; i += sizeof(v)) {
		memcpy(&v, p + i, sizeof(v));
		v = htobe32(v);
		memcpy(at + i, &v, sizeof(v));
	}
}

#endif

/*
 * One flow or one expectation as a plain struct: what kernel messages and the peer protocol both carry. Shared by event
 * intake, the codec, caches, commit and the tools. Multi-octet fields are in host order unless they say otherwise;
 * addresses and ports are kept as they stand in packets (network order).
 */
#ifndef FLOW_H
#define FLOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Which optional fields are known. */
enum flow_have {
	FLOW_STATUS = 1 << 0,
	FLOW_TIMEOUT = 1 << 1,
	FLOW_MARK = 1 << 2,
	FLOW_ZONE = 1 << 3,          /* a zone other than 0 */
	FLOW_STATE = 1 << 4,         /* TCP, SCTP, DCCP: state */
	FLOW_WSCALE = 1 << 5,        /* TCP: wscale[] */
	FLOW_REPLY = 1 << 6,         /* the reply tuple was given (kernel) or derived (peer) */
	FLOW_ID = 1 << 7,            /* kernel's conntrack id */
	FLOW_SYNPROXY_ZERO = 1 << 8, /* synproxy data known and all zero: no side block needed */
	FLOW_PORTS = 1 << 9,         /* ports (or ICMP id/type/code) of the original tuple */
	FLOW_ZONE_ORIG = 1 << 10,    /* the zone holds for the original direction only, the reply is in zone 0 */
	FLOW_ZONE_REPLY = 1 << 11,   /* for the reply only */
	FLOW_ZONE_ONE_WAY = FLOW_ZONE_ORIG | FLOW_ZONE_REPLY,
	/* in the side block */
	FLOW_LABELS = 1 << 16,
	FLOW_SEQADJ = 1 << 17,
	FLOW_SYNPROXY = 1 << 18,
	FLOW_HELPER = 1 << 19,
	FLOW_MASTER = 1 << 20,
	FLOW_SIDE = FLOW_LABELS | FLOW_SEQADJ | FLOW_SYNPROXY | FLOW_HELPER | FLOW_MASTER,
};

#define FLOW_LABEL_WORDS 4
#define FLOW_HELPER_MAX  16

struct flow_seqadj {
	uint32_t pos, before, after;
};

/* Rare parts. Embedded in decoding scratch, allocated per flow in a cache. */
struct flow_side {
	uint32_t label[FLOW_LABEL_WORDS]; /* bit k of word i: label 32i+k */
	struct flow_seqadj seqadj[2];     /* original, reply */
	uint32_t its, isn, tsoff;
	char helper[FLOW_HELPER_MAX];
	/* original tuple of the master flow */
	uint8_t master_l4, master_has_ports, reserved[2];
	uint16_t master_port[2]; /* network order: source, destination */
	uint32_t master_addr[8]; /* network order: source, destination; 1 (IPv4) or 4 (IPv6) words each */
};

/* Addresses stand at the end and only as many words as the family needs, so an IPv4 flow is stored in
 * flow_size() octets: a flow in a cache must not be copied by assignment. Order: original source, original destination,
 * reply source, reply destination. */
struct flow {
	struct flow_side *side; /* NULL unless have & FLOW_SIDE; who owns it is said where a flow is handed over */
	uint32_t have;          /* enum flow_have */
	uint32_t status;        /* IPS_* bits of the kernel */
	uint32_t timeout;       /* seconds as last reported */
	uint32_t mark;
	uint32_t id;
	uint16_t zone;
	uint8_t l3; /* AF_INET, AF_INET6 */
	uint8_t l4;
	/* ports: original source, original destination, reply source, reply destination, network order.
	 * ICMP, ICMPv6: [0] = id (network order), [1] = type << 8 | code as the two octets type, code; replies in [2],
	 * [3] likewise. GRE: keys of the kernel's tuple. Others: 0. */
	uint16_t port[4];
	uint8_t state;     /* TCP, SCTP or DCCP state of the kernel */
	uint8_t dccp_role; /* 0 client, 1 server */
	uint8_t wscale[2]; /* original, reply */
	uint32_t vtag[2];  /* SCTP: original, reply; host order of the number on the wire */
	uint32_t addr[16];
};

enum flow_addr { ORIG_SRC, ORIG_DST, REPL_SRC, REPL_DST };

static inline unsigned int
flow_words(const struct flow *f)
{
	return f->l3 == 2 /* AF_INET */ ? 1 : 4;
}

static inline size_t
flow_size(const struct flow *f)
{
	return offsetof(struct flow, addr) + sizeof(uint32_t) * 4 * flow_words(f);
}

static inline const uint32_t *
flow_addr(const struct flow *f, enum flow_addr which)
{
	return f->addr + which * flow_words(f);
}

/* Fills the reply tuple from the original one: mirrored, then the four NAT values where given (NULL or 0: not).
 * Ports in network order. ICMP types are mapped to their answers. Sets FLOW_REPLY. */
struct flow_nat {
	bool snat, dnat, spat, dpat;
	uint32_t snat_addr[4], dnat_addr[4];
	uint16_t spat_port, dpat_port;
};
void flow_derive_reply(struct flow *f, const struct flow_nat *nat);
/* The reverse: what of the reply tuple is not the mirror of the original one; all four values are filled in. For ICMP
 * spat is the id, dpat is never set. Nothing is set when the reply tuple is unknown. */
void flow_find_nat(const struct flow *f, struct flow_nat *nat);

bool flow_is_icmp(uint8_t l4);

/* dst := src; the side block is allocated (or freed, or rewritten) in dst. dst->side must be NULL or owned. -ENOMEM. */
int flow_copy(struct flow *dst, const struct flow *src);
/* Overwrites in dst every field that src has, keeps the rest; the keys must be equal. dst owns its side block. -ENOMEM
 */
int flow_merge(struct flow *dst, const struct flow *src);
void flow_clear(struct flow *f); /* frees the side block */

/* Key: original tuple, protocols, zone. */
bool flow_same_key(const struct flow *a, const struct flow *b);
uint32_t flow_hash(const struct flow *f, const uint64_t seed[2]); /* SipHash-1-3 or as strong: peers choose tuples */
bool flow_equal(const struct flow *a, const struct flow *b);      /* every field of have, timeout and id excepted */

#define EXPECT_FN_MAX 32
enum expect_have {
	EXPECT_TIMEOUT = 1 << 0,
	EXPECT_CLASS = 1 << 1,
	EXPECT_NAT = 1 << 2,
	EXPECT_HELPER = 1 << 3,
	EXPECT_FN = 1 << 4,
	EXPECT_ZONE = 1 << 5,
	EXPECT_ID = 1 << 6,
};

struct flow_tuple {
	uint32_t src[4], dst[4]; /* network order; IPv4 in word 0 */
	uint16_t sport, dport;   /* network order */
	uint8_t l4, reserved;
	uint16_t zone; /* of this direction alone; no part of expectations */
};

struct expect {
	uint32_t have; /* enum expect_have */
	uint8_t l3, reserved;
	uint16_t zone;
	struct flow_tuple master, tuple, mask, nat;
	uint32_t timeout, flags, class, nat_dir, id;
	char helper[FLOW_HELPER_MAX], fn[EXPECT_FN_MAX];
};

bool expect_same_key(const struct expect *a, const struct expect *b); /* everything except timeout and id */
uint32_t expect_hash(const struct expect *e, const uint64_t seed[2]);

#endif

/*
 * One conntrack entry or expectation as a message of the kernel describes it: a plain struct that borrows names and
 * label bytes from the message, so it lives as long as the receive buffer. Decoding allocates nothing.
 */
#ifndef CTREC_H
#define CTREC_H

#include "addr.h"

#include <linux/netlink.h>
#include <linux/netfilter/nf_conntrack_common.h>

/* Status bits and attributes that the oldest supported headers lack. */
#define CT_HW_OFFLOAD      (1u << 15)
#define CTA_EVENT_TIME     27 /* CTA_TIMESTAMP_EVENT, Linux 6.14 */
#define CT_LABEL_WORDS_MAX 32

enum tuple_has {
	TUPLE_PROTO = 1 << 0,
	TUPLE_SPORT = 1 << 1, /* GRE keys use the port fields, here as in the kernel */
	TUPLE_DPORT = 1 << 2,
	TUPLE_TYPE = 1 << 3,
	TUPLE_CODE = 1 << 4,
	TUPLE_ID = 1 << 5,
	TUPLE_ZONE = 1 << 6,
	TUPLE_SRC = 1 << 7,
	TUPLE_DST = 1 << 8,
};

struct ct_tuple {
	uint32_t has;
	struct addr src, dst;
	uint16_t sport, dport, icmp_id, zone;
	uint8_t proto, icmp_type, icmp_code;
};

enum rec_has {
	REC_STATUS = 1 << 0,
	REC_TIMEOUT = 1 << 1,
	REC_MARK = 1 << 2,
	REC_SECMARK = 1 << 3,
	REC_ZONE = 1 << 4,
	REC_USE = 1 << 5,
	REC_ID = 1 << 6,
	REC_START = 1 << 7,
	REC_STOP = 1 << 8,
	REC_STATE = 1 << 9,
	REC_VTAGS = 1 << 10,
	REC_ROLE = 1 << 11,
	REC_COUNT_ORIG = 1 << 12,
	REC_COUNT_REPLY = 1 << 13,
	REC_EVENT_TIME = 1 << 14,
	REC_MASTER = 1 << 15,
	REC_ORIG = 1 << 16,
	REC_REPLY = 1 << 17,
};

/* Borrowed text without terminator. */
struct text {
	const char *p;
	size_t len;
};

struct ct_counters {
	uint64_t packets, bytes;
};

struct ct_rec {
	uint8_t family;       /* of the message */
	uint16_t type, flags; /* netlink message type (subsystem stripped) and flags */
	uint32_t portid;      /* of the sender that caused an event */
	uint32_t has;
	struct ct_tuple orig, reply, master;
	uint32_t timeout, mark, status, id, use, secmark, vtag[2];
	uint16_t zone;
	uint8_t state, role;
	struct ct_counters count[2];
	uint64_t start, stop, event_time; /* nanoseconds since 1970 */
	struct text helper, secctx;       /* p is NULL when absent */
	const uint8_t *labels;            /* label_words * 4 bytes, unaligned */
	unsigned label_words;
	const struct nlattr *raw_orig; /* the original tuple's attribute, to be sent back as it is */
};

enum exp_has {
	EXP_TUPLE = 1 << 0,
	EXP_MASK = 1 << 1,
	EXP_MASTER = 1 << 2,
	EXP_TIMEOUT = 1 << 3,
	EXP_ZONE = 1 << 4,
	EXP_FLAGS = 1 << 5,
	EXP_CLASS = 1 << 6,
	EXP_ID = 1 << 7,
};

struct exp_rec {
	uint8_t family;
	uint16_t type, flags;
	uint32_t portid;
	uint32_t has;
	struct ct_tuple tuple, mask, master;
	uint32_t timeout, exp_flags, class, id;
	uint16_t zone;
	struct text helper;
};

/* Decodes a ctnetlink (expectation) message; nlh->nlmsg_len bytes must be readable. -EBADMSG: malformed. */
int ct_rec_decode(struct ct_rec *rec, const struct nlmsghdr *nlh);
int exp_rec_decode(struct exp_rec *rec, const struct nlmsghdr *nlh);

/* Label bit n of a record. */
bool ct_rec_label(const struct ct_rec *rec, unsigned n);

/* NAT as the tables understand it: the done bit, and the address or port that came out differs. */
bool ct_rec_snat(const struct ct_rec *rec);
bool ct_rec_dnat(const struct ct_rec *rec);

#endif

/*
 * What ctd-queue and the helpers' workers say to each other: a packet, and what the helper makes of it. The table of
 * the wall (msg_rules.c) knows both by their length alone.
 */
#ifndef HELPER_MSG_H
#define HELPER_MSG_H

#include "msg.h"

/* One kernel packet for a helper (struct, then `len` bytes of packet). Tuples are in network order. */
struct msg_tuple {
	uint8_t src[16], dst[16];
	uint16_t sport, dport;
	uint8_t proto, reserved[3];
};
/* seq: echo it in the verdict; ct_id, status: of the flow; ct_info: 0 established/original, 1 related/original, 2 new,
 * 3 established/reply, 4 related/reply; payload, payload_len: where in the packet that of TCP or UDP is, never empty.
 */
struct msg_packet {
	uint32_t seq, ct_id, ct_info, status, len, payload, payload_len;
	uint8_t family, hook, has_master, priv_len, priv[32];
	struct msg_tuple orig, reply;
};

/* A helper's answer. Addresses are by reference, but for REF_FOREIGN where the administrator allows other hosts. The
 * queue process (privsep/queue) judges it by its table and builds every netlink byte itself. */
enum addr_ref { REF_ANY, REF_ORIG_SRC, REF_ORIG_DST, REF_REPLY_SRC, REF_REPLY_DST, REF_FOREIGN, REF_MAX };
/* src, dst: enum addr_ref, address: that of REF_FOREIGN; proto: IPPROTO_TCP or IPPROTO_UDP; permanent, follow (the
 * expected flow gets this helper): 0 or 1; class: 0; ports in host order, sport 0: any; nat_port: the one where the
 * listener really is when the flow is translated, else 0. */
struct msg_expect {
	uint8_t src, dst, proto, permanent, follow, class;
	uint16_t sport, dport, nat_port;
	uint8_t address[16];
};
#define MSG_EDIT_MAX 4096 /* longer packets cannot be edited */
struct msg_edit {
	uint32_t offset; /* from the IP header on */
	uint16_t old_len, new_len;
	uint8_t bytes[64];
};
/* accept: 1, and 0 only from helpers that may drop; timeout: seconds, 0: leave alone. */
struct msg_verdict {
	uint32_t seq;
	uint8_t accept, n_expect, n_edits, priv_len;
	uint32_t timeout;
	uint8_t priv[32];
	struct msg_expect expect[3];
	struct msg_edit edit[2];
};

static_assert(sizeof(struct msg_expect) == 28, "wall format");
static_assert(sizeof(struct msg_packet) == MSG_PACKET_LEN && sizeof(struct msg_verdict) == MSG_VERDICT_LEN,
	      "wall format");

#endif

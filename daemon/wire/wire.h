/*
 * Version 1 of the peer protocol: header and control messages, flow and expectation bodies. enc.c and dec.c are driven
 * by one table (attrs.c). Nothing here knows sockets, clocks or caches. doc/wire.md describes the format.
 */
#ifndef WIRE_H
#define WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "flow.h"

#define WIRE_VERSION 1
#define WIRE_MSG_MAX 1536 /* no message that we build is longer (labels and every other attribute included) */

enum wire_type { WIRE_CT_NEW, WIRE_CT_UPD, WIRE_CT_DEL, WIRE_EXP_NEW, WIRE_EXP_UPD, WIRE_EXP_DEL, WIRE_CTL = 10 };
enum wire_flag {
	WIRE_RESYNC = 0x02,
	WIRE_NACK = 0x04,
	WIRE_ACK = 0x08,
	WIRE_ALIVE = 0x10,
	WIRE_HELLO = 0x20,
	WIRE_HELLO_BACK = 0x40,
};

struct wire_head {
	uint8_t version, type, flags;
	uint16_t len; /* whole message */
	uint32_t seq;
	uint32_t from, to; /* control with ACK, NACK, RESYNC */
};

/* Why a message was refused: names of the counters of `conntrackd -s network`. */
enum wire_error {
	WIRE_OK,
	WIRE_BAD_VERSION,
	WIRE_BAD_HEADER,
	WIRE_BAD_PAYLOAD,
	WIRE_BAD_TYPE,
	WIRE_TRUNCATED,
	WIRE_BAD_SIZE,
	WIRE_ERRORS
};

/* Cuts the next message off a datagram: fills *h, sets *body and *body_len, moves *data and *left behind it.
 * WIRE_TRUNCATED and WIRE_BAD_SIZE: the rest of the datagram is unusable. WIRE_BAD_VERSION: this message only.
 * For a byte stream, "not yet complete" is WIRE_TRUNCATED/WIRE_BAD_SIZE with *need set to the octets wanted, else 0. */
enum wire_error wire_next(const uint8_t **data, size_t *left, struct wire_head *h, const uint8_t **body,
			  size_t *body_len, size_t *need);
/* State message with only HELLO flags, or control with exactly a known meaning (see doc/wire.md). */
bool wire_is_state(const struct wire_head *h);
bool wire_is_control(const struct wire_head *h);

/* A flow message's body. side is scratch for rare parts. Unknown attributes are skipped and counted in *unknown (may be
 * NULL). The reply tuple is derived. WIRE_BAD_PAYLOAD also when addresses or protocol are missing. */
enum wire_error wire_dec_flow(const uint8_t *body, size_t len, struct flow *f, struct flow_side *side,
			      unsigned int *unknown);
enum wire_error wire_dec_expect(const uint8_t *body, size_t len, struct expect *e, unsigned int *unknown);

struct wire_enc_opts {
	bool wscale;     /* TCPWindowTracking: send window scale factors */
	bool no_timeout; /* CommitTimeout is set: do not send TIMEOUT */
};
/* Complete messages. Return their length (a multiple of 4) or -ENOSPC. type: WIRE_CT_* / WIRE_EXP_*. */
int wire_enc_flow(const struct flow *f, enum wire_type type, uint8_t flags, uint32_t seq, const struct wire_enc_opts *o,
		  uint8_t *buf, size_t size);
int wire_enc_expect(const struct expect *e, enum wire_type type, uint8_t flags, uint32_t seq,
		    const struct wire_enc_opts *o, uint8_t *buf, size_t size);
int wire_enc_ctl(uint8_t flags, uint32_t seq, uint32_t from, uint32_t to, uint8_t *buf, size_t size);

/* Version 1 has no place for the zone of one direction, nor for keys of GRE and ports of UDP-Lite: what it could say
 * would be another flow, and the same one for all of them. */
bool wire_carries(const struct flow *f);

#endif

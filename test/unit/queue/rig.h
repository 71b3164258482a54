/* Packets and messages as the kernel makes them, for the tests of ctd-queue. */
#ifndef RIG_H
#define RIG_H

#include "queue.h"

struct rig_flow {
	uint8_t family, proto, has_master;
	uint32_t ct_info, status, ct_id;
	uint16_t zone;
	const char *helper; /* NULL: none */
	const char *priv;   /* of priv_len octets */
	uint8_t priv_len;
	struct msg_tuple orig, reply;
};

/* A flow from 10.1.0.2 or fd01::2, port 41001, to 10.2.0.2 or fd02::2, port dport; nated: its source becomes 10.2.0.1
 * or fd02::1, port 50001. */
struct rig_flow rig_flow(uint8_t family, uint8_t proto, uint16_t dport, bool nated);

/* Tuple ends from text. */
void rig_tuple(struct msg_tuple *t, uint8_t family, uint8_t proto, const char *src, uint16_t sport, const char *dst,
	       uint16_t dport);

/* A packet of that flow with right lengths and checksums of zero; its length. */
size_t rig_packet(uint8_t *buf, const struct rig_flow *f, const void *payload, size_t len);

/* The whole netlink message; its length. */
size_t rig_message(uint8_t *buf, uint32_t id, const struct rig_flow *f, const void *packet, size_t len);

/* Reads such a message with packet_read(). */
enum count rig_read(const uint8_t *msg, size_t len, struct packet *p);

#endif

/*
 * What a parser sees of a packet, and how it answers. A parser is a function that looks at the payload of one packet,
 * in one direction of one flow, and proposes what the flow's protocol is about to open; what it proposes is judged
 * again by ctd-queue (privsep/queue/policy.c), which trusts no parser. Payload is a stranger's: it is read through
 * cursors (cursor.h, buf.h, text.h) and never beyond its end. Whatever is not understood is left alone.
 */
#ifndef INSPECT_H
#define INSPECT_H

#include <stdbool.h>

#include "buf.h"
#include "helper_msg.h"

/* As the administrator wants it for this helper. */
struct inspect_options {
	bool foreign;      /* hosts other than the flow's may be named */
	uint16_t min_port; /* smallest port that a packet's content may open, 0: any */
};

struct inspect {
	const struct msg_packet *packet;
	const uint8_t *bytes; /* from the IP header on, packet->len of them */
	struct rd payload;    /* of TCP or UDP */
	void *memory;         /* what the parser keeps of this flow, zero at first; NULL when it keeps nothing */
	const struct inspect_options *options;
	struct msg_verdict *answer;
};

struct parser {
	const char *name;
	/* Octets of memory that a flow needs; the first priv of them are handed to the kernel as the flow's private
	 * data, which outlives this process. */
	size_t memory, priv;
	void (*inspect)(struct inspect *in);
};
extern const struct parser parser_amanda, parser_dhcpv6, parser_ftp, parser_mdns, parser_rpc, parser_sane, parser_slp,
	parser_ssdp, parser_tftp, parser_tns;

struct memory;
/* Lets the parser see a packet of len octets, from its IP header on, and fills in the answer, which accepts it. memory
 * is the parser's (memory.h); NULL when it needs none. now: seconds of any clock. What p says of the octets is checked:
 * a packet that does not hold what it should gets an answer without proposals. */
void inspect_packet(const struct parser *ps, const struct inspect_options *options, struct memory *memory,
		    const struct msg_packet *p, const uint8_t *bytes, size_t len, uint32_t now, struct msg_verdict *v);

/* The packet goes from the side that began the flow; the flow has been seen in both directions; one of its addresses is
 * translated. */
bool from_client(const struct inspect *in);
bool established(const struct inspect *in);
bool translated(const struct inspect *in);

size_t address_size(const struct inspect *in); /* of the flow's family: 4 or 16 */
bool same_address(const struct inspect *in, const uint8_t *a, const uint8_t *b);
bool is_multicast(const struct inspect *in, const uint8_t *address);

/* An expectation: src and dst are enum addr_ref, port is where the listener really is. Translated flows get the
 * translation that the policy wants of this pair. NULL when the port may not be opened, or no more fits. The caller may
 * set permanent, follow and sport. */
struct msg_expect *propose(struct inspect *in, enum addr_ref src, enum addr_ref dst, uint8_t proto, uint32_t port);
/* Takes back what was proposed and edited for this packet. */
void withdraw(struct inspect *in);
/* The octets of what become text. False when that is not possible: the flow is not translated, TCP over IPv6 would
 * change its length, or there is no room for one more edit. Nothing is done when the text is the same. */
bool replace(struct inspect *in, struct rd what, const char *text);

#endif

/*
 * A peer's datagrams: cut into messages, judged by the mode, decoded, and handed to the applier.
 */
#ifndef RECEIVE_H
#define RECEIVE_H

#include "applier.h"
#include "clock.h"
#include "mode.h"

struct receive {
	struct applier to;
	struct mode *mode;
	const struct clock *clock;
	uint64_t malformed[WIRE_ERRORS], unknown_attrs;
};

/* One datagram of a peer (mode.h). True: in it was a message of the protocol. */
bool receive_datagram(struct receive *r, unsigned int peer, const uint8_t *data, size_t left);
/* Whether a datagram acknowledges what we have just sent: 1; 0: something else; -1: nothing. */
int receive_proves(const struct receive *r, const uint8_t *data, size_t left);

#endif

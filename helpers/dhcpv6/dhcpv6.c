/* DHCPv6 (RFC 8415): what a client sends to the group of servers is answered from their own addresses. */
#include <netinet/in.h>

#include "inspect.h"

#define CLIENT_PORT 546

/* Seconds that a client waits for the answer to each type of its messages; 0: it expects none. */
static const uint16_t patience[] = {
	[1] = 120 /* Solicit */, [3] = 30 /* Request */, [4] = 4 /* Confirm */, [5] = 600 /* Renew */,
	[6] = 600 /* Rebind */,  [8] = 1 /* Release */,  [9] = 1 /* Decline */, [11] = 120 /* Information-request */,
};

static void
inspect(struct inspect *in)
{
	uint8_t type = rd_u8(&in->payload);
	struct msg_expect *e;

	if (!from_client(in) || translated(in) || in->payload.bad || type >= sizeof(patience) / sizeof(patience[0]) ||
	    patience[type] == 0 || !is_multicast(in, in->packet->orig.dst))
		return;
	if ((e = propose(in, REF_ANY, REF_ORIG_SRC, IPPROTO_UDP, CLIENT_PORT)) == NULL)
		return;
	e->permanent = 1;
	in->answer->timeout = patience[type];
}

const struct parser parser_dhcpv6 = {"dhcpv6", 0, 0, inspect};

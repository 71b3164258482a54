/* Service Location Protocol 2 (RFC 2608, 6.1): questions to a group or a broadcast address, answered by anybody. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "inspect.h"

#define HEADER_LEN 14
enum { SERVICE_REQUEST = 1, ATTRIBUTE_REQUEST = 6, SERVICE_TYPE_REQUEST = 9 };

static bool
is_question(struct rd r)
{
	const uint8_t *h = rd_take(&r, HEADER_LEN);

	return h != NULL && h[0] == 2 &&
	       (h[1] == SERVICE_REQUEST || h[1] == ATTRIBUTE_REQUEST || h[1] == SERVICE_TYPE_REQUEST) &&
	       (uint32_t)(h[2] << 16 | h[3] << 8 | h[4]) >= HEADER_LEN;
}

/* Of a subnet nobody here knows the mask: the last octet of its broadcast address is 255 where the mask is usual. */
static bool
is_group(const struct inspect *in, const uint8_t *address)
{
	return is_multicast(in, address) || (in->packet->family == AF_INET && address[3] == 255);
}

static void
inspect(struct inspect *in)
{
	const struct msg_tuple *o = &in->packet->orig;
	struct msg_expect *e;

	if (!from_client(in) || translated(in) || !is_group(in, o->dst) || !is_question(in->payload))
		return;
	if ((e = propose(in, REF_ANY, REF_ORIG_SRC, IPPROTO_UDP, ntohs(o->sport))) == NULL)
		return;
	e->sport = ntohs(o->dport);
	e->permanent = 1;
}

const struct parser parser_slp = {"slp", 0, 0, inspect};

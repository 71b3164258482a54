/* Multicast DNS (RFC 6762, 5.1): one-shot questions are answered to the port that they came from, by anybody. */
#include <arpa/inet.h>
#include <netinet/in.h>

#include "inspect.h"

#define MDNS_PORT   5353
#define HEADER_LEN  12
#define FLAG_ANSWER 0x80

static bool
is_question(struct rd r)
{
	const uint8_t *h = rd_take(&r, HEADER_LEN);

	return h != NULL && (h[2] & FLAG_ANSWER) == 0 && (h[4] | h[5]) != 0; /* with at least one question */
}

static void
inspect(struct inspect *in)
{
	const struct msg_tuple *o = &in->packet->orig;
	struct msg_expect *e;

	if (!from_client(in) || translated(in) || !is_multicast(in, o->dst) || ntohs(o->sport) == MDNS_PORT ||
	    !is_question(in->payload))
		return;
	if ((e = propose(in, REF_ANY, REF_ORIG_SRC, IPPROTO_UDP, ntohs(o->sport))) == NULL)
		return;
	e->sport = ntohs(o->dport);
	e->permanent = 1;
}

const struct parser parser_mdns = {"mdns", 0, 0, inspect};

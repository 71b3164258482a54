/* TFTP (RFC 1350): a request is answered from another port of the server. */
#include <arpa/inet.h>
#include <netinet/in.h>

#include "inspect.h"

enum { READ_REQUEST = 1, WRITE_REQUEST = 2 };

static void
inspect(struct inspect *in)
{
	uint16_t opcode = rd_be16(&in->payload);
	struct msg_expect *e;

	if (in->payload.bad || (opcode != READ_REQUEST && opcode != WRITE_REQUEST))
		return;
	e = propose(in, REF_REPLY_SRC, REF_REPLY_DST, IPPROTO_UDP, ntohs(in->packet->reply.dport));
	if (e != NULL && translated(in))
		e->nat_port = ntohs(in->packet->orig.sport);
}

const struct parser parser_tftp = {"tftp", 0, 0, inspect};

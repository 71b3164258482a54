/* SANE's network protocol: the answer to NET_START names the port where the image can be fetched. */
#include <netinet/in.h>

#include "inspect.h"

#define REQUEST_LEN 8
#define NET_START   7

struct flow {
	uint8_t asked; /* for an image */
};

static void
inspect(struct inspect *in)
{
	struct flow *f = in->memory;
	struct rd *r = &in->payload;
	uint32_t status;
	uint16_t zero, port;

	if (!established(in))
		return;
	if (from_client(in)) {
		if (rd_left(r) == REQUEST_LEN)
			f->asked = rd_be32(r) == NET_START;
		return;
	}
	status = rd_be32(r);
	zero = rd_be16(r);
	port = rd_be16(r);
	if (f->asked && !r->bad && status == 0 && zero == 0)
		propose(in, REF_ORIG_SRC, REF_ORIG_DST, IPPROTO_TCP, port);
	f->asked = 0;
}

const struct parser parser_sane = {"sane", sizeof(struct flow), sizeof(struct flow), inspect};

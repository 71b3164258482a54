/*
 * The port mapper (RFC 1833, versions 2 to 4, over RFC 5531): a client asks where a program listens, the answer opens
 * that port. A question is remembered until its answer, or anything that does not fit, comes.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "inspect.h"
#include "text.h"

#define LAST_FRAGMENT 0x80000000U
#define PORT_MAPPER   100000
#define RPC_VERSION   2
#define GETPORT       3 /* of version 2; of 3 and 4 the same number is GETADDR */
#define AUTH_MAX      400
enum { CALL, REPLY };

struct flow {
	uint32_t xid;
	uint8_t asked;   /* 0, or the version of the question */
	uint8_t proto;   /* of the service */
	uint8_t family6; /* it was asked for its address in IPv6 */
};

/* Over TCP one message, whole, is what this reads. */
static bool
record(const struct inspect *in, struct rd *r)
{
	uint32_t mark;

	if (in->packet->orig.proto != IPPROTO_TCP)
		return true;
	mark = rd_be32(r);
	return established(in) && !r->bad && mark == (LAST_FRAGMENT | (uint32_t)rd_left(r));
}

static bool
skip_padded(struct rd *r, uint32_t len, uint32_t most)
{
	return len <= most && rd_take(r, (len + 3) & ~3U) != NULL;
}

static bool
skip_auth(struct rd *r)
{
	rd_be32(r); /* flavour */
	return skip_padded(r, rd_be32(r), AUTH_MAX);
}

static struct rd
string(struct rd *r)
{
	uint32_t len = rd_be32(r);
	struct rd body = *r;

	if (r->bad || !skip_padded(r, len, 256))
		return (struct rd){NULL, NULL, true};
	body.end = body.p + len;
	return body;
}

/* program, version, protocol, port */
static bool
question_v2(struct rd *r, struct flow *f)
{
	uint32_t program = rd_be32(r), version = rd_be32(r), proto = rd_be32(r), port = rd_be32(r);

	(void)version;
	f->proto = (uint8_t)proto;
	f->family6 = 0;
	return !r->bad && rd_left(r) == 0 && program != PORT_MAPPER && port == 0 &&
	       (proto == IPPROTO_TCP || proto == IPPROTO_UDP);
}

/* program, version, netid, universal address, owner */
static bool
question_v4(struct rd *r, struct flow *f)
{
	uint32_t program = rd_be32(r), version = rd_be32(r);
	struct rd netid = string(r), address = string(r), owner = string(r);

	(void)version;
	if (r->bad || netid.bad || address.bad || owner.bad || rd_left(r) != 0 || program == PORT_MAPPER)
		return false;
	f->proto = text_exact(&netid, "tcp") ? IPPROTO_TCP : text_exact(&netid, "udp") ? IPPROTO_UDP : 0;
	f->family6 = text_skip(&netid, '6');
	return f->proto != 0 && rd_left(&netid) == 0;
}

static void
call(struct inspect *in, struct rd *r)
{
	struct flow *f = in->memory;
	uint32_t xid = rd_be32(r), type = rd_be32(r), rpc = rd_be32(r), program = rd_be32(r), version = rd_be32(r),
		 procedure = rd_be32(r);

	f->asked = 0;
	if (r->bad || type != CALL || rpc != RPC_VERSION || program != PORT_MAPPER || procedure != GETPORT ||
	    version < 2 || version > 4 || !skip_auth(r) || !skip_auth(r))
		return;
	if (version == 2 ? !question_v2(r, f) : !question_v4(r, f))
		return;
	f->xid = xid;
	f->asked = (uint8_t)version;
}

/* "h1.h2.h3.h4.p1.p2", or an IPv6 address and ".p1.p2", of the server. 0: none. */
static uint32_t
universal_port(const struct inspect *in, struct rd text, const struct flow *f)
{
	int family = f->family6 ? AF_INET6 : AF_INET;
	uint8_t address[16], any[16] = {0};
	struct rd host = text, port;
	uint32_t high, low;
	int dots = 0;

	while (host.end > host.p && dots < 2)
		dots += *--host.end == '.';
	port = (struct rd){host.end, text.end, false};
	if (dots < 2 || family != in->packet->family || !text_address(host, family, address) ||
	    !(same_address(in, address, in->packet->reply.src) || same_address(in, address, in->packet->orig.dst) ||
	      same_address(in, address, any)))
		return 0;
	if (!text_skip(&port, '.') || !text_number(&port, 3, 255, &high) || !text_skip(&port, '.') ||
	    !text_number(&port, 3, 255, &low) || rd_left(&port) != 0)
		return 0;
	return high << 8 | low;
}

static void
reply(struct inspect *in, struct rd *r)
{
	struct flow *f = in->memory;
	uint32_t xid = rd_be32(r), type = rd_be32(r), denied = rd_be32(r), port;
	bool ours = f->asked != 0 && !r->bad && xid == f->xid && type == REPLY && denied == 0;
	uint8_t version = f->asked;
	struct msg_expect *e;
	struct rd text;

	f->asked = 0;
	if (!ours || !skip_auth(r) || rd_be32(r) != 0 /* accepted, and done */)
		return;
	if (version == 2)
		port = rd_be32(r);
	else {
		text = string(r);
		port = text.bad ? 0 : universal_port(in, text, f);
	}
	if (r->bad || rd_left(r) != 0 || (e = propose(in, REF_ORIG_SRC, REF_ORIG_DST, f->proto, port)) == NULL)
		return;
	e->permanent = 1;
}

static void
inspect(struct inspect *in)
{
	struct rd r = in->payload;

	if (!record(in, &r))
		((struct flow *)in->memory)->asked = 0;
	else if (from_client(in))
		call(in, &r);
	else
		reply(in, &r);
}

const struct parser parser_rpc = {"rpc", sizeof(struct flow), sizeof(struct flow), inspect};

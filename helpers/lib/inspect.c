/* The verbs of a parser: what it may ask of a packet and how it answers. The answer is judged elsewhere. */
#include "inspect.h"

#include "memory.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#define STATUS_NAT   0x30 /* source or destination is translated */
#define INFO_NEW     2
#define INFO_REPLIES 3 /* and above */

bool
from_client(const struct inspect *in)
{
	return in->packet->ct_info < INFO_REPLIES;
}

bool
established(const struct inspect *in)
{
	return in->packet->ct_info != INFO_NEW;
}

bool
translated(const struct inspect *in)
{
	return (in->packet->status & STATUS_NAT) != 0;
}

size_t
address_size(const struct inspect *in)
{
	return in->packet->family == AF_INET ? 4 : 16;
}

bool
same_address(const struct inspect *in, const uint8_t *a, const uint8_t *b)
{
	return memcmp(a, b, address_size(in)) == 0;
}

bool
is_multicast(const struct inspect *in, const uint8_t *address)
{
	return in->packet->family == AF_INET ? address[0] >> 4 == 14 : address[0] == 0xff;
}

struct msg_expect *
propose(struct inspect *in, enum addr_ref src, enum addr_ref dst, uint8_t proto, uint32_t port)
{
	struct msg_verdict *v = in->answer;
	struct msg_expect *e = &v->expect[v->n_expect];

	if (port == 0 || port > UINT16_MAX || port < in->options->min_port ||
	    v->n_expect == sizeof(v->expect) / sizeof(v->expect[0]))
		return NULL;
	*e = (struct msg_expect){.src = (uint8_t)src, .dst = (uint8_t)dst, .proto = proto, .dport = (uint16_t)port};
	if (translated(in))
		e->nat_port = (uint16_t)port;
	v->n_expect++;
	return e;
}

void
withdraw(struct inspect *in)
{
	in->answer->n_expect = in->answer->n_edits = 0;
}

bool
replace(struct inspect *in, struct rd what, const char *text)
{
	struct msg_verdict *v = in->answer;
	size_t old_len = rd_left(&what), new_len = strlen(text);
	bool fixed = in->packet->family == AF_INET6 && in->packet->orig.proto == IPPROTO_TCP;
	struct msg_edit *e = &v->edit[v->n_edits];

	if (old_len == new_len && memcmp(what.p, text, new_len) == 0)
		return true;
	if (!translated(in) || (fixed && old_len != new_len) || new_len > sizeof(e->bytes) ||
	    old_len > sizeof(e->bytes) || old_len == 0 || v->n_edits == sizeof(v->edit) / sizeof(v->edit[0]) ||
	    in->packet->len > MSG_EDIT_MAX)
		return false;
	*e = (struct msg_edit){
		.offset = (uint32_t)(what.p - in->bytes), .old_len = (uint16_t)old_len, .new_len = (uint16_t)new_len};
	memcpy(e->bytes, text, new_len);
	v->n_edits++;
	return true;
}

static bool
holds(const struct msg_packet *p, size_t len)
{
	size_t ip = p->family == AF_INET ? 20 : 40, l4 = p->orig.proto == IPPROTO_TCP ? 20 : 8;

	return p->len <= len && p->payload >= ip + l4 && p->payload <= p->len && p->payload_len <= p->len - p->payload;
}

void
inspect_packet(const struct parser *ps, const struct inspect_options *options, struct memory *memory,
	       const struct msg_packet *p, const uint8_t *bytes, size_t len, uint32_t now, struct msg_verdict *v)
{
	struct inspect in = {.packet = p, .bytes = bytes, .options = options, .answer = v};

	*v = (struct msg_verdict){.seq = p->seq, .accept = 1, .priv_len = p->priv_len};
	memcpy(v->priv, p->priv, sizeof(v->priv));
	if (!holds(p, len))
		return;
	if (memory != NULL)
		in.memory = memory_of(memory, p, ps->priv, now);
	in.payload = rd_init(bytes + p->payload, p->payload_len);
	ps->inspect(&in);
	if (memory != NULL)
		memory_save(in.memory, ps->priv, v);
}

/*
 * Oracle's TNS: a server redirects the client to another address and port, in the REDIRECT packet or in the DATA packet
 * that follows it. ctd-queue adjusts the two lengths of a packet whose text is edited.
 */
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "inspect.h"
#include "text.h"

#define HEADER_LEN 8
#define SCAN_MAX   2048
enum { DATA = 6, REDIRECT = 5 };

struct flow {
	uint8_t follows; /* the address, in the next DATA packet */
};

/* The text of the server's packet that names the address; bad when there is none. */
static struct rd
redirection(struct inspect *in)
{
	struct flow *f = in->memory;
	struct rd r = in->payload, nothing = {NULL, NULL, true};
	uint16_t length = rd_be16(&r), data_len;
	bool awaited = f->follows;
	uint8_t type;

	rd_be16(&r); /* checksum */
	type = rd_u8(&r);
	rd_take(&r, 3);
	if (r.bad)
		return nothing;
	f->follows = 0;
	data_len = rd_be16(&r); /* of DATA: flags */
	if (r.bad || length != rd_left(&in->payload))
		return nothing;
	if (type == DATA)
		return awaited ? r : nothing;
	if (type != REDIRECT)
		return nothing;
	f->follows = data_len == 0 && rd_left(&r) == 0;
	return data_len > 0 && data_len == rd_left(&r) ? r : nothing;
}

/* The first (NAME=value) of the text; the value without blanks around it, and with them. Bad when there is none. */
static struct rd
value_of(struct rd r, const char *name, struct rd *padded)
{
	struct rd v = {NULL, NULL, true};

	if (!text_find(&r, name))
		return v;
	rd_take(&r, strlen(name));
	text_skip_blanks(&r);
	if (!text_skip(&r, '='))
		return v;
	v = text_until(&r, ')');
	*padded = v;
	while (text_skip(&v, ' '))
		;
	while (!v.bad && v.end > v.p && v.end[-1] == ' ')
		v.end--;
	return v;
}

static bool
of_server(const struct inspect *in, const uint8_t *address)
{
	return same_address(in, address, in->packet->reply.src) || same_address(in, address, in->packet->orig.dst);
}

static void
inspect(struct inspect *in)
{
	struct rd text, host, port, host_room, port_room;
	char name[ADDRESS_TEXT_MAX], number[8] = "";
	uint8_t address[16] = {0};
	struct msg_expect *e;
	uint32_t n;

	if (from_client(in) || !established(in) || (text = redirection(in)).bad)
		return;
	if (rd_left(&text) > SCAN_MAX)
		text.end = text.p + SCAN_MAX;
	host = value_of(text, "(HOST", &host_room);
	port = value_of(text, "(PORT", &port_room);
	if (host.bad || port.bad || !text_address(host, in->packet->family, address))
		return;
	memcpy(number, port.p, rd_left(&port) < sizeof(number) ? rd_left(&port) : sizeof(number) - 1);
	if (!text_port(&port, &n) || rd_left(&port) != 0)
		return;
	if (!of_server(in, address)) {
		if (in->options->foreign && !translated(in) &&
		    (e = propose(in, REF_ORIG_SRC, REF_FOREIGN, IPPROTO_TCP, n)) != NULL)
			memcpy(e->address, address, address_size(in));
		return;
	}
	if (propose(in, REF_ORIG_SRC, REF_ORIG_DST, IPPROTO_TCP, n) == NULL || !translated(in) ||
	    same_address(in, address, in->packet->orig.dst))
		return;
	/* what the client is told: the address that it knows, without the blanks */
	if (!address_text(in->packet->family, in->packet->orig.dst,
			  in->packet->family == AF_INET6 ? rd_left(&host_room) : 0, name) ||
	    !(host_room.p < port_room.p ? replace(in, host_room, name) && replace(in, port_room, number)
					: replace(in, port_room, number) && replace(in, host_room, name)))
		withdraw(in);
}

const struct parser parser_tns = {"tns", sizeof(struct flow), sizeof(struct flow), inspect};

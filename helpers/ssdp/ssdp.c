/*
 * SSDP and the HTTP of UPnP: a search to the group opens the searching port for answers; LOCATION in an answer opens
 * the device's description; SUBSCRIBE opens the callback of the subscriber, and each NOTIFY opens it again. What is
 * opened gets this helper too, which is how the next step is seen.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "inspect.h"
#include "text.h"

#define SCAN_MAX       2048
#define HTTP_PORT      80
#define RESERVED_PORTS 1024

struct endpoint {
	struct rd host; /* the text of the address, without brackets */
	uint8_t address[16];
	uint32_t port;
};

/* The value of the first header of that name; bad when there is none that ends with its line. */
static struct rd
header(struct rd r, const char *name)
{
	struct rd line;

	if (rd_left(&r) > SCAN_MAX)
		r.end = r.p + SCAN_MAX;
	for (text_line(&r); !(line = text_line(&r)).bad;) {
		if (!text_word(&line, name) || !text_skip(&line, ':'))
			continue;
		text_skip_blanks(&line);
		return line;
	}
	return line;
}

/* http://ADDRESS[:PORT][/...]; numbers only, nobody's name and no user. */
static bool
url(const struct inspect *in, struct rd r, struct endpoint *e)
{
	bool v6 = in->packet->family == AF_INET6;

	if (!text_word(&r, "http://") || (v6 && !text_skip(&r, '[')))
		return false;
	e->host = text_span(&r, v6 ? "]" : ":/>");
	if (!text_address(e->host, in->packet->family, e->address) || (v6 && !text_skip(&r, ']')))
		return false;
	e->port = HTTP_PORT;
	if (text_skip(&r, ':') && !text_port(&r, &e->port))
		return false;
	return rd_left(&r) == 0 || text_peek(&r) == '/' || text_peek(&r) == '>';
}

static void
follow(struct msg_expect *e, bool permanent)
{
	if (e == NULL)
		return;
	e->permanent = permanent;
	e->follow = 1;
}

static void
search(struct inspect *in)
{
	static const uint8_t v4[4] = {239, 255, 255, 250}, link[16] = {0xff, 2, [15] = 12},
			     site[16] = {0xff, 5, [15] = 12};
	const struct msg_tuple *o = &in->packet->orig;
	bool group = in->packet->family == AF_INET ? same_address(in, o->dst, v4)
						   : same_address(in, o->dst, link) || same_address(in, o->dst, site);

	if (group && text_exact(&in->payload, "M-SEARCH "))
		follow(propose(in, REF_ANY, REF_ORIG_SRC, IPPROTO_UDP, ntohs(o->sport)), true);
}

/* Only of the device that answers: anybody may send such a datagram. */
static void
location(struct inspect *in)
{
	struct rd value = header(in->payload, "LOCATION");
	struct endpoint e;

	if (value.bad || !url(in, value, &e) || !same_address(in, e.address, in->packet->orig.src))
		return;
	if (in->options->min_port > 0 || e.port >= RESERVED_PORTS) /* anybody may come: the policy's own minimum */
		follow(propose(in, REF_ANY, REF_ORIG_SRC, IPPROTO_TCP, e.port), true);
}

static void
subscribe(struct inspect *in)
{
	struct rd value = header(in->payload, "CALLBACK");
	const uint8_t *seen = in->packet->reply.dst;
	char text[ADDRESS_TEXT_MAX];
	struct endpoint e;

	if (value.bad || !text_skip(&value, '<') || !url(in, value, &e) ||
	    !same_address(in, e.address, in->packet->orig.src))
		return;
	follow(propose(in, REF_REPLY_SRC, REF_REPLY_DST, IPPROTO_TCP, e.port), false);
	if (!translated(in) || in->answer->n_expect == 0 || same_address(in, e.address, seen))
		return;
	if (!address_text(in->packet->family, seen, in->packet->family == AF_INET6 ? rd_left(&e.host) : 0, text) ||
	    !replace(in, e.host, text))
		withdraw(in);
}

static void
notify(struct inspect *in)
{
	const struct msg_packet *p = in->packet;
	struct msg_expect *e = propose(in, REF_ORIG_SRC, REF_ORIG_DST, IPPROTO_TCP, ntohs(p->orig.dport));

	if (e != NULL && translated(in))
		e->nat_port = ntohs(p->reply.sport);
	follow(e, false);
}

static void
inspect(struct inspect *in)
{
	if (!from_client(in))
		return;
	if (in->packet->orig.proto == IPPROTO_TCP) {
		struct rd r = in->payload;

		if (!established(in))
			return;
		if (text_exact(&r, "SUBSCRIBE "))
			subscribe(in);
		else if (text_exact(&r, "NOTIFY "))
			notify(in);
	} else if (translated(in))
		return; /* the answers would come from where no translation leads */
	else if (in->packet->has_master)
		location(in);
	else
		search(in);
}

const struct parser parser_ssdp = {"ssdp", 0, 0, inspect};

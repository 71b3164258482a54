/*
 * FTP (RFC 959, 1123, 2428): PORT and EPRT of the client, 227 and 229 of the server say where the next data connection
 * goes. Commands are lines: a line that begins where none is known to begin (in the middle of a transfer that looks
 * like commands, say) is not read. A line may begin anywhere in a segment and end in the next one.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "inspect.h"
#include "text.h"

#define LINE_MAX 256
#define SCAN_MAX 2048 /* octets of a segment that are looked at */
#define STARTS   2

/* One direction: where the last lines began (a segment may come twice), and a line without its end so far. */
struct side {
	uint32_t start[STARTS]; /* sequence numbers behind newlines */
	uint8_t n_starts, next;
};
struct cut_line {
	uint32_t seq; /* of what follows it */
	uint16_t len; /* 0: none */
	uint8_t text[LINE_MAX];
};
struct flow {
	struct side side[2]; /* this much is private data */
	struct cut_line cut[2];
};

static void
remember(struct side *s, uint32_t seq)
{
	s->next %= STARTS; /* whatever the private data of a flow say */
	s->start[s->next++] = seq;
	if (s->n_starts < STARTS)
		s->n_starts++;
}

static bool
begins(const struct side *s, uint32_t seq)
{
	for (unsigned int i = 0; i < s->n_starts && i < STARTS; i++)
		if (s->start[i] == seq)
			return true;
	return false;
}

/* Where the expected connection goes to, by reference, for the side that speaks. */
static struct msg_expect *
propose_data(struct inspect *in, uint32_t port)
{
	return from_client(in) ? propose(in, REF_REPLY_SRC, REF_REPLY_DST, IPPROTO_TCP, port)
			       : propose(in, REF_ORIG_SRC, REF_ORIG_DST, IPPROTO_TCP, port);
}

/* An address of a third host opens it only where the administrator wants that. */
static void
propose_foreign(struct inspect *in, const uint8_t *address, uint32_t port)
{
	struct msg_expect *e;

	if (!in->options->foreign || translated(in))
		return;
	e = propose(in, from_client(in) ? REF_REPLY_SRC : REF_ORIG_SRC, REF_FOREIGN, IPPROTO_TCP, port);
	if (e != NULL)
		memcpy(e->address, address, address_size(in));
}

/* The address is the speaker's; commas: PORT and 227 write it with commas. The other side gets the one that it knows.
 */
static void
open_data(struct inspect *in, struct rd host, const uint8_t *address, uint32_t port, bool commas)
{
	const struct msg_packet *p = in->packet;
	const uint8_t *own = from_client(in) ? p->orig.src : p->reply.src;
	const uint8_t *seen = from_client(in) ? p->reply.dst : p->orig.dst;
	size_t len = p->family == AF_INET6 ? rd_left(&host) : 0;
	char text[ADDRESS_TEXT_MAX];

	withdraw(in); /* the last one of a packet counts */
	if (!same_address(in, address, own)) {
		propose_foreign(in, address, port);
		return;
	}
	if (propose_data(in, port) == NULL || !translated(in) || same_address(in, own, seen))
		return;
	if (!address_text(p->family, seen, len, text)) {
		withdraw(in);
		return;
	}
	for (char *c = text; commas && *c != '\0'; c++)
		if (*c == '.')
			*c = ',';
	if (!replace(in, host, text))
		withdraw(in);
}

/* h1,h2,h3,h4,p1,p2 */
static bool
six_numbers(struct rd *r, struct rd *host, uint8_t *address, uint32_t *port)
{
	uint32_t n[6] = {0};

	*host = *r;
	for (int i = 0; i < 6; i++) {
		if ((i > 0 && !text_skip(r, ',')) || !text_number(r, 3, 255, &n[i]))
			return false;
		if (i == 3)
			host->end = r->p;
		if (i < 4)
			address[i] = (uint8_t)n[i];
	}
	*port = n[4] << 8 | n[5];
	return *port > 0;
}

static void
port_command(struct inspect *in, struct rd r)
{
	uint8_t address[16];
	struct rd host;
	uint32_t port;

	if (in->packet->family == AF_INET && six_numbers(&r, &host, address, &port) && rd_left(&r) == 0)
		open_data(in, host, address, port, true);
}

/* Any printable character but a digit, the same all over. */
static int
delimiter(const struct rd *r)
{
	int c = text_peek(r);

	return c >= 33 && c <= 126 && !(c >= '0' && c <= '9') ? c : -1;
}

/* <d>1|2<d>address<d>port<d> */
static void
eprt_command(struct inspect *in, struct rd r)
{
	const char family = in->packet->family == AF_INET ? '1' : '2';
	int d = delimiter(&r);
	uint8_t address[16];
	struct rd host;
	uint32_t port;

	if (d < 0 || !text_skip(&r, (char)d) || !text_skip(&r, family) || !text_skip(&r, (char)d))
		return;
	host = text_until(&r, (char)d);
	if (!host.bad && text_address(host, in->packet->family, address) && text_port(&r, &port) &&
	    text_skip(&r, (char)d) && rd_left(&r) == 0)
		open_data(in, host, address, port, false);
}

/* The numbers may stand in parentheses; without them they begin with the first digit. */
static void
reply_227(struct inspect *in, struct rd r)
{
	struct rd open = r, host;
	uint8_t address[16];
	uint32_t port;

	if (in->packet->family != AF_INET)
		return;
	if (text_find(&open, "("))
		rd_take(&open, 1);
	else
		for (open = r; text_peek(&open) >= 0 && (text_peek(&open) < '0' || text_peek(&open) > '9');)
			rd_take(&open, 1);
	if (six_numbers(&open, &host, address, &port) && (text_peek(&open) < '0' || text_peek(&open) > '9'))
		open_data(in, host, address, port, true);
}

/* (<d><d><d>port<d>): of the server itself, whatever its address. */
static void
reply_229(struct inspect *in, struct rd r)
{
	uint32_t port;
	int d;

	if (!text_find(&r, "("))
		return;
	rd_take(&r, 1);
	d = delimiter(&r);
	if (d < 0 || !text_skip(&r, (char)d) || !text_skip(&r, (char)d) || !text_skip(&r, (char)d) ||
	    !text_port(&r, &port) || !text_skip(&r, (char)d) || !text_skip(&r, ')'))
		return;
	withdraw(in);
	propose_data(in, port);
}

static void
one_line(struct inspect *in, struct rd r)
{
	if (from_client(in)) {
		if (text_word(&r, "PORT "))
			port_command(in, r);
		else if (text_word(&r, "EPRT "))
			eprt_command(in, r);
	} else if (text_exact(&r, "227 "))
		reply_227(in, r);
	else if (text_exact(&r, "229 "))
		reply_229(in, r);
}

/* A line that came in two pieces. Of the first one nothing can be changed any more: where a translation needs that, the
 * line opens nothing. */
static void
joined_line(struct inspect *in, struct cut_line *cut, struct rd rest)
{
	const uint8_t *bytes = in->bytes;
	size_t n = rd_left(&rest);

	if (n <= sizeof(cut->text) - cut->len) {
		memcpy(cut->text + cut->len, rest.p, n);
		in->bytes = cut->text;
		one_line(in, rd_init(cut->text, cut->len + n));
		in->bytes = bytes;
		if (in->answer->n_edits > 0)
			withdraw(in);
	}
	cut->len = 0;
}

/* The next line that ends with CR LF, without them. False: no newline is left. bad: it ends otherwise. */
static bool
next_line(struct rd *r, struct rd *line)
{
	*line = text_until(r, '\n');
	if (line->bad)
		return false;
	if (line->p == line->end || line->end[-1] != '\r')
		line->bad = true;
	else
		line->end--;
	return true;
}

static void
keep_cut(struct cut_line *cut, const struct rd *rest, uint32_t end)
{
	size_t n = rd_left(rest);

	cut->len = 0;
	if (n == 0 || n >= sizeof(cut->text))
		return;
	memcpy(cut->text, rest->p, n);
	cut->len = (uint16_t)n;
	cut->seq = end;
}

static uint32_t
sequence_number(const struct inspect *in)
{
	struct rd r = rd_init(in->bytes, in->packet->payload);

	rd_take(&r, (in->packet->family == AF_INET ? (in->bytes[0] & 15U) * 4 : 40) + 4);
	return rd_be32(&r);
}

static void
inspect(struct inspect *in)
{
	struct flow *f = in->memory;
	unsigned int from = from_client(in) ? 0 : 1;
	struct side *side = &f->side[from];
	struct cut_line *cut = &f->cut[from];
	struct rd r = in->payload, rest, line;
	uint32_t seq = sequence_number(in), end = seq + (uint32_t)rd_left(&in->payload);
	bool whole = rd_left(&r) <= SCAN_MAX, joins = cut->len > 0 && cut->seq == seq, at_start = begins(side, seq);

	if (!established(in) || rd_left(&r) == 0)
		return;
	if (!whole)
		r.end = r.p + SCAN_MAX;
	rest = r;
	for (bool first = true; next_line(&r, &line); first = false, rest = r) {
		if (line.bad)
			cut->len = first ? 0 : cut->len;
		else if (first && joins)
			joined_line(in, cut, line);
		else if (!first || at_start)
			one_line(in, line);
	}
	if (in->payload.end[-1] == '\n')
		remember(side, end);
	if (whole && rest.p == in->payload.p && joins && rd_left(&rest) < sizeof(cut->text) - cut->len) {
		memcpy(cut->text + cut->len, rest.p, rd_left(&rest)); /* more of it, and still no end */
		cut->len = (uint16_t)(cut->len + rd_left(&rest));
		cut->seq = end;
	} else if (whole && (rest.p > in->payload.p || at_start))
		keep_cut(cut, &rest, end);
	else if (rest.p > in->payload.p || joins)
		cut->len = 0;
}

const struct parser parser_ftp = {"ftp", sizeof(struct flow), sizeof(struct side[2]), inspect};

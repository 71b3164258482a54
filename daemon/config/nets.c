/*
 * Networks of the Filter: reading, dropping what is repeated, printing.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "nets.h"
#include "value.h"

static int
net_add(struct reader *p, const struct conf_net *net)
{
	struct conf_filter *f = &p->c->filter;
	struct conf_net *v;

	if (f->n_nets == CONF_NETS_MAX)
		return reader_fail(p, &p->tok, "more than %u addresses in `Filter': join them to networks",
				   CONF_NETS_MAX);
	if (f->n_nets == p->net_room) {
		size_t room = p->net_room != 0 ? 2 * p->net_room : 16;

		if ((v = realloc(f->net, room * sizeof(*v))) == NULL)
			return -ENOMEM;
		f->net = v;
		p->net_room = room;
	}
	f->net[f->n_nets++] = *net;
	return 0;
}

static void
clear_host_bits(struct conf_net *net)
{
	for (unsigned int i = net->prefix; i < 128; i++)
		net->addr[i / 8] &= (uint8_t) ~(0x80 >> i % 8);
}

/* Whether t has the form of an address: only then its being wrong is but a warning. */
static bool
like_addr(const struct token *t)
{
	static const char set[] = "0123456789abcdefABCDEF:.";
	size_t n = 0, dots = 0, colons = 0;

	for (; n < t->len && strchr(set, t->s[n]) != NULL; n++) {
		dots += t->s[n] == '.';
		colons += t->s[n] == ':';
	}
	if (n < t->len && t->s[n] == '/')
		for (n++; n < t->len && t->s[n] >= '0' && t->s[n] <= '9'; n++)
			;
	return n == t->len && (colons >= 2 || dots == 3);
}

/* IPv4_address A | IPv6_address A; a wrong address is skipped with a warning, as 1.4.x does. */
int
nets_item(struct reader *p)
{
	bool v4 = tok_is(&p->tok, "IPv4_address");
	struct conf_net net = {.family = v4 ? AF_INET : AF_INET6};
	int r, prefix = 0, shown;

	if (!v4 && !tok_is(&p->tok, "IPv6_address"))
		return reader_fail(p, &p->tok, "expected `IPv4_address' or `IPv6_address'");
	p->key = p->tok;
	reader_next(p);
	if (!like_addr(&p->tok))
		return reader_fail(p, &p->tok, "expected an address after `%s'", v4 ? "IPv4_address" : "IPv6_address");
	shown = (int)(p->tok.len < WORD_SHOWN ? p->tok.len : WORD_SHOWN);
	r = word_addr(&p->tok, net.family, net.addr, &prefix);
	if (r == -ERANGE)
		reader_warn(p, &p->tok, "%.*s is not a valid network, ignoring", shown, p->tok.s);
	else if (r != 0)
		reader_warn(p, &p->tok, "%.*s is not a valid %s, ignoring", shown, p->tok.s, v4 ? "IPv4" : "IPv6");
	net.prefix = (uint8_t)prefix;
	clear_host_bits(&net);
	if (r == 0 && (r = net_add(p, &net)) != 0)
		return r;
	reader_next(p);
	return 0;
}

static int
by_net(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct conf_net));
}

static void
keep(void *node)
{
	(void)node;
}

/* Drops networks that were written before. A tree, because qsort() asks for the size of memory: a call the jail bans.
 */
int
nets_finish(struct reader *p)
{
	struct conf_filter *f = &p->c->filter;
	char text[INET_ADDRSTRLEN];
	void *tree = NULL, **node;
	uint32_t n = 0;
	int r = 0;

	for (uint32_t i = 0; r == 0 && i < f->n_nets; i++) {
		f->net[n] = f->net[i];
		if ((node = tsearch(&f->net[n], &tree, by_net)) == NULL)
			r = -ENOMEM;
		else if (*node == &f->net[n])
			n++;
		else if (f->net[n].family == AF_INET && f->net[n].prefix < 32)
			diag_at(p->d, LV_WARNING, reader_at(p, REC_CONF, offsetof(struct conf, filter.n_nets)),
				"netmask %s is repeated in the ignore pool",
				inet_ntop(AF_INET, f->net[n].addr, text, sizeof(text)));
	}
	tdestroy(tree, keep);
	f->n_nets = n;
	return r;
}

void
nets_print(struct printer *p, const struct conf_filter *f)
{
	char text[INET6_ADDRSTRLEN], prefix[8];

	for (uint32_t i = 0; i < f->n_nets; i++) {
		const struct conf_net *n = &f->net[i];

		inet_ntop(n->family, n->addr, text, sizeof(text));
		snprintf(prefix, sizeof(prefix), "/%u", n->prefix);
		printer_line(p, "%s %s%s", n->family == AF_INET ? "IPv4_address" : "IPv6_address", text,
			     n->prefix < (n->family == AF_INET ? 32 : 128) ? prefix : "");
	}
}

/*
 * The Filter block, and the three older ways to write parts of it.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "facts.h"
#include "parser.h"

#define PROTO_NAME_MAX 64

#define STATE_LISTEN 9 /* 1.4.x writes it so; the kernel says SYN_SENT2 */

static int
read_policy(struct parser *p, enum filter_policy *policy)
{
	if (tok_is(&p->tok, "Accept"))
		*policy = FILTER_ACCEPT;
	else if (tok_is(&p->tok, "Ignore"))
		*policy = FILTER_IGNORE;
	else
		return parser_fail(p, &p->tok, "expected `Accept' or `Ignore' after `%.*s'", (int)p->key.len, p->key.s);
	parser_next(p);
	return 0;
}

static int
proto_item(struct parser *p, void *arg)
{
	struct conf_filter *f = arg;
	char name[PROTO_NAME_MAX + 1];
	uint32_t n;
	int r = word_num(&p->tok, 255, &n);

	if (r == -ERANGE)
		return parser_fail(p, &p->tok, "a protocol number must be from 0 to 255");
	if (r != 0) {
		n = 256;
		if (tok_copy(&p->tok, name, sizeof(name)) && (r = protos_number(p->protos, name)) >= 0)
			n = (uint32_t)r;
		else
			parser_warn(p, &p->tok, "getprotobyname() cannot find protocol `%.*s' in /etc/protocols",
				    (int)(p->tok.len < PROTO_NAME_MAX ? p->tok.len : PROTO_NAME_MAX), p->tok.s);
		if (r > 255)
			parser_warn(p, &p->tok, "protocol `%s' has number %d and cannot be filtered, ignoring", name,
				    r);
	}
	if (n < 256)
		f->proto[n / 8] |= (uint8_t)(1 << n % 8);
	parser_next(p);
	return 0;
}

static int
read_protocols(struct parser *p, const struct kw *k, void *base)
{
	struct conf_filter *f = base;
	int r = read_policy(p, &f->proto_policy);

	(void)k;
	return r != 0 ? r : parser_list(p, proto_item, f);
}

static int
net_add(struct parser *p, const struct conf_net *net)
{
	struct conf_filter *f = &p->c->filter;
	struct conf_net *v;

	if (f->n_nets == CONF_NETS_MAX)
		return parser_fail(p, &p->tok, "more than %u addresses in `Filter'", CONF_NETS_MAX);
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
static int
addr_item(struct parser *p, void *arg)
{
	bool v4 = tok_is(&p->tok, "IPv4_address");
	struct conf_net net = {.family = v4 ? AF_INET : AF_INET6};
	int r, prefix = 0, shown;

	(void)arg;
	if (!v4 && !tok_is(&p->tok, "IPv6_address"))
		return parser_fail(p, &p->tok, "expected `IPv4_address' or `IPv6_address'");
	p->key = p->tok;
	parser_next(p);
	if (!like_addr(&p->tok))
		return parser_fail(p, &p->tok, "expected an address after `%s'", v4 ? "IPv4_address" : "IPv6_address");
	shown = (int)(p->tok.len < 64 ? p->tok.len : 64);
	r = word_addr(&p->tok, net.family, net.addr, &prefix);
	if (r == -ERANGE)
		parser_warn(p, &p->tok, "%.*s is not a valid network, ignoring", shown, p->tok.s);
	else if (r != 0)
		parser_warn(p, &p->tok, "%.*s is not a valid %s, ignoring", shown, p->tok.s, v4 ? "IPv4" : "IPv6");
	net.prefix = (uint8_t)prefix;
	clear_host_bits(&net);
	if (r == 0 && (r = net_add(p, &net)) != 0)
		return r;
	parser_next(p);
	return 0;
}

static int
read_addresses(struct parser *p, const struct kw *k, void *base)
{
	struct conf_filter *f = base;
	int r = read_policy(p, &f->addr_policy);

	(void)k;
	return r != 0 ? r : parser_list(p, addr_item, NULL);
}

static int
state_number(const struct token *t)
{
	for (int i = 1; i < STATE_LISTEN; i++)
		if (tok_is(t, tcp_state_names[i]))
			return i;
	return tok_is(t, "LISTEN") ? STATE_LISTEN : tok_is(t, "CLOSED") ? 8 : -1;
}

/* STATE... for TCP */
static int
state_item(struct parser *p, void *arg)
{
	uint16_t *set = arg;
	int n;

	for (; !tok_is(&p->tok, "for"); parser_next(p)) {
		if ((n = state_number(&p->tok)) < 0)
			return parser_fail(p, &p->tok,
					   "expected a TCP state (SYN_SENT, ESTABLISHED, ...) or `for TCP'");
		*set |= (uint16_t)(1 << n);
	}
	parser_next(p);
	if (!tok_is(&p->tok, "TCP"))
		return parser_fail(p, &p->tok, "expected `TCP' after `for'");
	parser_next(p);
	return 0;
}

static int
read_states(struct parser *p, const struct kw *k, void *base)
{
	struct conf_filter *f = base;
	int r = read_policy(p, &f->state_policy);

	(void)k;
	return r != 0 ? r : parser_list(p, state_item, &f->tcp_states);
}

static const struct kw filter[] = {
	{.name = "Protocol", .read = read_protocols},
	{.name = "Address", .read = read_addresses},
	{.name = "State", .read = read_states},
	{0},
};
const struct block block_filter = {"`Filter'", filter};

int
read_filter(struct parser *p, const struct kw *k, void *base)
{
	(void)base;
	if (tok_is(&p->tok, "From")) {
		parser_next(p);
		if (!tok_is(&p->tok, "Userspace") && !tok_is(&p->tok, "Kernelspace"))
			return parser_fail(p, &p->tok, "expected `Userspace' or `Kernelspace' after `From'");
		p->c->filter.kernelspace = tok_is(&p->tok, "Kernelspace");
		parser_next(p);
	}
	return parser_block(p, k->block, &p->c->filter);
}

int
read_old_traffic(struct parser *p, const struct kw *k, void *base)
{
	(void)k, (void)base;
	p->c->filter.addr_policy = FILTER_IGNORE;
	return parser_list(p, addr_item, NULL);
}

int
read_old_protocol(struct parser *p, const struct kw *k, void *base)
{
	(void)k, (void)base;
	p->c->filter.proto_policy = FILTER_IGNORE;
	return parser_list(p, proto_item, &p->c->filter);
}

int
read_old_replicate(struct parser *p, const struct kw *k, void *base)
{
	(void)k, (void)base;
	p->c->filter.state_policy = FILTER_ACCEPT;
	return state_item(p, &p->c->filter.tcp_states);
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
filter_finish(struct parser *p)
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
			diag_at(p->d, LV_WARNING, (struct place){0, 0}, "netmask %s is repeated in the ignore pool",
				inet_ntop(AF_INET, f->net[n].addr, text, sizeof(text)));
	}
	tdestroy(tree, keep);
	f->n_nets = n;
	return r;
}

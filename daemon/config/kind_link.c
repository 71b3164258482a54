/*
 * Dedicated links.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "kinds.h"
#include "printer.h"
#include "reader.h"
#include "settings.h"
#include "value.h"

static bool
is_zero(const uint8_t addr[16])
{
	static const uint8_t zero[16];

	return memcmp(addr, zero, sizeof(zero)) == 0;
}

static void
swap_addr(uint8_t a[16], uint8_t b[16])
{
	uint8_t t[16];

	memcpy(t, a, sizeof(t));
	memcpy(a, b, sizeof(t));
	memcpy(b, t, sizeof(t));
}

/* Of a link with addresses of both families 1.4.x takes those whose keyword is the last. */
static int
take_family(struct reader *p, struct msg_link *l, uint8_t family)
{
	uint8_t before = l->family;

	l->family = family;
	if (before == AF_UNSPEC || before == family)
		return 0;
	if (l->kind != LINK_MCAST) {
		swap_addr(l->local, p->other.local);
		swap_addr(l->peer, p->other.peer);
		return 0;
	}
	if (!is_zero(l->peer))
		return reader_fail(p, &p->tok, "IPv4 and IPv6 groups are mixed in one link");
	memset(l->local, 0, sizeof(l->local));
	reader_warn(
		p, &p->tok,
		"your multicast address is IPv6 but is binded to an IPv4 interface? Surely this is not what you want");
	return 0;
}

static int
addr_word(struct reader *p, const struct field *k, uint8_t addr[16])
{
	const char *family = k->min == AF_INET ? "IPv4" : "IPv6";
	int r, prefix;

	if ((r = reader_word(p, "an address")) != 0)
		return r;
	if (word_addr(&p->tok, (int)k->min, addr, &prefix) != 0)
		return reader_fail(p, &p->tok, "not a valid %s address%s", family,
				   memchr(p->tok.s, '%', p->tok.len) ? ": `Interface' gives the scope" : "");
	if (memchr(p->tok.s, '/', p->tok.len) != NULL)
		reader_warn(p, &p->tok, "%.*s is not a valid %s address: the prefix length is ignored", (int)p->tok.len,
			    p->tok.s, family);
	return 0;
}

static int
read_addr(struct reader *p, const struct field *k, void *base)
{
	struct conf_link *d = base;
	uint8_t addr[16];
	int r;

	if ((r = addr_word(p, k, addr)) != 0 || (r = take_family(p, &d->l, (uint8_t)k->min)) != 0)
		return r;
	memcpy((uint8_t *)base + k->off, addr, sizeof(addr));
	reader_next(p);
	return 0;
}

static void
print_addr(struct printer *p, const struct field *k, const void *base)
{
	const struct conf_link *d = base;
	const uint8_t *addr = (const uint8_t *)base + k->off;
	char text[INET6_ADDRSTRLEN];

	if (d->l.family == k->min && !(k->flags & HIDE_ZERO && is_zero(addr)))
		printer_line(p, "%s %s", k->name, inet_ntop(d->l.family, addr, text, sizeof(text)));
}

const struct kind kind_addr = {read_addr, print_addr, NULL};

/* Only groups of IPv4 are joined by an address. */
static int
read_joined_by(struct reader *p, const struct field *k, void *base)
{
	struct conf_link *d = base;
	uint8_t addr[16];
	int r;

	if (d->l.family != AF_INET6)
		return read_addr(p, k, base);
	if ((r = addr_word(p, k, addr)) != 0)
		return r;
	reader_warn(p, &p->tok,
		    "your multicast interface is IPv4 but is binded to an IPv6 interface? Surely, this is not what you "
		    "want");
	reader_next(p);
	return 0;
}

const struct kind kind_joined_by = {read_joined_by, print_addr, NULL};

/* Names of devices may look like anything: numbers, keywords, hexadecimal. */
static int
read_device(struct reader *p, const struct field *k, void *base)
{
	int r;

	if ((r = reader_word(p, "the name of a device")) != 0)
		return r;
	if (memchr(p->tok.s, '/', p->tok.len) != NULL || tok_is(&p->tok, ".") || tok_is(&p->tok, ".."))
		return reader_fail(p, &p->tok, "not a name of a device");
	if (!tok_copy(&p->tok, (char *)base + k->off, k->size))
		return reader_fail(p, &p->tok, "the name of a device has at most %zu characters", k->size - 1);
	reader_next(p);
	return 0;
}

static void
print_device(struct printer *p, const struct field *k, const void *base)
{
	kind_name.print(p, k, base);
}

static bool
device_ok(const struct field *k, const uint8_t *bytes)
{
	return kind_name.ok(k, bytes);
}

const struct kind kind_device = {read_device, print_device, device_ok};

static int
link_close(struct reader *p, const struct token *key, bool is_default)
{
	struct conf *c = p->c;
	uint32_t n = c->n_links;

	if (n == MSG_LINKS_MAX)
		return reader_fail(p, key, "too many dedicated links in the configuration file (Maximum: %u)",
				   MSG_LINKS_MAX);
	if (is_default)
		for (uint32_t i = 0; i < n; i++)
			c->link[i].is_default = 0;
	if (!is_zero(p->other.local) || !is_zero(p->other.peer))
		reader_warn(p, key,
			    "addresses of both families: those of IPv%c are used, because they are written last",
			    p->link.l.family == AF_INET ? '4' : '6');
	p->link.l.is_default = is_default;
	p->default_seen |= is_default;
	p->link_at[n] = key->at;
	conf_link_put(c, n, &p->link);
	c->n_links = n + 1;
	return 0;
}

static int
read_link(struct reader *p, const struct field *k, void *base)
{
	struct token key = p->key;
	bool is_default = tok_is(&p->tok, "Default");
	int r;

	(void)base;
	if (is_default)
		reader_next(p);
	p->link = (struct conf_link){.l.kind = (uint8_t)k->min};
	memset(&p->other, 0, sizeof(p->other));
	r = reader_block(p, k->block);
	return r != 0 ? r : link_close(p, &key, is_default);
}

static void
print_links(struct printer *p, const struct field *k, const void *base)
{
	const struct conf *c = base;
	struct conf_link link;
	char head[32];

	p->rec[REC_LINK] = &link;
	for (uint32_t i = 0; i < c->n_links; i++) {
		link = conf_link_get(c, i);
		snprintf(head, sizeof(head), "%s%s", k->name, link.l.is_default ? " Default" : "");
		if (link.l.kind == k->min)
			printer_block(p, k->block, head);
	}
	p->rec[REC_LINK] = NULL;
}

const struct kind kind_link = {read_link, print_links, NULL};

static int
read_old_checksum(struct reader *p, const struct field *k, void *base)
{
	int v = word_bool(&p->tok);

	if (v >= 0)
		p->sync_checksum = v;
	return kind_skip_bool.read(p, k, base);
}

const struct kind kind_old_checksum = {read_old_checksum, NULL, NULL};

static bool
same_local_end(const struct msg_link *a, const struct msg_link *b)
{
	return a->family == b->family && a->port == b->port && memcmp(a->local, b->local, sizeof(a->local)) == 0 &&
	       strcmp(a->ifname, b->ifname) == 0;
}

/* What works, but perhaps not as meant. */
static void
say_ends(const struct reader *p, uint32_t i)
{
	const struct msg_link *l = &p->c->link[i];

	if (l->kind == LINK_MCAST || is_zero(l->peer))
		return;
	if (memcmp(l->local, l->peer, sizeof(l->peer)) == 0)
		diag_at(p->d, LV_WARNING, p->link_at[i],
			"link %u: the other firewall has the address of this one: only a relay on this machine can "
			"carry it",
			i + 1);
	for (uint32_t j = 0; j < i; j++)
		if (same_local_end(l, &p->c->link[j]))
			diag_at(p->d, LV_WARNING, p->link_at[i],
				"link %u has the local address, port and device of link %u in line %u: one peer is "
				"sent to at a time, so two firewalls do not both get everything",
				i + 1, j + 1, p->link_at[j].line);
}

void
link_finish(struct reader *p)
{
	struct conf *c = p->c;

	if (c->n_links == 0)
		return;
	if (!p->default_seen)
		c->link[0].is_default = 1;
	if (p->sync_checksum >= 0)
		c->link[0].no_checksum = p->sync_checksum == 0;
	for (uint32_t i = 0; i < c->n_links; i++)
		say_ends(p, i);
}

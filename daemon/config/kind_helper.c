/*
 * Helper: which protocols it knows, their queues and expectation policies.
 */
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "facts.h"
#include "kinds.h"
#include "printer.h"
#include "reader.h"

#define POLICY_NAME_MAX 16

/* Whether the Policy of the Type that is being read sets the field. */
static bool
said(const struct reader *p, size_t off)
{
	return reader_at(p, REC_HELPER, off).line != 0;
}

/* Policy NAME { ... }; the name is compared with that of the helper when its Type closes. */
static int
read_policy(struct reader *p, const struct field *k, void *base)
{
	struct token key;
	int r;

	(void)base;
	if ((r = reader_word(p, "the name of a policy")) != 0)
		return r;
	key = p->tok;
	if (key.len > POLICY_NAME_MAX)
		return reader_fail(p, &key, "Helper Policy is longer than %u characters", POLICY_NAME_MAX);
	p->policy = key;
	reader_forget(p, REC_HELPER);
	reader_next(p);
	if ((r = reader_block(p, k->block)) != 0)
		return r;
	if (!said(p, offsetof(struct msg_helper, expect_max)) && !said(p, offsetof(struct msg_helper, expect_timeout)))
		return reader_fail(p, &key, "Helper policy configuration empty, fix your configuration file, please");
	return 0;
}

static void
print_policy(struct printer *p, const struct field *k, const void *base)
{
	char head[64];

	snprintf(head, sizeof(head), "%s %s", k->name, ((const struct msg_helper *)base)->name);
	printer_block(p, k->block, head);
}

const struct kind kind_policy = {read_policy, print_policy, NULL};

/* NAME L3 L4 */
static int
type_words(struct reader *p, struct msg_helper *h)
{
	struct token name = p->tok;
	int r;

	if ((r = reader_word(p, "the name of a helper")) != 0)
		return r;
	reader_next(p);
	if (!tok_is(&p->tok, "inet") && !tok_is(&p->tok, "inet6"))
		return reader_fail(p, &p->tok, "unknown layer 3 protocol, expected `inet' or `inet6'");
	h->family = tok_is(&p->tok, "inet") ? AF_INET : AF_INET6;
	reader_next(p);
	if (!tok_is(&p->tok, "tcp") && !tok_is(&p->tok, "udp"))
		return reader_fail(p, &p->tok, "unknown layer 4 protocol, expected `tcp' or `udp'");
	h->proto = tok_is(&p->tok, "tcp") ? IPPROTO_TCP : IPPROTO_UDP;
	reader_next(p);
	if (!tok_copy(&name, h->name, sizeof(h->name)) || helper_fact(h->name, h->proto) == NULL)
		return reader_fail(p, &name, "Unknown `%.*s' helper for %s", (int)(name.len < 32 ? name.len : 32),
				   name.s, h->proto == IPPROTO_TCP ? "tcp" : "udp");
	return 0;
}

/* The draft, policy merged with the one built in, becomes a helper. */
static int
type_close(struct reader *p, const struct token *key)
{
	struct msg_helper *h = &p->helper;
	uint32_t n = p->c->n_helpers;
	const struct helper_fact *known = helper_fact(h->name, h->proto);

	if (p->policy.kind == TOK_WORD && !tok_is(&p->policy, h->name))
		return reader_fail(p, &p->policy, "Unknown policy in helper configuration; that of helper `%s' is `%s'",
				   h->name, h->name);
	if (n == MSG_HELPERS_MAX)
		return reader_fail(p, key, "more than %u helpers", MSG_HELPERS_MAX);
	if (!said(p, offsetof(struct msg_helper, expect_max)))
		h->expect_max = known->expect_max;
	if (!said(p, offsetof(struct msg_helper, expect_timeout)))
		h->expect_timeout = known->expect_timeout;
	p->helper_policy[n] = p->policy.kind == TOK_WORD;
	p->helper_at[n] = key->at;
	p->c->helper[n] = *h;
	p->c->n_helpers = n + 1;
	memset(h, 0, sizeof(*h));
	p->policy = (struct token){0};
	reader_forget(p, REC_HELPER);
	return 0;
}

static int
read_type(struct reader *p, const struct field *k, void *base)
{
	struct token key = p->key;
	int r;

	(void)base;
	if ((r = type_words(p, &p->helper)) != 0 || (r = reader_block(p, k->block)) != 0)
		return r;
	return type_close(p, &key);
}

static void
print_types(struct printer *p, const struct field *k, const void *base)
{
	const struct conf *c = base;
	char head[64];

	for (uint32_t i = 0; i < c->n_helpers; i++) {
		const struct msg_helper *h = &c->helper[i];

		p->rec[REC_HELPER] = h;
		snprintf(head, sizeof(head), "%s %s %s %s", k->name, h->name, h->family == AF_INET ? "inet" : "inet6",
			 h->proto == IPPROTO_TCP ? "tcp" : "udp");
		printer_block(p, k->block, head);
	}
	p->rec[REC_HELPER] = NULL;
}

const struct kind kind_type = {read_type, print_types, NULL};

/* The inet and inet6 Types of one helper share the policy that was written last. */
void
helper_finish(struct reader *p)
{
	struct msg_helper *h = p->c->helper;

	for (uint32_t i = 0; i < p->c->n_helpers; i++)
		h[i].setup = p->c->helper_setup;
	for (uint32_t i = 0; i < p->c->n_helpers; i++)
		for (uint32_t j = 0; p->helper_policy[i] && j < p->c->n_helpers; j++)
			if (strcmp(h[i].name, h[j].name) == 0 && h[i].proto == h[j].proto) {
				h[j].expect_max = h[i].expect_max;
				h[j].expect_timeout = h[i].expect_timeout;
			}
}

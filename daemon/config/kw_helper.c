/*
 * Keywords of Helper: which protocols it knows, their queues and expectation policies.
 */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "facts.h"
#include "parser.h"

#define POLICY_NAME_MAX 16
#define EXPECT_MAX      255 /* of the kernel */

/* Policy NAME { ... }; the name is compared with that of the helper when its Type closes. */
static int
read_policy(struct parser *p, const struct kw *k, void *base)
{
	struct helper_draft *d = base;
	struct token key;
	int r;

	if ((r = parser_word(p, "the name of a policy")) != 0)
		return r;
	key = p->tok;
	if (key.len > POLICY_NAME_MAX)
		return parser_fail(p, &key, "Helper Policy is longer than %u characters", POLICY_NAME_MAX);
	d->policy = key;
	d->has_max = d->has_timeout = false;
	parser_next(p);
	if ((r = parser_block(p, k->block, d)) != 0)
		return r;
	if (!d->has_max && !d->has_timeout)
		return parser_fail(p, &key, "Helper policy configuration empty, fix your configuration file, please");
	return 0;
}

static int
read_expect_max(struct parser *p, const struct kw *k, void *base)
{
	((struct helper_draft *)base)->has_max = true;
	return read_num(p, k, base);
}

static int
read_expect_timeout(struct parser *p, const struct kw *k, void *base)
{
	((struct helper_draft *)base)->has_timeout = true;
	return read_num(p, k, base);
}

/* NAME L3 L4 */
static int
type_words(struct parser *p, struct msg_helper *h)
{
	struct token name = p->tok;
	int r;

	if ((r = parser_word(p, "the name of a helper")) != 0)
		return r;
	parser_next(p);
	if (!tok_is(&p->tok, "inet") && !tok_is(&p->tok, "inet6"))
		return parser_fail(p, &p->tok, "unknown layer 3 protocol, expected `inet' or `inet6'");
	h->family = tok_is(&p->tok, "inet") ? AF_INET : AF_INET6;
	parser_next(p);
	if (!tok_is(&p->tok, "tcp") && !tok_is(&p->tok, "udp"))
		return parser_fail(p, &p->tok, "unknown layer 4 protocol, expected `tcp' or `udp'");
	h->proto = tok_is(&p->tok, "tcp") ? IPPROTO_TCP : IPPROTO_UDP;
	parser_next(p);
	if (!tok_copy(&name, h->name, sizeof(h->name)) || helper_fact(h->name, h->proto) == NULL)
		return parser_fail(p, &name, "Unknown `%.*s' helper for %s", (int)(name.len < 32 ? name.len : 32),
				   name.s, h->proto == IPPROTO_TCP ? "tcp" : "udp");
	return 0;
}

/* The draft, policy merged with the one built in, becomes a helper. */
static int
type_close(struct parser *p, const struct token *key)
{
	struct helper_draft *d = &p->helper;
	uint32_t n = p->c->n_helpers;
	const struct helper_fact *known = helper_fact(d->h.name, d->h.proto);

	if (d->policy.kind == TOK_WORD && !tok_is(&d->policy, d->h.name))
		return parser_fail(p, &d->policy, "Unknown policy in helper configuration; that of helper `%s' is `%s'",
				   d->h.name, d->h.name);
	if (n == MSG_HELPERS_MAX)
		return parser_fail(p, key, "more than %u helpers", MSG_HELPERS_MAX);
	if (!d->has_max)
		d->h.expect_max = known->expect_max;
	if (!d->has_timeout)
		d->h.expect_timeout = known->expect_timeout;
	p->helper_policy[n] = d->policy.kind == TOK_WORD;
	p->at.helper[n] = key->at;
	p->c->helper[n] = d->h;
	p->c->n_helpers = n + 1;
	memset(d, 0, sizeof(*d));
	return 0;
}

int
read_type(struct parser *p, const struct kw *k, void *base)
{
	struct token key = p->key;
	int r;

	(void)base;
	if ((r = type_words(p, &p->helper.h)) != 0 || (r = parser_block(p, k->block, &p->helper)) != 0)
		return r;
	return type_close(p, &key);
}

static int
read_setup(struct parser *p, const struct kw *k, void *base)
{
	(void)base;
	return read_bool(p, k, p->c);
}

/* The inet and inet6 Types of one helper share the policy that was written last. */
void
helper_finish(struct parser *p)
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

#define OUTSIDE_TYPE(what) "`" what "' outside `Type' applies to the `Type' that follows"
#define TYPE_KEYWORDS(warn)                                                                           \
	{KW_UPTO("QueueNum", helper_draft, h.queue, 65535), .note = warn("QueueNum")},                \
		{KW_NUM("QueueLen", helper_draft, h.queue_len), .note = warn("QueueLen")},            \
	{                                                                                             \
		.name = "Policy", .read = read_policy, .block = &block_policy, .note = warn("Policy") \
	}
#define NO_NOTE(what) NULL

/* The base of these two blocks is parser.helper. */
static const struct kw helper[] = {
	{.name = "Type", .read = read_type, .block = &block_type},
	{.name = "Setup", .read = read_setup, KW_FIELD(conf, helper_setup)},
	TYPE_KEYWORDS(OUTSIDE_TYPE),
	{0},
};
const struct block block_helper = {"`Helper'", helper};

static const struct kw type[] = {TYPE_KEYWORDS(NO_NOTE), {0}};
const struct block block_type = {"`Type'", type};

static const struct kw policy[] = {
	{.name = "ExpectMax", .read = read_expect_max, KW_FIELD(helper_draft, h.expect_max), .max = EXPECT_MAX},
	{.name = "ExpectTimeout",
	 .read = read_expect_timeout,
	 KW_FIELD(helper_draft, h.expect_timeout),
	 .max = INT_MAX},
	{0},
};
const struct block block_policy = {"`Policy'", policy};

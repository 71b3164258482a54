/*
 * The engine of the parser: blocks, messages with suggestions, and what is settled at the end of the text.
 * Blocks nest as deep as the tables do (four levels); no input makes it deeper.
 */
#include "parse.h"

#include <ctype.h>
#include <errno.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "near.h"
#include "parser.h"

#define SHOWN_MAX 64 /* characters of a word in a message */

static const struct block *const all_blocks[] = {
	&block_top,    &block_general, &block_unix,   &block_filter, &block_sync,  &block_ftfw,
	&block_alarm,  &block_notrack, &block_udp,    &block_mcast,  &block_tcp,   &block_options,
	&block_helper, &block_type,    &block_policy, &block_stats,  &block_sched,
};

static void
describe(const struct token *t, char *buf, size_t size)
{
	bool cut = t->len > SHOWN_MAX;

	if (t->kind == TOK_END)
		snprintf(buf, size, "end of file");
	else if (t->kind == TOK_BAD && !isprint((unsigned char)*t->s))
		snprintf(buf, size, "byte 0x%02x", (unsigned char)*t->s);
	else
		snprintf(buf, size, "`%.*s%s'", cut ? SHOWN_MAX : (int)t->len, t->s, cut ? "..." : "");
}

void
parser_next(struct parser *p)
{
	p->tok = lex_next(&p->lex);
}

int
parser_fail(struct parser *p, const struct token *t, const char *fmt, ...)
{
	char at[SHOWN_MAX + 16], why[400];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	describe(t, at, sizeof(at));
	if (t->kind == TOK_BAD)
		diag_at(p->d, LV_ERROR, t->at, "syntax error: %s has no place here; %s", at, why);
	else
		diag_at(p->d, LV_ERROR, t->at, "syntax error at %s: %s", at, why);
	return -EINVAL;
}

void
parser_warn(struct parser *p, const struct token *t, const char *fmt, ...)
{
	char text[400];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	diag_at(p->d, LV_WARNING, t->at, "%s", text);
}

int
parser_word(struct parser *p, const char *expected)
{
	if (p->tok.kind == TOK_WORD)
		return 0;
	return parser_fail(p, &p->tok, "expected %s after `%.*s'", expected, (int)p->key.len, p->key.s);
}

static const struct kw *
find_kw(const struct block *b, const struct token *t)
{
	for (const struct kw *k = b->kw; k->name != NULL; k++)
		if (tok_is(t, k->name))
			return k;
	return NULL;
}

static const char *
nearest(const struct block *b, const struct token *t)
{
	struct near n = near_to(t->s, t->len);

	for (const struct kw *k = b->kw; k->name != NULL; k++)
		if (k->note == NULL)
			near_try(&n, k->name);
	return n.name;
}

static const char *
home_of(const struct token *t)
{
	for (size_t i = 0; i < sizeof(all_blocks) / sizeof(all_blocks[0]); i++)
		if (find_kw(all_blocks[i], t) != NULL)
			return all_blocks[i]->name;
	return NULL;
}

static int
unknown_kw(struct parser *p, const struct block *b)
{
	const char *home = home_of(&p->tok), *name = nearest(b, &p->tok);

	if (home == block_top.name)
		return parser_fail(p, &p->tok, "not a keyword of %s; is a `}' missing before it?", b->name);
	if (home != NULL)
		return parser_fail(p, &p->tok, "not a keyword of %s; it belongs in %s", b->name, home);
	if (name != NULL)
		return parser_fail(p, &p->tok, "not a keyword of %s; did you mean `%s'?", b->name, name);
	return parser_fail(p, &p->tok, "not a keyword of %s", b->name);
}

static int
statement(struct parser *p, const struct block *b, void *base)
{
	const struct kw *k;

	if (p->tok.kind != TOK_WORD)
		return parser_fail(p, &p->tok, "expected a keyword of %s", b->name);
	if ((k = find_kw(b, &p->tok)) == NULL)
		return unknown_kw(p, b);
	if (k->note != NULL)
		parser_warn(p, &p->tok, "%s", k->note);
	p->key = p->tok;
	parser_next(p);
	return k->read(p, k, base);
}

static int
open_block(struct parser *p, const char *name)
{
	if (p->tok.kind != TOK_OPEN)
		return parser_fail(p, &p->tok, "expected `{' after %s", name);
	parser_next(p);
	return 0;
}

static int
not_closed(struct parser *p, const char *name, struct place at)
{
	return parser_fail(p, &p->tok, "%s of line %u is not closed by `}'", name, at.line);
}

int
parser_block(struct parser *p, const struct block *b, void *base)
{
	struct place at = p->key.at;
	int r = open_block(p, b->name);

	while (r == 0 && p->tok.kind != TOK_CLOSE)
		r = p->tok.kind == TOK_END ? not_closed(p, b->name, at) : statement(p, b, base);
	if (r == 0)
		parser_next(p);
	return r;
}

int
parser_list(struct parser *p, int (*item)(struct parser *p, void *arg), void *arg)
{
	struct token key = p->key;
	char name[SHOWN_MAX + 3];
	int r;

	snprintf(name, sizeof(name), "`%.*s'", (int)(key.len < SHOWN_MAX ? key.len : SHOWN_MAX), key.s);
	r = open_block(p, name);
	while (r == 0 && p->tok.kind != TOK_CLOSE) {
		if (p->tok.kind == TOK_END)
			r = not_closed(p, name, key.at);
		else if ((r = parser_word(p, "a word or `}'")) == 0)
			r = item(p, arg);
	}
	if (r == 0)
		parser_next(p);
	return r;
}

static void
settle_scheduler(struct parser *p)
{
	if (p->sched_type < 0) {
		if (p->sched_prio >= 0)
			diag_at(p->d, LV_WARNING, p->at.sched, "`Priority' without `Type' in `Scheduler', ignoring");
		return;
	}
	p->c->sched_type = (uint8_t)p->sched_type;
	p->c->sched_prio = p->sched_prio > 0 ? (uint8_t)p->sched_prio : 0;
	if (p->sched_prio <= 0) {
		diag_at(p->d, LV_WARNING, p->at.sched,
			"`Scheduler' without a `Priority' above 0: the daemon stays with the normal scheduler");
		p->c->sched_type = SCHED_OTHER;
	}
}

static void
settle_sync(struct parser *p)
{
	struct conf *c = p->c;

	if (!c->sync)
		return;
	if (c->mode == MODE_NONE) {
		diag_at(p->d, LV_WARNING, p->at.sync, "No synchronization mode specified. Defaulting to FT-FW mode.");
		c->mode = MODE_FTFW;
	}
	if (c->disable_external_cache && c->commit_timeout != 0) {
		diag_at(p->d, LV_WARNING, p->at.sync,
			"`CommitTimeout' can't be combined with `DisableExternalCache', ignoring this option. "
			"Fix your configuration file.");
		c->commit_timeout = 0;
	}
	if (c->n_links != 0 && !p->default_seen)
		c->link[0].is_default = 1;
	if (c->n_links != 0 && p->sync_checksum >= 0)
		c->link[0].no_checksum = p->sync_checksum == 0;
}

static int
parse_all(struct parser *p)
{
	int r = 0;

	parser_next(p);
	while (r == 0 && p->tok.kind != TOK_END)
		r = statement(p, &block_top, p->c);
	if (r != 0)
		return r;
	settle_scheduler(p);
	settle_sync(p);
	helper_finish(p);
	if (p->c->syslog_facility != 0 && p->c->stats_syslog_facility != 0)
		p->c->stats_syslog_facility = p->c->syslog_facility;
	if ((r = filter_finish(p)) != 0)
		return r;
	return conf_check(p->c, &p->at, p->d);
}

int
conf_parse(struct conf *c, const struct conf_source *src)
{
	struct parser p = {
		.lex = lex_init(src->text, src->len),
		.c = c,
		.protos = src->protos,
		.d = src->diag,
		.sched_type = -1,
		.sched_prio = -1,
		.sync_checksum = -1,
	};
	int r;

	conf_init(c);
	r = parse_all(&p);
	if (r == -ENOMEM)
		diag_at(p.d, LV_ERROR, p.key.at, "out of memory");
	if (r != 0)
		conf_clear(c);
	return r;
}

/*
 * What follows a keyword: numbers, booleans, paths, names, addresses. Every value is bounded here or refused.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <syslog.h>

#include "parser.h"

#define WORD_MAX 64

int
word_bool(const struct token *t)
{
	if (tok_is_nocase(t, "on") || tok_is_nocase(t, "yes"))
		return 1;
	return tok_is_nocase(t, "off") || tok_is_nocase(t, "no") ? 0 : -1;
}

int
word_num(const struct token *t, uint32_t max, uint32_t *v)
{
	uint64_t n = 0;

	if (t->kind != TOK_WORD)
		return -EINVAL;
	for (size_t i = 0; i < t->len; i++) {
		if (t->s[i] < '0' || t->s[i] > '9')
			return -EINVAL;
		if (n <= max)
			n = n * 10 + (uint64_t)(t->s[i] - '0');
	}
	if (n > max)
		return -ERANGE;
	*v = (uint32_t)n;
	return 0;
}

static bool
read_octet(const char **s, uint8_t *out)
{
	unsigned int dec = 0, oct = 0, n = 0;
	bool leading = **s == '0', is_oct = true;

	for (; **s >= '0' && **s <= '9' && n < 4; (*s)++, n++) {
		dec = dec * 10 + (unsigned int)(**s - '0');
		oct = oct * 8 + (unsigned int)(**s - '0');
		is_oct &= **s < '8';
	}
	*out = (uint8_t)dec;
	/* 010 is 8 for inet_aton() and 10 for people: only what both read alike */
	return n > 0 && dec <= 255 && (!leading || n == 1 || (is_oct && oct == dec));
}

static bool
read_quad(const char *s, uint8_t addr[4])
{
	for (int i = 0; i < 4; i++) {
		if (!read_octet(&s, &addr[i]) || *s != (i < 3 ? '.' : '\0'))
			return false;
		s++;
	}
	return true;
}

int
word_addr(const struct token *t, int family, uint8_t addr[16], int *prefix)
{
	int bits = family == AF_INET ? 32 : 128;
	char buf[WORD_MAX], *slash;
	struct token len = *t;
	uint32_t n = (uint32_t)bits;

	memset(addr, 0, 16);
	if (!tok_copy(t, buf, sizeof(buf)))
		return -EINVAL;
	if (prefix != NULL && (slash = strchr(buf, '/')) != NULL) {
		*slash = '\0';
		len.s = t->s + (slash + 1 - buf);
		len.len = t->len - (size_t)(slash + 1 - buf);
		if (len.len == 0 || word_num(&len, (uint32_t)bits, &n) != 0)
			return -ERANGE;
	}
	if (family == AF_INET ? !read_quad(buf, addr) : inet_pton(AF_INET6, buf, addr) != 1)
		return -EINVAL;
	if (prefix != NULL)
		*prefix = (int)n;
	return 0;
}

static void
store(const struct kw *k, void *base, uint32_t v)
{
	uint8_t *to = (uint8_t *)base + k->off;
	uint16_t v16 = (uint16_t)v;

	if (k->size == 1)
		*to = (uint8_t)v;
	else if (k->size == 2)
		memcpy(to, &v16, 2);
	else
		memcpy(to, &v, 4);
}

int
read_num(struct parser *p, const struct kw *k, void *base)
{
	uint32_t v;
	int r;

	if ((r = parser_word(p, "a number")) != 0)
		return r;
	r = word_num(&p->tok, k->max, &v);
	if (r == -EINVAL)
		return parser_fail(p, &p->tok, "expected a number after `%s'", k->name);
	if (r == -ERANGE || v < k->min)
		return parser_fail(p, &p->tok, "`%s' must be from %u to %u", k->name, k->min, k->max);
	store(k, base, v == 0 && k->zero != 0 ? k->zero : v);
	parser_next(p);
	return 0;
}

int
conf_num(struct parser *p, const struct kw *k, void *base)
{
	(void)base;
	return read_num(p, k, p->c);
}

/* Takes the word: 1, 0, or -EINVAL, said. */
static int
bool_word(struct parser *p, const char *name)
{
	int v = word_bool(&p->tok);

	if (v < 0)
		return parser_fail(p, &p->tok, "expected `on' or `off' after `%s'", name);
	parser_next(p);
	return v;
}

int
read_bool(struct parser *p, const struct kw *k, void *base)
{
	int v = bool_word(p, k->name);

	if (v < 0)
		return v;
	*(bool *)((uint8_t *)base + k->off) = v;
	return 0;
}

/* The keyword switches off what the field switches on. */
int
read_flag(struct parser *p, const struct kw *k, void *base)
{
	int v = bool_word(p, k->name);

	if (v < 0)
		return v;
	*((uint8_t *)base + k->off) = !v;
	return 0;
}

int
read_path(struct parser *p, const struct kw *k, void *base)
{
	if (p->tok.kind != TOK_WORD || p->tok.s[0] != '/')
		return parser_fail(p, &p->tok, "expected a path that begins with `/' after `%s'", k->name);
	if (!tok_copy(&p->tok, (char *)base + k->off, k->size))
		return parser_fail(p, &p->tok, "%s is longer than %zu characters", k->what, k->size - 1);
	parser_next(p);
	return 0;
}

int
read_logfile(struct parser *p, const struct kw *k, void *base)
{
	int v = word_bool(&p->tok);

	if (v < 0 && p->tok.kind == TOK_WORD && p->tok.s[0] == '/')
		return read_path(p, k, base);
	if (v < 0)
		return parser_fail(p, &p->tok, "expected `on', `off' or a path after `%s'", k->name);
	strncpy((char *)base + k->off, v ? k->preset : "", k->size);
	parser_next(p);
	return 0;
}

int
read_syslog(struct parser *p, const struct kw *k, void *base)
{
	int v = word_bool(&p->tok), r;

	if ((r = parser_word(p, "`on', `off' or a syslog facility")) != 0)
		return r;
	if (p->tok.s[0] >= '0' && p->tok.s[0] <= '9')
		return parser_fail(p, &p->tok, "expected `on', `off' or a syslog facility after `%s'", k->name);
	if (v >= 0 || tok_is(&p->tok, "daemon"))
		store(k, base, v != 0 ? LOG_DAEMON : 0);
	else if (p->tok.len == 6 && memcmp(p->tok.s, "local", 5) == 0 && p->tok.s[5] >= '0' && p->tok.s[5] <= '7')
		store(k, base, LOG_LOCAL0 + ((uint32_t)(p->tok.s[5] - '0') << 3));
	else
		parser_warn(p, &p->tok, "'%.*s' is not a known syslog facility, ignoring",
			    (int)(p->tok.len < WORD_MAX ? p->tok.len : WORD_MAX), p->tok.s);
	if (v < 0 && p->c->syslog_facility != 0 && p->c->stats_syslog_facility != 0 &&
	    p->c->syslog_facility != p->c->stats_syslog_facility)
		parser_warn(p, &p->key, "conflicting Syslog facility values, defaulting to General");
	parser_next(p);
	return 0;
}

bool
tok_is_name(const struct token *t)
{
	for (size_t i = 0; i < t->len; i++)
		if (strchr("/:@%&*?!'`$\\()[]<>|~^+", t->s[i]) != NULL || t->s[0] == '-')
			return false;
	return true;
}

int
read_name(struct parser *p, const struct kw *k, void *base)
{
	int r;

	if ((r = parser_word(p, "a name")) != 0)
		return r;
	if (!tok_is_name(&p->tok))
		return parser_fail(p, &p->tok, "expected a name after `%s'", k->name);
	if (!tok_copy(&p->tok, (char *)base + k->off, k->size))
		return parser_fail(p, &p->tok, "the name after `%s' is longer than %zu characters", k->name,
				   k->size - 1);
	parser_next(p);
	return 0;
}

int
skip_nothing(struct parser *p, const struct kw *k, void *base)
{
	(void)p, (void)k, (void)base;
	return 0;
}

int
skip_num(struct parser *p, const struct kw *k, void *base)
{
	uint32_t v;

	(void)base;
	if (word_num(&p->tok, UINT32_MAX, &v) == -EINVAL)
		return parser_fail(p, &p->tok, "expected a number after `%s'", k->name);
	parser_next(p);
	return 0;
}

int
skip_snum(struct parser *p, const struct kw *k, void *base)
{
	if (p->tok.kind == TOK_WORD && p->tok.len > 1 && (p->tok.s[0] == '-' || p->tok.s[0] == '+')) {
		p->tok.s++;
		p->tok.len--;
	}
	return skip_num(p, k, base);
}

int
skip_bool(struct parser *p, const struct kw *k, void *base)
{
	int v = bool_word(p, k->name);

	(void)base;
	return v < 0 ? v : 0;
}

int
skip_word(struct parser *p, const struct kw *k, void *base)
{
	int r = parser_word(p, k->what != NULL ? k->what : "a word");

	(void)base;
	if (r == 0)
		parser_next(p);
	return r;
}

int
read_block(struct parser *p, const struct kw *k, void *base)
{
	return parser_block(p, k->block, base);
}

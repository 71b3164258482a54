/*
 * The lexer of conntrackd.conf. The text comes from a file that need not be text at all.
 */
#include "lex.h"

#include <string.h>
#include <strings.h>

struct lex
lex_init(const char *text, size_t len)
{
	static const char mark[3] = "\xef\xbb\xbf"; /* some editors begin a file with it */
	struct lex l = {"", NULL, NULL, 1};

	if (len == 0) { /* text may be NULL */
		l.end = l.line_start = l.p;
		return l;
	}
	l.p = len >= sizeof(mark) && memcmp(text, mark, sizeof(mark)) == 0 ? text + sizeof(mark) : text;
	l.line_start = l.p;
	l.end = text + len;
	return l;
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static void
skip_blank(struct lex *l)
{
	while (l->p < l->end && (is_blank(*l->p) || *l->p == '#')) {
		if (*l->p == '#') {
			const char *nl = memchr(l->p, '\n', (size_t)(l->end - l->p));

			l->p = nl != NULL ? nl : l->end;
			continue;
		}
		if (*l->p++ == '\n') {
			l->line++;
			l->line_start = l->p;
		}
	}
}

/* A path may contain what separates words elsewhere, but no blank, quote or brace. */
static bool
in_word(char c, bool path)
{
	if (c <= ' ' || c >= 0x7f || strchr("{}\"", c) != NULL)
		return false;
	return path || strchr("#;=,", c) == NULL;
}

struct token
lex_next(struct lex *l)
{
	struct token t = {TOK_END, NULL, 0, {0, 0}};

	skip_blank(l);
	t.s = l->p;
	t.at = (struct place){l->line, (uint32_t)(l->p - l->line_start) + 1};
	if (l->p == l->end)
		return t;
	while (l->p < l->end && in_word(*l->p, *t.s == '/'))
		l->p++;
	if (l->p != t.s) {
		t.kind = TOK_WORD;
	} else {
		t.kind = *l->p == '{' ? TOK_OPEN : *l->p == '}' ? TOK_CLOSE : TOK_BAD;
		l->p++;
	}
	t.len = (size_t)(l->p - t.s);
	return t;
}

bool
tok_is(const struct token *t, const char *word)
{
	return t->kind == TOK_WORD && strlen(word) == t->len && memcmp(t->s, word, t->len) == 0;
}

bool
tok_is_nocase(const struct token *t, const char *word)
{
	return t->kind == TOK_WORD && strlen(word) == t->len && strncasecmp(t->s, word, t->len) == 0;
}

bool
tok_copy(const struct token *t, char *buf, size_t size)
{
	if (t->len >= size)
		return false;
	memcpy(buf, t->s, t->len);
	memset(buf + t->len, 0, size - t->len);
	return true;
}

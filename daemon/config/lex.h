/*
 * Configuration text to words. Knows nothing of keywords: what a word means depends on where it stands, so an
 * interface may be called `on' or `cafe'.
 */
#ifndef LEX_H
#define LEX_H

#include <stdbool.h>
#include <stddef.h>

#include "diag.h"

enum tok_kind { TOK_END, TOK_WORD, TOK_OPEN, TOK_CLOSE, TOK_BAD };

struct token {
	enum tok_kind kind;
	const char *s; /* borrowed from the text; TOK_BAD: the byte that has no business here */
	size_t len;
	struct place at;
};

struct lex {
	const char *p, *end, *line_start;
	uint32_t line;
};

struct lex lex_init(const char *text, size_t len);
struct token lex_next(struct lex *l);

bool tok_is(const struct token *t, const char *word);
bool tok_is_nocase(const struct token *t, const char *word);
/* Copies the word with a terminator; false when it does not fit, buf is then unchanged. */
bool tok_copy(const struct token *t, char *buf, size_t size);

#endif

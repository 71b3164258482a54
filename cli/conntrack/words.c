/*
 * The word syntax of -R files, whose lines nobody checked. Nothing is copied: a word never grows.
 */
#include "words.h"

#include <stdbool.h>
#include <stddef.h>

enum { BLANK = 1, END = 2, QUOTE = 4 };

static const unsigned char kind[256] = {
	['\0'] = END, [' '] = BLANK, ['\t'] = BLANK, ['\n'] = BLANK, ['\r'] = BLANK, ['"'] = QUOTE,
};
#define KIND(p) kind[(unsigned char)*(p)]

/* Moves the rest of a word at *from to *to without its quotes; both end behind it. Whether the last quote ended. */
static bool
unquote(char **from, char **to)
{
	char *p = *from, *q = *to;
	bool quoted = false;

	for (; KIND(p) != END && (quoted || KIND(p) != BLANK); p++) {
		if (*p == '"') {
			quoted = !quoted;
			continue;
		}
		if (quoted && *p == '\\' && p[1] != '\0')
			p++;
		*q++ = *p;
	}
	*from = p;
	*to = q;
	return !quoted;
}

/* Ends the word at *p and moves *p behind it: 0 or an enum words_error. */
static int
take_word(char **p)
{
	char *start = *p, *from = start, *to;
	bool whole = true;

	while (KIND(from) == 0) /* nearly every word has nothing special in it */
		from++;
	to = from;
	if (KIND(from) == QUOTE)
		whole = unquote(&from, &to);
	*p = KIND(from) == END ? from : from + 1;
	*to = '\0';
	if (!whole)
		return WORDS_UNFINISHED;
	return to - start > WORD_LEN_MAX ? WORDS_TOO_LONG : 0;
}

int
words_split(char *line, char **argv)
{
	static char program[] = "conntrack";
	char *p = line;
	int argc = 1, r;

	argv[0] = program;
	for (;;) {
		while (KIND(p) == BLANK)
			p++;
		if (KIND(p) == END)
			break;
		if (argc > WORDS_MAX)
			return WORDS_TOO_MANY;
		argv[argc++] = p;
		if ((r = take_word(&p)) < 0)
			return r;
	}
	argv[argc] = NULL;
	return argc;
}

const char *
words_strerror(enum words_error e)
{
	switch (e) {
	case WORDS_TOO_MANY:
		return "too many arguments";
	case WORDS_TOO_LONG:
		return "Parameter too long!";
	default:
		return "quote without end";
	}
}

/*
 * The word syntax of -R files. Called for every line of a file nobody checked.
 */
#include "words.h"

#include <stdbool.h>
#include <stddef.h>

static bool
blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Moves the word at *from to *to without its quotes. Both end behind it; 0 or an enum words_error. */
static int
take_word(char **from, char **to)
{
	char *p = *from, *q = *to, *start = *to;
	bool quoted = false;

	for (; *p != '\0' && (quoted || !blank(*p)); p++) {
		if (*p == '"') {
			quoted = !quoted;
			continue;
		}
		if (quoted && *p == '\\' && p[1] != '\0')
			p++;
		*q++ = *p;
	}
	*from = *p != '\0' ? p + 1 : p;
	*q++ = '\0';
	*to = q;
	if (quoted)
		return WORDS_UNFINISHED;
	return q - start - 1 > WORD_LEN_MAX ? WORDS_TOO_LONG : 0;
}

int
words_split(char *line, char **argv)
{
	static char program[] = "conntrack";
	char *from = line, *to = line;
	int argc = 1, r;

	argv[0] = program;
	for (;;) {
		while (blank(*from))
			from++;
		if (*from == '\0')
			break;
		if (argc > WORDS_MAX)
			return WORDS_TOO_MANY;
		argv[argc++] = to;
		if ((r = take_word(&from, &to)) < 0)
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

/*
 * Words are read by the daemon's own lexer, so that both find the same; blocks are followed by counting braces.
 */
#include "ctl_path.h"

#include <errno.h>

#include "lex.h"

/* Where the reader stands: how many blocks are open, and how many of them are the ones that lead to the path. */
struct finder {
	unsigned int depth, match;
	bool words, blocks; /* seen: anything at all, a block of a configuration */
	int found;          /* -ENOENT: not yet */
	char *path;
	size_t size;
};

static const char *const way[] = {"General", "UNIX"};
static const char *const top[] = {"General", "Sync", "Stats", "Helper"};

static void
block_open(struct finder *f, const struct token *last)
{
	for (size_t i = 0; f->depth == 0 && i < sizeof(top) / sizeof(top[0]); i++)
		f->blocks |= tok_is(last, top[i]);
	if (f->match == f->depth && f->depth < 2 && tok_is(last, way[f->depth]))
		f->match++;
	f->depth++;
}

static void
block_close(struct finder *f)
{
	if (f->depth > 0 && f->match == f->depth--)
		f->match--;
}

static void
statement(struct finder *f, const struct token *key, const struct token *value)
{
	if (f->depth == 2 && f->match == 2 && tok_is(key, "Path") && value->s[0] == '/')
		f->found = tok_copy(value, f->path, f->size) ? 0 : -ENAMETOOLONG;
}

int
ctl_path_find(const char *text, size_t len, char *path, size_t size)
{
	struct lex l = lex_init(text, len);
	struct token last = {.kind = TOK_END}, t;
	struct finder f = {.found = -ENOENT, .path = path, .size = size};

	while ((t = lex_next(&l)).kind != TOK_END) {
		f.words = true;
		if (t.kind == TOK_OPEN)
			block_open(&f, &last);
		else if (t.kind == TOK_CLOSE)
			block_close(&f);
		else if (t.kind == TOK_WORD)
			statement(&f, &last, &t);
		last = t;
	}
	return f.found == -ENOENT && f.words && !f.blocks ? -EINVAL : f.found;
}

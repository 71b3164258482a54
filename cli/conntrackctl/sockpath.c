/*
 * Finds the control socket's path with the daemon's own lexer, so both read words alike. The file may be
 * anything.
 */
#include "sockpath.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lex.h"

#define FILE_MAX (16u << 20)

/* Where the reader stands: how many blocks are open, and how many of them are the ones that lead to the path. */
struct finder {
	unsigned int depth, match;
	int found;
};

static const char *const way[] = {"General", "UNIX"};

static void
block_open(struct finder *f, const struct token *last)
{
	if (f->match == f->depth && f->depth < 2 && last->kind == TOK_WORD && tok_is(last, way[f->depth]))
		f->match++;
	f->depth++;
}

static void
block_close(struct finder *f)
{
	if (f->depth > 0 && f->match == f->depth--)
		f->match--;
}

/* The last path wins, as in the daemon. */
static void
statement(struct finder *f, const struct token *key, const struct token *value, char path[SOCKPATH_MAX])
{
	if (f->depth != 2 || f->match != 2 || key->kind != TOK_WORD || !tok_is(key, "Path") || value->s[0] != '/')
		return;
	f->found = tok_copy(value, path, SOCKPATH_MAX) ? 0 : -ENAMETOOLONG;
}

int
sockpath_find(const char *text, size_t len, char path[SOCKPATH_MAX])
{
	struct lex l = lex_init(text, len);
	struct token last = {.kind = TOK_END}, t;
	struct finder f = {0, 0, -ENOENT};

	while ((t = lex_next(&l)).kind != TOK_END) {
		if (t.kind == TOK_OPEN)
			block_open(&f, &last);
		else if (t.kind == TOK_CLOSE)
			block_close(&f);
		else if (t.kind == TOK_WORD)
			statement(&f, &last, &t, path);
		last = t;
	}
	return f.found;
}

static int
read_all(int fd, char *buf, size_t size)
{
	size_t have = 0;
	ssize_t n;

	while (have < size) {
		n = read(fd, buf + have, size - have);
		if (n == 0)
			break;
		if (n == -1 && errno != EINTR)
			return -errno;
		have += n > 0 ? (size_t)n : 0;
	}
	return (int)have;
}

static int
find_in(int fd, size_t size, char path[SOCKPATH_MAX])
{
	char *text = malloc(size + 1);
	int r;

	if (text == NULL)
		return -ENOMEM;
	if ((r = read_all(fd, text, size)) >= 0)
		r = sockpath_find(text, (size_t)r, path);
	free(text);
	return r;
}

int
sockpath_read(const char *file, char path[SOCKPATH_MAX])
{
	int fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	struct stat st;
	int r;

	if (fd == -1)
		return -errno;
	if (fstat(fd, &st) == -1)
		r = -errno;
	else if (S_ISDIR(st.st_mode))
		r = -EISDIR;
	else
		r = st.st_size > (off_t)FILE_MAX
			    ? -EFBIG
			    : find_in(fd, S_ISREG(st.st_mode) ? (size_t)st.st_size : FILE_MAX, path);
	close(fd);
	return r;
}

const char *
sockpath_error(int err)
{
	switch (err) {
	case -ENOENT:
		return "it names no control socket, General { UNIX { Path } }: is it a configuration of conntrackd?";
	case -ENAMETOOLONG:
		return "the path of its control socket, General { UNIX { Path } }, is too long";
	case -EFBIG:
		return "it is too large for a configuration of conntrackd";
	default:
		return strerror(-err);
	}
}

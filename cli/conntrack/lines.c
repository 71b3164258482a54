/*
 * Reads the files of -R and --from-file and names the line of every error. Trusts neither the bytes nor that they end.
 */
#include "lines.h"
#include "opts.h"
#include "words.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TABLE_UNKNOWN (1ul << 24)
#define COMMANDS_MIN  (1ul << 16)

/* Twice what the table may hold: beyond that a file cannot be what it is meant to be. */
static unsigned long
commands_max(void)
{
	FILE *f = fopen("/proc/sys/net/netfilter/nf_conntrack_max", "re");
	unsigned long n = 0;

	if (f != NULL) {
		if (fscanf(f, "%lu", &n) != 1 || n > TABLE_UNKNOWN)
			n = 0;
		fclose(f);
	}
	n = n != 0 ? 2 * n : TABLE_UNKNOWN;
	return n > COMMANDS_MIN ? n : COMMANDS_MIN;
}

int
lines_open(struct lines *l, const char *path)
{
	bool in = strcmp(path, "-") == 0;

	*l = (struct lines){.name = in ? "stdin" : path, .commands_max = commands_max()};
	l->fd = in ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
	if (l->fd == -1)
		return -errno;
	l->text = malloc(LINE_SIZE_MAX + 1);
	return l->text == NULL ? -ENOMEM : 0;
}

void
lines_close(struct lines *l)
{
	free(l->text);
	if (l->fd > STDERR_FILENO)
		close(l->fd);
	l->fd = -1;
	l->text = NULL;
}

const char *
lines_where(struct lines *l, unsigned long line)
{
	snprintf(l->where, sizeof(l->where), "%s:%lu: ", l->name, line);
	return l->where;
}

/* Moves what is left to the front and reads more behind it: how much, 0 at the end of the file, -errno. */
static ssize_t
fill(struct lines *l)
{
	ssize_t n;

	if (l->fd == -1)
		return 0;
	memmove(l->text, l->text + l->at, l->end - l->at);
	l->end -= l->at;
	l->at = 0;
	do
		n = read(l->fd, l->text + l->end, LINE_SIZE_MAX - l->end);
	while (n == -1 && errno == EINTR);
	if (n > 0)
		l->end += (size_t)n;
	return n == -1 ? -errno : n;
}

/* The next line, with a zero byte in place of its newline: 1, 0 at the end of the file, -errno, -EMSGSIZE: too long. */
static int
next_line(struct lines *l, char **text, size_t *len)
{
	char *nl = memchr(l->text + l->at, '\n', l->end - l->at);
	size_t looked;
	ssize_t n;

	while (nl == NULL) {
		looked = l->end - l->at;
		if (looked == LINE_SIZE_MAX)
			return -EMSGSIZE;
		if ((n = fill(l)) < 0)
			return (int)n;
		if (n == 0 && looked == 0)
			return 0;
		if (n == 0) /* the last line lacks its newline; there is room for the zero */
			nl = l->text + l->end++;
		else
			nl = memchr(l->text + looked, '\n', l->end - looked);
	}
	*nl = '\0';
	*text = l->text + l->at;
	*len = (size_t)(nl - *text);
	l->at += *len + 1;
	return 1;
}

static int
parse_line(struct lines *l, char *text, size_t len, struct opt_ctx *ctx, struct cmd *c, struct opt_error *err)
{
	char *argv[WORDS_MAX + 2];
	int argc;

	memset(c, 0, sizeof(*c));
	if (++l->commands > l->commands_max)
		return opt_fail(err, STATUS_USAGE,
				"more than %lu commands, twice what the table may hold (nf_conntrack_max)",
				l->commands_max);
	if (memchr(text, '\0', len) != NULL)
		return opt_fail(err, STATUS_USAGE, "a line with a zero byte");
	if ((argc = words_split(text, argv)) < 0)
		return opt_fail(err, STATUS_USAGE, "%s", words_strerror((enum words_error)argc));
	return cmd_parse(c, ctx, argc, argv, err);
}

static int
unreadable(int code, struct opt_error *err)
{
	if (code == -EMSGSIZE)
		return opt_fail(err, STATUS_USAGE, "a line of more than %d bytes", LINE_SIZE_MAX);
	return opt_fail(err, STATUS_FAILED, "cannot read: %s", strerror(-code));
}

int
lines_next(struct lines *l, struct opt_ctx *ctx, struct cmd *c, struct opt_error *err)
{
	char *text = NULL;
	size_t len = 0;
	int r;

	while ((r = next_line(l, &text, &len)) > 0) {
		const char *p = text + strspn(text, " \t\r");

		l->line++;
		if (p == text + len || *p == '#')
			continue;
		if ((r = parse_line(l, text, len, ctx, c, err)) == 0)
			return 1;
		lines_where(l, l->line);
		return r;
	}
	memset(c, 0, sizeof(*c));
	if (r == 0)
		return 0;
	lines_where(l, l->line + 1);
	return unreadable(r, err);
}

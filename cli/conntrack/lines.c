/*
 * Reads the files of -R and --from-file and names the line of every error.
 */
#include "lines.h"
#include "opts_check.h"
#include "words.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int
lines_open(struct lines *l, const char *path)
{
	bool in = strcmp(path, "-") == 0;

	memset(l, 0, sizeof(*l));
	l->name = in ? "stdin" : path;
	l->f = in ? stdin : fopen(path, "re");
	return l->f == NULL ? -errno : 0;
}

void
lines_close(struct lines *l)
{
	free(l->text);
	if (l->f != NULL && l->f != stdin)
		fclose(l->f);
	l->f = NULL;
	l->text = NULL;
}

const char *
lines_where(struct lines *l, unsigned long line)
{
	snprintf(l->where, sizeof(l->where), "%s:%lu: ", l->name, line);
	return l->where;
}

static int
parse_line(struct lines *l, ssize_t len, struct opt_ctx *ctx, struct cmd *c, struct opt_error *err)
{
	char *argv[WORDS_MAX + 2];
	int argc;

	memset(c, 0, sizeof(*c));
	if (memchr(l->text, '\0', (size_t)len) != NULL)
		return opt_fail(err, 2, "a line with a zero byte");
	if ((argc = words_split(l->text, argv)) < 0)
		return opt_fail(err, 2, "%s", words_strerror((enum words_error)argc));
	return cmd_parse(c, ctx, argc, argv, err);
}

int
lines_next(struct lines *l, struct opt_ctx *ctx, struct cmd *c, struct opt_error *err)
{
	ssize_t len;

	while ((len = getline(&l->text, &l->cap, l->f)) != -1) {
		const char *p = l->text + strspn(l->text, " \t\r\n");

		l->line++;
		if ((*p == '\0' && strlen(l->text) == (size_t)len) || *p == '#')
			continue;
		if (parse_line(l, len, ctx, c, err) == 0)
			return 1;
		lines_where(l, l->line);
		return -1;
	}
	memset(c, 0, sizeof(*c));
	if (ferror(l->f) == 0)
		return 0;
	lines_where(l, l->line);
	return opt_fail(err, 1, "cannot read: %s", strerror(errno));
}

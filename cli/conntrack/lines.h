/*
 * A file of command lines, read line by line.
 */
#ifndef LINES_H
#define LINES_H

#include "opts.h"

#include <stdio.h>

struct lines {
	FILE *f;
	const char *name;   /* of the file, for messages */
	unsigned long line; /* number of the last one read */
	char *text;
	size_t cap;
	char where[4200]; /* "NAME:LINE: " */
};

/* path "-" is standard input. -errno. */
int lines_open(struct lines *l, const char *path);
void lines_close(struct lines *l);
/* Parses the next line that is neither empty nor a comment. 1 when there was one, 0 at the end, -1 with *err and
 * l->where. c is to be released with cmd_done() unless 0 is returned. */
int lines_next(struct lines *l, struct opt_ctx *ctx, struct cmd *c, struct opt_error *err);
/* "NAME:LINE: " of any line. */
const char *lines_where(struct lines *l, unsigned long line);

#endif

/*
 * A file of command lines, read line by line. Nobody checked it: a line has a longest length, and a file a largest
 * number of commands, so that what never ends takes no more memory than what is of use.
 */
#ifndef LINES_H
#define LINES_H

#include "cmd.h"

#define LINE_SIZE_MAX (256 * 1024) /* as many words as one may have, of the longest kind */

struct lines {
	int fd;             /* -1: no more than what is in text */
	const char *name;   /* of the file, for messages */
	unsigned long line; /* number of the last one read */
	unsigned long commands, commands_max;
	char *text; /* LINE_SIZE_MAX + 1 bytes; at to end are not handed out yet */
	size_t at, end;
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

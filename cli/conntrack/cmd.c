/*
 * What is said of a command line, and what one holds.
 */
#include "cmd.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

int
opt_fail(struct opt_error *err, enum status code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	err->code = code;
	vsnprintf(err->text, sizeof(err->text), fmt, ap);
	va_end(ap);
	return -1;
}

const char *
cmd_letter(enum cmd_op op)
{
	static const char *const letter[CMD_MAX] = {
		[CMD_NONE] = "unknown", [CMD_LIST] = "-L",  [CMD_GET] = "-G",    [CMD_DELETE] = "-D",
		[CMD_CREATE] = "-I",    [CMD_ADD] = "-A",   [CMD_UPDATE] = "-U", [CMD_EVENT] = "-E",
		[CMD_FLUSH] = "-F",     [CMD_COUNT] = "-C", [CMD_STATS] = "-S",  [CMD_VERSION] = "-V",
		[CMD_HELP] = "-h",
	};

	return letter[op];
}

void
cmd_done(struct cmd *c)
{
	free(c->label);
	free(c->label_add);
	free(c->label_del);
	free(c->labelmap);
	free(c->from_file);
	c->label = c->label_add = c->label_del = c->labelmap = c->from_file = NULL;
}

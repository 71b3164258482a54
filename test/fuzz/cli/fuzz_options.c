/*
 * The option parser: input is a command line whose words are separated by zero bytes. What it accepts must build a
 * request, too.
 */
#include "opts.h"
#include "request.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
build(const struct cmd *c)
{
	uint8_t buf[NL_MSG_MAX];

	if (c->op == CMD_CREATE || c->op == CMD_ADD)
		(void)request_create(buf, c, 0);
	else if (c->op == CMD_LIST || c->op == CMD_DELETE || c->op == CMD_UPDATE)
		(void)request_dump(buf, c, c->family, true);
	else if (c->op == CMD_GET)
		(void)request_get(buf, c);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *copy = malloc(size + 1), *argv[66], name[] = "conntrack";
	struct opt_ctx ctx = {.tried = true};
	struct opt_error err;
	struct cmd c;
	int argc = 1;

	if (copy == NULL)
		return 0;
	memcpy(copy, data, size);
	copy[size] = '\0';
	argv[0] = name;
	for (size_t at = 0; at < size && argc < 64; at += strlen(copy + at) + 1)
		argv[argc++] = copy + at;
	argv[argc] = NULL;
	if (cmd_parse(&c, &ctx, argc, argv, &err) == 0)
		build(&c);
	cmd_done(&c);
	free(copy);
	return 0;
}

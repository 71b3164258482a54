/*
 * A file of -R: words, options, and the requests made of them. Nothing is sent.
 */
#include "lines.h"
#include "request.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char text[LINE_SIZE_MAX + 1];
	struct opt_ctx ctx = {.loading = true, .tried = true};
	struct lines l = {.fd = -1, .name = "fuzz", .commands_max = 1000, .text = text, .end = size};
	uint8_t buf[NL_MSG_MAX];
	struct opt_error err;
	struct cmd c;
	int r = 1;

	if (size > LINE_SIZE_MAX)
		return 0;
	memcpy(text, data, size);
	while (r > 0) {
		r = lines_next(&l, &ctx, &c, &err);
		if (r > 0 && (c.op == CMD_CREATE || c.op == CMD_ADD) && c.table == TABLE_CT)
			(void)request_create(buf, &c, 0);
		cmd_done(&c);
	}
	return 0;
}

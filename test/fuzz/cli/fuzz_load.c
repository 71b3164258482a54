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
	struct opt_ctx ctx = {.loading = true, .tried = true};
	struct lines l = {.name = "fuzz"};
	uint8_t buf[NL_MSG_MAX];
	struct opt_error err;
	struct cmd c;
	int r = 1;

	if (size == 0 || (l.f = fmemopen((void *)(uintptr_t)data, size, "r")) == NULL)
		return 0;
	while (r > 0) {
		r = lines_next(&l, &ctx, &c, &err);
		if (r > 0 && (c.op == CMD_CREATE || c.op == CMD_ADD) && c.table == TABLE_CT)
			(void)request_create(buf, &c, 0);
		cmd_done(&c);
	}
	lines_close(&l);
	return 0;
}

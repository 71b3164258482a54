/*
 * Writes every setting that has an effect, defaults included, so that an operator sees what the daemon will do.
 */
#include "print.h"

#include <stdio.h>
#include <stdlib.h>

#include "fields.h"
#include "printer.h"

char *
conf_print(const struct conf *c, const struct protos *protos, size_t *len)
{
	char *text = NULL;
	struct printer p = {.f = open_memstream(&text, len), .table = &conf_fields, .protos = protos};
	bool failed;

	if (p.f == NULL)
		return NULL;
	p.rec[REC_CONF] = c;
	printer_rows(&p, IN_FILE);
	failed = ferror(p.f) != 0;
	if (fclose(p.f) != 0 || failed) {
		free(text);
		return NULL;
	}
	return text;
}

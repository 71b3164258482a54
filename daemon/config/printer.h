/*
 * The engine of printing: it walks the table of settings and writes lines; how a value looks is its kind's business.
 */
#ifndef PRINTER_H
#define PRINTER_H

#include <stdio.h>

#include "conf.h"
#include "field.h"
#include "protos.h"

struct printer {
	FILE *f;
	const struct field_table *table;
	const struct protos *protos; /* may be NULL */
	const void *rec[RECORDS];    /* what the rows of a record are fields of */
	unsigned int depth;          /* open blocks */
};

/* One line, indented. */
void printer_line(struct printer *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The rows of a block, without its braces. What the block around it knows as well is printed there. */
void printer_rows(struct printer *p, enum block_id b);
/* A whole block: head, rows, braces. */
void printer_block(struct printer *p, enum block_id b, const char *head);

#endif

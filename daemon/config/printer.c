/*
 * Lines, indentation and the walk over the rows.
 */
#include "printer.h"

#include <stdarg.h>

void
printer_line(struct printer *p, const char *fmt, ...)
{
	va_list ap;

	for (unsigned int i = 0; i < p->depth; i++)
		fputc('\t', p->f);
	va_start(ap, fmt);
	vfprintf(p->f, fmt, ap);
	va_end(ap);
	fputc('\n', p->f);
}

void
printer_rows(struct printer *p, enum block_id b)
{
	uint32_t around = BIT(p->table->block[b].parent);

	for (int rec = 0; rec < RECORDS; rec++)
		for (size_t i = 0; i < p->table->record[rec].n; i++) {
			const struct field *k = &p->table->record[rec].field[i];

			if ((k->in & BIT(b)) != 0 && (k->in & around) == 0 && (k->flags & ALIAS) != ALIAS &&
			    k->kind->print != NULL)
				k->kind->print(p, k, p->rec[rec]);
		}
}

void
printer_block(struct printer *p, enum block_id b, const char *head)
{
	printer_line(p, "%s {", head);
	p->depth++;
	printer_rows(p, b);
	p->depth--;
	printer_line(p, "}");
}

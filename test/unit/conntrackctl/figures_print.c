/* The table of figures as JSON, for what is made of it: one object a line. */
#include <stdio.h>

#include "figures.h"

int
main(void)
{
	for (int g = 0; g < GROUP_MAX; g++)
		for (size_t i = 0; i < figure_groups[g].n; i++) {
			const struct figure *f = &figure_groups[g].row[i];

			printf("{\"group\":\"%s\",\"name\":\"%s\",\"kind\":\"%s\",\"unit\":\"%s\",\"help\":\"%s\"}\n",
			       figure_groups[g].name, f->name, figure_kind_name(f->kind), figure_unit_name(f->unit),
			       f->help);
		}
	return 0;
}

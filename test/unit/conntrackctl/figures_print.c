/* The table of figures as JSON, for what is made of it: one object a line; with "layout" the number of this build. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "ctl_msg.h"

int
main(int argc, char *argv[])
{
	if (argc > 1 && strcmp(argv[1], "layout") == 0)
		return printf("%" PRIu32 "\n", ctl_layout()) < 0;
	for (int g = 0; g < GROUP_MAX; g++)
		for (size_t i = 0; i < figure_groups[g].n; i++) {
			const struct figure *f = &figure_groups[g].row[i];

			printf("{\"group\":\"%s\",\"name\":\"%s\",\"kind\":\"%s\",\"unit\":\"%s\",\"help\":\"%s\"}\n",
			       figure_groups[g].name, f->name, figure_kind_name(f->kind), figure_unit_name(f->unit),
			       f->help);
		}
	return 0;
}

/* Names of what a jail may have to do without (enum jail_wall), for the log and for `conntrackctl status'. */
#ifndef WALLS_H
#define WALLS_H

#include <stddef.h>

#include "log.h"

/* Of bit n; NULL after the last. */
static inline const char *
wall_name(unsigned int n)
{
	static const char *const name[] = {"network namespace", "empty root directory", "capability bounding set",
					   "landlock"};

	return n < sizeof(name) / sizeof(name[0]) ? name[n] : NULL;
}

/* One line for each wall of left_out that is not in *said, which becomes left_out. */
static inline void
walls_log(struct log *log, int left_out, int *said)
{
	const char *name;

	for (unsigned int n = 0; (name = wall_name(n)) != NULL; n++)
		if (left_out & ~*said & 1 << n)
			log_put(log, LV_WARNING, "this kernel or container offers no %s: running without", name);
	*said = left_out;
}

#endif

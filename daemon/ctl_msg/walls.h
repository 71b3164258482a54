/* Names of what a jail may have to do without (enum jail_wall), for the log and for `conntrackctl status'. */
#ifndef WALLS_H
#define WALLS_H

#include <stddef.h>

/* Of bit n; NULL after the last. */
static inline const char *
wall_name(unsigned int n)
{
	static const char *const name[] = {"network namespace", "empty root directory", "capability bounding set",
					   "landlock"};

	return n < sizeof(name) / sizeof(name[0]) ? name[n] : NULL;
}

#endif

/* All walls, with a filter that is made here. */
#include <errno.h>
#include <string.h>

#include "jail.h"

int
jail_enter(const struct jail *j, struct log *log)
{
	int left_out = jail_walls(j, log), r = left_out < 0 ? 0 : filter_load(j);

	if (r == 0)
		return left_out;
	log_put(log, LV_ERROR, "cannot enter the jail: seccomp: %s", strerror(-r));
	return -EPERM;
}

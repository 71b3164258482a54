/* Resource limits of a role, soft and hard. Called by jail_enter(). */
#include <errno.h>

#include "jail.h"

int
limits_apply(const struct jail *j)
{
	const struct {
		int what;
		rlim_t value;
	} limits[] = {{RLIMIT_NPROC, 0}, {RLIMIT_CORE, 0}, {RLIMIT_NOFILE, j->files}, {RLIMIT_FSIZE, j->file_size}};

	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		struct rlimit now;

		if (getrlimit((unsigned int)limits[i].what, &now) == -1)
			return -errno;
		if (now.rlim_max > limits[i].value) /* never raised: that needs CAP_SYS_RESOURCE */
			now.rlim_max = limits[i].value;
		now.rlim_cur = now.rlim_max;
		if (setrlimit((unsigned int)limits[i].what, &now) == -1)
			return -errno;
	}
	return 0;
}

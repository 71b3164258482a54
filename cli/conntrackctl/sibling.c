/*
 * conntrackctl check ends up in conntrackd, which is installed beside this program.
 */
#include "sibling.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int
sibling_exec(char *const argv[])
{
	char self[PATH_MAX], path[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *slash;

	if (n <= 0)
		return -errno;
	self[n] = '\0';
	if ((slash = strrchr(self, '/')) == NULL)
		return -ENOENT;
	if (snprintf(path, sizeof(path), "%.*s/%s", (int)(slash - self), self, argv[0]) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	execv(path, argv);
	return -errno;
}

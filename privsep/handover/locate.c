/* Our programs find each other by where they are themselves: in the folder of the build, or installed below one prefix.
 */
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "handover.h"

bool
locate(char *path, size_t size, const char *program)
{
	static const char *const where[] = {"%.*s/%s", "%.*s/../libexec/openconntrack/%s", "%.*s/../../sbin/%s"};
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (n <= 0)
		return false;
	self[n] = '\0';
	for (size_t i = 0; i < sizeof(where) / sizeof(where[0]); i++) {
		/* where[] holds the formats */
		int len = snprintf(path, size, where[i], (int)(strrchr(self, '/') - self), self, program);

		if (len > 0 && (size_t)len < size && access(path, X_OK) == 0)
			return true;
	}
	return false;
}

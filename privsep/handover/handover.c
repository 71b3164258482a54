/* Our programs find each other by where they are themselves: in the folder of the build, or installed below one prefix.
 */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
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

#define SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

bool
handover_take(void *h, size_t size, uint32_t magic)
{
	int seals = fcntl(HANDOVER_FD, F_GET_SEALS);
	struct stat st;

	return seals != -1 && (seals & SEALS) == SEALS && fstat(HANDOVER_FD, &st) == 0 && st.st_size == (off_t)size &&
	       read(HANDOVER_FD, h, size) == (ssize_t)size && memcmp(h, &magic, sizeof(magic)) == 0 &&
	       close(HANDOVER_FD) == 0;
}

bool
handover_leave(const void *h, size_t size)
{
	int fd = memfd_create("handover", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	return fd != -1 && write(fd, h, size) == (ssize_t)size && lseek(fd, 0, SEEK_SET) == 0 &&
	       fcntl(fd, F_ADD_SEALS, SEALS) == 0 && dup2(fd, HANDOVER_FD) != -1;
}

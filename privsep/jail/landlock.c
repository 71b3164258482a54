/*
 * Landlock: every right that the running kernel can take away is taken away; the log worker keeps creating and
 * appending below its root. Raw system calls: neither libc nor old headers have them.
 */
#include <errno.h>
#include <linux/landlock.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "jail.h"

#define LOG_RIGHTS (LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG)

/* struct landlock_ruleset_attr as of ABI 6; older kernels know a shorter one. */
struct ruleset {
	uint64_t fs, net, scoped;
};

static int
restrict_self(int set, const struct jail *j)
{
	struct landlock_path_beneath_attr below = {.allowed_access = LOG_RIGHTS, .parent_fd = j->log_dir};

	if (j->log_dir >= 0 && syscall(SYS_landlock_add_rule, set, LANDLOCK_RULE_PATH_BENEATH, &below, 0) == -1)
		return -errno;
	return syscall(SYS_landlock_restrict_self, set, 0) == -1 ? -errno : 0;
}

int
landlock_deny_all(const struct jail *j)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	/* file rights: 13 in ABI 1, then refer (2), truncate (3), ioctl on devices (5) */
	unsigned int n_fs = abi >= 5 ? 16 : abi >= 3 ? 15 : abi >= 2 ? 14 : 13;
	struct ruleset rights = {(1ULL << n_fs) - 1, 3 /* TCP bind, connect */, 3 /* abstract sockets, signals */};
	size_t size = abi >= 6 ? 24 : abi >= 4 ? 16 : 8;
	int set, r;

	if (abi < 1)
		return -errno;
	if ((set = (int)syscall(SYS_landlock_create_ruleset, &rights, size, 0)) == -1)
		return -errno;
	r = restrict_self(set, j);
	close(set);
	return r;
}

/*
 * Entering the jail, step by step: once in the life of every process, still as root, before it reads anything from
 * outside. A worker's network namespace is made before (daemon/worker/jail/jail_worker.c).
 */
#include "jail.h"

#include <cap-ng.h>
#include <dirent.h>
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* The directory that becomes the root: ours to create, and good only if nobody else can put anything there. We are in
 * it before it is looked at, so the name may lead elsewhere afterwards. For who opens logs it is theirs: no name leads
 * above it. */
static int
prepare_dir(const struct jail *j)
{
	struct stat st;
	int n = 0;
	DIR *d;

	if (j->log_dir >= 0)
		return fchdir(j->log_dir);
	if ((mkdir(JAIL_RUN_DIR, 0755) == -1 && errno != EEXIST) || (mkdir(JAIL_DIR, 0555) == -1 && errno != EEXIST))
		return -errno;
	if ((d = opendir(JAIL_DIR)) == NULL || fchdir(dirfd(d)) == -1 || fstat(dirfd(d), &st) == -1)
		return -errno;
	while (readdir(d) != NULL)
		n++;
	closedir(d);
	return st.st_uid == 0 && (st.st_mode & 022) == 0 && n == 2 ? 0 : -ENOTEMPTY;
}

/* Capabilities: none for workers, CAP_NET_ADMIN for the parent, for good. */
static int
caps_drop_bounding(void)
{
	capng_clear(CAPNG_SELECT_BOTH); /* without CAP_SETPCAP capng_apply() does nothing, and says 0 */
	return prctl(PR_CAPBSET_DROP, CAP_SETPCAP) == 0 && capng_apply(CAPNG_SELECT_BOUNDS) == 0 ? 0 : -EPERM;
}

static int
caps_keep_only(bool net_admin)
{
	capng_clear(CAPNG_SELECT_BOTH);
	if (net_admin)
		capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED, CAP_NET_ADMIN);
	return capng_apply(CAPNG_SELECT_CAPS) == 0 ? 0 : -EPERM;
}

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

bool
jail_spares(const struct jail *j, enum jail_wall wall, int r)
{
	int err = r == -1 ? errno : -r;
	bool offered = err != EPERM && err != EACCES && err != ENOSYS && err != EOPNOTSUPP && err != EROFS;

	return (j->asked & wall) == 0 && (!offered || j->asked & WALL_ANYHOW);
}

/* True when the step failed, which ends the chain; it does not for a wall (0: it must be there) that may be left out.
 */
static bool
failed(const struct jail *j, struct log *log, int *left_out, unsigned int wall, const char *step, int r)
{
	if (r == 0)
		return false;
	if (wall != 0 && jail_spares(j, wall, r))
		*left_out |= (int)wall;
	else
		log_put(log, LV_ERROR, "cannot enter the jail: %s: %s", step, strerror(r == -1 ? errno : -r));
	return (*left_out & (int)wall) == 0;
}

int
jail_walls(const struct jail *j, struct log *log)
{
	const struct passwd *pw = getpwnam(j->user);
	uid_t uid = pw != NULL ? pw->pw_uid : 0;
	gid_t gid = pw != NULL ? pw->pw_gid : 0;
	int left_out = 0;

	tzset();                  /* reads the time zone file, which is out of reach later */
	signal(SIGPIPE, SIG_IGN); /* both become errors of write() */
	signal(SIGXFSZ, SIG_IGN);
	if (uid == 0 || gid == 0) {
		log_put(log, LV_ERROR, "no user `%s': run systemd-sysusers, or add it by hand", j->user);
		return -ENOENT;
	}
	/* the bounding set needs CAP_SETPCAP, so it goes before the uid; the filter comes
	 * after all this: it bans what the others need */
#define FAILS(wall, step, r) failed(j, log, &left_out, wall, step, r)
	if (FAILS(0, "descriptors", j->last_fd < 0 ? 0 : close_range((unsigned int)j->last_fd + 1, ~0U, 0)) ||
	    FAILS(WALL_ROOT, JAIL_DIR " must be empty, root's and not writable", prepare_dir(j)) ||
	    FAILS(WALL_ROOT, "chroot", left_out & WALL_ROOT ? 0 : chroot(".")) ||
	    FAILS(WALL_BOUNDS, "bounding set", caps_drop_bounding()) ||
	    FAILS(0, "keep capabilities", prctl(PR_SET_KEEPCAPS, j->net_admin)) ||
	    FAILS(0, "groups", setgroups(0, NULL)) || FAILS(0, "gid", setresgid(gid, gid, gid)) ||
	    FAILS(0, "uid", setresuid(uid, uid, uid)) ||
	    FAILS(0, "way back to root",
		  setresuid((uid_t)-1, 0, (uid_t)-1) == -1 && setresgid((gid_t)-1, 0, (gid_t)-1) == -1
			  ? 0
			  : -ENOTRECOVERABLE) ||
	    FAILS(0, "capabilities", caps_keep_only(j->net_admin)) ||
	    FAILS(0, "dumpable", prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)) ||
	    FAILS(0, "no new privileges", prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)) ||
	    FAILS(WALL_LANDLOCK, "landlock", landlock_deny_all(j)) || FAILS(0, "limits", limits_apply(j)))
		return -EPERM;
	return left_out;
}

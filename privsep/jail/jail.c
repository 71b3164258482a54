/*
 * Entering the jail, step by step; no step is optional but landlock on kernels without it. Called once by every
 * process, still as root, before it reads anything from outside.
 */
#include "jail.h"

#include <cap-ng.h>
#include <dirent.h>
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* The directory that becomes the root: ours to create, and good only if nobody else can put anything there. We are in
 * it before it is looked at, so the name may lead elsewhere afterwards. */
static int
prepare_dir(void)
{
	struct stat st;
	int n = 0;
	DIR *d;

	mkdir(JAIL_RUN_DIR, 0755);
	mkdir(JAIL_DIR, 0555);
	if ((d = opendir(JAIL_DIR)) == NULL || fchdir(dirfd(d)) == -1 || fstat(dirfd(d), &st) == -1)
		return -errno;
	while (readdir(d) != NULL)
		n++;
	closedir(d);
	return st.st_uid == 0 && (st.st_mode & 022) == 0 && n == 2 ? 0 : -ENOTEMPTY;
}

/* Being refused is what these must report. */
static int
no_way_back(void)
{
	return setresuid((uid_t)-1, 0, (uid_t)-1) == -1 && setresgid((gid_t)-1, 0, (gid_t)-1) == -1 ? 0
												    : -ENOTRECOVERABLE;
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

static int
landlock(const struct jail *j, struct log *log)
{
	int r = landlock_deny_all(j);

	if (j->landlock_required || (r != -ENOSYS && r != -EOPNOTSUPP))
		return r;
	log_put(log, LV_WARNING, "this kernel has no landlock: %s runs without it", j->user);
	return 0;
}

/* True when the step failed, which ends the chain. */
static bool
failed(struct log *log, const char *step, int r)
{
	if (r != 0)
		log_put(log, LV_ERROR, "cannot enter the jail: %s: %s", step, strerror(r == -1 ? errno : -r));
	return r != 0;
}

int
jail_enter(const struct jail *j, struct log *log)
{
	const struct passwd *pw = getpwnam(j->user);
	uid_t uid = pw != NULL ? pw->pw_uid : 0;
	gid_t gid = pw != NULL ? pw->pw_gid : 0;

	tzset();                  /* reads the time zone file, which is out of reach later */
	signal(SIGPIPE, SIG_IGN); /* both become errors of write() */
	signal(SIGXFSZ, SIG_IGN);
	if (uid == 0 || gid == 0) {
		log_put(log, LV_ERROR, "no user `%s': run systemd-sysusers, or add it by hand", j->user);
		return -ENOENT;
	}
	/* the bounding set needs CAP_SETPCAP, so it goes before the uid; seccomp is last: it bans what the others need
	 */
	if (failed(log, "descriptors", j->last_fd < 0 ? 0 : close_range((unsigned int)j->last_fd + 1, ~0U, 0)) ||
	    failed(log, "network namespace", j->host_net ? 0 : unshare(CLONE_NEWNET)) ||
	    failed(log, JAIL_DIR " must be empty, root's and not writable", prepare_dir()) ||
	    failed(log, "chroot", chroot(".")) || failed(log, "chdir", chdir("/")) ||
	    failed(log, "bounding set", caps_drop_bounding()) ||
	    failed(log, "keep capabilities", prctl(PR_SET_KEEPCAPS, j->net_admin)) ||
	    failed(log, "groups", setgroups(0, NULL)) || failed(log, "gid", setresgid(gid, gid, gid)) ||
	    failed(log, "uid", setresuid(uid, uid, uid)) || failed(log, "way back to root", no_way_back()) ||
	    failed(log, "capabilities", caps_keep_only(j->net_admin)) ||
	    failed(log, "dumpable", prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)) ||
	    failed(log, "no new privileges", prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)) ||
	    failed(log, "landlock", landlock(j, log)) || failed(log, "limits", limits_apply(j)) ||
	    failed(log, "seccomp", filter_load(j)))
		return -EPERM;
	return 0;
}

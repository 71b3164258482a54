/*
 * ctd-keeper: removes the control socket and the lock file when the daemon ends, however it ends, and ends what is left
 * of its workers. Removing takes the owner of the directories, so it stays uid 0, but without capabilities, in an empty
 * root, where it can do nothing but wait and remove. Started by ctd-start alone, never by hand.
 */
#include <cap-ng.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/landlock.h>
#include <poll.h>
#include <seccomp.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "jail.h"
#include "msg_rules.h"

#ifdef CT_SECCOMP_LOG
#define OTHERWISE SCMP_ACT_LOG
#elif defined(CT_SANITIZE) /* whose run-time leaves by other calls */
#define OTHERWISE SCMP_ACT_ALLOW
#else
#define OTHERWISE SCMP_ACT_KILL_PROCESS
#endif
#define LOG_PATIENCE 2000 /* ms that the log workers have for their last lines */
#define NAMES        2

/* file is held open so that nobody else's can have its number; last: it is ended after the others. */
struct keeper {
	struct chan wall;
	enum phase phase;
	struct {
		int dir, file;
		char name[CONF_NAME_MAX + 1];
	} name[NAMES];
	struct {
		int trigger, life;
		bool last;
	} worker[MSG_WORKERS_MAX];
	unsigned int n_names, n_workers;
};

/* Whether a step that failed may be left out, as the parent decides of the same steps (privsep/jail/jail.c): nobody can
 * have it here, or it was not asked for at all. */
static bool
spared(uint32_t asked, enum jail_wall wall)
{
	bool offered = errno != EPERM && errno != ENOSYS && errno != EOPNOTSUPP && errno != ENOENT && errno != EACCES &&
		       errno != EROFS;

	return (asked & wall) == 0 && (!offered || asked & WALL_ANYHOW);
}

/* Nothing in the file system may be touched but names below the two directories. */
static bool
landlock(const struct keeper *k)
{
	struct landlock_ruleset_attr all = {.handled_access_fs = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1};
	int set = (int)syscall(SYS_landlock_create_ruleset, &all, sizeof(all.handled_access_fs), 0);
	bool good = set != -1;

	for (unsigned int i = 0; i < k->n_names && good; i++) {
		struct landlock_path_beneath_attr below = {LANDLOCK_ACCESS_FS_REMOVE_FILE, k->name[i].dir};

		good = syscall(SYS_landlock_add_rule, set, LANDLOCK_RULE_PATH_BENEATH, &below, 0) == 0;
	}
	return good && syscall(SYS_landlock_restrict_self, set, 0) == 0;
}

static bool
filter(void)
{
	static const int calls[] = {SCMP_SYS(recvmsg),    SCMP_SYS(writev),     SCMP_SYS(write),
				    SCMP_SYS(sendto),     SCMP_SYS(close),      SCMP_SYS(poll),
				    SCMP_SYS(ppoll),      SCMP_SYS(fstat),      SCMP_SYS(unlinkat),
				    SCMP_SYS(newfstatat), SCMP_SYS(exit_group), SCMP_SYS(restart_syscall)};
	scmp_filter_ctx ctx = seccomp_init(OTHERWISE);
	bool good = ctx != NULL;

	for (size_t i = 0; good && i < sizeof(calls) / sizeof(calls[0]); i++)
		good = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, calls[i], 0) == 0;
	return good && seccomp_load(ctx) == 0;
}

static bool
enter_jail(const struct keeper *k, uint32_t asked)
{
	const struct rlimit none = {0, 0}, one = {1, 1}; /* poll() of one needs that much */

	capng_clear(CAPNG_SELECT_BOTH);
	return ((chdir(JAIL_DIR) == 0 && chroot(".") == 0) || spared(asked, WALL_ROOT)) && setgroups(0, NULL) == 0 &&
	       (prctl(PR_CAPBSET_DROP, CAP_SETPCAP) == 0 || spared(asked, WALL_BOUNDS)) &&
	       capng_apply(CAPNG_SELECT_BOUNDS) == 0 && capng_apply(CAPNG_SELECT_CAPS) == 0 &&
	       prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	       setrlimit(RLIMIT_CORE, &none) == 0 && setrlimit(RLIMIT_FSIZE, &none) == 0 &&
	       setrlimit(RLIMIT_NPROC, &none) == 0 && (landlock(k) || spared(asked, WALL_LANDLOCK)) &&
	       setrlimit(RLIMIT_NOFILE, &one) == 0 && filter();
}

static void
remove_names(const struct keeper *k)
{
	struct stat ours, there;

	for (unsigned int i = k->n_names;
	     i-- > 0;) /* the lock, which came first, last: who waits for it makes the others */
		if (fstat(k->name[i].file, &ours) == 0 &&
		    fstatat(k->name[i].dir, k->name[i].name, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
		    ours.st_dev == there.st_dev && ours.st_ino == there.st_ino)
			unlinkat(k->name[i].dir, k->name[i].name, 0);
}

static void
fire(const struct keeper *k, bool last)
{
	for (unsigned int i = 0; i < k->n_workers; i++)
		if (k->worker[i].last == last && write(k->worker[i].trigger, "", 1) == -1)
			continue; /* it was fired before */
}

/* Whoever ended the parent, the log workers have seen that, and write what they have. */
static __attribute__((noreturn)) void
leave(const struct keeper *k)
{
	remove_names(k);
	fire(k, false);
	for (unsigned int i = 0; i < k->n_workers; i++) {
		struct pollfd life = {k->worker[i].life, POLLIN, 0};

		if (k->worker[i].last)
			poll(&life, 1, LOG_PATIENCE);
	}
	fire(k, true);
	_exit(0);
}

static bool
keep(struct keeper *k, const struct msg *m)
{
	bool name = m->type == MSG_KEEP_NAME;

	if (name ? k->n_names == NAMES : k->n_workers == MSG_WORKERS_MAX)
		return false;
	if (name) {
		k->name[k->n_names].dir = m->fd[0];
		k->name[k->n_names].file = m->fd[1];
		memcpy(k->name[k->n_names++].name, m->data, m->len);
	} else { /* fd[0], the reading end, only has to stay open */
		k->worker[k->n_workers].trigger = m->fd[1];
		k->worker[k->n_workers].life = m->fd[2];
		k->worker[k->n_workers++].last = m->arg == ROLE_LOG;
	}
	return true;
}

/* False: it is no message that the parent may send, or what it asks for cannot be done. */
static bool
obey(struct keeper *k, const struct msg *m)
{
	if (msg_admit(ROLE_PARENT, ROLE_KEEPER, k->phase, m) != ADMIT_OK)
		return false;
	if (m->type == MSG_KEEP_NAME || m->type == MSG_KEEP_WORKER)
		return keep(k, m);
	if (m->type == MSG_START && !enter_jail(k, m->arg))
		return false;
	k->phase = PHASE_RUN;
	if (m->type == MSG_REMOVE)
		remove_names(k);
	return chan_send(&k->wall, MSG_READY, READY_SERVING, NULL, 0) == 0;
}

int
main(void)
{
	static struct keeper keeper = {.wall.fd = WORKER_FD, .phase = PHASE_SETUP};
	uint8_t buf[sizeof(struct msg_hdr) + CONF_NAME_MAX];
	struct pollfd pfd = {WORKER_FD, POLLIN, 0};
	struct msg m;
	int r;

	signal(SIGPIPE, SIG_IGN);
	while ((r = chan_recv(&keeper.wall, buf, sizeof(buf), &m)) >= 0)
		if (r == 0)
			poll(&pfd, 1, -1);
		else if (!obey(&keeper, &m))
			break;
	leave(&keeper);
}

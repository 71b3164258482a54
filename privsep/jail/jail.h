/*
 * The jail of every process of the daemon: the parent and the workers each call jail_enter() once, with the row of
 * their role, and cannot undo it. A caller may copy its row and fill in what is only known at run time.
 */
#ifndef JAIL_H
#define JAIL_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/resource.h>

#include "log.h"
#include "msg.h"

#define JAIL_RUN_DIR "/run/conntrackd"
/* root of every process: created when absent, refused unless empty and root's */
#define JAIL_DIR         JAIL_RUN_DIR "/empty"
#define JAIL_PARENT_USER "_conntrackd"
#define JAIL_WORKER_USER "_ctd-worker"
/* The only way the log worker may open files (seccomp compares the whole word). */
#define JAIL_LOG_OPEN (O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY)

/* System calls by name, the roles that have them, and the argument they are limited to (mask 0: none). */
struct sys_row {
	unsigned int roles; /* 1 << enum role each */
	const char *calls;  /* names between blanks; NULL ends the rows */
	unsigned int arg;
	uint64_t mask, value; /* allowed when (argument & mask) == value */
};
#define ONLY(arg, mask, value) arg, mask, value
#define ALL_ROLES              UINT32_MAX
#ifdef CT_SANITIZE
/* sanitizer run-time: reports to standard error, which may be a file, its own maps, leak check at exit */
#define NO_FILES RLIM_INFINITY
#define SANITIZER_ROWS(roles)                                                                                          \
	{roles, "mprotect sigaltstack rt_sigprocmask rt_sigaction tgkill gettid sched_yield", 0, 0, 0},                \
		{roles, "readlink readlinkat open openat prctl clone ptrace process_vm_readv sched_getaffinity", 0, 0, \
		 0},                                                                                                   \
		{roles, "wait4 kill getrlimit prlimit64 set_robust_list rseq lseek getppid getdents64 ioctl", 0, 0,    \
		 0},
#else
#define NO_FILES 0
#define SANITIZER_ROWS(roles)
#endif

struct jail {
	enum role role;
	const char *user;
	int last_fd;              /* higher descriptors are closed; negative: none are */
	bool net_admin, host_net; /* keep CAP_NET_ADMIN; the network namespace */
	bool landlock_required;   /* conf: refuse to run on a kernel without landlock (else a warning) */
	int log_dir[2];           /* log role: directories below which it may create and append; -1: none */
	rlim_t files, file_size;
	const struct sys_row *calls; /* those of role, of rows that several roles share */
};
extern const struct jail jail_parent; /* the workers' are in daemon/worker/jail/roles.h */
extern const struct jail jail_queue;  /* ctd-queue's: privsep/queue */

/* 0, or -errno after logging the step that failed: the caller then exits, it is half jailed. log may be NULL. */
int jail_enter(const struct jail *j, struct log *log);

/* The mechanisms, one file each; 0 or -errno. */
int limits_apply(const struct jail *j);
int landlock_deny_all(const struct jail *j); /* -ENOSYS, -EOPNOTSUPP: the kernel has none */
int filter_load(const struct jail *j);

#endif

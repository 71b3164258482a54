/* The rows of which a filter is made (struct jail). */
#ifndef ROWS_H
#define ROWS_H

#include "jail.h"

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
		{roles, "wait4 kill prlimit64 set_robust_list rseq lseek fstat newfstatat getppid getdents64 ioctl",   \
		 0, 0, 0},
#else
#define NO_FILES 0
#define SANITIZER_ROWS(roles)
#endif

#endif

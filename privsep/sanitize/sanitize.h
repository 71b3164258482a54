/*
 * What only builds with sanitizers add to the jail. It has a folder of its own because the line budgets count what the
 * programs map, and what is installed maps nothing of this.
 */
#ifndef SANITIZE_H
#define SANITIZE_H

#include <sys/resource.h>

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

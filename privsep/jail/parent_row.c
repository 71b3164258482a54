/*
 * What the parent keeps: its user, CAP_NET_ADMIN, limits and system calls. Never here: open, socket, bind, connect,
 * exec, fork, ptrace, executable memory. The workers' rows are in daemon/worker/jail/roles.c.
 */
#include <sys/mman.h>
#include <sys/time.h>

#include "rows.h"

static const struct sys_row calls[] = {
	/* walls, log, control socket, clients; waiting */
	{ALL_ROLES, "read readv write writev recvfrom recvmsg recvmmsg close poll ppoll", 0, 0, 0},
	{ALL_ROLES, "sendmsg accept4 setsockopt getsockopt", 0, 0, 0}, /* netlink; buffers grow; who is the client */
	{ALL_ROLES, "sendto", ONLY(4, UINT64_MAX, 0)},                 /* send(): no address */
	{ALL_ROLES, "waitid wait4 clock_gettime gettimeofday time getpid getuid geteuid getcpu", 0, 0,
	 0},                                                        /* dead workers; log lines; which processor */
	{ALL_ROLES, "setitimer", ONLY(0, UINT32_MAX, ITIMER_REAL)}, /* closing may not wait */
	{ALL_ROLES, "sched_setaffinity", ONLY(0, UINT32_MAX, 0)},   /* its own: one processor with its server, or all */
	{ALL_ROLES, "brk munmap mremap madvise futex getrandom", 0, 0, 0}, /* malloc */
	{ALL_ROLES, "mmap", ONLY(2, PROT_EXEC, 0)},                        /* memory, never code */
	{ALL_ROLES, "exit exit_group rt_sigreturn restart_syscall", 0, 0, 0},
	SANITIZER_ROWS(ALL_ROLES){0, NULL, 0, 0, 0},
};

/* its files: descriptors in flight count too */
const struct jail jail_parent = JAIL_PARENT(calls);

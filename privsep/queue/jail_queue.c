/*
 * What ctd-queue keeps: the parent's user, CAP_NET_ADMIN, and the calls that relaying takes. Never here: open, socket,
 * bind, connect, setsockopt, accept, sendmsg, exec, fork, more memory.
 */
#include "rows.h"

static const struct sys_row calls[] = {
	{ALL_ROLES, "recvmsg writev", 0, 0, 0},            /* queues and walls; walls and the log */
	{ALL_ROLES, "sendto", ONLY(4, UINT64_MAX, 0)},     /* send() to the kernel: no address */
	{ALL_ROLES, "read", 0, 0, 0},                      /* signals, the starter's end */
	{ALL_ROLES, "ppoll clock_gettime close", 0, 0, 0}, /* waiting; deadlines; cutting off */
	{ALL_ROLES, "brk munmap", 0, 0, 0},                /* the filter's builder gives back its memory */
	{ALL_ROLES, "exit exit_group rt_sigreturn restart_syscall", 0, 0, 0},
#ifdef CT_SANITIZE
	{ALL_ROLES, "mmap mremap madvise futex getrandom write getpid", 0, 0, 0},
#endif
	SANITIZER_ROWS(ALL_ROLES){0, NULL, 0, 0, 0},
};

/* files: poll() takes no more descriptors than that; those that a worker sends along are closed at once */
const struct jail jail_queue = {ROLE_QUEUE, JAIL_PARENT_USER, -1, true, true, 0, -1, 64, NO_FILES, calls};

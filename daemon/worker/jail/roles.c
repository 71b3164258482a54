/*
 * What each worker keeps: its user, limits and system calls, with the reason beside each. Anything else kills the
 * process. The parent's row stands apart (privsep/jail/parent_row.c). Never here: open by name (but for the log
 * worker), exec, fork, ptrace, executable memory, and for workers socket, bind, connect (but for link's, which reads
 * nothing foreign) and every way to name a destination: sendmsg and sendmmsg carry addresses that a filter cannot see,
 * so workers send by write, writev and send (sendto without an address).
 */
#include <fcntl.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "roles.h"
#include "msg_rules.h"
#include "rows.h"

enum { ALL = R_WORKER | R_CONFIG | R_LINK };
static const struct sys_row calls[] = {
	/* the wall, the log, channels and clients, all by descriptor */
	{ALL, "read readv write writev recvfrom recvmsg recvmmsg close", 0, 0, 0},
	{ALL, "sendto", ONLY(4, UINT64_MAX, 0)}, /* send(): no address */
	/* waiting, the event loop */
	{ALL, "poll ppoll select pselect6 epoll_create1 epoll_ctl epoll_wait epoll_pwait epoll_pwait2", 0, 0, 0},
	{ALL, "timerfd_create timerfd_settime", 0, 0, 0},
	{ALL, "eventfd2 pipe2", 0, 0, 0}, /* libevent wakes itself up */
	{ALL, "clock_gettime gettimeofday time getpid getuid geteuid getgid getegid", 0, 0, 0}, /* timers; log lines */
	{ALL, "brk munmap mremap madvise futex getrandom", 0, 0, 0},                            /* malloc; hash keys */
	{ALL, "mmap", ONLY(2, PROT_EXEC, 0)},                                                   /* memory, never code */
	{ALL, "fcntl", ONLY(1, UINT32_MAX, F_GETFL)},                                           /* non-blocking mode */
	{ALL, "fcntl", ONLY(1, UINT32_MAX, F_SETFL)},
	{ALL, "fcntl", ONLY(1, UINT32_MAX, F_SETFD)},
	{ALL, "exit exit_group rt_sigreturn restart_syscall", 0, 0, 0},
	{ALL, "lseek", 0, 0, 0},          /* size of the settings */
	{R_CONFIG, "ftruncate", 0, 0, 0}, /* sizing the settings */
	{R_CONFIG, "fcntl", ONLY(1, UINT32_MAX, F_ADD_SEALS)},
	{R_CONFIG, "sendmsg", 0, 0, 0},                   /* hands over the settings; it has no socket but the wall */
	{ALL, "fcntl", ONLY(1, UINT32_MAX, F_GET_SEALS)}, /* whoever reads the settings */
	{R_LOG, "openat", ONLY(2, UINT32_MAX, JAIL_LOG_OPEN)},    /* after rotation; landlock says where */
	{R_SERVING, "sched_setaffinity", ONLY(0, UINT32_MAX, 0)}, /* its own: one processor with the parent, or all */
	{R_SERVING, "getsockopt", 0, 0, 0},                       /* SO_ERROR of a channel */
	{R_SYNC, "ioctl", ONLY(1, UINT32_MAX, SIOCGIFFLAGS)},     /* link state of channel devices */
	/* sockets of links, made anew for a device that was: no right but being in the host's network. A stream that
	 * lingers would make whoever closes it wait */
	{R_LINK, "socket", DATAGRAM(AF_INET)},
	{R_LINK, "socket", DATAGRAM(AF_INET6)},
	{R_LINK, "bind connect setsockopt sendmsg", 0, 0, 0},
	{R_LINK, "ioctl", ONLY(1, UINT32_MAX, SIOCGIFMTU)},
	{R_LINK | R_SYNC, "ioctl", ONLY(1, UINT32_MAX, SIOCGIFINDEX)}, /* a device that was deleted and made again */
	SANITIZER_ROWS(ALL){0, NULL, 0, 0, 0},
};

static const struct jail rows[ROLE_MAX] = {
	/* role user, last fd, admin, host's network, asked, log dir, files, file size */
	[ROLE_CONFIG] = {ROLE_CONFIG, JAIL_WORKER_USER, WORKER_LOG_FD, false, false, 0, -1, 32, 16 << 20, calls},
	[ROLE_LOG] = {ROLE_LOG, JAIL_WORKER_USER, WORKER_LOG_FD, false, false, 0, -1, 32, RLIM_INFINITY, calls},
	[ROLE_SYNC] = {ROLE_SYNC, JAIL_WORKER_USER, WORKER_LOG_FD, false, false, 0, -1, 256, NO_FILES, calls},
	[ROLE_STATS] = {ROLE_STATS, JAIL_WORKER_USER, WORKER_LOG_FD, false, false, 0, -1, 256, NO_FILES, calls},
	[ROLE_LINK] = {ROLE_LINK, JAIL_WORKER_USER, WORKER_LOG_FD, false, true, 0, -1, 32, NO_FILES, calls},
	[ROLE_HELPER] = {ROLE_HELPER, JAIL_WORKER_USER, WORKER_LOG_FD, false, false, 0, -1, 16, NO_FILES, calls},
};

const struct jail *
jail_row(enum role role)
{
	return role < ROLE_MAX && rows[role].user != NULL ? &rows[role] : NULL;
}

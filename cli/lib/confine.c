/*
 * Capabilities, no-new-privileges and seccomp, in this order. A command that is tricked by a hostile answer cannot
 * open files for writing, make sockets or run programs.
 */
#include "confine.h"

#include <cap-ng.h>
#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#ifndef CT_SANITIZE
#ifdef CT_SECCOMP_LOG
#define FORBIDDEN SCMP_ACT_LOG
#else
#define FORBIDDEN SCMP_ACT_KILL_PROCESS
#endif

struct call {
	int nr;
	unsigned what; /* CONFINE_TALK: always */
};

static const struct call calls[] = {
	{SCMP_SYS(sendto), CONFINE_TALK},
	{SCMP_SYS(recvfrom), CONFINE_TALK},
	{SCMP_SYS(read), CONFINE_TALK},
	{SCMP_SYS(write), CONFINE_TALK},
	{SCMP_SYS(writev), CONFINE_TALK}, /* glibc's last words */
	{SCMP_SYS(close), CONFINE_TALK},
	{SCMP_SYS(lseek), CONFINE_TALK}, /* stdio, at exit, gives unread input back */
	{SCMP_SYS(fstat), CONFINE_TALK},
	{SCMP_SYS(newfstatat), CONFINE_TALK}, /* what glibc makes of fstat */
	{SCMP_SYS(statx), CONFINE_TALK},
	{SCMP_SYS(fstat64), CONFINE_TALK}, /* the same on 32 bits, as are the other …64 */
	{SCMP_SYS(fstatat64), CONFINE_TALK},
	{SCMP_SYS(_llseek), CONFINE_TALK},
	{SCMP_SYS(clock_gettime64), CONFINE_TALK},
	{SCMP_SYS(futex_time64), CONFINE_TALK},
	{SCMP_SYS(ppoll_time64), CONFINE_WAIT},
	{SCMP_SYS(brk), CONFINE_TALK},
	{SCMP_SYS(munmap), CONFINE_TALK},
	{SCMP_SYS(mremap), CONFINE_TALK},
	{SCMP_SYS(madvise), CONFINE_TALK},
	{SCMP_SYS(getrandom), CONFINE_TALK}, /* malloc */
	{SCMP_SYS(futex), CONFINE_TALK},
	{SCMP_SYS(clock_gettime), CONFINE_TALK}, /* where the vdso cannot */
	{SCMP_SYS(gettimeofday), CONFINE_TALK},
	{SCMP_SYS(rt_sigreturn), CONFINE_TALK},
	{SCMP_SYS(rt_sigprocmask), CONFINE_TALK},
	{SCMP_SYS(restart_syscall), CONFINE_TALK},
	{SCMP_SYS(gettid), CONFINE_TALK}, /* abort() */
	{SCMP_SYS(getpid), CONFINE_TALK},
	{SCMP_SYS(tgkill), CONFINE_TALK},
	{SCMP_SYS(exit), CONFINE_TALK},
	{SCMP_SYS(exit_group), CONFINE_TALK},
	{SCMP_SYS(poll), CONFINE_WAIT},
	{SCMP_SYS(ppoll), CONFINE_WAIT},
	{SCMP_SYS(getdents64), CONFINE_READ},
	{SCMP_SYS(readlinkat), CONFINE_READ},
	{SCMP_SYS(fcntl), CONFINE_READ},
};

static int
allow_calls(scmp_filter_ctx ctx, unsigned what)
{
	int r = 0;

	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]) && r == 0; i++)
		if (calls[i].what == CONFINE_TALK || calls[i].what & what)
			r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, calls[i].nr, 0);
	/* Memory, but none that can be executed. */
	if (r == 0)
		r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1, SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
	if (r == 0)
		r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(mmap2), 1,
				     SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
	if (r == 0)
		r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1,
				     SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
	if (r == 0 && what & CONFINE_READ)
		r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(openat), 1,
				     SCMP_A2(SCMP_CMP_MASKED_EQ, O_ACCMODE | O_CREAT | O_TRUNC, O_RDONLY));
	return r;
}

static int
load_filter(unsigned what)
{
	scmp_filter_ctx ctx = seccomp_init(FORBIDDEN);
	int r = ctx == NULL ? -ENOMEM : allow_calls(ctx, what);

	if (r == 0)
		r = seccomp_load(ctx);
	if (ctx != NULL)
		seccomp_release(ctx);
	return r;
}
#else
static int
load_filter(unsigned what)
{
	(void)what; /* sanitizers make system calls of their own */
	return 0;
}
#endif

static int
drop_capabilities(unsigned what)
{
	capng_select_t which = CAPNG_SELECT_CAPS;
	int had;

	if (capng_get_caps_process() != 0)
		return -EPERM;
	had = !(what & CONFINE_BARE) && capng_have_capability(CAPNG_PERMITTED, CAP_NET_ADMIN);
	if (capng_have_capability(CAPNG_EFFECTIVE, CAP_SETPCAP)) /* else the bounding set is not ours to change */
		which = CAPNG_SELECT_BOTH;
	capng_clear(which);
	if (had)
		capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED, CAP_NET_ADMIN);
	return capng_apply(which) == 0 ? 0 : -EPERM;
}

int
confine(unsigned what)
{
	int r = drop_capabilities(what);

	if (r < 0)
		return r;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1)
		return -errno;
	return load_filter(what);
}

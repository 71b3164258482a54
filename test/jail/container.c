/*
 * Runs a command behind a filter such as container engines load. Usage: container WHAT... COMMAND...
 * WHAT: unshare (namespaces cannot be made), landlock, seccomp (no further filter), or engine: all that Docker's
 * default profile refuses of what this daemon, or its start, might try without CAP_SYS_ADMIN.
 */
#include <errno.h>
#include <sched.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define NAMESPACES \
	(CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWCGROUP)

static const struct {
	const char *what, *calls;
} refused[] = {
	{"unshare", "unshare setns"},
	{"landlock", "landlock_create_ruleset landlock_add_rule landlock_restrict_self"},
	{"engine", "unshare setns mount umount2 pivot_root bpf perf_event_open keyctl add_key request_key quotactl "
		   "fanotify_init open_by_handle_at name_to_handle_at lookup_dcookie settimeofday clock_settime "
		   "init_module finit_module delete_module kexec_load reboot swapon swapoff acct userfaultfd "
		   "move_pages kcmp mount_setattr move_mount open_tree fsopen fsmount fsconfig fspick"},
};

static bool
refuse(scmp_filter_ctx ctx, const char *what)
{
	bool known = false;

	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		char calls[1024], *rest = calls, *name;

		if (strcmp(refused[i].what, what) != 0)
			continue;
		known = true;
		snprintf(calls, sizeof(calls), "%s", refused[i].calls);
		while ((name = strtok_r(rest, " ", &rest)) != NULL)
			if (seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM), seccomp_syscall_resolve_name(name), 0) != 0)
				return false;
	}
	return known;
}

/* clone3() hides its flags in memory: libc then takes clone(). */
static bool
refuse_namespaces(scmp_filter_ctx ctx)
{
	bool good = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0) == 0;

	for (unsigned int bit = 0; bit < 32; bit++)
		if (NAMESPACES & 1U << bit)
			good = good && seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(clone), 1,
							SCMP_A0(SCMP_CMP_MASKED_EQ, 1U << bit, 1U << bit)) == 0;
	return good;
}

/* By argument: 2 loads a filter, which this process does with prctl() of the same name. */
static bool
refuse_filters(scmp_filter_ctx ctx)
{
	return seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(seccomp), 1, SCMP_A0(SCMP_CMP_EQ, 1, 0)) == 0 &&
	       seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(prctl), 1, SCMP_A0(SCMP_CMP_EQ, 22, 0)) == 0;
}

int
main(int argc, char **argv)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ALLOW);
	int i = 1;

	for (; ctx != NULL && i < argc; i++)
		if (strcmp(argv[i], "seccomp") == 0 ? !refuse_filters(ctx) : !refuse(ctx, argv[i]))
			break;
	if (ctx == NULL || i == 1 || i == argc || !refuse_namespaces(ctx) ||
	    seccomp_attr_set(ctx, SCMP_FLTATR_CTL_NNP, 0) != 0 || seccomp_load(ctx) != 0) {
		fprintf(stderr, "container: cannot be made\n");
		return 125;
	}
	seccomp_release(ctx);
	execvp(argv[i], argv + i);
	perror(argv[i]);
	return 127;
}

/* Turns the rows of a role into a filter. */
#include <errno.h>
#include <seccomp.h>
#include <string.h>
#include <sys/socket.h>

#include "rows.h"

#ifdef CT_SECCOMP_LOG
#define OTHERWISE SCMP_ACT_LOG
#else
#define OTHERWISE SCMP_ACT_KILL_PROCESS
#endif

static int
allow_row(scmp_filter_ctx ctx, const struct sys_row *row)
{
	bool datagram = row->arg == ARG_DATAGRAM;
	struct scmp_arg_cmp only[] = {
		{datagram ? 0 : row->arg, SCMP_CMP_MASKED_EQ, row->mask, row->value},
		{1, SCMP_CMP_MASKED_EQ, UINT32_MAX & ~(uint32_t)(SOCK_NONBLOCK | SOCK_CLOEXEC), SOCK_DGRAM},
		{2, SCMP_CMP_MASKED_EQ, UINT32_MAX, 0},
	};
	char names[256], *rest = names, *name;

	if (strlen(row->calls) >= sizeof(names))
		return -ENAMETOOLONG;
	strcpy(names, row->calls);
	while ((name = strtok_r(rest, " ", &rest)) != NULL) {
		int nr = seccomp_syscall_resolve_name(name), r;

		if (nr == __NR_SCMP_ERROR)
			return -ENOSYS;
		r = seccomp_rule_add_array(ctx, SCMP_ACT_ALLOW, nr, row->mask == 0 ? 0 : datagram ? 3 : 1, only);
		if (r != 0)
			return r;
	}
	return 0;
}

int
filter_build(const struct jail *j, void **ctx)
{
	int r = (*ctx = seccomp_init(OTHERWISE)) != NULL ? 0 : -ENOMEM;

	for (const struct sys_row *row = j->calls; r == 0 && row->calls != NULL; row++)
		if (row->roles & 1U << j->role)
			r = allow_row(*ctx, row);
	return r;
}

int
filter_load(const struct jail *j)
{
	scmp_filter_ctx ctx;
	int r = filter_build(j, &ctx);

	if (r == 0)
		r = seccomp_load(ctx);
	seccomp_release(ctx);
	return r;
}

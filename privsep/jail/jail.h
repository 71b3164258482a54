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

struct jail {
	enum role role;
	const char *user;
	int last_fd;              /* higher descriptors are closed; negative: none are */
	bool net_admin, host_net; /* keep CAP_NET_ADMIN; the network namespace */
	unsigned int asked;       /* enum jail_wall: those that must be there */
	int log_dir;              /* log role: its root, where it may create and append; -1: none */
	rlim_t files, file_size;
	const struct sys_row *calls; /* rows.h: those of role, of rows that several roles share */
};
#define JAIL_PARENT(calls)                                                                  \
	{                                                                                   \
		ROLE_PARENT, JAIL_PARENT_USER, -1, true, true, 0, -1, 4096, NO_FILES, calls \
	}
extern const struct jail jail_parent; /* the workers' are in daemon/worker/jail/roles.h */
extern const struct jail jail_queue;  /* ctd-queue's: privsep/queue */

/* Whether a wall need not be there whose step failed with r (-1 and errno, or -errno): it is not asked for, and nobody
 * can have it here. */
bool jail_spares(const struct jail *j, enum jail_wall wall, int r);

/* The walls that were left out (enum jail_wall), for the caller to make known; or -errno after logging the step that
 * failed: the caller then exits, it is half jailed. log may be NULL. */
int jail_enter(const struct jail *j, struct log *log);
/* All but the filter, for a caller who has one. */
int jail_walls(const struct jail *j, struct log *log);

/* The mechanisms; 0 or -errno. */
int limits_apply(const struct jail *j);
int landlock_deny_all(const struct jail *j); /* -ENOSYS, -EOPNOTSUPP: the kernel has none */
int filter_load(const struct jail *j);
int filter_build(const struct jail *j, void **ctx); /* libseccomp's, for who releases it */

#endif

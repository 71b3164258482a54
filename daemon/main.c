/*
 * ctd-worker ROLE [INDEX]: one unprivileged process of the daemon. The parent starts it with its end of the wall at
 * descriptor 3 and the log socket at 4; it enters the jail of its role before it reads anything and leaves at end of
 * file.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "logger.h"
#include "role_config.h"
#include "sync_role.h"

static const struct {
	const char *name;
	int (*run)(int wall_fd, struct log *log);
} roles[] = {
	{"config", config_role},
	{"log", log_role},
	{"sync", sync_role},
};

#ifdef CT_SANITIZE
/* Nobody may look into a jailed process, so neither can the search for leaks at its end. */
const char *__asan_default_options(void);

const char *
__asan_default_options(void)
{
	return "detect_leaks=0";
}
#endif

int
main(int argc, char **argv)
{
	struct log log = {.fd = WORKER_LOG_FD, .fd_err = WORKER_LOG_FD, .form = LF_RECORD};

	for (size_t i = 0; argc >= 2 && i < sizeof(roles) / sizeof(roles[0]); i++)
		if (strcmp(argv[1], roles[i].name) == 0)
			return roles[i].run(WORKER_FD, &log);
	fprintf(stderr, "ctd-worker is started by conntrackd, not by hand\n");
	return 64;
}

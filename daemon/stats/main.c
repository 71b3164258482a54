/*
 * ctd-stats: the worker of statistics mode. It keeps the kernel's flows, writes a line about each one that ends, and
 * answers operators. The parent starts it as any worker; it is a program of its own so that the others do not map the
 * library that makes its text.
 */
#include <stdio.h>

#include "stats.h"

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

	(void)argv;
	if (argc >= 2)
		return stats_role(WORKER_FD, &log);
	fprintf(stderr, "ctd-stats is started by conntrackd, not by hand\n");
	return 64;
}

/*
 * conntrackctl: the operator's and the HA manager's tool. "--compat" is how conntrackd hands over its old client
 * options.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ask.h"
#include "compat_run.h"
#include "opts.h"
#include "sibling.h"
#include "verbs.h"

static int
check(const struct opts *o)
{
	char name[] = "conntrackd", mode[] = "--check", opt[] = "-C", *file = strdup(o->config);
	char *argv[] = {name, mode, opt, file, NULL};
	int r = file != NULL ? sibling_exec(argv) : -ENOMEM;

	free(file);
	fprintf(stderr, "conntrackctl: cannot run conntrackd: %s\n", strerror(-r));
	return EXIT_FAILED;
}

int
main(int argc, char *argv[])
{
	static char out[65536];
	struct opts o;

	setvbuf(stdout, out, _IOFBF, sizeof(out)); /* else stdio asks what kind of file it is when it may no longer */
	if (argc > 1 && strcmp(argv[1], "--compat") == 0)
		return compat_run(argc - 2, argv + 2);
	o = opts_scan(argc, argv);
	switch (o.kind) {
	case OPTS_ASK:
		return verbs_run(&o);
	case OPTS_CHECK:
		return check(&o);
	case OPTS_HELP:
		opts_help(stdout, o.verb);
		return EXIT_DONE;
	case OPTS_VERSION:
		puts("conntrackctl (OpenConntrack) " CT_VERSION);
		return EXIT_DONE;
	default:
		fprintf(stderr, "conntrackctl: %s\n", o.error);
		return EXIT_USAGE;
	}
}

/*
 * conntrackctl --compat: conntrackd executes it for everything but starting. Texts and exit states are those of
 * conntrack-tools 1.4.9: scripts compare the status with exactly 1, and a request that was delivered ends with 0
 * whatever came of it. What came of it is said on standard error, where 1.4.9 says nothing.
 */
#include "compat_run.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ask.h"
#include "compat.h"
#include "log_text.h"
#include "rsqueue.h"
#include "show.h"
#include "sibling.h"
#include "sockpath.h"
#include "stats_text.h"

#define SILENCE 600000 /* milliseconds: 1.4.9 waits for ever */

static const char usage[] = "Connection tracking userspace daemon v" CT_COMPAT_VERSION "\n"
			    "Usage: conntrackd [commands] [options]\n"
			    "\n"
			    "Daemon:\n"
			    "  -d, run as daemon\n"
			    "  -C FILE, configuration file\n"
			    "  --check, say what is wrong with the configuration file, and end\n"
			    "  --print, print all settings that the file means, and end\n"
			    "  -v, show the version\n"
			    "  -h, show this help\n"
			    "\n"
			    "Client of a running daemon:\n"
			    "  -c [ct|expect], commit the external cache to the kernel\n"
			    "  -f [internal|external], flush the caches\n"
			    "  -F [ct|expect], flush the kernel's table\n"
			    "  -i [ct|expect], show the internal cache\n"
			    "  -e [ct|expect], show the external cache\n"
			    "  -x, show it as XML (after -i or -e)\n"
			    "  -s [network|cache|runtime|link|rsqueue|process|queue|ct|expect], show statistics\n"
			    "  -R [ct|expect], refresh the internal cache from the kernel\n"
			    "  -B, send the internal cache to the peers\n"
			    "  -n, ask the peers for their states\n"
			    "  -t, schedule a flush of the kernel's table (PurgeTimeout)\n"
			    "  -k, stop the daemon\n"
			    "\n"
			    "conntrackctl does all of this, and says how it went.\n";

static struct log
console(void)
{
	return (struct log){.fd = STDOUT_FILENO, .fd_err = STDERR_FILENO, .form = LF_TEXT};
}

static int
usage_error(const struct compat *c)
{
	struct log l = console();

	if (c->kind != COMPAT_BAD_WORD)
		fputs(usage, stdout);
	fflush(stdout);
	if (c->kind == COMPAT_UNKNOWN)
		log_put(&l, LV_ERROR, "Unknown option: %s", c->bad);
	else if (c->kind == COMPAT_BAD_WORD)
		log_put(&l, LV_ERROR, "unknown parameter `%s' for option `-%c'", c->bad, c->option);
	else
		log_put(&l, LV_ERROR, c->kind == COMPAT_NO_CONFIG ? "Missing config filename" : "Invalid parameters");
	return 1;
}

static int
no_connection(void)
{
	struct log l = console();

	log_put(&l, LV_ERROR, "can't connect: is conntrackd running? appropriate permissions?");
	return 1;
}

/* 0, or the exit status after saying why. */
static int
find_socket(const char *config, char path[SOCKPATH_MAX])
{
	struct log l = console();
	int r = sockpath_read(config, path);

	if (r == 0)
		return 0;
	if (r == -EISDIR) {
		fputs("input in flex scanner failed\n", stderr);
		return 2;
	}
	if (access(config, R_OK) != 0)
		log_put(&l, LV_ERROR, "can't open config file `%s'", config);
	else
		log_put(&l, LV_ERROR, "`%s': %s", config, sockpath_error(r));
	return 1;
}

/* What a delivered request came to. What does not exist in this mode is passed over in silence, as ever. */
static int
outcome(const struct answer *a, const char *path)
{
	enum exit_status status = answer_status(a);
	struct log l = console();
	char text[256];

	if (!a->asked || status == EXIT_DENIED)
		return no_connection();
	if (status == EXIT_DONE || status == EXIT_UNSUPPORTED)
		return 0;
	answer_text(a, path, text, sizeof(text));
	log_put(&l, LV_WARNING, "%s", text);
	return a->err == -ETIMEDOUT || a->err == -EBUSY ? 1 : 0;
}

/* *none: this mode does not have the cache. */
static int
dump(const struct request *q, const char *path, bool *none)
{
	struct answer a;
	struct show s;

	if (show_init(&s, STDOUT_FILENO, q) < 0)
		return 1;
	ask(path, SILENCE, q, show_records, &s, &a);
	show_done(&s);
	*none = a.asked && answer_status(&a) == EXIT_UNSUPPORTED;
	return outcome(&a, path);
}

/* The kernel's table, as conntrack shows it. */
static int
list_kernel(const struct request *q)
{
	char name[] = "conntrack", list[] = "-L", expect[] = "expect";
	char *argv[] = {name, list, q->tables == CTL_TABLE_EXP ? expect : NULL, NULL};
	struct log l = console();

	log_put(&l, LV_ERROR, "cannot run conntrack: %s", strerror(-sibling_exec(argv)));
	return 1;
}

/* Without an internal cache, what the kernel has is what there is to show. Who read the daemon's answer may start
 * nothing any more, so a child reads it, and how it ends says whether there is such a cache. */
static int
dump_internal(const struct request *q, const char *path)
{
	enum { NO_CACHE = 100 };
	bool none = false;
	int status;
	pid_t child = fork();

	if (child == 0) {
		status = dump(q, path, &none);
		exit(none ? NO_CACHE : status);
	}
	if (child < 0 || waitpid(child, &status, 0) != child)
		return 1;
	if (WIFSIGNALED(status))
		raise(WTERMSIG(status));
	if (!WIFEXITED(status))
		return 1;
	return WEXITSTATUS(status) == NO_CACHE ? list_kernel(q) : WEXITSTATUS(status);
}

static int
rsqueue(const struct request *q, const char *path)
{
	struct rsqueue queue = {.element = NULL};
	struct answer a;

	ask(path, SILENCE, q, rsqueue_records, &queue, &a);
	if (answer_status(&a) == EXIT_DONE && !a.old)
		rsqueue_print(&queue, stdout, FORMAT_TEXT);
	rsqueue_clear(&queue);
	return outcome(&a, path);
}

static int
request(const struct compat *c)
{
	const struct request *q = &c->request;
	struct log l = console();
	char path[SOCKPATH_MAX];
	struct answer a;
	bool none;
	int r;

	if (c->multicast)
		log_put(&l, LV_WARNING, "use `link' instead of `multicast' as parameter.");
	if ((r = find_socket(c->config, path)) != 0)
		return r;
	if (q->verb == CTL_DUMP)
		return q->caches == CTL_INTERNAL ? dump_internal(q, path) : dump(q, path, &none);
	if (q->verb == CTL_RSQUEUE)
		return rsqueue(q, path);
	ask(path, SILENCE, q, NULL, NULL, &a);
	if (a.has_stats)
		stats_text(stdout, &a.stats, q->view);
	return outcome(&a, path);
}

int
compat_run(int argc, char *const argv[])
{
	struct compat c = compat_scan(argc, argv);

	switch (c.kind) {
	case COMPAT_REQUEST:
		return request(&c);
	case COMPAT_HELP:
		fputs(usage, stdout);
		return 0;
	case COMPAT_VERSION:
		puts("Connection tracking userspace daemon v" CT_COMPAT_VERSION ". Licensed under GPLv2.\n"
		     "(C) 2006-2009 Pablo Neira Ayuso <pablo@netfilter.org>");
		return 0;
	default:
		return usage_error(&c);
	}
}

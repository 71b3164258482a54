/*
 * A verb from the socket's path to the exit status.
 */
#include "verbs.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ask.h"
#include "rsqueue.h"
#include "show.h"
#include "sockpath.h"
#include "stats.h"
#include "stats_json.h"
#include "stats_text.h"
#include "status.h"

static void
complain(const char *text)
{
	fprintf(stderr, "conntrackctl: %s\n", text);
}

/* The socket to talk to; false after complaining. */
static bool
find_socket(const struct opts *o, char path[SOCKPATH_MAX])
{
	char text[512];
	int r;

	if (o->socket != NULL) {
		if (strlen(o->socket) < SOCKPATH_MAX) {
			strcpy(path, o->socket);
			return true;
		}
		complain("the socket's path is too long");
		return false;
	}
	if ((r = sockpath_read(o->config, path)) == 0)
		return true;
	snprintf(text, sizeof(text), "%s: %s", o->config,
		 access(o->config, R_OK) == 0 ? sockpath_error(r) : strerror(errno));
	complain(text);
	return false;
}

static bool
colour_wanted(void)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

	return isatty(STDOUT_FILENO) && (no == NULL || no[0] == '\0') && term != NULL && strcmp(term, "dumb") != 0;
}

static void
print_processes(FILE *to, const struct ctl_stats *s)
{
	fprintf(to, "PID=%" PRIu32 " type=parent state=serving\n", s->status.parent_pid);
	for (unsigned int i = 0; i < s->status.n_workers; i++) {
		const struct msg_worker *w = &s->status.worker[i];

		fprintf(to, "PID=%" PRId32 " type=%s state=%s\n", w->pid, stats_worker_role(w), stats_worker_state(w));
	}
}

static void
print_stats(const struct opts *o, const struct answer *a)
{
	enum view v = o->request.view;

	if (o->request.format == FORMAT_JSON)
		v == VIEW_STATUS ? status_json(stdout, &a->stats) : stats_json(stdout, &a->stats, v);
	else if (v == VIEW_STATUS)
		status_text(stdout, &a->stats, o->colour);
	else if (v == VIEW_PROCESS)
		print_processes(stdout, &a->stats);
	else
		stats_text(stdout, &a->stats, v);
}

static const char *
table_name(const struct ctl_commit *c)
{
	return c->table == CTL_TABLE_EXP ? "expectations" : "flows";
}

static void
print_commits(const struct answer *a)
{
	for (unsigned int i = 0; i < a->n_commits; i++) {
		const struct ctl_commit *c = &a->commit[i];

		printf("%s: %" PRIu64 " committed, %" PRIu64 " failed, %" PRIu64 ".%06" PRIu64 " seconds\n",
		       table_name(c), c->committed, c->failed, c->usec / 1000000, c->usec % 1000000);
	}
}

static void
json_commits(yajl_gen g, const struct answer *a)
{
	if (a->n_commits == 0)
		return;
	json_array(g, "commits");
	for (unsigned int i = 0; i < a->n_commits; i++) {
		const struct ctl_commit *c = &a->commit[i];

		json_map(g, NULL);
		json_text(g, "table", table_name(c));
		json_number(g, "committed", c->committed);
		json_number(g, "failed", c->failed);
		json_number(g, "microseconds", c->usec);
		yajl_gen_map_close(g);
	}
	yajl_gen_array_close(g);
}

/* What an action came to, for programs: printed whether it worked or not. */
static void
json_result(const struct opts *o, const struct answer *a, enum exit_status status, const char *error)
{
	static const char *const word[] = {
		[EXIT_DONE] = "done",
		[EXIT_FAILED] = "failed",
		[EXIT_USAGE] = "usage",
		[EXIT_DENIED] = "denied",
		[EXIT_UNSUPPORTED] = "unsupported",
		[EXIT_BUSY] = "busy",
		[EXIT_SUPERSEDED] = "superseded",
	};
	yajl_gen g = json_begin(stdout);

	if (g == NULL)
		return;
	json_text(g, "verb", verb_name(o->verb));
	json_text(g, "result", word[status]);
	if (error != NULL)
		json_text(g, "error", error);
	json_commits(g, a);
	json_end(g, stdout);
}

static bool
is_action(const struct request *q)
{
	return q->verb != CTL_STATS && q->verb != CTL_DUMP && q->verb != CTL_RSQUEUE;
}

/* Prints the answer, or why there is none. */
static int
report(const struct opts *o, const struct answer *a, const char *path)
{
	enum exit_status status = answer_status(a);
	bool json = o->request.format == FORMAT_JSON;
	char text[256];

	answer_text(a, path, text, sizeof(text));
	if (is_action(&o->request) && json)
		json_result(o, a, status, status == EXIT_DONE ? NULL : text);
	else if (is_action(&o->request))
		print_commits(a);
	else if (status == EXIT_DONE && a->has_stats)
		print_stats(o, a);
	if (status != EXIT_DONE)
		complain(text);
	return (int)status;
}

static int
dump(const struct opts *o, const char *path)
{
	struct answer a;
	struct show s;
	int err;

	if (show_init(&s, STDOUT_FILENO, &o->request) < 0) {
		complain("out of memory");
		return EXIT_FAILED;
	}
	ask(path, o->silence, &o->request, show_records, &s, &a);
	if ((err = show_done(&s)) == 0)
		return report(o, &a, path);
	fprintf(stderr, "conntrackctl: standard output: %s\n", strerror(-err));
	return EXIT_FAILED;
}

static int
rsqueue(const struct opts *o, const char *path)
{
	struct rsqueue q = {.element = NULL};
	struct answer a;
	int status;

	ask(path, o->silence, &o->request, rsqueue_records, &q, &a);
	if ((status = report(o, &a, path)) == EXIT_DONE)
		rsqueue_print(&q, stdout, o->request.format);
	rsqueue_clear(&q);
	return status;
}

int
verbs_run(struct opts *o)
{
	char path[SOCKPATH_MAX];
	struct answer a;
	int status;

	o->colour = colour_wanted(); /* the terminal cannot be asked after ask() */
	if (!find_socket(o, path))
		return EXIT_FAILED;
	if (o->request.verb == CTL_DUMP)
		return dump(o, path);
	if (o->request.verb == CTL_RSQUEUE) {
		status = rsqueue(o, path);
	} else {
		ask(path, o->silence, &o->request, NULL, NULL, &a);
		status = report(o, &a, path);
	}
	if (fflush(stdout) == 0)
		return status;
	complain("cannot write to standard output");
	return EXIT_FAILED;
}

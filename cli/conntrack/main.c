/*
 * conntrack: the table tool. Reads the command line (or file), opens the sockets the commands need, gives up every
 * other privilege, and runs them.
 */
#include "confine.h"
#include "exact.h"
#include "lines.h"
#include "load.h"
#include "opts.h"
#include "report.h"
#include "run.h"
#include "select.h"
#include "usage.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* After this, only what the command needs. */
static int
give_up(unsigned what)
{
	int err = confine(what);

	if (err < 0)
		report_line(REPORT_NAME "cannot drop privileges: %s", strerror(-err));
	return err;
}

/* changing: entries are changed while a dump is under way; looking: an entry may be named by its whole tuple. */
static int
open_tables(struct run *r, bool changing, bool looking, unsigned what)
{
	int err = nl_open(&r->dump, 0);

	if (err == 0 && changing)
		err = nl_open(&r->change, 0);
	if (err == 0 && looking)
		err = nl_open(&r->look, 0);
	if (err < 0)
		report_line(REPORT_NAME "Can't open handler");
	return err < 0 ? err : give_up(what);
}

static int
open_sockets(struct run *r, const struct cmd *c)
{
	bool counts = c->op == CMD_COUNT || c->op == CMD_STATS; /* may fall back to /proc */
	int err;

	if (c->op == CMD_VERSION || c->op == CMD_HELP || c->op == CMD_NONE)
		return 0;
	if (c->op == CMD_EVENT)
		return (err = run_open_events(r, c)) < 0 ? err : give_up(CONFINE_WAIT | CONFINE_READ);
	return open_tables(r, c->op == CMD_DELETE || c->op == CMD_UPDATE, exact_possible(c),
			   counts ? CONFINE_READ : CONFINE_TALK);
}

static int
run_version(struct run *r, const struct cmd *c)
{
	(void)c;
	out_str(&r->out, "conntrack v" CT_COMPAT_VERSION " (conntrack-tools)\n");
	return 0;
}

static int
run_usage(struct run *r, const struct cmd *c)
{
	usage(&r->out, c);
	return 0;
}

static int
run_delete_all(struct run *r, const struct cmd *c)
{
	return run_delete(r, c, NULL);
}

static int
run_one(struct run *r, const struct cmd *c)
{
	static int (*const flows[CMD_MAX])(struct run *, const struct cmd *) = {
		[CMD_NONE] = run_usage,        [CMD_LIST] = run_list,     [CMD_GET] = run_get,
		[CMD_DELETE] = run_delete_all, [CMD_CREATE] = run_create, [CMD_ADD] = run_create,
		[CMD_UPDATE] = run_update,     [CMD_EVENT] = run_events,  [CMD_FLUSH] = run_flush,
		[CMD_COUNT] = run_count,       [CMD_STATS] = run_stats,   [CMD_VERSION] = run_version,
		[CMD_HELP] = run_usage,
	};
	bool expect = c->table == TABLE_EXPECT && (c->op == CMD_GET || c->op == CMD_DELETE || c->op == CMD_CREATE);

	return expect ? run_expect(r, c) : flows[c->op](r, c);
}

/* The selections of a file, as command lines. */
struct picks {
	struct cmd *cmd;
	const struct cmd **ptr;
	size_t n, cap;
};

static void
picks_done(struct picks *p)
{
	for (size_t i = 0; i < p->n; i++)
		cmd_done(&p->cmd[i]);
	free(p->cmd);
	free(p->ptr);
}

static int
picks_room(struct picks *p)
{
	size_t cap = p->cap > 0 ? p->cap * 2 : 64;
	struct cmd *bigger;

	if (p->n < p->cap)
		return 0;
	if ((bigger = realloc(p->cmd, cap * sizeof(*bigger))) == NULL)
		return -ENOMEM;
	p->cmd = bigger;
	p->cap = cap;
	return 0;
}

/* An exit status. */
static int
picks_read(struct picks *p, const char *path, struct opt_ctx *ctx)
{
	struct opt_error err = {STATUS_FAILED, "not enough memory"};
	struct lines l;
	int r;

	if (lines_open(&l, path) < 0) {
		report_line(REPORT_NAME "Failed to open file %s for reading", path);
		return STATUS_USAGE;
	}
	do {
		r = picks_room(p) < 0 ? -1 : lines_next(&l, ctx, &p->cmd[p->n], &err);
		p->n += r > 0;
	} while (r > 0);
	if (r < 0) {
		if (p->n < p->cap)
			cmd_done(&p->cmd[p->n]);
		report_options(&err, l.where);
	}
	lines_close(&l);
	return r < 0 ? err.code : 0;
}

static int
delete_from_file(struct run *r, const struct cmd *c, struct opt_ctx *ctx)
{
	struct selection *among = NULL;
	struct picks p = {0};
	int code;

	ctx->selecting = true;
	ctx->select_op = CMD_DELETE;
	if ((code = picks_read(&p, c->from_file, ctx)) == 0) {
		p.ptr = calloc(p.n + 1, sizeof(*p.ptr));
		for (size_t i = 0; p.ptr != NULL && i < p.n; i++)
			p.ptr[i] = &p.cmd[i];
		among = p.ptr != NULL ? selection_new(p.ptr, p.n) : NULL;
		code = among == NULL || open_sockets(r, c) < 0 ? 1 : run_delete(r, c, among);
	}
	selection_free(among);
	picks_done(&p);
	return code;
}

static int
run_command_line(struct run *r, int argc, char **argv)
{
	struct opt_ctx ctx = {0};
	struct opt_error err;
	struct cmd c;
	bool bad = cmd_parse(&c, &ctx, argc, argv, &err) < 0;
	int code;

	report_warnings(&c);
	if (ctx.tried && ctx.map == NULL && !ctx.quiet)
		report_line("nfct_labelmap_new: %s", strerror(ctx.map_errno));
	r->map = ctx.map;
	if (bad) {
		report_options(&err, "");
		code = err.code;
	} else if (c.from_file != NULL) {
		code = delete_from_file(r, &c, &ctx);
	} else {
		code = open_sockets(r, &c) < 0 ? 1 : run_one(r, &c);
	}
	out_flush(&r->out);
	cmd_done(&c);
	labelmap_free(ctx.map);
	return code;
}

static int
run_file(struct run *r, const char *path)
{
	struct opt_ctx ctx = {.loading = true};
	struct load *ld;
	struct lines l;
	int code;

	if (lines_open(&l, path) < 0) {
		report_line(REPORT_NAME "Failed to open file %s for reading", path);
		report_line("Try `conntrack -h' or 'conntrack --help' for more information.");
		return STATUS_USAGE;
	}
	r->quiet = true;
	if ((ld = load_read(&l, &ctx, &code)) != NULL) {
		r->map = ctx.map;
		code = open_tables(r, true, true, CONFINE_TALK) < 0 ? 1 : load_run(ld, r, &l);
	}
	out_flush(&r->out);
	load_free(ld);
	lines_close(&l);
	labelmap_free(ctx.map);
	return code;
}

int
main(int argc, char **argv)
{
	struct run r = {.where = "", .dump.fd = -1, .change.fd = -1, .look.fd = -1, .event.fd = -1};
	int code;

	tzset();
	if (out_init(&r.out, 1) < 0)
		return STATUS_FAILED;
	if (argc > 2 && (strcmp(argv[1], "-R") == 0 || strcmp(argv[1], "--load-file") == 0))
		code = run_file(&r, argv[2]);
	else
		code = run_command_line(&r, argc, argv);
	if (r.out.err != 0 && r.out.err != EPIPE && code == 0) {
		report_line(REPORT_NAME "cannot write: %s", strerror(r.out.err));
		code = STATUS_FAILED;
	}
	nl_close(&r.dump);
	nl_close(&r.change);
	nl_close(&r.look);
	nl_close(&r.event);
	out_done(&r.out);
	return code;
}

/*
 * conntrack: the table tool. Reads the command line, opens the sockets the command needs, gives up every other
 * privilege, and runs it.
 */
#include "report.h"
#include "run.h"
#include "usage.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* -D and -U change entries while they read the table. */
static int
open_sockets(struct run *r, const struct cmd *c)
{
	int err = 0;

	r->dump.fd = r->change.fd = r->event.fd = -1;
	if (c->op == CMD_VERSION || c->op == CMD_HELP || c->op == CMD_NONE)
		return 0;
	if (c->op == CMD_EVENT)
		return run_open_events(r, c);
	if ((err = nl_open(&r->dump, 0)) == 0 && (c->op == CMD_DELETE || c->op == CMD_UPDATE))
		err = nl_open(&r->change, 0);
	if (err < 0)
		report_line(REPORT_NAME "Can't open handler");
	return err;
}

static int
run_one(struct run *r, const struct cmd *c)
{
	switch (c->op) {
	case CMD_LIST:
		return run_list(r, c);
	case CMD_GET:
		return c->table == TABLE_EXPECT ? run_expect(r, c) : run_get(r, c);
	case CMD_CREATE:
	case CMD_ADD:
		return c->table == TABLE_EXPECT ? run_expect(r, c) : run_create(r, c);
	case CMD_DELETE:
		return c->table == TABLE_EXPECT ? run_expect(r, c) : run_delete(r, &c, 1);
	case CMD_UPDATE:
		return run_update(r, c);
	case CMD_FLUSH:
		return run_flush(r, c);
	case CMD_COUNT:
		return run_count(r, c);
	case CMD_STATS:
		return run_stats(r, c);
	case CMD_EVENT:
		return run_events(r, c);
	case CMD_VERSION:
		out_str(&r->out, "conntrack v" CT_COMPAT_VERSION " (conntrack-tools)\n");
		return 0;
	default:
		usage(&r->out, c);
		return 0;
	}
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
	if (ctx.tried && ctx.map == NULL)
		report_line("nfct_labelmap_new: %s", strerror(ctx.map_errno));
	if (bad) {
		report_options(&err, "");
		code = err.code;
	} else {
		r->map = ctx.map;
		code = open_sockets(r, &c) < 0 ? 1 : run_one(r, &c);
	}
	cmd_done(&c);
	labelmap_free(ctx.map);
	return code;
}

int
main(int argc, char **argv)
{
	struct run r = {.where = ""};
	int code;

	tzset();
	if (out_init(&r.out, 1) < 0)
		return 1;
	code = run_command_line(&r, argc, argv);
	out_flush(&r.out);
	if (r.out.err != 0 && r.out.err != EPIPE && code == 0) {
		report_line(REPORT_NAME "cannot write: %s", strerror(r.out.err));
		code = 1;
	}
	nl_close(&r.dump);
	nl_close(&r.change);
	nl_close(&r.event);
	out_done(&r.out);
	return code;
}

/*
 * Commands that only look: -L, -G, -C, -S, and expectations. Formats a message as soon as it is received, so memory
 * does not depend on the size of the table.
 */
#include "filter.h"
#include "nla.h"
#include "report.h"
#include "request.h"
#include "run.h"

#include <errno.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <stdio.h>
#include <stdlib.h>

struct list {
	struct run *run;
	struct show show;
	struct filter filter;
	unsigned long n;
};

int
run_failed(struct run *r, const struct cmd *c, int err)
{
	out_give_way(&r->out);
	if (r->out.err == EPIPE) /* nobody reads any more */
		return STATUS_FAILED;
	report_failure(c->op, c->table, -err, r->where);
	return STATUS_FAILED;
}

int
run_summary(struct run *r, const struct cmd *c, unsigned long n)
{
	bool needs_match = c->op != CMD_LIST && c->op != CMD_EVENT;

	if (r->quiet)
		return 0;
	out_give_way(&r->out);
	report_count(c->op, c->table, n);
	return n == 0 && needs_match;
}

/* Filtered by the kernel, or not where it knows no such filter; a refusal comes before the first entry. */
static int
dump_family(struct run *r, const struct cmd *c, uint8_t family, nl_msg_fn fn, void *arg)
{
	uint8_t buf[NL_MSG_MAX];
	int err = nl_dump(&r->dump, request_dump(buf, c, family, true), fn, arg);

	if ((err == -EINVAL || err == -EOPNOTSUPP) && !r->dump.delivered && request_narrows(c))
		err = nl_dump(&r->dump, request_dump(buf, c, family, false), fn, arg);
	return err;
}

int
run_dump(struct run *r, const struct cmd *c, nl_msg_fn fn, void *arg)
{
	bool interrupted;
	int err;

	if (c->family != 0 || !request_compares_tuples(c))
		return dump_family(r, c, c->family, fn, arg);
	/* The kernel compares tuples of a given family only, and passing over the others is cheap. */
	if ((err = dump_family(r, c, AF_INET, fn, arg)) < 0)
		return err;
	interrupted = r->dump.interrupted;
	err = dump_family(r, c, AF_INET6, fn, arg);
	r->dump.interrupted |= interrupted;
	return err;
}

static int
list_flow(void *arg, const struct nlmsghdr *nlh)
{
	struct list *l = arg;
	struct ct_rec rec;
	int err = ct_rec_decode(&rec, nlh);

	if (err < 0)
		return err;
	if (!filter_match(&l->filter, &rec))
		return 0;
	show_flow(&l->show, &rec);
	l->n++;
	out_drain(&l->run->out);
	return -l->run->out.err;
}

static int
list_expect(void *arg, const struct nlmsghdr *nlh)
{
	struct list *l = arg;
	struct exp_rec rec;
	int err = exp_rec_decode(&rec, nlh);

	if (err < 0)
		return err;
	show_expect(&l->show, &rec);
	l->n++;
	out_drain(&l->run->out);
	return -l->run->out.err;
}

static void
list_init(struct list *l, struct run *r, const struct cmd *c)
{
	*l = (struct list){.run = r};
	show_init(&l->show, &r->out, c, r->map);
	filter_init(&l->filter, c);
}

int
run_list(struct run *r, const struct cmd *c)
{
	struct list l;
	int err;

	list_init(&l, r, c);
	err = run_dump(r, c, c->table == TABLE_EXPECT ? list_expect : list_flow, &l);
	show_end(&l.show);
	if (l.show.framed) /* a document is written as one, also by 1.4.x */
		out_flush(&r->out);
	if (err < 0)
		return run_failed(r, c, err);
	out_give_way(&r->out);
	if (r->dump.interrupted)
		report_line("WARNING: the table changed while it was read, the list may be incomplete.");
	return run_summary(r, c, l.n);
}

int
run_get(struct run *r, const struct cmd *c)
{
	uint8_t buf[NL_MSG_MAX];
	struct nlmsghdr *nlh;
	struct list l;
	int err;

	list_init(&l, r, c);
	nlh = request_get(buf, c);
	err = nl_talk(&r->dump, nlh, list_flow, &l);
	show_end(&l.show);
	return err < 0 ? run_failed(r, c, err) : run_summary(r, c, l.n);
}

int
run_expect(struct run *r, const struct cmd *c)
{
	static const struct {
		uint16_t type, flags;
	} how[CMD_MAX] = {
		[CMD_GET] = {IPCTNL_MSG_EXP_GET, 0},
		[CMD_DELETE] = {IPCTNL_MSG_EXP_DELETE, 0},
		[CMD_CREATE] = {IPCTNL_MSG_EXP_NEW, NLM_F_CREATE | NLM_F_EXCL},
	};
	uint8_t buf[NL_MSG_MAX];
	struct list l;
	int err;

	list_init(&l, r, c);
	err = nl_talk(&r->dump, request_expect(buf, c, how[c->op].type, how[c->op].flags), list_expect, &l);
	show_end(&l.show);
	if (err < 0)
		return run_failed(r, c, err);
	return c->op == CMD_DELETE ? run_summary(r, c, 1) : 0;
}

int
run_flush(struct run *r, const struct cmd *c)
{
	uint8_t buf[NL_MSG_MAX];
	int err = nl_talk(&r->dump, request_flush(buf, c), NULL, NULL);

	if (err < 0)
		return run_failed(r, c, err);
	/* said in load files, too, unlike the other summaries */
	report_line(REPORT_NAME "%s table has been emptied.",
		    c->table == TABLE_EXPECT ? "expectation" : "connection tracking");
	return 0;
}

static int
take_count(void *arg, const struct nlmsghdr *nlh)
{
	struct rd r = nla_msg_attrs(nlh, NULL);
	struct nla a;

	while (nla_next(&r, &a))
		if (a.type == CTA_STATS_GLOBAL_ENTRIES && a.len == 4)
			*(long *)arg = nla_be32(&a);
	return r.bad ? -EBADMSG : 0;
}

static int
count_one(void *arg, const struct nlmsghdr *nlh)
{
	(void)nlh;
	++*(long *)arg;
	return 0;
}

/* What the file of the proc file system says; -1 without it. */
static long
proc_count(void)
{
	FILE *f = fopen("/proc/sys/net/netfilter/nf_conntrack_count", "re");
	long n = -1;

	if (f == NULL)
		return -1;
	if (fscanf(f, "%ld", &n) != 1)
		n = -1;
	fclose(f);
	return n;
}

int
run_count(struct run *r, const struct cmd *c)
{
	uint8_t buf[NL_MSG_MAX];
	long n = c->table == TABLE_EXPECT ? 0 : -1;
	int err;

	if (c->table == TABLE_EXPECT)
		err = nl_dump(&r->dump, request_dump(buf, c, c->family, false), count_one, &n);
	else
		err = nl_talk(&r->dump,
			      nl_request(buf, NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET_STATS, 0, AF_UNSPEC),
			      take_count, &n);
	if (c->table == TABLE_CT && (err < 0 || n < 0))
		n = proc_count();
	else if (err < 0)
		n = -1;
	if (n < 0)
		return run_failed(r, c, err < 0 ? err : -EBADMSG);
	out_fmt(&r->out, c->output & OUT_JSON ? "{\"count\":%ld}\n" : "%ld\n", n);
	return 0;
}

/*
 * Commands that change entries: -I, -A, -D, -U. A dump selects; the changes go out in batches on a second socket while
 * it is under way, and an entry is shown once the kernel did not refuse.
 */
#include "exact.h"
#include "filter.h"
#include "labels.h"
#include "report.h"
#include "request.h"
#include "run.h"
#include "select.h"

#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <stdlib.h>

int
run_create(struct run *r, const struct cmd *c)
{
	uint16_t flags = c->op == CMD_CREATE ? NLM_F_CREATE | NLM_F_EXCL : NLM_F_CREATE;
	uint8_t buf[NL_MSG_MAX];
	struct nlmsghdr *nlh = request_create(buf, c, flags);
	int err = nlh != NULL ? nl_talk(&r->dump, nlh, NULL, NULL) : -EINVAL;

	if (err < 0)
		return run_failed(r, c, err);
	labels_look(r, nlh);
	return run_summary(r, c, 1);
}

/* One pass over the table that changes what matches. */
struct pass {
	struct run *run;
	const struct cmd *cmd;
	struct show show;
	struct filter filter;
	const struct selection *among; /* NULL: the filter decides alone */
	struct nl_batch batch;
	size_t *line;                 /* where the text of each request of the batch begins in the output */
	uint8_t (*again)[NL_MSG_MAX]; /* -U: how each changed entry is fetched to be shown */
	bool *failed;
	unsigned limit;           /* requests until the next flush: grows, so an early refusal stops early */
	unsigned long n, no_room; /* done; refused because the entry cannot have labels */
	int err;                  /* first error that ends the run */
	bool (*put)(struct pass *p, const struct ct_rec *rec);
	int (*settle)(struct pass *p);
};

/* Entries that the kernel may refuse to change for a reason of their own: they go alone. */
static bool
risky(const struct ct_rec *rec)
{
	return rec->status & (IPS_OFFLOAD | CT_HW_OFFLOAD | IPS_FIXED_TIMEOUT | IPS_DYING);
}

static void
refused(void *arg, unsigned nth, int err)
{
	struct pass *p = arg;

	p->failed[nth] = true;
	if (err == ENOSPC && p->cmd->op == CMD_UPDATE)
		p->no_room += cmd_has(p->cmd, OPT_LABEL_ADD);
	else if (err != ENOENT && p->err == 0) /* else gone meanwhile: not ours to change any more */
		p->err = -err;
}

/* Takes the lines of refused requests back out of the output. */
static void
keep_lines(struct pass *p, unsigned count)
{
	struct out *o = &p->run->out;
	size_t to = count > 0 ? p->line[0] : o->len;

	for (unsigned i = 0; i < count; i++) {
		size_t from = p->line[i], len = (i + 1 < count ? p->line[i + 1] : o->len) - from;

		if (p->failed[i])
			continue;
		if (to != from)
			memmove(o->buf + to, o->buf + from, len);
		to += len;
		p->n++;
	}
	o->len = to;
}

static int
settle_delete(struct pass *p)
{
	static const struct nl_batch_ops ops = {refused, NULL};
	unsigned count = p->batch.count;
	int err = nl_batch_flush(&p->batch, &ops, p);

	if (err == 0)
		keep_lines(p, count);
	else if (count > 0) /* nobody knows what happened to these */
		p->run->out.len = p->line[0];
	return err;
}

static int
show_updated(void *arg, unsigned nth, const struct nlmsghdr *nlh)
{
	struct pass *p = arg;
	struct ct_rec rec;
	int err = ct_rec_decode(&rec, nlh);

	(void)nth;
	if (err < 0)
		return err;
	show_flow(&p->show, &rec);
	p->n++;
	return 0;
}

static void
not_shown(void *arg, unsigned nth, int err)
{
	struct pass *p = arg;

	(void)nth;
	if (err != ENOENT && p->err == 0)
		p->err = -err;
}

static int
settle_update(struct pass *p)
{
	static const struct nl_batch_ops change = {refused, NULL}, get = {not_shown, show_updated};
	unsigned count = p->batch.count;
	int err = nl_batch_flush(&p->batch, &change, p);

	if (err < 0)
		return err;
	for (unsigned i = 0; i < count; i++) {
		struct nlmsghdr *nlh = (struct nlmsghdr *)(void *)p->again[i];

		if (p->failed[i])
			continue;
		memcpy(nl_batch_room(&p->batch), nlh, nlh->nlmsg_len);
		nl_batch_add(&p->batch);
	}
	return nl_batch_flush(&p->batch, &get, p);
}

static bool
put_delete(struct pass *p, const struct ct_rec *rec)
{
	if (request_delete(nl_batch_room(&p->batch), rec) == NULL)
		return false;
	p->line[p->batch.count] = p->run->out.len;
	show_flow(&p->show, rec);
	return true;
}

static bool
put_update(struct pass *p, const struct ct_rec *rec)
{
	if (request_update(nl_batch_room(&p->batch), p->cmd, rec) == NULL)
		return false;
	return request_get_rec(p->again[p->batch.count], rec) != NULL;
}

static int
settle(struct pass *p)
{
	int err = p->settle(p);

	memset(p->failed, 0, p->batch.max * sizeof(*p->failed));
	if (p->limit < p->batch.max)
		p->limit = p->limit * 2 < p->batch.max ? p->limit * 2 : p->batch.max;
	out_drain(&p->run->out);
	if (err < 0)
		return err;
	return p->err < 0 ? p->err : -p->run->out.err;
}

static bool
selected(const struct pass *p, const struct ct_rec *rec)
{
	return filter_match(&p->filter, rec) && (p->among == NULL || selection_match(p->among, rec));
}

static int
pass_record(struct pass *p, const struct ct_rec *rec)
{
	int err;

	if (!selected(p, rec))
		return 0;
	if (risky(rec) && p->batch.count > 0 && (err = settle(p)) < 0)
		return err;
	if (!p->put(p, rec))
		return 0;
	nl_batch_add(&p->batch);
	return p->batch.count >= p->limit || risky(rec) ? settle(p) : 0;
}

static int
pass_entry(void *arg, const struct nlmsghdr *nlh)
{
	struct ct_rec rec;
	int err = ct_rec_decode(&rec, nlh);

	return err < 0 ? err : pass_record(arg, &rec);
}

static int
pass_init(struct pass *p, struct run *r, const struct cmd *c)
{
	*p = (struct pass){.run = r, .cmd = c, .limit = 1};
	show_init(&p->show, &r->out, c, r->map);
	filter_init(&p->filter, c);
	if (nl_batch_init(&p->batch, &r->change, NL_BATCH_MAX / 2) < 0)
		return -ENOMEM;
	p->line = calloc(p->batch.max, sizeof(*p->line));
	p->failed = calloc(p->batch.max, sizeof(*p->failed));
	p->again = malloc(p->batch.max * sizeof(*p->again));
	return p->line == NULL || p->failed == NULL || p->again == NULL ? -ENOMEM : 0;
}

static void
pass_done(struct pass *p)
{
	nl_batch_done(&p->batch);
	free(p->line);
	free(p->failed);
	free(p->again);
}

/* Runs the pass again when the kernel says the dump was inconsistent: what is done does not match any more. */
static int
pass_run(struct pass *p)
{
	int err, tries = 3;

	do {
		err = run_dump(p->run, p->cmd, pass_entry, p);
		if (err == 0)
			err = settle(p);
	} while (err == 0 && p->run->dump.interrupted && --tries > 0);
	return err;
}

/* The one entry that is named by its whole tuple. Whether that was all: else the table has to be walked. */
static bool
pass_exact(struct pass *p, int *err)
{
	uint8_t msg[NL_MSG_MAX];
	struct ct_rec rec;

	switch (exact_find(p->run, p->cmd, msg)) {
	case EXACT_WALK:
		return false;
	case EXACT_NONE:
		return true;
	default:
		*err = ct_rec_decode(&rec, (const struct nlmsghdr *)(const void *)msg);
		rec.use -= rec.use > 0; /* the kernel's own answer counted: a dump does not */
		if (*err == 0 && (*err = pass_record(p, &rec)) == 0)
			*err = settle(p);
		return true;
	}
}

static int
pass(struct pass *p, int err)
{
	struct run *r = p->run;

	if (err == 0 && !pass_exact(p, &err))
		err = pass_run(p);
	if (err < 0 && p->batch.count > 0 && p->settle == settle_delete) /* selected, but not deleted any more */
		r->out.len = p->line[0];
	pass_done(p);
	out_give_way(&r->out);
	labels_no_room(p->no_room);
	if (err == 0)
		return run_summary(r, p->cmd, p->n);
	return run_failed(r, p->cmd, err);
}

int
run_delete(struct run *r, const struct cmd *c, const struct selection *among)
{
	struct pass p;
	int err = pass_init(&p, r, c);

	p.among = among;
	p.put = put_delete;
	p.settle = settle_delete;
	return pass(&p, err);
}

int
run_update(struct run *r, const struct cmd *c)
{
	struct pass p;
	int err = pass_init(&p, r, c);

	p.put = put_update;
	p.settle = settle_update;
	return pass(&p, err);
}

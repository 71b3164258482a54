/*
 * New entries are kept as finished requests and sent in batches; every one of them at first as "create, but only if
 * new". So whatever a batch created behind a line that fails can be taken back, and the file stops at that line.
 * -A of an entry that exists is repeated as an update, in the order of the file.
 */
#include "load.h"
#include "labels.h"
#include "nla.h"
#include "report.h"
#include "request.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <stdlib.h>
#include <string.h>

/* One command: a request in the store, or any other command. */
struct step {
	uint32_t line;
	uint32_t other; /* index of the command, NO_OTHER for a request */
	uint64_t at;    /* offset of the request */
};
#define NO_OTHER UINT32_MAX

struct load {
	struct step *step;
	size_t steps, step_cap;
	uint8_t *store;
	size_t stored, store_cap;
	struct cmd *other;
	size_t others, other_cap;
	uint64_t labelled; /* offset of the first request with labels */
	uint32_t output;
	bool zoned; /* some line makes an entry with a zone */
};
#define NO_REQUEST UINT64_MAX

/* Makes *array hold one more element of size bytes behind n. */
static int
grow(void **array, size_t *cap, size_t n, size_t size)
{
	size_t want = *cap > 0 ? *cap * 2 : 64;
	void *bigger;

	if (n < *cap)
		return 0;
	if ((bigger = realloc(*array, want * size)) == NULL)
		return -ENOMEM;
	*array = bigger;
	*cap = want;
	return 0;
}

static int
store_request(struct load *ld, const struct nlmsghdr *nlh)
{
	size_t want = ld->store_cap > 0 ? ld->store_cap : 1 << 16;
	uint8_t *bigger;

	while (want - ld->stored < NL_MSG_MAX)
		want *= 2;
	if (want > ld->store_cap) {
		if ((bigger = realloc(ld->store, want)) == NULL)
			return -ENOMEM;
		ld->store = bigger;
		ld->store_cap = want;
	}
	memcpy(ld->store + ld->stored, nlh, nlh->nlmsg_len);
	ld->stored += NLMSG_ALIGN(nlh->nlmsg_len);
	return 0;
}

/* Which commands a file may hold, as the error names the others. */
static int
check_allowed(const struct cmd *c, struct opt_error *err)
{
	bool expect = c->table == TABLE_EXPECT;
	const char *name = cmd_letter(c->op);

	if (!expect && (c->op == CMD_CREATE || c->op == CMD_ADD || c->op == CMD_UPDATE || c->op == CMD_DELETE ||
			c->op == CMD_FLUSH))
		return 0;
	if (expect && c->op == CMD_CREATE)
		name = "-C";
	err->code = STATUS_USAGE;
	snprintf(err->text, sizeof(err->text), "Cannot use command `%s%s' with --load-file", name,
		 expect ? " expect" : "");
	return -1;
}

static bool
creates(const struct cmd *c)
{
	return c->op == CMD_CREATE || c->op == CMD_ADD;
}

/* Takes over c. */
static int
add_step(struct load *ld, struct cmd *c, unsigned long line, struct opt_error *err)
{
	struct step s = {.line = (uint32_t)line, .other = NO_OTHER, .at = ld->stored};
	uint8_t buf[NL_MSG_MAX];
	struct nlmsghdr *nlh;
	int r;

	if (creates(c)) {
		if ((nlh = request_create(buf, c, NLM_F_CREATE | NLM_F_EXCL)) == NULL) {
			err->code = STATUS_FAILED;
			snprintf(err->text, sizeof(err->text), "Operation failed: invalid parameters");
			return -1;
		}
		/* What the line wants, until it is sent. */
		nlh->nlmsg_pid = c->op == CMD_ADD;
		ld->zoned |= cmd_has(c, OPT_ZONE) || cmd_has(c, OPT_OZONE) || cmd_has(c, OPT_RZONE);
		if (ld->labelled == NO_REQUEST && (cmd_has(c, OPT_LABEL_ADD) || cmd_has(c, OPT_SAVED_LABELS)))
			ld->labelled = s.at;
		r = store_request(ld, nlh);
		cmd_done(c);
	} else if ((r = grow((void **)&ld->other, &ld->other_cap, ld->others, sizeof(*c))) == 0) {
		s.other = (uint32_t)ld->others;
		ld->other[ld->others++] = *c;
	}
	if (r < 0 || grow((void **)&ld->step, &ld->step_cap, ld->steps, sizeof(s)) < 0) {
		err->code = STATUS_FAILED;
		snprintf(err->text, sizeof(err->text), "not enough memory");
		return -1;
	}
	ld->step[ld->steps++] = s;
	return 0;
}

struct load *
load_read(struct lines *l, struct opt_ctx *ctx, int *code)
{
	struct load *ld = calloc(1, sizeof(*ld));
	struct opt_error err;
	struct cmd c;
	int r;

	*code = STATUS_FAILED;
	if (ld == NULL)
		return NULL;
	ld->labelled = NO_REQUEST;
	while ((r = lines_next(l, ctx, &c, &err)) > 0) {
		report_warnings(&c);
		ld->output |= c.output;
		if (check_allowed(&c, &err) < 0 || add_step(ld, &c, l->line, &err) < 0) {
			lines_where(l, l->line);
			r = -1;
			break;
		}
	}
	if (r == 0)
		return ld;
	cmd_done(&c);
	report_options(&err, l->where);
	*code = err.code;
	load_free(ld);
	return NULL;
}

void
load_free(struct load *ld)
{
	if (ld == NULL)
		return;
	for (size_t i = 0; i < ld->others; i++)
		cmd_done(&ld->other[i]);
	free(ld->other);
	free(ld->store);
	free(ld->step);
	free(ld);
}

/* Requests on their way: steps first to first + batch.count. */
struct sending {
	struct load *ld;
	struct run *run;
	struct nl_batch batch;
	size_t first;
	int error[NL_BATCH_MAX];
	struct nl_batch again; /* updates of entries that are there, of steps first + again_nth[] */
	unsigned again_nth[NL_BATCH_MAX];
	int again_error[NL_BATCH_MAX];
	unsigned long updated;
	size_t *late; /* steps whose master was not there yet: a listing has them in any order */
	size_t lates, late_cap;
	unsigned long restored;
};

static const struct nlmsghdr *
request_of(const struct load *ld, size_t step)
{
	return (const struct nlmsghdr *)(const void *)(ld->store + ld->step[step].at);
}

static bool
is_add(const struct nlmsghdr *nlh)
{
	return nlh->nlmsg_pid != 0;
}

static void
copy_request(void *buf, const struct nlmsghdr *nlh)
{
	struct nlmsghdr *copy = memcpy(buf, nlh, nlh->nlmsg_len);

	copy->nlmsg_pid = 0;
}

/* A copy of a create request without what an existing entry cannot be given any more. */
static struct nlmsghdr *
strip(void *buf, const struct nlmsghdr *nlh, uint32_t drop)
{
	const size_t head = NLMSG_HDRLEN + sizeof(struct nfgenmsg);
	struct rd r = nla_msg_attrs(nlh, NULL);
	struct nlmsghdr *copy = memcpy(buf, nlh, head);
	struct nla a;

	copy->nlmsg_pid = 0;
	copy->nlmsg_len = (uint32_t)head;
	while (nla_next(&r, &a)) {
		size_t len = NLA_ALIGN(a.len + sizeof(struct nlattr));

		if (drop >> a.type & 1)
			continue;
		memcpy((uint8_t *)buf + copy->nlmsg_len, a.data - sizeof(struct nlattr), len);
		copy->nlmsg_len += (uint32_t)len;
	}
	return copy;
}

#define DROP(a) (1u << (a))

static bool
has_attr(const struct nlmsghdr *nlh, uint16_t type)
{
	struct rd r = nla_msg_attrs(nlh, NULL);
	struct nla a;

	while (nla_next(&r, &a))
		if (a.type == type)
			return true;
	return false;
}

/* Adds bits to the status a request carries. */
static void
add_status(struct nlmsghdr *nlh, uint32_t bits)
{
	struct rd r = nla_msg_attrs(nlh, NULL);
	uint32_t status;
	struct nla a;

	while (nla_next(&r, &a))
		if (a.type == CTA_STATUS && a.len == sizeof(status)) {
			status = htonl(nla_be32(&a) | bits);
			memcpy((uint8_t *)nlh + (a.data - (const uint8_t *)nlh), &status, sizeof(status));
		}
}

/* The translation, master and helper an entry has are not the file's to change. */
static struct nlmsghdr *
as_update(void *buf, const struct nlmsghdr *nlh, uint32_t drop)
{
	const uint32_t fixed = DROP(CTA_NAT_SRC) | DROP(CTA_NAT_DST) | DROP(CTA_TUPLE_MASTER) | DROP(CTA_HELP);
	struct nlmsghdr *copy = strip(buf, nlh, fixed | drop);

	copy->nlmsg_flags &= (uint16_t)~NLM_F_EXCL;
	return copy;
}

static int
try_update(struct sending *s, const struct nlmsghdr *nlh, uint32_t drop, uint32_t status)
{
	uint8_t buf[NL_MSG_MAX];
	struct nlmsghdr *copy = as_update(buf, nlh, drop);

	add_status(copy, status);
	return nl_talk(&s->run->change, copy, NULL, NULL);
}

/* -A of an entry that is there. Bits that cannot be changed must be as they are, and a fixed timeout not be touched. */
static int
update_existing(struct sending *s, const struct nlmsghdr *nlh)
{
	uint32_t status = has_attr(nlh, CTA_TUPLE_MASTER) ? IPS_EXPECTED : 0;
	int err = try_update(s, nlh, 0, status);

	if (err == -EBUSY && status != 0)
		err = try_update(s, nlh, 0, status = 0);
	return err == -EPERM ? try_update(s, nlh, DROP(CTA_TIMEOUT), status) : err;
}

/* A second try for a line that was refused: 0 when its effect is there now. */
static int
repair(struct sending *s, const struct nlmsghdr *nlh, int err)
{
	uint8_t buf[NL_MSG_MAX];

	if (err == EEXIST && is_add(nlh))
		return update_existing(s, nlh);
	/* The master is gone: the entry alone is better than none. */
	if (err == ENOENT && has_attr(nlh, CTA_TUPLE_MASTER))
		return nl_talk(&s->run->change, strip(buf, nlh, DROP(CTA_TUPLE_MASTER)), NULL, NULL);
	/* A helper this kernel does not have. */
	if (err == EOPNOTSUPP && has_attr(nlh, CTA_HELP))
		return nl_talk(&s->run->change, strip(buf, nlh, DROP(CTA_HELP)), NULL, NULL);
	return -err;
}

/* Whether a refused step is put off until what follows is there. */
static bool
put_off(struct sending *s, size_t step, int err)
{
	if (err != ENOENT || !has_attr(request_of(s->ld, step), CTA_TUPLE_MASTER) ||
	    grow((void **)&s->late, &s->late_cap, s->lates, sizeof(*s->late)) < 0)
		return false;
	s->late[s->lates++] = step;
	return true;
}

static void
refused(void *arg, unsigned nth, int err)
{
	((struct sending *)arg)->error[nth] = err;
}

/* Takes back what was created behind the line that failed. */
static void
undo(struct sending *s, size_t from, size_t count)
{
	uint8_t buf[NL_MSG_MAX];
	struct nlmsghdr *nlh;

	for (size_t i = from; i < count; i++)
		if (s->error[i] == 0 && (nlh = request_undo(buf, request_of(s->ld, s->first + i))) != NULL)
			(void)nl_talk(&s->run->change, nlh, NULL, NULL);
}

static int
report_failed(struct sending *s, size_t step, int err, struct lines *l)
{
	enum cmd_op op = is_add(request_of(s->ld, step)) ? CMD_ADD : CMD_CREATE;

	out_give_way(&s->run->out);
	report_failure(op, TABLE_CT, -err, lines_where(l, s->ld->step[step].line));
	return STATUS_FAILED;
}

static void
not_updated(void *arg, unsigned nth, int err)
{
	((struct sending *)arg)->again_error[nth] = err;
}

/* Sends the collected updates; what one by one fails as well ends the file, at step first + *bad. */
static int
settle_updates(struct sending *s, unsigned *bad)
{
	static const struct nl_batch_ops ops = {not_updated, NULL};
	unsigned count = s->again.count;
	int err;

	memset(s->again_error, 0, count * sizeof(s->again_error[0]));
	*bad = s->again_nth[0];
	if ((err = nl_batch_flush(&s->again, &ops, s)) < 0)
		return err;
	for (unsigned i = 0; i < count; i++) {
		*bad = s->again_nth[i];
		if (s->again_error[i] != 0 &&
		    (err = update_existing(s, request_of(s->ld, s->first + s->again_nth[i]))) < 0)
			return err;
	}
	s->updated += count;
	return 0;
}

/* Updates cannot be taken back, so they go in batches only once many went well: then one that fails is an accident, and
 * at most a few behind it are done, too. */
#define UPDATES_ALONE 64

static bool
collect_update(struct sending *s, unsigned nth)
{
	const struct nlmsghdr *nlh = request_of(s->ld, s->first + nth);

	if (s->error[nth] != EEXIST || !is_add(nlh) || s->updated < UPDATES_ALONE || has_attr(nlh, CTA_TUPLE_MASTER))
		return false;
	(void)as_update(nl_batch_room(&s->again), nlh, 0);
	s->again_nth[s->again.count] = nth;
	nl_batch_add(&s->again);
	return true;
}

/* A refused step: 0 when it could be mended, else *bad is the step that ends the file. */
static int
mend(struct sending *s, unsigned nth, unsigned *bad)
{
	int err = settle_updates(s, bad);

	if (err < 0)
		return err;
	*bad = nth;
	err = repair(s, request_of(s->ld, s->first + nth), s->error[nth]);
	s->updated += err == 0;
	return err;
}

/* Counts the first n steps of a batch, before which late steps had been put off. Those behind are not carried out. */
static void
count_restored(struct sending *s, unsigned n, size_t late)
{
	while (s->lates > late && s->late[s->lates - 1] >= s->first + n)
		s->lates--;
	s->restored += n - (s->lates - late);
}

/* Sends the batch; the exit status. */
static int
settle(struct sending *s, struct lines *l)
{
	static const struct nl_batch_ops ops = {refused, NULL};
	unsigned count = s->batch.count, bad = 0;
	size_t late = s->lates;
	int err;

	memset(s->error, 0, sizeof(s->error));
	if ((err = nl_batch_flush(&s->batch, &ops, s)) < 0)
		return report_failed(s, s->first, err, l);
	for (unsigned i = 0; i < count && err == 0; i++)
		if (s->error[i] != 0 && !put_off(s, s->first + i, s->error[i]) && !collect_update(s, i))
			err = mend(s, i, &bad);
	if (err == 0)
		err = settle_updates(s, &bad);
	count_restored(s, err < 0 ? bad : count, late);
	if (err < 0) {
		undo(s, bad + 1, count);
		return report_failed(s, s->first + bad, err, l);
	}
	s->first += count;
	return 0;
}

/* What was put off; the exit status. */
static int
settle_late(struct sending *s, struct lines *l)
{
	uint8_t buf[NL_MSG_MAX];
	int err = 0;

	for (size_t i = 0; i < s->lates && err == 0; i++) {
		const struct nlmsghdr *nlh = request_of(s->ld, s->late[i]);

		copy_request(buf, nlh);
		err = nl_talk(&s->run->change, (struct nlmsghdr *)(void *)buf, NULL, NULL);
		if (err < 0 && (err = repair(s, nlh, -err)) < 0)
			(void)report_failed(s, s->late[i], err, l);
		s->restored += err == 0;
	}
	s->lates = 0;
	return err < 0;
}

static int
run_other(struct load *ld, const struct step *st, struct run *r, struct lines *l)
{
	struct cmd *c = &ld->other[st->other];

	r->where = lines_where(l, st->line);
	c->output |= ld->output;
	if (c->op == CMD_FLUSH)
		return run_flush(r, c);
	return c->op == CMD_UPDATE ? run_update(r, c) : run_delete(r, c, NULL);
}

static int
carry_out(struct sending *s, struct lines *l)
{
	struct load *ld = s->ld;
	int code = 0;

	for (size_t i = 0; i < ld->steps && code == 0; i++) {
		if (ld->step[i].other == NO_OTHER) {
			copy_request(nl_batch_room(&s->batch), request_of(ld, i));
			nl_batch_add(&s->batch);
			if (nl_batch_full(&s->batch))
				code = settle(s, l);
			continue;
		}
		if ((code = settle(s, l)) == 0 && (code = settle_late(s, l)) == 0)
			code = run_other(ld, &ld->step[i], s->run, l);
		s->first = i + 1;
	}
	return code == 0 ? settle(s, l) : code;
}

static int
carry_out_all(struct sending *s, struct lines *l)
{
	int code = carry_out(s, l), late = settle_late(s, l);

	free(s->late);
	if (s->ld->stored > 0 || s->ld->steps == 0) {
		out_give_way(&s->run->out);
		if (s->ld->labelled != NO_REQUEST) /* one stands for all */
			labels_look(s->run, (const struct nlmsghdr *)(const void *)(s->ld->store + s->ld->labelled));
		report_line(REPORT_NAME "%lu flow entries have been restored.", s->restored);
	}
	return code != 0 ? code : late;
}

int
load_run(struct load *ld, struct run *r, struct lines *l)
{
	struct sending s = {.ld = ld, .run = r};
	int code;

	if (ld->zoned)
		r->zones = ZONES_SEEN;
	if (nl_batch_init(&s.batch, &r->dump, NL_BATCH_MAX) < 0 ||
	    nl_batch_init(&s.again, &r->change, NL_BATCH_MAX) < 0 || s.again.max < s.batch.max) {
		report_line(REPORT_NAME "not enough memory");
		code = STATUS_FAILED;
	} else {
		code = carry_out_all(&s, l);
	}
	nl_batch_done(&s.batch);
	nl_batch_done(&s.again);
	return code;
}

/*
 * External caches to kernel. Called by the sync role; entries come from peers and were checked by the codec, the
 * parent's guard checks every request again.
 */
#include "commit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "helpers.h"

#define BATCH_SIZE  (MSG_DATA_MAX - 64)
#define REQUEST_MAX 2048  /* no request is longer */
#define VISITS_MAX  16384 /* cache entries looked at for one batch */
#define TRIES_MAX   16    /* requests in flight with helpers that the kernel has not shown to have */
#define LATE_ROUNDS 3     /* further walks, for flows that peers told about while it went on */

enum pass { PASS_NONE, PASS_MASTERS, PASS_RELATED, PASS_EXPECTS };

struct batch {
	uint32_t id; /* 0: free */
	bool again;  /* its creations follow deletions: no third try */
	bool sent;
	uint32_t len, creates;
	uint8_t *data;
	struct {
		uint32_t seq;
		struct helper_key key;
	} tried[TRIES_MAX];
	unsigned int n_tried;
};

struct commit {
	struct commit_conf conf;
	struct commit_env env;
	struct tables t;
	enum pass pass;
	bool stopped;
	uint8_t mark; /* entry.gen of flows that this commit has asked for, as they are now */
	unsigned int asked, related, put, rounds;
	uint32_t pos, next_id;
	struct batch batch[COMMIT_WINDOW];
	uint8_t *again; /* deletions and creations to be tried, requests back to back */
	size_t again_len, again_size, again_pos;
	struct commit_result result;
	uint64_t started;
	struct helpers helpers;
	bool held; /* the batch had to end before a name that is being tried out */
};

struct commit *
commit_new(const struct commit_conf *conf, const struct commit_env *env, const struct tables *external)
{
	struct commit *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return NULL;
	c->conf = *conf;
	c->env = *env;
	c->t = *external;
	return c;
}

void
commit_free(struct commit *c)
{
	if (c == NULL)
		return;
	for (int i = 0; i < COMMIT_WINDOW; i++)
		free(c->batch[i].data);
	free(c->again);
	free(c);
}

bool
commit_running(const struct commit *c)
{
	return c->pass != PASS_NONE || c->asked != 0;
}

void
commit_start(struct commit *c, unsigned int tables)
{
	unsigned int running = c->pass == PASS_NONE || c->stopped ? 0
			       : c->pass == PASS_EXPECTS          ? COMMIT_EXPECTS
								  : COMMIT_FLOWS;

	if (!commit_running(c))
		c->helpers.n = 0; /* modules come and go */
	c->asked |= tables & ~running;
}

void
commit_stop(struct commit *c)
{
	if (c->pass == PASS_NONE && c->asked != 0) {
		c->asked = 0;
		c->env.done(c->env.arg);
	}
	if (c->pass == PASS_NONE)
		return;
	c->stopped = true;
	c->asked = c->related = 0;
	c->pos = SLOT_NONE;
	c->again_len = c->again_pos = 0;
	for (int i = 0; i < COMMIT_WINDOW; i++)
		if (!c->batch[i].sent)
			c->batch[i].id = 0;
}

static void
walk(struct commit *c, enum pass pass)
{
	c->pass = pass;
	c->pos = 0;
	if (pass == PASS_MASTERS)
		c->related = c->put = 0;
}

static void
begin_table(struct commit *c, unsigned int table)
{
	c->asked &= ~table;
	c->stopped = false;
	c->rounds = 0;
	c->mark = c->mark == UINT8_MAX ? 1 : (uint8_t)(c->mark + 1);
	c->started = c->env.usec(c->env.arg);
	c->result = (struct commit_result){.table = table};
	walk(c, table == COMMIT_FLOWS ? PASS_MASTERS : PASS_EXPECTS);
}

static void
begin_next(struct commit *c)
{
	if (c->asked != 0) {
		begin_table(c, c->asked & COMMIT_FLOWS ? COMMIT_FLOWS : COMMIT_EXPECTS);
		return;
	}
	c->pass = PASS_NONE;
	c->env.done(c->env.arg);
}

/* Everything of this pass was sent and answered. */
static void
end_pass(struct commit *c)
{
	if (c->pass == PASS_MASTERS && c->related > 0) {
		walk(c, PASS_RELATED);
		return;
	}
	if (!c->stopped && c->pass != PASS_EXPECTS && c->put > 0 && c->rounds++ < LATE_ROUNDS) {
		walk(c, PASS_MASTERS);
		return;
	}
	c->result.usec = c->env.usec(c->env.arg) - c->started;
	c->env.table_done(c->env.arg, &c->result);
	begin_next(c);
}

static uint32_t
remaining(const struct commit *c, bool known, uint32_t timeout, uint32_t updated, uint32_t now)
{
	int64_t left = (int64_t)timeout - (int64_t)(now - updated);

	if (c->conf.timeout != 0)
		return c->conf.timeout;
	if (!known || left < 0)
		return 60;
	return left == 0 ? timeout : (uint32_t)left;
}

/* Requests carry their offset as sequence number, so an error leads back to its request. */
static uint32_t
seq_at(uint32_t offset)
{
	return offset / 4 + 1;
}

/* Whether the next request of b may name the helper: 1 yes, 0 no, -EAGAIN when others are being tried out. */
static int
may_name(struct commit *c, struct batch *b, const struct helper_key *k)
{
	enum helper_verdict v = helpers_judge(&c->helpers, k);

	if (v != HELPER_UNTRIED)
		return v == HELPER_THERE;
	c->held = b->n_tried == TRIES_MAX;
	for (int i = 0; i < COMMIT_WINDOW; i++)
		c->held = c->held || (c->batch[i].id != 0 && c->batch[i].n_tried > 0);
	if (c->held)
		return -EAGAIN;
	b->tried[b->n_tried].seq = seq_at(b->len);
	b->tried[b->n_tried++].key = *k;
	return 1;
}

static int
put_flow(struct commit *c, struct batch *b, struct entry *e, uint32_t now)
{
	const struct flow *f = &e->flow;
	struct helper_key k;
	int name = 1;
	struct flow_nl_opts o = {.timeout = remaining(c, f->have & FLOW_TIMEOUT, f->timeout, e->updated, now),
				 .tcp_liberal = !c->conf.window_tracking};

	if (e->gen == c->mark)
		return 0;
	if (((f->have & FLOW_MASTER) != 0) != (c->pass == PASS_RELATED)) {
		c->related += c->pass == PASS_MASTERS;
		return 0;
	}
	if (helper_of_flow(f, &k) && (name = may_name(c, b, &k)) < 0)
		return name;
	e->gen = c->mark;
	c->put++;
	o.no_helper = name == 0;
	c->result.without_helper += name == 0;
	return flow_to_nl(f, FLOW_NL_CREATE, &o, seq_at(b->len), b->data + b->len, BATCH_SIZE - b->len);
}

static int
put_expect(struct commit *c, struct batch *b, const struct entry *e, uint32_t now)
{
	uint32_t timeout = remaining(c, e->expect.have & EXPECT_TIMEOUT, e->expect.timeout, e->updated, now);
	struct helper_key k;
	int name = helper_of_expect(&e->expect, &k) ? may_name(c, b, &k) : 1;

	if (name <= 0)
		return name < 0 ? name : -EOPNOTSUPP;
	return expect_to_nl(&e->expect, FLOW_NL_CREATE, timeout, seq_at(b->len), b->data + b->len, BATCH_SIZE - b->len);
}

static void
report(struct commit *c, const char *what, int err, const struct flow *f, const struct expect *e)
{
	c->env.failed(c->env.arg, what, err, c->pass == PASS_EXPECTS ? NULL : f, c->pass == PASS_EXPECTS ? e : NULL);
}

/* Appends the next entry's request. 1 done, 0 nothing to do for it, -ENOENT at the end of the cache, -EAGAIN when it
 * has to wait for the next batch. */
static int
put_next(struct commit *c, struct batch *b, uint32_t now)
{
	bool expects = c->pass == PASS_EXPECTS;
	uint32_t pos = c->pos, n_tried = b->n_tried;
	const struct cache *cache = c->t.of[expects ? SLOT_EXPECT : SLOT_FLOW];
	uint32_t slot = cache_walk(cache, &c->pos);
	struct entry *e;
	int r;

	if (slot == SLOT_NONE)
		return -ENOENT;
	e = cache_entry(cache, slot);
	r = expects ? put_expect(c, b, e, now) : put_flow(c, b, e, now);
	if (r > 0) {
		b->len += (uint32_t)r;
		b->creates++;
		return 1;
	}
	b->n_tried = n_tried;
	if (r == -EAGAIN) {
		c->pos = pos;
		return r;
	}
	if (r < 0) {
		c->result.failed++;
		report(c, "create", r, &e->flow, &e->expect);
	}
	return 0;
}

static bool
is_create(const struct nlmsghdr *nlh)
{
	return (nlh->nlmsg_type & 0xff) == 0; /* IPCTNL_MSG_CT_NEW, IPCTNL_MSG_EXP_NEW */
}

struct object {
	struct flow f;
	struct flow_side side;
	struct expect e;
	struct helper_key helper;
};

static bool
read_back(const struct commit *c, const struct nlmsghdr *nlh, struct object *o)
{
	return (c->pass == PASS_EXPECTS ? expect_from_nl(nlh, &o->e) : flow_from_nl(nlh, &o->f, &o->side)) == 0;
}

static bool
names_helper(const struct commit *c, const struct nlmsghdr *nlh, struct object *o)
{
	return read_back(c, nlh, o) &&
	       (c->pass == PASS_EXPECTS ? helper_of_expect(&o->e, &o->helper) : helper_of_flow(&o->f, &o->helper));
}

/* Builds the creation of a flow without its helper; its length. An expectation is nothing without: it fails, 0. */
static int
without_helper(struct commit *c, const struct object *o, uint8_t *at, uint32_t seq)
{
	struct flow_nl_opts opts = {.no_helper = true, .tcp_liberal = !c->conf.window_tracking};
	int n = c->pass == PASS_EXPECTS ? -EOPNOTSUPP : flow_to_nl(&o->f, FLOW_NL_CREATE, &opts, seq, at, REQUEST_MAX);

	if (n > 0) {
		c->result.without_helper++;
		return n;
	}
	c->result.failed++;
	report(c, "create", n, &o->f, &o->e);
	return 0;
}

/* A batch of second tries: the queued requests, numbered anew. */
static void
fill_again(struct commit *c, struct batch *b)
{
	b->again = true;
	while (c->again_pos < c->again_len) {
		struct nlmsghdr *nlh = (struct nlmsghdr *)(c->again + c->again_pos);
		struct object o;
		int name = 1, len = (int)nlh->nlmsg_len;

		if (b->len + REQUEST_MAX > BATCH_SIZE)
			return;
		if (is_create(nlh) && names_helper(c, nlh, &o) && (name = may_name(c, b, &o.helper)) < 0)
			return;
		nlh->nlmsg_seq = seq_at(b->len);
		if (name == 1)
			memcpy(b->data + b->len, nlh, nlh->nlmsg_len);
		else
			len = without_helper(c, &o, b->data + b->len, nlh->nlmsg_seq);
		b->creates += is_create(nlh) && len > 0;
		b->len += (uint32_t)len;
		c->again_pos += nlh->nlmsg_len;
	}
	c->again_pos = c->again_len = 0;
}

static void
fill(struct commit *c, struct batch *b, uint32_t now)
{
	b->len = b->creates = b->n_tried = 0;
	b->again = b->sent = c->held = false;
	if (c->again_len > 0) {
		fill_again(c, b);
		return;
	}
	for (unsigned int n = 0; n < VISITS_MAX && b->len + REQUEST_MAX <= BATCH_SIZE; n++)
		if (put_next(c, b, now) < 0)
			return;
}

static struct batch *
free_batch(struct commit *c)
{
	for (int i = 0; i < COMMIT_WINDOW; i++)
		if (c->batch[i].id == 0 &&
		    (c->batch[i].data != NULL || (c->batch[i].data = malloc(BATCH_SIZE)) != NULL))
			return &c->batch[i];
	return NULL;
}

static bool
send_batch(struct commit *c, struct batch *b)
{
	b->sent = c->env.send(c->env.arg, b->id, b->data, b->len);
	return b->sent;
}

/* False: something built before still waits. */
static bool
send_waiting(struct commit *c)
{
	for (int i = 0; i < COMMIT_WINDOW; i++)
		if (c->batch[i].id != 0 && !c->batch[i].sent && !send_batch(c, &c->batch[i]))
			return false;
	return true;
}

static bool
all_answered(const struct commit *c)
{
	for (int i = 0; i < COMMIT_WINDOW; i++)
		if (c->batch[i].id != 0)
			return false;
	return true;
}

bool
commit_step(struct commit *c, uint32_t now)
{
	struct batch *b;

	if (!commit_running(c) || !send_waiting(c))
		return false;
	if (c->pass == PASS_NONE) {
		begin_next(c);
		return true;
	}
	if (c->pos == SLOT_NONE && c->again_len == 0) {
		if (!all_answered(c))
			return false;
		end_pass(c);
		return commit_running(c);
	}
	if ((b = free_batch(c)) == NULL)
		return false;
	fill(c, b, now);
	if (b->len == 0)
		return !c->held;
	b->id = ++c->next_id & 0x0fffffff;
	return send_batch(c, b);
}

static bool
again_room(struct commit *c, size_t need)
{
	size_t size = c->again_size > 0 ? c->again_size : 1 << 16;
	uint8_t *mem;

	while (size < c->again_len + need)
		size *= 2;
	if (size == c->again_size)
		return true;
	if ((mem = realloc(c->again, size)) == NULL)
		return false;
	c->again = mem;
	c->again_size = size;
	return true;
}

/* Deletes what is in the way and creates again. */
static bool
try_again(struct commit *c, const struct nlmsghdr *nlh)
{
	const struct flow_nl_opts opts = {0};
	struct object o;
	uint8_t *at;
	int n;

	if (!again_room(c, nlh->nlmsg_len + REQUEST_MAX) || !read_back(c, nlh, &o))
		return false;
	at = c->again + c->again_len;
	n = c->pass == PASS_EXPECTS ? expect_to_nl(&o.e, FLOW_NL_DELETE, 0, 0, at, REQUEST_MAX)
				    : flow_to_nl(&o.f, FLOW_NL_DELETE, &opts, 0, at, REQUEST_MAX);
	if (n <= 0)
		return false;
	memcpy(at + n, nlh, nlh->nlmsg_len);
	c->again_len += (size_t)n + nlh->nlmsg_len;
	return true;
}

/* The kernel does not say what it does not support: if it was the helper, the flow can do without. */
static bool
try_without_helper(struct commit *c, const struct nlmsghdr *nlh)
{
	struct object o;

	if (!names_helper(c, nlh, &o) || !again_room(c, REQUEST_MAX))
		return false;
	c->again_len += (size_t)without_helper(c, &o, c->again + c->again_len, 0);
	return true;
}

static void
report_request(struct commit *c, const struct nlmsghdr *nlh, int err)
{
	struct object o;

	if (read_back(c, nlh, &o))
		report(c, is_create(nlh) ? "create" : "destroy", err, &o.f, &o.e);
}

/* True: the creation counts as carried out no more. */
static bool
on_error(struct commit *c, const struct batch *b, const struct msg_error *e)
{
	uint32_t offset = (e->seq - 1) * 4;
	const struct nlmsghdr *nlh;

	if (e->seq == 0 || offset + sizeof(*nlh) > b->len)
		return false;
	nlh = (const struct nlmsghdr *)(b->data + offset);
	if (nlh->nlmsg_seq != e->seq)
		return false;
	if (!is_create(nlh)) {
		if (e->err != -ENOENT)
			report_request(c, nlh, e->err);
		return false;
	}
	if (e->err == -EEXIST && !b->again && try_again(c, nlh))
		return true;
	if (e->err == -EOPNOTSUPP && c->pass != PASS_EXPECTS && try_without_helper(c, nlh))
		return true;
	c->result.failed++;
	report_request(c, nlh, e->err);
	return true;
}

/* What the answers to a batch say about the helpers that it tried out. */
static void
judge_tried(struct commit *c, const struct batch *b, const struct msg_error *err, size_t n)
{
	for (unsigned int i = 0; i < b->n_tried; i++) {
		int r = 0;

		for (size_t k = 0; k < n && r == 0; k++)
			r = err[k].seq == b->tried[i].seq || err[k].seq == 0 ? err[k].err : 0;
		if ((r == 0 || r == -EOPNOTSUPP) && helpers_note(&c->helpers, &b->tried[i].key, r == 0))
			c->env.helper_missing(c->env.arg, b->tried[i].key.name);
	}
}

void
commit_on_result(struct commit *c, uint32_t id, const struct msg_error *err, size_t n)
{
	struct batch *b = NULL;
	uint32_t failed = 0;

	for (int i = 0; i < COMMIT_WINDOW; i++)
		if (c->batch[i].id == id && id != 0 && c->batch[i].sent)
			b = &c->batch[i];
	if (b == NULL)
		return;
	judge_tried(c, b, err, n);
	if (n > 0 && err[0].seq == 0 && err[0].err != 0) { /* the kernel did not take the batch */
		failed = b->creates;
		c->result.failed += failed;
		report_request(c, (const struct nlmsghdr *)b->data, err[0].err); /* one for all of them */
	}
	for (size_t i = 0; i < n; i++)
		failed += err[i].err != 0 && on_error(c, b, &err[i]);
	c->result.committed += b->creates > failed ? b->creates - failed : 0;
	b->id = 0;
	if (c->stopped) /* no second tries */
		c->again_len = 0;
}

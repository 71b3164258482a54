/*
 * External caches to kernel. Entries come from peers and were checked by the codec, the
 * parent's guard checks every request again.
 */
#include "commit.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "batch.h"

#define VISITS_MAX  16384 /* cache entries looked at for one batch */
#define LEAST_S     10    /* that a flow lives, unless CommitTimeout says otherwise */
#define LATE_ROUNDS 3     /* further walks, for flows that peers told about while it went on */

enum pass { PASS_NONE, PASS_ROOM, PASS_MASTERS, PASS_RELATED, PASS_EXPECTS };

struct window {
	uint32_t id; /* 0: free */
	bool again;  /* its creations follow deletions: no third try */
	bool sent;
	uint32_t creates;
	struct batch *b; /* allocated when first used */
};

struct commit {
	struct commit_conf conf;
	struct commit_env env;
	struct tables t;
	enum pass pass;
	bool stopped, room_asked;
	uint32_t quota[APPLY_SOURCES]; /* of flows, by whose they are */
	uint8_t mark;                  /* entry.gen of flows that this commit has asked for, as they are now */
	unsigned int asked, related, put, rounds;
	uint32_t pos, next_id;
	struct window window[COMMIT_WINDOW];
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
		free(c->window[i].b);
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
		if (!c->window[i].sent)
			c->window[i].id = 0;
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
	c->room_asked = false;
	walk(c, table == COMMIT_FLOWS ? PASS_ROOM : PASS_EXPECTS);
}

void
commit_room(struct commit *c, uint32_t room)
{
	uint32_t held[APPLY_SOURCES];

	if (c->pass != PASS_ROOM)
		return;
	for (unsigned int i = 0; i < APPLY_SOURCES; i++)
		held[i] = c->env.held(c->env.arg, i);
	room_share(room, held, c->quota);
	walk(c, PASS_MASTERS);
	if (c->stopped)
		c->pos = SLOT_NONE;
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

/* Packets prolong a flow without a word to the peers, so that it has more time than we know of: enough for the next one
 * to come. */
static uint32_t
flow_remaining(const struct commit *c, const struct entry *e, uint32_t now)
{
	const uint32_t left = remaining(c, e->flow.have & FLOW_TIMEOUT, e->flow.timeout, e->updated, now);

	return left < LEAST_S && c->conf.timeout == 0 ? LEAST_S : left;
}

static bool
in_flight(const struct commit *c)
{
	for (int i = 0; i < COMMIT_WINDOW; i++)
		if (c->window[i].id != 0)
			return true;
	return false;
}

/* Whether the next request may name the helper: 1 yes, 0 no, -EAGAIN when others are being tried out. */
static int
may_name(struct commit *c, struct batch *b, const struct helper_key *k, unsigned int source)
{
	enum helper_verdict v = helpers_judge(&c->helpers, k, source);

	if (v != HELPER_UNTRIED)
		return v == HELPER_THERE;
	c->held = false;
	for (int i = 0; i < COMMIT_WINDOW; i++)
		c->held = c->held || (c->window[i].id != 0 && c->window[i].b->n_tried > 0);
	c->held = c->held || !batch_try(b, k, source);
	return c->held ? -EAGAIN : 1;
}

static int
put_flow(struct commit *c, struct batch *b, struct entry *e, uint32_t now)
{
	const struct flow *f = &e->flow;
	struct helper_key k;
	int name = 1;
	struct flow_nl_opts o = {.timeout = flow_remaining(c, e, now), .tcp_liberal = !c->conf.window_tracking};

	if (e->gen == c->mark)
		return 0;
	if (((f->have & FLOW_MASTER) != 0) != (c->pass == PASS_RELATED)) {
		c->related += c->pass == PASS_MASTERS;
		return 0;
	}
	if (c->quota[e->queue] ==
	    0) { /* flows that turn out to be there already give back what they were counted for */
		c->held = in_flight(c);
		e->gen = c->held ? e->gen : c->mark;
		c->result.no_room += !c->held;
		return c->held ? -EAGAIN : -ENOSPC;
	}
	if (helper_of_flow(f, &k) && (name = may_name(c, b, &k, e->queue)) < 0)
		return name;
	e->gen = c->mark;
	c->put++;
	c->quota[e->queue] -= c->quota[e->queue] != ROOM_UNKNOWN;
	o.no_helper = name == 0;
	c->result.without_helper += name == 0;
	return batch_flow(b, FLOW_NL_CREATE, f, &o);
}

static int
put_expect(struct commit *c, struct batch *b, const struct entry *e, uint32_t now)
{
	uint32_t timeout = remaining(c, e->expect.have & EXPECT_TIMEOUT, e->expect.timeout, e->updated, now);
	struct helper_key k;
	int name = helper_of_expect(&e->expect, &k) ? may_name(c, b, &k, e->queue) : 1;

	if (name <= 0)
		return name < 0 ? name : -EOPNOTSUPP;
	return batch_expect(b, FLOW_NL_CREATE, &e->expect, timeout);
}

static void
report(struct commit *c, const char *what, int err, const struct flow *f, const struct expect *e)
{
	c->env.failed(c->env.arg, what, err, c->pass == PASS_EXPECTS ? NULL : f, c->pass == PASS_EXPECTS ? e : NULL);
}

/* Appends the next entry's request. 1 done, 0 nothing to do for it, -ENOENT at the end of the cache, -EAGAIN when it
 * has to wait for the next batch. */
static int
put_next(struct commit *c, struct window *w, uint32_t now)
{
	struct batch *b = w->b;
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
		w->creates++;
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

static void
fails(struct commit *c, int err, const struct object *o)
{
	c->result.failed++;
	report(c, "create", err, &o->f, &o->e);
}

/* An expectation is nothing without its helper: it fails. */
static bool
without_helper(struct commit *c, struct batch *b, const struct object *o)
{
	const struct flow_nl_opts opts = {.no_helper = true, .tcp_liberal = !c->conf.window_tracking};
	int n = c->pass == PASS_EXPECTS ? -EOPNOTSUPP : batch_flow(b, FLOW_NL_CREATE, &o->f, &opts);

	if (n <= 0)
		fails(c, n, o);
	else
		c->result.without_helper++;
	return n > 0;
}

/* Whose entry a request was made of. */
static unsigned int
source_of(const struct commit *c, const struct object *o)
{
	const bool expect = c->pass == PASS_EXPECTS;
	const struct cache *cache = c->t.of[expect ? SLOT_EXPECT : SLOT_FLOW];
	const uint32_t slot = cache_find(cache, expect ? (const void *)&o->e : &o->f);

	return slot != SLOT_NONE ? cache_entry(cache, slot)->queue : 0;
}

/* A batch of second tries: the queued requests, numbered anew. */
static void
fill_again(struct commit *c, struct window *w)
{
	w->again = true;
	for (; c->again_pos < c->again_len;) {
		const struct nlmsghdr *nlh = (const struct nlmsghdr *)(c->again + c->again_pos);
		const uint32_t len = nlh->nlmsg_len;
		struct object o;
		int name = 1;

		if (!batch_room(w->b))
			return;
		if (request_creates(nlh) && names_helper(c, nlh, &o) &&
		    (name = may_name(c, w->b, &o.helper, source_of(c, &o))) < 0)
			return;
		if (name == 1)
			batch_copy(w->b, nlh);
		w->creates += request_creates(nlh) && (name == 1 || without_helper(c, w->b, &o));
		c->again_pos += len;
	}
	c->again_pos = c->again_len = 0;
}

static void
fill(struct commit *c, struct window *w, uint32_t now)
{
	batch_clear(w->b);
	w->creates = 0;
	w->again = w->sent = c->held = false;
	if (c->again_len > 0) {
		fill_again(c, w);
		return;
	}
	for (unsigned int n = 0; n < VISITS_MAX && batch_room(w->b); n++)
		if (put_next(c, w, now) < 0)
			return;
}

static struct window *
free_window(struct commit *c)
{
	for (int i = 0; i < COMMIT_WINDOW; i++)
		if (c->window[i].id == 0 &&
		    (c->window[i].b != NULL || (c->window[i].b = malloc(sizeof(struct batch))) != NULL))
			return &c->window[i];
	return NULL;
}

static bool
send_window(struct commit *c, struct window *w)
{
	w->sent = c->env.send(c->env.arg, w->id, w->b->data, w->b->len);
	return w->sent;
}

/* False: something built before still waits. */
static bool
send_waiting(struct commit *c)
{
	for (int i = 0; i < COMMIT_WINDOW; i++)
		if (c->window[i].id != 0 && !c->window[i].sent && !send_window(c, &c->window[i]))
			return false;
	return true;
}

bool
commit_step(struct commit *c, uint32_t now)
{
	struct window *w;

	if (!commit_running(c) || !send_waiting(c))
		return false;
	if (c->pass == PASS_NONE) {
		begin_next(c);
		return true;
	}
	if (c->pass == PASS_ROOM) {
		c->room_asked = c->room_asked || c->env.ask_room(c->env.arg);
		return c->pass != PASS_ROOM;
	}
	if (c->pos == SLOT_NONE && c->again_len == 0) {
		if (in_flight(c))
			return false;
		end_pass(c);
		return commit_running(c);
	}
	if ((w = free_window(c)) == NULL)
		return false;
	fill(c, w, now);
	if (w->b->len == 0)
		return !c->held;
	w->id = ++c->next_id & 0x0fffffff;
	return send_window(c, w);
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

/* The flow was there already: it takes no room. */
static void
give_back(struct commit *c, const struct nlmsghdr *nlh)
{
	struct object o;
	unsigned int source;

	if (c->pass == PASS_EXPECTS || !read_back(c, nlh, &o))
		return;
	source = source_of(c, &o);
	c->quota[source] += c->quota[source] != ROOM_UNKNOWN;
}

/* The kernel finds an entry by the tuple of either direction: what is in the way of a flow may be one that runs the
 * other way round, and deleting by the flow's tuple would end that. */
static bool
owns_mirror(const struct commit *c, const struct flow *f)
{
	struct flow m = *f; /* decoded a moment ago: it is whole */

	memmove(m.addr, flow_addr(f, REPL_SRC), 2 * flow_words(f) * sizeof(m.addr[0]));
	memcpy(m.port, f->port + 2, 2 * sizeof(m.port[0]));
	return c->env.owns(c->env.arg, &m);
}

/* What is in the way is this kernel's own: it stays. Should the flow have gone by another node meanwhile, without
 * anybody telling us, then window tracking has lost sight of it. */
static bool
keep(struct commit *c, const struct nlmsghdr *nlh)
{
	const struct flow_nl_opts opts = {.tcp_liberal = !c->conf.window_tracking};
	struct object o;
	bool same;
	int n;

	if (c->pass == PASS_EXPECTS || !read_back(c, nlh, &o))
		return false;
	same = c->env.owns(c->env.arg, &o.f);
	if (!same && !owns_mirror(c, &o.f))
		return false;
	c->result.kept++;
	if (!same || o.f.l4 != IPPROTO_TCP || !opts.tcp_liberal || !again_room(c, REQUEST_MAX))
		return true;
	n = flow_to_nl(&o.f, FLOW_NL_RELAX, &opts, 0, c->again + c->again_len, REQUEST_MAX);
	c->again_len += n > 0 ? (size_t)n : 0;
	return true;
}

/* The kernel does not say what it does not support: if it was the helper, the flow can do without. */
static bool
try_without_helper(struct commit *c, const struct nlmsghdr *nlh)
{
	const struct flow_nl_opts opts = {.no_helper = true, .tcp_liberal = !c->conf.window_tracking};
	struct object o;
	int n;

	if (!names_helper(c, nlh, &o) || !again_room(c, REQUEST_MAX))
		return false;
	n = flow_to_nl(&o.f, FLOW_NL_CREATE, &opts, 0, c->again + c->again_len, REQUEST_MAX);
	if (n <= 0) {
		fails(c, n, &o);
		return true;
	}
	c->result.without_helper++;
	c->again_len += (size_t)n;
	return true;
}

static void
report_request(struct commit *c, const struct nlmsghdr *nlh, int err)
{
	struct object o;

	if (read_back(c, nlh, &o))
		report(c, request_creates(nlh) ? "create" : "destroy", err, &o.f, &o.e);
}

/* True: the creation counts as carried out no more. */
static bool
on_error(struct commit *c, const struct window *w, const struct msg_error *e)
{
	const struct nlmsghdr *nlh = batch_request(w->b, e->seq);

	if (nlh == NULL)
		return false;
	if (!request_creates(nlh)) {
		if (request_deletes(nlh) && e->err != -ENOENT)
			report_request(c, nlh, e->err);
		return false;
	}
	if (e->err == -EEXIST && !w->again)
		give_back(c, nlh);
	if (e->err == -EEXIST && !w->again && (keep(c, nlh) || try_again(c, nlh)))
		return true;
	if (e->err == -EOPNOTSUPP && c->pass != PASS_EXPECTS && try_without_helper(c, nlh))
		return true;
	c->result.failed++;
	c->result.full += e->err == -ENOMEM;
	report_request(c, nlh, e->err);
	return true;
}

void
commit_on_result(struct commit *c, uint32_t id, const struct msg_error *err, size_t n)
{
	struct window *w = NULL;
	uint32_t failed = 0;

	for (int i = 0; i < COMMIT_WINDOW; i++)
		if (c->window[i].id == id && id != 0 && c->window[i].sent)
			w = &c->window[i];
	if (w == NULL)
		return;
	batch_judge(w->b, err, n, &c->helpers, c->env.helper_missing, c->env.arg);
	if (n > 0 && err[0].seq == 0 && err[0].err != 0) { /* the kernel did not take the batch */
		failed = w->creates;
		c->result.failed += failed;
		report_request(c, (const struct nlmsghdr *)w->b->data, err[0].err); /* one for all of them */
	}
	for (size_t i = 0; i < n; i++)
		failed += err[i].err != 0 && on_error(c, w, &err[i]);
	c->result.committed += w->creates > failed ? w->creates - failed : 0;
	w->id = 0;
	if (c->stopped) /* no second tries */
		c->again_len = 0;
}

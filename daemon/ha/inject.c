/*
 * Peers' states straight into the kernel. The codec has checked them, the parent's guard
 * checks every request again.
 */
#include "inject.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "batch.h"

#define KEPT_MAX    (2 * BATCH_SIZE)
#define WITHOUT_MAX 4096 /* flows written without their helper until it is tried again */

/* A request leaves out what cannot be changed, or says it in other words: to create the flow after all, all of it is
 * kept. */
struct kept {
	uint32_t seq, len; /* octets up to the next one */
	uint8_t source;
	struct flow_side side;
	struct flow f; /* flow_size() of it */
};

struct out {
	struct batch b;
	uint32_t kept_len, kept_at; /* kept_at: where the last one was found */
	_Alignas(8) uint8_t kept[KEPT_MAX];
};

/* Batches that wait to be sent, the last one being filled. */
#define QUEUE_MAX     16
#define QUEUE_RESERVE 5 /* what one datagram of the largest size may need */
struct queue {
	struct out *out[QUEUE_MAX]; /* allocated when first used */
	unsigned int first, count;
};

struct inject {
	struct inject_env env;
	bool liberal;
	struct cache_stats stats[2]; /* flows, expectations */
	uint32_t next_id, id;        /* id: of the batch in flight, 0: none */
	bool second;                 /* the one in flight holds second tries */
	struct out *flight;
	struct queue next, again;
	struct helpers helpers;
	uint32_t without; /* flows since the names were forgotten */
};

struct inject *
inject_new(const struct inject_env *env, bool window_tracking)
{
	struct inject *j = calloc(1, sizeof(*j));

	if (j == NULL)
		return NULL;
	j->env = *env;
	j->liberal = !window_tracking;
	if ((j->flight = calloc(1, sizeof(struct out))) != NULL)
		return j;
	free(j);
	return NULL;
}

void
inject_free(struct inject *j)
{
	if (j == NULL)
		return;
	free(j->flight);
	for (int i = 0; i < QUEUE_MAX; i++) {
		free(j->next.out[i]);
		free(j->again.out[i]);
	}
	free(j);
}

bool
inject_room(const struct inject *j)
{
	return j->next.count + QUEUE_RESERVE <= QUEUE_MAX;
}

static struct out *
queue_at(struct queue *q, unsigned int i)
{
	return q->out[(q->first + i) % QUEUE_MAX];
}

/* A batch with room for one more request, and for one more name to try out; NULL: all are full, or there is no memory.
 */
static struct out *
queue_room(struct queue *q, bool tries)
{
	struct out **o, *last = q->count > 0 ? queue_at(q, q->count - 1) : NULL;

	if (last != NULL && batch_room(&last->b) && last->kept_len + sizeof(struct kept) <= KEPT_MAX &&
	    !(tries && last->b.n_tried == BATCH_TRIES))
		return last;
	if (q->count == QUEUE_MAX)
		return NULL;
	o = &q->out[(q->first + q->count) % QUEUE_MAX];
	if (*o == NULL && (*o = malloc(sizeof(**o))) == NULL)
		return NULL;
	batch_clear(&(*o)->b);
	(*o)->kept_len = (*o)->kept_at = 0;
	q->count++;
	return *o;
}

static int
put_flow(struct inject *j, struct out *o, enum flow_nl_op op, const struct flow *f, bool no_helper)
{
	const struct flow_nl_opts opts = {.tcp_liberal = j->liberal, .no_helper = no_helper};

	return batch_flow(&o->b, op, f, &opts);
}

static void
keep(struct out *o, uint32_t seq, const struct flow *f, bool no_helper, unsigned int source)
{
	struct kept *k = (struct kept *)(o->kept + o->kept_len);

	k->seq = seq;
	k->source = (uint8_t)source;
	k->len = (uint32_t)(offsetof(struct kept, f) + flow_size(f) + 7) & ~7U;
	memcpy(&k->f, f, flow_size(f));
	if (f->side != NULL)
		k->side = *f->side;
	if (no_helper)
		k->f.have &= ~(uint32_t)FLOW_HELPER;
	o->kept_len += k->len;
}

/* Errors come in the order of the requests, so the search goes on where the last one ended. */
static bool
find_kept(struct out *o, uint32_t seq, struct flow *f, struct flow_side *side, unsigned int *source)
{
	for (; o->kept_at < o->kept_len;) {
		const struct kept *k = (const struct kept *)(o->kept + o->kept_at);

		if (k->seq > seq)
			return false;
		o->kept_at += k->len;
		if (k->seq < seq)
			continue;
		memcpy(f, &k->f, flow_size(&k->f));
		*side = k->side;
		*source = k->source;
		f->side = f->side != NULL ? side : NULL;
		return true;
	}
	return false;
}

static void
count(struct cache_stats *st, enum entry_change change, bool good)
{
	uint64_t *const done[] = {&st->created, &st->updated, &st->deleted};
	uint64_t *const failed[] = {&st->create_failed, &st->update_failed, &st->delete_failed};

	++*(good ? done : failed)[change];
}

static enum helper_verdict
judge(struct inject *j, unsigned int source, const struct flow *f, struct helper_key *k)
{
	enum helper_verdict v = helper_of_flow(f, k) ? helpers_judge(&j->helpers, k, source) : HELPER_THERE;

	if (v == HELPER_MISSING && ++j->without == WITHOUT_MAX)
		j->without = j->helpers.n = 0; /* modules come and go */
	return v;
}

void
inject_flow(struct inject *j, unsigned int source, enum entry_change change, const struct flow *f)
{
	static const enum flow_nl_op op[] = {FLOW_NL_CREATE, FLOW_NL_UPDATE, FLOW_NL_DELETE};
	struct helper_key k;
	enum helper_verdict v = change == ENTRY_NEW ? judge(j, source, f, &k) : HELPER_THERE;
	struct out *o = queue_room(&j->next, v == HELPER_UNTRIED);
	uint32_t seq;
	bool good;

	if (o == NULL && v == HELPER_UNTRIED) { /* so many names at once: a flow without helper is better than none */
		v = HELPER_MISSING;
		o = queue_room(&j->next, false);
	}
	seq = o != NULL ? batch_seq(&o->b) : 0;
	if (o != NULL && v == HELPER_UNTRIED)
		batch_try(&o->b, &k, source);
	good = o != NULL && put_flow(j, o, op[change], f, v == HELPER_MISSING) > 0;
	count(&j->stats[0], change, good);
	if (good && change != ENTRY_DEL)
		keep(o, seq, f, v == HELPER_MISSING, source);
	if (!good && o != NULL && v == HELPER_UNTRIED)
		o->b.n_tried--;
}

void
inject_expect(struct inject *j, enum entry_change change, const struct expect *e)
{
	enum flow_nl_op op = change == ENTRY_DEL ? FLOW_NL_DELETE : FLOW_NL_CREATE;
	struct out *o = queue_room(&j->next, false);

	count(&j->stats[1], change, o != NULL && batch_expect(&o->b, op, e, e->timeout) > 0);
}

void
inject_flush(struct inject *j)
{
	struct queue *q = j->again.count > 0 ? &j->again : &j->next;
	struct out *o = q->count > 0 ? queue_at(q, 0) : NULL;

	if (j->id != 0 || o == NULL || o->b.len == 0 ||
	    !j->env.send(j->env.arg, (j->next_id + 1) & 0x0fffffff, o->b.data, o->b.len))
		return;
	j->id = ++j->next_id & 0x0fffffff;
	j->second = q == &j->again;
	q->out[q->first] = j->flight;
	q->first = (q->first + 1) % QUEUE_MAX;
	q->count--;
	j->flight = o;
}

struct object {
	bool expect, no_helper;
	unsigned int source;
	struct flow f;
	struct flow_side side;
	struct expect e;
};

static bool
read_back(struct inject *j, const struct nlmsghdr *nlh, struct object *o)
{
	if (find_kept(j->flight, nlh->nlmsg_seq, &o->f, &o->side, &o->source)) {
		o->expect = false;
		return true;
	}
	o->source = 0;
	o->expect = request_of_expect(nlh);
	return (o->expect ? expect_from_nl(nlh, &o->e) : flow_from_nl(nlh, &o->f, &o->side)) == 0;
}

static void
put_object(struct inject *j, enum flow_nl_op op, const struct object *o)
{
	struct out *to = queue_room(&j->again, false);
	uint32_t seq = to != NULL ? batch_seq(&to->b) : 0;
	struct helper_key k;
	bool no_helper;

	if (to == NULL)
		return;
	if (o->expect) {
		(void)batch_expect(&to->b, op, &o->e, o->e.timeout);
		return;
	}
	no_helper = o->no_helper || judge(j, o->source, &o->f, &k) == HELPER_MISSING;
	if (put_flow(j, to, op, &o->f, no_helper) > 0 && op == FLOW_NL_CREATE)
		keep(to, seq, &o->f, no_helper, o->source);
}

/* The kernel does not say what it does not support: if it was the helper, the flow can do without. */
static bool
can_do_without(struct inject *j, int err, const struct object *o)
{
	struct helper_key k;

	if (err != -EOPNOTSUPP || o->expect || !helper_of_flow(&o->f, &k))
		return false;
	if (helpers_note(&j->helpers, &k, o->source, false))
		j->env.helper_missing(j->env.arg, k.name);
	return true;
}

/* An update of something that is not there creates it; something in the way is deleted first. */
static void
on_error(struct inject *j, const struct nlmsghdr *nlh, int err)
{
	bool deletion = request_deletes(nlh), creation = (nlh->nlmsg_flags & NLM_F_EXCL) != 0;
	struct object o;

	if ((deletion && err == -ENOENT) || !read_back(j, nlh, &o))
		return;
	o.no_helper = creation && can_do_without(j, err, &o);
	if (deletion || (j->second && !o.no_helper)) {
		count(&j->stats[o.expect], deletion ? ENTRY_DEL : creation ? ENTRY_NEW : ENTRY_UPD, false);
		j->env.failed(j->env.arg,
			      deletion   ? "could not destroy"
			      : creation ? "could not add new"
					 : "could not update",
			      err, o.expect ? NULL : &o.f, o.expect ? &o.e : NULL);
		return;
	}
	if (creation || err != -ENOENT)
		put_object(j, FLOW_NL_DELETE, &o);
	put_object(j, FLOW_NL_CREATE, &o);
}

static bool
refused(uint32_t seq, const struct msg_error *err, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (err[i].seq == seq || err[i].seq == 0) /* 0: all of them */
			return true;
	return false;
}

void
inject_on_result(struct inject *j, uint32_t id, const struct msg_error *err, size_t n)
{
	if (id == 0 || id != j->id)
		return;
	for (unsigned int i = 0; i < j->flight->b.n_tried; i++)
		if (!refused(j->flight->b.tried[i].seq, err, n))
			helpers_note(&j->helpers, &j->flight->b.tried[i].key, j->flight->b.tried[i].source, true);
	for (size_t i = 0; i < n; i++) {
		const struct nlmsghdr *nlh = batch_request(&j->flight->b, err[i].seq);

		if (nlh != NULL && err[i].err != 0)
			on_error(j, nlh, err[i].err);
	}
	j->id = 0;
}

static void
apply_flows(void *arg, struct apply_batch *b)
{
	struct inject *j = arg;

	for (unsigned int i = 0; i < b->n; i++) { /* what a new one would replace is not torn down for a repetition */
		enum entry_change change = (enum entry_change)b->change[i];

		if (change == ENTRY_NEW && j->env.knows(j->env.arg, &b->flow[i]))
			change = ENTRY_UPD;
		inject_flow(j, b->source, change, &b->flow[i]);
	}
}

static void
apply_expect(void *arg, unsigned int source, enum entry_change change, const struct expect *e)
{
	(void)source;
	inject_expect(arg, change, e);
}

/* One datagram at a time: what it asks for is known only afterwards. */
static unsigned int
apply_room(void *arg)
{
	return inject_room(arg) ? 1 : 0;
}

static bool
apply_turn(void *arg)
{
	inject_flush(arg);
	return false;
}

static const struct cache_stats *
apply_stats(void *arg, enum slot_kind kind)
{
	return inject_stats(arg, kind == SLOT_EXPECT);
}

struct applier
inject_applier(struct inject *j)
{
	return (struct applier){j, apply_flows, apply_expect, apply_room, apply_turn, apply_stats};
}

const struct cache_stats *
inject_stats(const struct inject *j, bool expects)
{
	return &j->stats[expects];
}

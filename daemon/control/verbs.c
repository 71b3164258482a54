/*
 * Requests and who waits for them. The control server has checked them for shape and permission; nothing here waits.
 */
#include "control.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "slices.h"

#define CROWD_MS 60000 /* between two lines about too many clients */

/* What a waiting client waits for (ctl_client.step). */
enum wait { WAIT_NONE, WAIT_COMMIT, WAIT_RESYNC, WAIT_FLUSH, WAIT_STOP };

struct control {
	struct control_parts parts;
	struct control_env env;
	struct ctl *ctl;
	uint64_t turned_away, turned_away_at, displaced_at; /* clients, when to say so again */
};

static unsigned int
tables_of(const struct control *k, const struct ctl_request *r)
{
	unsigned int all = CTL_TABLE_CT | (k->parts.conf->expect_sync ? CTL_TABLE_EXP : 0U);

	return r->tables == 0 || r->tables == (CTL_TABLE_CT | CTL_TABLE_EXP) ? all : r->tables;
}

static void
wait_for(struct ctl_client *c, enum wait what, uint32_t number)
{
	c->waiting = true;
	c->step = what;
	c->pos = number;
}

/* --- those who wait --- */

static void
tell_table(void *arg, struct ctl_client *c)
{
	const struct ctl_commit *r = arg;

	if (c->step == WAIT_COMMIT)
		ctl_answer(c, CTL_R_COMMIT, r, sizeof(*r));
}

void
control_table_done(struct control *k, const struct ctl_commit *r)
{
	struct ctl_commit copy = *r;

	ctl_each_waiting(k->ctl, tell_table, &copy);
}

static void
done_with(void *arg, struct ctl_client *c)
{
	if (c->step == *(enum wait *)arg)
		ctl_done(c);
}

void
control_committed(struct control *k)
{
	enum wait what = WAIT_COMMIT;

	ctl_each_waiting(k->ctl, done_with, &what);
}

static void
superseded(void *arg, struct ctl_client *c)
{
	(void)arg;
	if (c->step == WAIT_COMMIT)
		ctl_fail(c, CTL_WHY_SUPERSEDED, -ECANCELED, "another role was set meanwhile");
}

void
control_superseded(struct control *k)
{
	ctl_each_waiting(k->ctl, superseded, NULL);
}

struct outcome {
	uint32_t number;
	int err;
};

static void
flushed(void *arg, struct ctl_client *c)
{
	const struct outcome *o = arg;

	if (c->step != WAIT_FLUSH || c->pos != o->number)
		return;
	if (o->err != 0 && o->err != -ENOENT)
		ctl_fail(c, CTL_WHY_FAILED, o->err, strerror(-o->err));
	else
		ctl_done(c);
}

void
control_flushed(struct control *k, uint32_t id, int err)
{
	struct outcome o = {id, err};

	ctl_each_waiting(k->ctl, flushed, &o);
}

static void
resynced(void *arg, struct ctl_client *c)
{
	const struct outcome *o = arg;

	if (c->step != WAIT_RESYNC || (int32_t)(o->number - c->pos) < 0)
		return;
	if (o->err != 0)
		ctl_fail(c, CTL_WHY_FAILED, o->err, "the kernel's table could not be read");
	else
		ctl_done(c);
}

void
control_resynced(struct control *k, uint32_t serial, bool failed)
{
	struct outcome o = {serial, failed ? -EIO : 0};

	ctl_each_waiting(k->ctl, resynced, &o);
}

void
control_last_words(struct control *k)
{
	enum wait what = WAIT_STOP;

	ctl_each_waiting(k->ctl, done_with, &what);
	ctl_turn(k->ctl);
}

/* --- verbs --- */

static void
do_commit(struct control *k, struct ctl_client *c)
{
	unsigned int tables = c->req.tables == 0 ? (unsigned int)(CTL_TABLE_CT | CTL_TABLE_EXP) : c->req.tables;

	if (tables == CTL_TABLE_EXP && !k->parts.conf->expect_sync)
		ctl_fail(c, CTL_WHY_UNSUPPORTED, -EOPNOTSUPP, "ExpectationSync is off");
	else if (k->env.commit(k->env.arg, tables))
		wait_for(c, WAIT_COMMIT, 0);
	else
		ctl_done(c);
}

static void
do_flush(struct control *k, struct ctl_client *c)
{
	unsigned int caches = c->req.caches & (CTL_INTERNAL | CTL_EXTERNAL);

	if (caches == 0)
		caches = CTL_INTERNAL | CTL_EXTERNAL;
	if (k->env.flush_caches(k->env.arg, caches, tables_of(k, &c->req)) < 0)
		ctl_fail(c, CTL_WHY_BUSY, -EBUSY, "a commit is in progress");
	else
		ctl_done(c);
}

static void
do_flush_kernel(struct control *k, struct ctl_client *c)
{
	const uint32_t id = k->env.flush_kernel(k->env.arg, tables_of(k, &c->req));

	if (id == 0)
		ctl_fail(c, CTL_WHY_UNSUPPORTED, -EOPNOTSUPP, "this mode has no such table");
	else
		wait_for(c, WAIT_FLUSH, id);
}

static void
do_resync_kernel(struct control *k, struct ctl_client *c)
{
	if (conf_direct(k->parts.conf)) {
		log_put(k->parts.log, LV_NOTICE, "resync is unsupported in this mode");
		ctl_fail(c, CTL_WHY_UNSUPPORTED, -EOPNOTSUPP, "the internal cache is disabled");
		return;
	}
	wait_for(c, WAIT_RESYNC, k->env.resync(k->env.arg, tables_of(k, &c->req)));
}

static void
do_resync_peers(struct control *k, struct ctl_client *c)
{
	k->env.ask(k->env.arg);
	ctl_done(c);
}

static void
do_send(struct control *k, struct ctl_client *c)
{
	k->env.send(k->env.arg);
	ctl_done(c);
}

static void
do_purge(struct control *k, struct ctl_client *c)
{
	k->env.purge(k->env.arg);
	ctl_done(c);
}

static void
do_stop(struct control *k, struct ctl_client *c)
{
	k->env.stop(k->env.arg);
	wait_for(c, WAIT_STOP, 0); /* answered when the daemon is gone */
}

static void
do_role(struct control *k, struct ctl_client *c)
{
	if (c->req.role != CTL_ROLE_PRIMARY && c->req.role != CTL_ROLE_BACKUP && c->req.role != CTL_ROLE_FAULT)
		ctl_fail(c, CTL_WHY_BAD_REQUEST, -EINVAL, "no such role");
	else if (k->env.role(k->env.arg, c->req.role))
		wait_for(c, WAIT_COMMIT, 0);
	else
		ctl_done(c);
}

static void
do_stats(struct control *k, struct ctl_client *c)
{
	struct ctl_stats st = {0};

	k->env.figures(k->env.arg, &st);
	ctl_answer(c, CTL_R_STATS, &st, sizeof(st));
	ctl_done(c);
}

static void
stream(struct control *k, struct ctl_client *c)
{
	(void)k;
	c->streaming = true;
	c->step = c->pos = 0;
}

static void
more_dump(struct control *k, struct ctl_client *c)
{
	slice_dump(&k->parts, c);
}

static void
more_rsqueue(struct control *k, struct ctl_client *c)
{
	slice_rsqueue(&k->parts, &k->env, c);
}

/* --- dispatch --- */

struct verb {
	void (*begin)(struct control *k, struct ctl_client *c);
	void (*more)(struct control *k, struct ctl_client *c);
};
static const struct verb verbs[CTL_VERB_MAX] = {
	[CTL_STATS] = {do_stats, NULL},
	[CTL_RSQUEUE] = {stream, more_rsqueue},
	[CTL_DUMP] = {stream, more_dump},
	[CTL_COMMIT] = {do_commit, NULL},
	[CTL_FLUSH] = {do_flush, NULL},
	[CTL_FLUSH_KERNEL] = {do_flush_kernel, NULL},
	[CTL_RESYNC_KERNEL] = {do_resync_kernel, NULL},
	[CTL_RESYNC_PEERS] = {do_resync_peers, NULL},
	[CTL_SEND] = {do_send, NULL},
	[CTL_PURGE] = {do_purge, NULL},
	[CTL_STOP] = {do_stop, NULL},
	[CTL_ROLE] = {do_role, NULL},
};

/* Why this mode has nothing that the request could be about; NULL: it has. */
static const char *
unsupported(const struct conf *conf, const struct ctl_request *r)
{
	static const unsigned int without_peers = 1U << CTL_STATS | 1U << CTL_DUMP | 1U << CTL_FLUSH |
						  1U << CTL_FLUSH_KERNEL | 1U << CTL_RESYNC_KERNEL | 1U << CTL_STOP;

	if (!conf->sync && ((without_peers & 1U << r->verb) == 0 || (r->verb == CTL_DUMP && r->caches & CTL_EXTERNAL)))
		return "there are no peers in statistics mode";
	switch (r->verb) {
	case CTL_RSQUEUE:
		return conf->mode != MODE_FTFW ? "only FTFW mode has a resend queue" : NULL;
	case CTL_RESYNC_PEERS:
	case CTL_SEND:
		return conf->mode == MODE_ALARM ? "ALARM mode repeats all states by itself" : NULL;
	case CTL_DUMP:
		if (r->caches & CTL_INTERNAL && conf->disable_internal_cache)
			return "the internal cache is disabled: conntrack -L lists the kernel's table";
		return r->caches & CTL_EXTERNAL && conf->disable_external_cache ? "the external cache is disabled"
										: NULL;
	default:
		return NULL;
	}
}

static void
verb_begin(void *arg, struct ctl_client *c)
{
	struct control *k = arg;
	const char *why = unsupported(k->parts.conf, &c->req);

	if (why != NULL)
		ctl_fail(c, CTL_WHY_UNSUPPORTED, -EOPNOTSUPP, why);
	else
		verbs[c->req.verb].begin(k, c);
}

static void
verb_more(void *arg, struct ctl_client *c)
{
	verbs[c->req.verb].more(arg, c);
}

static void
verb_gone(void *arg, struct ctl_client *c)
{
	(void)arg;
	(void)c; /* work that was asked for is finished all the same */
}

static void
verb_displaced(void *arg, const struct msg_client *who, uint64_t idle)
{
	struct control *k = arg;

	if (k->parts.clock->ms < k->displaced_at)
		return;
	k->displaced_at = k->parts.clock->ms + CROWD_MS;
	log_put(k->parts.log, LV_WARNING,
		"too many control clients: that of uid %u (pid %d), which had taken nothing for %llu s, was sent away "
		"(%llu so far)",
		who->uid, who->pid, (unsigned long long)(idle / 1000),
		(unsigned long long)ctl_counts(k->ctl)->displaced);
}

static const struct ctl_ops verb_ops = {verb_begin, verb_more, verb_gone, verb_displaced};

/* --- life --- */

struct control *
control_new(const struct control_parts *parts, const struct control_env *env)
{
	struct control *k = calloc(1, sizeof(*k));

	if (k == NULL)
		return NULL;
	k->parts = *parts;
	k->env = *env;
	if ((k->ctl = ctl_new(parts->loop, &verb_ops, k)) != NULL)
		return k;
	free(k);
	return NULL;
}

void
control_free(struct control *k)
{
	if (k == NULL)
		return;
	ctl_free(k->ctl);
	free(k);
}

void
control_client(struct control *k, const struct msg *m)
{
	struct msg_client who;

	memcpy(&who, m->data, sizeof(who));
	if (ctl_accept(k->ctl, m->fd[0], &who) == 0)
		return;
	k->turned_away++;
	if (k->parts.clock->ms < k->turned_away_at)
		return;
	log_put(k->parts.log, LV_WARNING, "too many control clients: %llu were turned away, the last one of uid %u",
		(unsigned long long)k->turned_away, who.uid);
	k->turned_away = 0;
	k->turned_away_at = k->parts.clock->ms + CROWD_MS;
}

uint64_t
control_turn(struct control *k)
{
	return ctl_turn(k->ctl);
}

const struct fig_local *
control_counts(const struct control *k)
{
	return ctl_counts(k->ctl);
}

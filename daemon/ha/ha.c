/*
 * Roles, commits and flushes put together.
 */
#include "ha.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "failures.h"
#include "flush.h"

#define COMMIT_STEPS 4

struct ha {
	struct ha_conf conf;
	struct ha_env env;
	struct ha_parts parts;
	struct commit *commit;
	struct flush flush;
	struct failures failures; /* of the running commit */
	enum ha_role role;
	enum { TAKEOVER_NONE, TAKEOVER_COMMIT, TAKEOVER_READ } takeover; /* to become primary, whoever waits for it */
	uint32_t takeover_serial;                                        /* of the dump that ends it */
	uint64_t purge_at;
	uint64_t left_out; /* by the running commit or the last one, for want of room in the kernel's table */
	struct fig_commits count;
};

/* --- callbacks of the parts --- */

static bool
commit_send(void *arg, uint32_t id, const void *data, size_t len)
{
	const struct ha *h = arg;

	return h->env.commit(h->env.arg, id, data, len);
}

static void
log_table(struct ha *h, const struct commit_result *r)
{
	const char *what = r->table == COMMIT_EXPECTS ? "expectations" : "entries";
	const uint64_t hidden = failures_end(&h->failures);
	struct log *log = h->parts.log;

	log_put(log, LV_NOTICE, "Committed %llu new %s", (unsigned long long)r->committed, what);
	if (r->failed > 0)
		log_put(log, LV_NOTICE, "%llu %s can't be committed", (unsigned long long)r->failed, what);
	if (r->no_room > 0)
		log_put(log, LV_WARNING,
			"%llu flows were left out: net.netfilter.nf_conntrack_max is nearly reached, and new flows "
			"need room",
			(unsigned long long)r->no_room);
	if (r->kept > 0)
		log_put(log, LV_NOTICE, "%llu flows of peers were not written: they live here already",
			(unsigned long long)r->kept);
	if (r->without_helper > 0)
		log_put(log, LV_WARNING, "%llu entries had to do without their helper",
			(unsigned long long)r->without_helper);
	if (hidden > 0)
		log_put(log, LV_NOTICE, "%llu more errors of this commit are not shown", (unsigned long long)hidden);
	log_put(log, LV_NOTICE, "commit has taken %lu.%06lu seconds", (unsigned long)(r->usec / 1000000),
		(unsigned long)(r->usec % 1000000));
}

static void
table_done(void *arg, const struct commit_result *r)
{
	struct ha *h = arg;

	log_table(h, r);
	h->count.committed += r->committed;
	h->count.failed += r->failed;
	h->count.last_failed += r->failed;
	h->left_out += r->no_room + r->full;
	h->count.kept += r->kept;
	h->env.table_done(h->env.arg, r);
}

/* As the 1.4.x script: caches are flushed, the kernel's table, which is being read again, goes to the peers. */
static void
take_over(struct ha *h, uint32_t serial)
{
	if (h->takeover != TAKEOVER_COMMIT)
		return;
	if (h->left_out > 0)
		log_put(h->parts.log, LV_WARNING,
			"the external cache is kept: the kernel had no room for %llu entries, `role primary' tries "
			"again",
			(unsigned long long)h->left_out);
	else {
		log_put(h->parts.log, LV_NOTICE, "flushing caches");
		h->env.flush_caches(h->env.arg, HA_EXTERNAL, h->conf.tables);
	}
	h->env.flush_caches(h->env.arg, HA_INTERNAL, h->conf.tables);
	h->takeover = h->conf.direct ? TAKEOVER_NONE : TAKEOVER_READ;
	h->takeover_serial = serial;
	if (h->conf.direct)
		h->env.bulk(h->env.arg);
	else
		log_put(h->parts.log, LV_NOTICE, "resync with master conntrack table");
}

/* What was created is not reported: to read all of it now is far cheaper. */
static void
after_commit(struct ha *h)
{
	take_over(h, h->conf.direct ? 0 : h->env.read_back(h->env.arg));
}

static void
commit_done(void *arg)
{
	struct ha *h = arg;

	h->count.count++;
	after_commit(h);
	h->env.committed(h->env.arg);
}

static void
commit_failed(void *arg, const char *what, int err, const struct flow *f, const struct expect *e)
{
	struct ha *h = arg;

	failures_note(&h->failures, h->parts.log, LV_ERROR,
		      strcmp(what, "create") == 0 ? "commit-create" : "commit-destroy", err, f, e);
}

static bool
owns(void *arg, const struct flow *f)
{
	const struct ha *h = arg;

	return h->env.owns(h->env.arg, f);
}

static bool
ask_room(void *arg)
{
	const struct ha *h = arg;
	const struct room_request r = room_ask();

	return h->env.ask_room(h->env.arg, r.data, sizeof(r.data));
}

static uint32_t
held(void *arg, unsigned int source)
{
	const struct ha *h = arg;

	return h->env.held(h->env.arg, source);
}

static void
helper_missing(void *arg, const char *name)
{
	log_put(((struct ha *)arg)->parts.log, LV_WARNING,
		"helper `%s' is not known to this kernel: its flows go without it", name);
}

static uint64_t
usec(void *arg)
{
	const struct ha *h = arg;

	return h->env.usec(h->env.arg);
}

static void
flush_done(void *arg, uint32_t id, int err, bool flows)
{
	struct ha *h = arg;

	h->env.flushed(h->env.arg, id, err);
	/* the kernel does not say that it has deleted them */
	if (flows && err != -ECANCELED && h->env.silent(h->env.arg))
		h->env.reread(h->env.arg, h->conf.injects);
}

/* --- life --- */

struct ha *
ha_new(const struct ha_conf *conf, const struct ha_parts *parts, const struct ha_env *env)
{
	struct ha *h = calloc(1, sizeof(*h));
	const struct commit_env cenv = {.arg = h,
					.send = commit_send,
					.owns = owns,
					.table_done = table_done,
					.done = commit_done,
					.failed = commit_failed,
					.usec = usec,
					.ask_room = ask_room,
					.held = held,
					.helper_missing = helper_missing};

	if (h == NULL)
		return NULL;
	h->conf = *conf;
	h->parts = *parts;
	h->env = *env;
	h->purge_at = NEVER;
	h->flush.shown = conf->filters ? parts->internal->of[SLOT_FLOW] : NULL;
	h->flush.env = (struct flush_env){.arg = env->arg,
					  .ready = env->ready,
					  .send = env->remove,
					  .flush_table = env->flush_table,
					  .begun = env->flushing,
					  .done = flush_done,
					  .done_arg = h};
	h->commit = commit_new(&conf->commit, &cenv, parts->external);
	if (h->commit != NULL)
		return h;
	free(h);
	return NULL;
}

void
ha_free(struct ha *h)
{
	if (h == NULL)
		return;
	commit_free(h->commit);
	free(h);
}

/* --- requests --- */

bool
ha_commit_running(const struct ha *h)
{
	return commit_running(h->commit);
}

bool
ha_reading(const struct ha *h)
{
	return h->takeover == TAKEOVER_READ;
}

bool
ha_commit(struct ha *h, unsigned int tables)
{
	log_put(h->parts.log, LV_NOTICE, "committing %s",
		tables == COMMIT_FLOWS     ? "conntrack cache"
		: tables == COMMIT_EXPECTS ? "expectation cache"
					   : "all external caches");
	h->purge_at = NEVER;
	if (!commit_running(h->commit))
		h->count.last_failed = h->left_out = 0;
	flush_stop(&h->flush); /* it would go on with what is about to be written */
	if (!h->conf.injects)
		commit_start(h->commit, tables & h->conf.tables);
	return commit_running(h->commit);
}

/* Backup again before the take-over's end: what peers say stays, and so does what they have said. */
static void
stand_down(struct ha *h)
{
	const bool stop = h->takeover == TAKEOVER_COMMIT;

	h->takeover = TAKEOVER_NONE;
	if (!stop)
		return;
	log_put(h->parts.log, LV_NOTICE, "the commit is stopped");
	h->env.superseded(h->env.arg);
	commit_stop(h->commit);
}

bool
ha_role(struct ha *h, enum ha_role role)
{
	h->role = role;
	if (role != HA_PRIMARY) {
		stand_down(h);
		ha_purge(h);
		if (role == HA_BACKUP)
			h->env.ask(h->env.arg);
		return false;
	}
	h->takeover = TAKEOVER_COMMIT;
	if (ha_commit(h, COMMIT_FLOWS | COMMIT_EXPECTS))
		return true;
	after_commit(h);
	return false;
}

int
ha_flush_caches(struct ha *h, unsigned int caches, unsigned int tables)
{
	static const char *const names[] = {"caches", "internal cache", "external cache", "caches"};

	if (caches & HA_EXTERNAL && commit_running(h->commit)) {
		log_put(h->parts.log, LV_ERROR, "ignoring flush command, commit still in progress");
		return -EBUSY;
	}
	if (caches & HA_INTERNAL)
		h->purge_at = NEVER;
	log_put(h->parts.log, LV_NOTICE, "flushing %s", names[caches & (HA_INTERNAL | HA_EXTERNAL)]);
	h->env.flush_caches(h->env.arg, caches, tables);
	return 0;
}

uint32_t
ha_flush_kernel(struct ha *h, unsigned int tables)
{
	if (tables & COMMIT_FLOWS)
		log_put(h->parts.log, LV_NOTICE, "flushing kernel conntrack table");
	if (tables & COMMIT_EXPECTS)
		log_put(h->parts.log, LV_NOTICE, "flushing kernel expect table");
	return flush_kernel(&h->flush, tables);
}

void
ha_purge(struct ha *h)
{
	h->env.hand_over(h->env.arg);
	if (h->purge_at != NEVER)
		return;
	log_put(h->parts.log, LV_NOTICE, "flushing conntrack table in %u secs", h->conf.purge_timeout);
	h->purge_at = h->parts.clock->ms + (uint64_t)h->conf.purge_timeout * 1000;
}

/* --- what follows --- */

void
ha_room(struct ha *h, const void *data, size_t len)
{
	commit_room(h->commit, data != NULL ? room_of(data, len) : ROOM_UNKNOWN);
}

void
ha_commit_result(struct ha *h, uint32_t id, const struct msg_error *err, size_t n)
{
	commit_on_result(h->commit, id, err, n);
}

void
ha_flush_result(struct ha *h, uint32_t id, int err)
{
	flush_result(&h->flush, id, err);
}

void
ha_reread(struct ha *h, uint32_t serial, bool failed)
{
	if (h->takeover != TAKEOVER_READ || (int32_t)(serial - h->takeover_serial) < 0)
		return;
	h->takeover = TAKEOVER_NONE;
	if (!failed)
		h->env.bulk(h->env.arg);
}

static void
purge(struct ha *h)
{
	h->purge_at = NEVER;
	log_put(h->parts.log, LV_NOTICE, "flushing kernel conntrack table (scheduled)");
	flush_kernel(&h->flush, COMMIT_FLOWS);
	if (!h->conf.filters) /* else it is what says which flows to delete, and the kernel's events empty it */
		h->env.flush_caches(h->env.arg, HA_INTERNAL, COMMIT_FLOWS);
}

bool
ha_turn(struct ha *h)
{
	bool again = commit_running(h->commit);

	for (int i = 0; i < COMMIT_STEPS && again; i++)
		again = commit_step(h->commit, h->parts.clock->s) && commit_running(h->commit);
	again = flush_turn(&h->flush) || again;
	if (h->parts.clock->ms >= h->purge_at)
		purge(h);
	return again;
}

uint64_t
ha_due(const struct ha *h)
{
	return h->purge_at;
}

void
ha_stats(const struct ha *h, struct ha_stats *st)
{
	*st = (struct ha_stats){.commits = h->count,
				.kernel_flushes = h->flush.count,
				.role = h->role,
				.commit_running = commit_running(h->commit),
				.purge_armed = h->purge_at != NEVER};
}

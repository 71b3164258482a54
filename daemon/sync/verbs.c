/*
 * What operators and HA managers ask for over the control socket. Called by the control server with requests that were
 * checked for shape and permission; nothing here waits: what takes time is finished by verbs_turn() and its callers.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "sync.h"

#define COMMIT_STEPS 4
#define FAILED_MS    60000
#define FAILED_SHOWN 10
#define RECORD_MAX   (sizeof(struct ctl_flow) + sizeof(struct flow) + sizeof(struct flow_side) + 8)
#define VISITS_MAX   8192
#define REQUEST_MAX  2048

static unsigned int
tables_of(const struct sync *s, const struct ctl_request *r)
{
	unsigned int all = CTL_TABLE_CT | (s->conf.expect_sync ? CTL_TABLE_EXP : 0U);

	return r->tables == 0 || r->tables == (CTL_TABLE_CT | CTL_TABLE_EXP) ? all : r->tables;
}

static void
wait_for(struct ctl_client *c, enum wait what, uint32_t serial)
{
	c->waiting = true;
	c->step = what;
	c->pos = serial;
}

/* --- commit --- */

static bool
commit_send(void *arg, uint32_t id, const void *data, size_t len)
{
	struct sync *s = arg;

	return wall_ready(&s->wall) &&
	       wall_send(&s->wall, MSG_REQUEST_QUIET, (uint32_t)ASK_COMMIT << ASKER_SHIFT | id, data, len) == 0;
}

static void
tell_result(void *arg, struct ctl_client *c)
{
	const struct ctl_commit *r = arg;

	if (c->step == WAIT_COMMIT || c->step == WAIT_ROLE_COMMIT)
		ctl_answer(c, CTL_R_COMMIT, r, sizeof(*r));
}

static void
commit_table_done(void *arg, const struct commit_result *r)
{
	struct sync *s = arg;
	const char *what = r->table == COMMIT_EXPECTS ? "expectations" : "entries";
	struct ctl_commit cc = {.table = r->table, .committed = r->committed, .failed = r->failed, .usec = r->usec};

	log_put(s->log, LV_NOTICE, "Committed %llu new %s", (unsigned long long)r->committed, what);
	if (r->failed > 0)
		log_put(s->log, LV_NOTICE, "%llu %s can't be committed", (unsigned long long)r->failed, what);
	if (r->without_helper > 0)
		log_put(s->log, LV_WARNING, "%llu entries had to do without their helper",
			(unsigned long long)r->without_helper);
	if (s->failed_hidden > 0)
		log_put(s->log, LV_NOTICE, "%llu more errors of this commit are not shown",
			(unsigned long long)s->failed_hidden);
	log_put(s->log, LV_NOTICE, "commit has taken %lu.%06lu seconds", (unsigned long)(r->usec / 1000000),
		(unsigned long)(r->usec % 1000000));
	s->failed_shown = 0;
	s->failed_hidden = 0;
	s->count.committed += r->committed;
	s->count.commit_failed += r->failed;
	s->count.last_failed += r->failed;
	ctl_each_waiting(s->ctl, tell_result, &cc);
}

static void
flush_caches(struct sync *s, unsigned int caches, unsigned int tables)
{
	if (caches & CTL_INTERNAL)
		store_flush(&s->store, tables);
	if (caches & CTL_EXTERNAL)
		external_flush(s->external, tables);
}

static uint32_t
next_resync(const struct sync *s)
{
	return s->resync.again ? s->resync.serial + 1 : s->resync.serial;
}

/* As the 1.4.x script: caches are flushed, the kernel's table, which is being read again, goes to the peers. */
static void
take_over(struct sync *s)
{
	if (s->takeover != TAKEOVER_COMMIT)
		return;
	log_put(s->log, LV_NOTICE, "flushing caches");
	flush_caches(s, CTL_INTERNAL | CTL_EXTERNAL, CTL_TABLE_CT | (s->conf.expect_sync ? CTL_TABLE_EXP : 0U));
	s->takeover = s->bypass ? TAKEOVER_NONE : TAKEOVER_READ;
	s->takeover_serial = next_resync(s);
	if (s->bypass)
		peers_bulk(s->peers, BULK_OPERATOR);
	else
		log_put(s->log, LV_NOTICE, "resync with master conntrack table");
}

static void
after_commit(void *arg, struct ctl_client *c)
{
	struct sync *s = arg;

	if (c->step == WAIT_COMMIT || (c->step == WAIT_ROLE_COMMIT && s->bypass))
		ctl_done(c);
	else if (c->step == WAIT_ROLE_COMMIT)
		wait_for(c, WAIT_RESYNC, s->takeover_serial);
}

static void
commit_done(void *arg)
{
	struct sync *s = arg;

	s->count.commits++;
	if (!s->bypass) /* what was created is not reported: to read all of it now is far cheaper */
		resync_start(s, true);
	take_over(s);
	ctl_each_waiting(s->ctl, after_commit, s);
}

static void
superseded(void *arg, struct ctl_client *c)
{
	(void)arg;
	if (c->step == WAIT_COMMIT || c->step == WAIT_ROLE_COMMIT)
		ctl_fail(c, CTL_WHY_SUPERSEDED, -ECANCELED, "another role was set meanwhile");
}

/* Backup again before the take-over's end: what peers say stays, and so does what they have said. */
static void
stand_down(struct sync *s)
{
	const bool stop = s->takeover == TAKEOVER_COMMIT;

	s->takeover = TAKEOVER_NONE;
	if (!stop)
		return;
	log_put(s->log, LV_NOTICE, "the commit is stopped");
	ctl_each_waiting(s->ctl, superseded, NULL);
	commit_stop(s->commit);
}

static void
show_failed(struct sync *s, enum log_level level, const char *what, int err, const struct flow *f,
	    const struct expect *e)
{
	char text[FLOW_TEXT_MAX];

	if (s->failed_shown++ >= FAILED_SHOWN) {
		s->failed_hidden++;
		return;
	}
	log_put(s->log, level, "%s: %s: %s", what, strerror(-err),
		f != NULL ? flow_text(f, text, sizeof(text)) : expect_text(e, text, sizeof(text)));
}

static void
commit_failed(void *arg, const char *what, int err, const struct flow *f, const struct expect *e)
{
	show_failed(arg, LV_ERROR, strcmp(what, "create") == 0 ? "commit-create" : "commit-destroy", err, f, e);
}

static void
helper_missing(void *arg, const char *name)
{
	log_put(((struct sync *)arg)->log, LV_WARNING,
		"helper `%s' is not known to this kernel: its flows go without it", name);
}

static void
inject_failed(void *arg, const char *what, int err, const struct flow *f, const struct expect *e)
{
	struct sync *s = arg;
	char line[64];

	if (s->clock.ms >= s->failed_until) { /* injection has no end at which to start over: once a minute */
		if (s->failed_hidden > 0)
			log_put(s->log, LV_WARNING, "%llu more entries of peers could not be written",
				(unsigned long long)s->failed_hidden);
		s->failed_shown = 0;
		s->failed_hidden = 0;
		s->failed_until = s->clock.ms + FAILED_MS;
	}
	snprintf(line, sizeof(line), "%s %s entry", what, f != NULL ? "ct" : "exp");
	show_failed(s, LV_WARNING, line, err, f, e);
}

static bool
inject_send(void *arg, uint32_t id, const void *data, size_t len)
{
	struct sync *s = arg;

	return wall_ready(&s->wall) &&
	       wall_send(&s->wall, MSG_REQUEST, (uint32_t)ASK_INJECT << ASKER_SHIFT | id, data, len) == 0;
}

static uint64_t
usec(void *arg)
{
	struct timespec ts;

	(void)arg;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

static bool
inject_knows(void *arg, const struct flow *f)
{
	return store_knows(&((struct sync *)arg)->store, f);
}

struct inject *
verbs_inject(struct sync *s)
{
	const struct inject_env env = {s, inject_send, inject_knows, inject_failed, helper_missing};

	return inject_new(&env, s->conf.tcp_window_tracking);
}

int
verbs_init(struct sync *s)
{
	struct commit_conf conf = {s->conf.commit_timeout, s->conf.tcp_window_tracking};
	struct commit_env env = {s, commit_send, commit_table_done, commit_done, commit_failed, usec, helper_missing};

	s->purge_at = NEVER;
	if ((s->commit = commit_new(&conf, &env, external_tables(s->external))) == NULL ||
	    (s->ctl = ctl_new(s->loop, &verb_ops, s)) == NULL)
		return -ENOMEM;
	return 0;
}

static void
begin_commit(struct sync *s, unsigned int tables)
{
	log_put(s->log, LV_NOTICE, "committing %s",
		tables == CTL_TABLE_CT    ? "conntrack cache"
		: tables == CTL_TABLE_EXP ? "expectation cache"
					  : "all external caches");
	s->purge_at = NEVER;
	if (!commit_running(s->commit))
		s->count.last_failed = 0;
	if (s->deleting.active) { /* it would go on with what is about to be written */
		s->deleting.active = false;
		verbs_flushed(s, s->deleting.id, -ECANCELED);
	}
	if (s->inject == NULL)
		commit_start(s->commit, tables & (s->conf.expect_sync ? CTL_TABLE_CT | CTL_TABLE_EXP : CTL_TABLE_CT));
}

static void
do_commit(struct sync *s, struct ctl_client *c)
{
	unsigned int tables = c->req.tables == 0 ? (unsigned int)(CTL_TABLE_CT | CTL_TABLE_EXP) : c->req.tables;

	if (tables == CTL_TABLE_EXP && !s->conf.expect_sync) {
		ctl_fail(c, CTL_WHY_UNSUPPORTED, -EOPNOTSUPP, "ExpectationSync is off");
		return;
	}
	begin_commit(s, tables);
	if (commit_running(s->commit))
		wait_for(c, WAIT_COMMIT, 0);
	else
		ctl_done(c);
}

/* --- other verbs --- */

static void
do_flush(struct sync *s, struct ctl_client *c)
{
	static const char *const names[] = {"caches", "internal cache", "external cache", "caches"};
	unsigned int caches = c->req.caches & (CTL_INTERNAL | CTL_EXTERNAL);

	if (caches == 0)
		caches = CTL_INTERNAL | CTL_EXTERNAL;
	if (caches & CTL_EXTERNAL && commit_running(s->commit)) {
		log_put(s->log, LV_ERROR, "ignoring flush command, commit still in progress");
		ctl_fail(c, CTL_WHY_BUSY, -EBUSY, "a commit is in progress");
		return;
	}
	if (caches & CTL_INTERNAL)
		s->purge_at = NEVER;
	log_put(s->log, LV_NOTICE, "flushing %s", names[caches]);
	flush_caches(s, caches, tables_of(s, &c->req));
	ctl_done(c);
}

/* With a filter, the flows it hides stay: what it shows is in the internal cache, one request each. The last batch
 * carries the number that clients wait for. */
static void
delete_step(struct sync *s)
{
	struct flow_nl_opts o = {0};
	uint32_t len = 0, slot = 0;
	const struct entry *e;
	int n;

	while (len + REQUEST_MAX <= sizeof(s->batch) &&
	       (slot = cache_walk(s->store.t.of[SLOT_FLOW], &s->deleting.pos)) != SLOT_NONE) {
		e = cache_entry(s->store.t.of[SLOT_FLOW], slot);
		n = e->flags & ENTRY_DEAD
			    ? 0
			    : flow_to_nl(&e->flow, FLOW_NL_DELETE, &o, 1, s->batch + len, sizeof(s->batch) - len);
		len += n > 0 ? (uint32_t)n : 0;
	}
	s->deleting.active = slot != SLOT_NONE;
	s->flushed_at = s->clock.ms;
	if (len > 0)
		wall_send(&s->wall, MSG_REQUEST,
			  (uint32_t)ASK_FLUSH << ASKER_SHIFT | (s->deleting.active ? 0 : s->deleting.id), s->batch,
			  len);
	else if (!s->deleting.active)
		verbs_flushed(s, s->deleting.id, 0);
}

static uint32_t
delete_cached(struct sync *s)
{
	if (!s->deleting.active)
		s->deleting.id = ++s->flush_id & ASKER_MASK;
	s->deleting.active = true;
	s->deleting.pos = 0;
	return s->deleting.id;
}

static uint32_t
flush_table(struct sync *s, uint8_t subsys)
{
	struct msg_flush f = {.subsys = subsys};
	uint32_t id = ++s->flush_id & ASKER_MASK;

	wall_send(&s->wall, MSG_FLUSH, (uint32_t)ASK_FLUSH << ASKER_SHIFT | id, &f, sizeof(f));
	return id;
}

static uint32_t
flush_kernel(struct sync *s, unsigned int tables)
{
	uint32_t id = 0;

	s->count.kernel_flushes++;
	s->flushed_at = s->clock.ms;
	s->store.flushed |= tables;
	if (tables & CTL_TABLE_CT)
		id = s->flows_flush = s->filtering ? delete_cached(s) : flush_table(s, SUBSYS_CT);
	if (tables & CTL_TABLE_EXP)
		id = flush_table(s, SUBSYS_EXP);
	return id;
}

static void
do_flush_kernel(struct sync *s, struct ctl_client *c)
{
	unsigned int tables = tables_of(s, &c->req);

	if (tables & CTL_TABLE_CT)
		log_put(s->log, LV_NOTICE, "flushing kernel conntrack table");
	if (tables & CTL_TABLE_EXP)
		log_put(s->log, LV_NOTICE, "flushing kernel expect table");
	wait_for(c, WAIT_FLUSH, flush_kernel(s, tables));
}

struct flushed {
	uint32_t id;
	int err;
};

static void
flushed(void *arg, struct ctl_client *c)
{
	const struct flushed *f = arg;

	if (c->step != WAIT_FLUSH || c->pos != f->id)
		return;
	if (f->err != 0 && f->err != -ENOENT)
		ctl_fail(c, CTL_WHY_FAILED, f->err, strerror(-f->err));
	else
		ctl_done(c);
}

void
verbs_flushed(struct sync *s, uint32_t id, int err)
{
	struct flushed f = {id, err};

	ctl_each_waiting(s->ctl, flushed, &f);
	if (id == s->flows_flush && s->store.silent > 0 &&
	    err != -ECANCELED) /* the kernel does not say that it has deleted them */
		resync_start(s, s->inject != NULL);
}

static void
do_resync_kernel(struct sync *s, struct ctl_client *c)
{
	unsigned int tables = tables_of(s, &c->req);

	if (s->bypass) {
		log_put(s->log, LV_NOTICE, "resync is unsupported in this mode");
		ctl_fail(c, CTL_WHY_UNSUPPORTED, -EOPNOTSUPP, "the internal cache is disabled");
		return;
	}
	if (tables & CTL_TABLE_CT)
		log_put(s->log, LV_NOTICE, "resync with master conntrack table");
	if (tables & CTL_TABLE_EXP)
		log_put(s->log, LV_NOTICE, "resync with master expect table");
	resync_start(s, false);
	wait_for(c, WAIT_RESYNC, next_resync(s));
}

static void
resynced(void *arg, struct ctl_client *c)
{
	struct sync *s = arg;

	if (c->step != WAIT_RESYNC || (int32_t)(s->resync.serial - c->pos) < 0)
		return;
	if (s->resync.failed)
		ctl_fail(c, CTL_WHY_FAILED, -EIO, "the kernel's table could not be read");
	else
		ctl_done(c);
}

void
verbs_resynced(struct sync *s)
{
	if (s->takeover == TAKEOVER_READ && (int32_t)(s->resync.serial - s->takeover_serial) >= 0) {
		s->takeover = TAKEOVER_NONE;
		if (!s->resync.failed)
			peers_bulk(s->peers, BULK_OPERATOR);
	}
	ctl_each_waiting(s->ctl, resynced, s);
}

static void
do_resync_peers(struct sync *s, struct ctl_client *c)
{
	peers_ask(s->peers, true);
	ctl_done(c);
}

static void
do_send(struct sync *s, struct ctl_client *c)
{
	peers_bulk(s->peers, BULK_OPERATOR);
	ctl_done(c);
}

static void
arm_purge(struct sync *s)
{
	if (s->purge_at != NEVER)
		return;
	log_put(s->log, LV_NOTICE, "flushing conntrack table in %u secs", s->conf.purge_timeout);
	s->purge_at = s->clock.ms + (uint64_t)s->conf.purge_timeout * 1000;
}

static void
do_purge(struct sync *s, struct ctl_client *c)
{
	arm_purge(s);
	ctl_done(c);
}

static void
do_stop(struct sync *s, struct ctl_client *c)
{
	wall_send(&s->wall, MSG_STOP, 0, NULL, 0);
	wait_for(c, WAIT_STOP, 0); /* answered when the daemon is gone */
}

static void
last_word(void *arg, struct ctl_client *c)
{
	(void)arg;
	if (c->step == WAIT_STOP)
		ctl_done(c);
}

void
verbs_last_words(struct sync *s)
{
	ctl_each_waiting(s->ctl, last_word, NULL);
	ctl_turn(s->ctl);
}

static void
do_role(struct sync *s, struct ctl_client *c)
{
	if (c->req.role != CTL_ROLE_PRIMARY && c->req.role != CTL_ROLE_BACKUP && c->req.role != CTL_ROLE_FAULT) {
		ctl_fail(c, CTL_WHY_BAD_REQUEST, -EINVAL, "no such role");
		return;
	}
	s->role = c->req.role;
	switch (s->role) {
	case CTL_ROLE_PRIMARY:
		s->takeover = TAKEOVER_COMMIT;
		begin_commit(s, CTL_TABLE_CT | CTL_TABLE_EXP);
		wait_for(c, WAIT_ROLE_COMMIT, 0);
		if (commit_running(s->commit))
			return;
		if (!s->bypass)
			resync_start(s, true);
		take_over(s);
		after_commit(s, c);
		return;
	case CTL_ROLE_BACKUP:
		stand_down(s);
		arm_purge(s);
		peers_ask(s->peers, true);
		break;
	default:
		stand_down(s);
		arm_purge(s);
		break;
	}
	ctl_done(c);
}

/* --- answers in slices --- */

static void
do_stats(struct sync *s, struct ctl_client *c)
{
	struct ctl_stats st = {0};

	verb_stats(s, &st);
	ctl_answer(c, CTL_R_STATS, &st, sizeof(st));
	ctl_done(c);
}

static void
stream(struct sync *s, struct ctl_client *c)
{
	(void)s;
	c->streaming = true;
	c->step = c->pos = 0;
}

/* lifetime: of entries that are not refreshed, 0: for ever */
static size_t
put_flow(uint8_t *at, const struct entry *e, uint32_t now, uint32_t lifetime)
{
	uint32_t idle = now - e->updated;
	struct ctl_flow h = {.age = now - e->created,
			     .updated = idle,
			     .expires = lifetime == 0     ? 0
					: lifetime > idle ? lifetime - idle
							  : 1};
	size_t size = flow_size(&e->flow), side = e->flow.have & FLOW_SIDE ? sizeof(struct flow_side) : 0;
	static const void *const none = NULL;

	h.len = (uint32_t)((sizeof(h) + size + side + 7) & ~(size_t)7);
	memset(at + h.len - 8, 0, 8);
	memcpy(at, &h, sizeof(h));
	memcpy(at + sizeof(h), &e->flow, size);
	memcpy(at + sizeof(h) + offsetof(struct flow, side), &none, sizeof(none));
	if (side > 0)
		memcpy(at + sizeof(h) + size, e->flow.side, side);
	return h.len;
}

/* A slice of one cache; *pos is SLOT_NONE at its end. */
static size_t
slice_flows(const struct cache *cache, uint32_t *pos, uint8_t *at, uint32_t now, uint32_t lifetime)
{
	size_t len = 0;

	for (unsigned int n = 0; n < VISITS_MAX && len + RECORD_MAX <= CTL_PAYLOAD_MAX; n++) {
		uint32_t slot = cache_walk(cache, pos);

		if (slot == SLOT_NONE)
			break;
		if ((cache_entry(cache, slot)->flags & ENTRY_DEAD) == 0)
			len += put_flow(at + len, cache_entry(cache, slot), now, lifetime);
	}
	return len;
}

static size_t
slice_expects(const struct cache *cache, uint32_t *pos, uint8_t *at, uint32_t now)
{
	size_t len = 0;

	while (len + sizeof(struct ctl_expect) <= CTL_PAYLOAD_MAX) {
		uint32_t slot = cache_walk(cache, pos);
		const struct entry *e;
		struct ctl_expect r;

		if (slot == SLOT_NONE)
			break;
		e = cache_entry(cache, slot);
		if (e->flags & ENTRY_DEAD)
			continue;
		r = (struct ctl_expect){.age = now - e->created, .updated = now - e->updated, .expect = e->expect};
		memcpy(at + len, &r, sizeof(r));
		len += sizeof(r);
	}
	return len;
}

/* step: which of the four caches; those not asked for are skipped. */
static void
more_dump(struct sync *s, struct ctl_client *c)
{
	static const struct {
		uint8_t cache, table;
	} part[] = {{CTL_INTERNAL, CTL_TABLE_CT},
		    {CTL_INTERNAL, CTL_TABLE_EXP},
		    {CTL_EXTERNAL, CTL_TABLE_CT},
		    {CTL_EXTERNAL, CTL_TABLE_EXP}};
	uint8_t tables = c->req.tables == 0 ? CTL_TABLE_CT : c->req.tables;
	const struct tables *t;
	size_t len;

	while (c->step < 4 && ((part[c->step].cache & c->req.caches) == 0 || (part[c->step].table & tables) == 0))
		c->step++;
	if (c->step == 4) {
		ctl_done(c);
		return;
	}
	t = part[c->step].cache == CTL_INTERNAL ? &s->store.t : external_tables(s->external);
	if (part[c->step].table == CTL_TABLE_CT)
		len = slice_flows(t->of[SLOT_FLOW], &c->pos, ctl_payload(c), s->clock.s,
				  t != &s->store.t && s->conf.mode == MODE_ALARM ? s->conf.cache_timeout : 0);
	else
		len = slice_expects(t->of[SLOT_EXPECT], &c->pos, ctl_payload(c), s->clock.s);
	if (len > 0)
		ctl_put(c, part[c->step].table == CTL_TABLE_CT ? CTL_R_FLOW : CTL_R_EXPECT, len);
	if (c->pos == SLOT_NONE) {
		c->step++;
		c->pos = 0;
	}
}

static size_t
slice_control(struct mode *mode, uint8_t *at)
{
	struct mode_item it;
	size_t len = 0;

	for (uint32_t i = 0; len + sizeof(struct ctl_rsq) <= CTL_PAYLOAD_MAX && mode->ops->waiting(mode, i, &it); i++) {
		struct ctl_rsq r = {.seq = it.seq, .flags = it.flags, .control = 1};

		memcpy(at + len, &r, sizeof(r));
		len += sizeof(r);
	}
	return len;
}

static size_t
slice_waiting(const struct cache *cache, uint32_t *pos, uint8_t *at)
{
	size_t len = 0;

	for (unsigned int n = 0; n < VISITS_MAX && len + sizeof(struct ctl_rsq) <= CTL_PAYLOAD_MAX; n++) {
		uint32_t slot = cache_walk(cache, pos);
		struct ctl_rsq r;

		if (slot == SLOT_NONE)
			break;
		if (cache_entry(cache, slot)->queue != QUEUE_RS)
			continue;
		r = (struct ctl_rsq){.seq = cache_entry(cache, slot)->link.seq};
		memcpy(at + len, &r, sizeof(r));
		len += sizeof(r);
	}
	return len;
}

/* step: control messages, then flows, then expectations. */
static void
more_rsqueue(struct sync *s, struct ctl_client *c)
{
	size_t len;

	if (c->step == 0)
		len = slice_control(peers_mode(s->peers), ctl_payload(c));
	else
		len = slice_waiting(s->store.t.of[c->step - 1], &c->pos, ctl_payload(c));
	if (len > 0)
		ctl_put(c, CTL_R_RSQUEUE, len);
	if (c->step > 0 && (c->pos != SLOT_NONE || len > 0))
		return;
	c->pos = 0;
	if (c->step++ == 2)
		ctl_done(c);
}

/* --- dispatch --- */

struct verb {
	void (*begin)(struct sync *s, struct ctl_client *c);
	void (*more)(struct sync *s, struct ctl_client *c);
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
	struct sync *s = arg;
	const char *why = unsupported(&s->conf, &c->req);

	if (why != NULL)
		ctl_fail(c, CTL_WHY_UNSUPPORTED, -EOPNOTSUPP, why);
	else
		verbs[c->req.verb].begin(s, c);
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
	struct sync *s = arg;

	if (s->clock.ms < s->displaced_at)
		return;
	s->displaced_at = s->clock.ms + FAILED_MS;
	log_put(s->log, LV_WARNING,
		"too many control clients: that of uid %u (pid %d), which had taken nothing for %llu s, was sent away "
		"(%llu so far)",
		who->uid, who->pid, (unsigned long long)(idle / 1000),
		(unsigned long long)ctl_counts(s->ctl)->displaced);
}

const struct ctl_ops verb_ops = {verb_begin, verb_more, verb_gone, verb_displaced};

void
verbs_turn(struct sync *s)
{
	for (int i = 0; i < COMMIT_STEPS && commit_running(s->commit); i++)
		if (!commit_step(s->commit, s->clock.s))
			break;
		else if (i == COMMIT_STEPS - 1)
			loop_again(s->loop);
	if (s->deleting.active && wall_ready(&s->wall)) {
		delete_step(s);
		loop_again(s->loop);
	}
	if (s->clock.ms >= s->purge_at) {
		s->purge_at = NEVER;
		log_put(s->log, LV_NOTICE, "flushing kernel conntrack table (scheduled)");
		flush_kernel(s, CTL_TABLE_CT);
		if (!s->filtering) /* else it is what says which flows to delete, and the kernel's events empty it */
			store_flush(&s->store, CTL_TABLE_CT);
	}
}

/*
 * Dumps of the kernel's tables: at start, on demand, after lost events, and from time to time while there are flows
 * that the kernel does not report (nf_conntrack_events=2 and older than the listener). Called by the sync role.
 */
#include <string.h>

#include "sync.h"

#define SWEEP_STEP   16384
#define TRIES_MAX    5
#define RETRY_MS     5000
#define PAUSE_LOOKS  100  /* between two looks at silent flows: so many times what the first of them took, within */
#define PAUSE_MIN_MS 2000 /* these limits */
#define PAUSE_MAX_MS 60000
#define ROOM_MS      10000 /* at least, between two looks for what HashLimit kept out */
#define FLUSHED_MS   10000 /* so long after a flush of ours what is missing may have gone that way */

static void
ask_dump(struct sync *s, enum slot_kind kind)
{
	struct resync *r = &s->resync;
	struct msg_dump_start d = {.id = ++r->id, .subsys = kind == SLOT_FLOW ? SUBSYS_CT : SUBSYS_EXP};

	r->kind = kind;
	r->state = RESYNC_DUMP;
	store_dump_begin(&s->store, r->first_done && !r->quiet);
	wall_send(&s->wall, MSG_DUMP_START, 0, &d, sizeof(d));
}

static void
begin(struct sync *s, bool quiet)
{
	struct resync *r = &s->resync;

	r->quiet = quiet && (r->due == NEVER || r->planned); /* else it would have told the peers what it finds */
	r->due = NEVER;
	r->planned = false;
	r->started = s->now;
	s->store.heard = r->committed;
	r->committed = false;
	r->tries = 0;
	s->store.flushed = s->store.flushed && s->now - s->flushed_at < FLUSHED_MS;
	r->serial++;
	ask_dump(s, SLOT_FLOW);
}

void
resync_start(struct sync *s, bool quiet)
{
	struct resync *r = &s->resync;

	if (r->state == RESYNC_IDLE) {
		begin(s, quiet);
		return;
	}
	r->again_quiet = r->again ? r->again_quiet && quiet : quiet;
	r->again = true;
}

void
resync_committed(struct sync *s)
{
	s->resync.committed = true;
	resync_start(s, true);
}

void
resync_in(struct sync *s, uint64_t ms)
{
	if (s->now + ms < s->resync.due)
		s->resync.due = s->now + ms;
	s->resync.planned = false;
}

/* While silent flows live, look again: nothing else says that one of them has ended. */
static void
plan(struct sync *s)
{
	struct resync *r = &s->resync;
	uint64_t pause = (s->now - r->started) * PAUSE_LOOKS, due = r->due;

	if (s->conf.poll_secs > 0) { /* no events at all: dumps are the only news */
		resync_in(s, (uint64_t)s->conf.poll_secs * 1000);
		return;
	}
	if (s->store.silent == 0)
		return;
	resync_in(s, pause < PAUSE_MIN_MS ? PAUSE_MIN_MS : pause > PAUSE_MAX_MS ? PAUSE_MAX_MS : pause);
	r->planned = s->inject != NULL && r->due != due; /* shows what peers wrote, too: not to be told to them */
}

static void
finish(struct sync *s)
{
	struct resync *r = &s->resync;

	r->state = RESYNC_IDLE;
	if (s->store.complete && r->started > s->flushed_at)
		s->store.flushed = false;
	s->count.kernel_resyncs += r->first_done;
	if (!r->first_done)
		wall_send(&s->wall, MSG_READY, READY_SERVING, NULL, 0);
	r->first_done = true;
	plan(s);
	verbs_resynced(s);
	if (!r->again)
		return;
	r->again = false;
	begin(s, r->again_quiet);
}

void
resync_dump_done(struct sync *s, const struct msg_dump_done *d)
{
	struct resync *r = &s->resync;

	if (r->state != RESYNC_DUMP || d->id != r->id)
		return;
	r->failed = d->err != 0;
	if (d->err != 0) {
		log_put(s->log, LV_ERROR, "can't dump kernel table: %s", strerror(-d->err));
		resync_in(s, RETRY_MS);
	} else if (d->interrupted && ++r->tries < TRIES_MAX) {
		ask_dump(s, r->kind); /* entries may be missing: once more */
		return;
	}
	store_dump_end(&s->store, d->err == 0 && !d->interrupted);
	r->state = RESYNC_SWEEP;
}

void
resync_turn(struct sync *s)
{
	struct resync *r = &s->resync;

	if (s->store.missed && has_room(s->store.t.of[SLOT_FLOW], s->conf.hash_limit)) {
		s->store.missed = false;
		resync_in(s, ROOM_MS);
	}
	if (r->state == RESYNC_IDLE && s->now >= r->due)
		begin(s, r->planned);
	if (r->state != RESYNC_SWEEP)
		return;
	if (!store_sweep(&s->store, r->kind, SWEEP_STEP))
		loop_again(s->loop);
	else if (r->kind == SLOT_FLOW && s->conf.expect_sync)
		ask_dump(s, SLOT_EXPECT);
	else
		finish(s);
}

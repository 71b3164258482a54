/*
 * Dumps of the kernel's tables: at start, on demand, after lost events, and from time to time while there are flows
 * that the kernel does not report (nf_conntrack_events=2 and older than the listener). Called by the sync role.
 */
#include <string.h>

#include "sync.h"

#define SWEEP_STEP 16384
#define TRIES_MAX  5
#define RETRY_MS   5000
/* The pause between two looks at silent flows: so many times what the first of them took, within the limits; doubled up
 * to the last one while they do not find what events do not tell. */
#define LOOK_TIMES   100
#define LOOK_MIN_MS  2000
#define LOOK_MAX_MS  60000
#define LOOK_IDLE_MS 300000

#define ROOM_MS    10000 /* at least, between two looks for what HashLimit kept out */
#define FLUSHED_MS 10000 /* so long after a flush of ours what is missing may have gone that way */

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

	r->quiet = quiet && r->due == NEVER; /* else it would have told the peers what it finds */
	r->due = r->look = NEVER;
	r->started = s->clock.ms;
	r->tries = 0;
	if (s->clock.ms - s->flushed_at >= FLUSHED_MS)
		s->store.flushed = 0;
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
resync_in(struct sync *s, uint64_t ms)
{
	if (s->clock.ms + ms < s->resync.due)
		s->resync.due = s->clock.ms + ms;
}

/* While there are silent flows, look again: should they really have no events, nothing else says that one has ended. */
static void
plan_look(struct sync *s)
{
	struct resync *r = &s->resync;
	struct store *st = &s->store;
	uint64_t pause = (s->clock.ms - r->started) * LOOK_TIMES;

	pause = pause < LOOK_MIN_MS ? LOOK_MIN_MS : pause > LOOK_MAX_MS ? LOOK_MAX_MS : pause;
	if (st->found <= st->told / 8 && r->pause * 2 > pause)
		pause = r->pause * 2 < LOOK_IDLE_MS ? r->pause * 2 : LOOK_IDLE_MS;
	st->found = st->told = 0;
	r->pause = st->silent > 0 ? pause : 0;
	r->look = st->silent > 0 ? s->clock.ms + pause : NEVER;
}

static void
finish(struct sync *s)
{
	struct resync *r = &s->resync;

	r->state = RESYNC_IDLE;
	if (s->store.complete && r->started > s->flushed_at)
		s->store.flushed = 0;
	s->count.kernel_resyncs += r->first_done;
	if (!r->first_done)
		wall_send(&s->wall, MSG_READY, READY_SERVING, NULL, 0);
	r->first_done = true;
	if (s->conf.poll_secs > 0) /* no events at all: dumps are the only news */
		resync_in(s, (uint64_t)s->conf.poll_secs * 1000);
	else
		plan_look(s);
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

uint64_t
resync_due(const struct sync *s)
{
	const struct resync *r = &s->resync;

	return r->state != RESYNC_IDLE ? NEVER : r->due != NEVER ? r->due : r->look;
}

void
resync_turn(struct sync *s)
{
	struct resync *r = &s->resync;

	if (s->store.missed && cache_has_room(s->store.t.of[SLOT_FLOW], s->conf.hash_limit)) {
		s->store.missed = false;
		resync_in(s, ROOM_MS);
	}
	if (r->look <= s->clock.ms && commit_running(s->commit))
		r->look = s->clock.ms + LOOK_MIN_MS;
	if (s->clock.ms >= resync_due(s)) /* a look shows what we wrote for peers, too: not to be told to them */
		begin(s, r->due == NEVER && s->inject != NULL);
	if (r->state != RESYNC_SWEEP)
		return;
	if (!store_sweep(&s->store, r->kind, SWEEP_STEP))
		loop_again(s->loop);
	else if (r->kind == SLOT_FLOW && s->conf.expect_sync)
		ask_dump(s, SLOT_EXPECT);
	else
		finish(s);
}

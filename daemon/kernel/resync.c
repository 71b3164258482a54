/*
 * Dumps of the kernel's tables: at start, on demand, after lost events, and from time to time while there are flows
 * that the kernel does not report (nf_conntrack_events=2 and older than the listener). The dumps
 * themselves go to intake.
 */
#include "resync.h"

#include <string.h>

#define SWEEP_STEP 16384
#define TRIES_MAX  5
#define RETRY_MS   5000
/* The pause between two looks at silent flows: so many times what the first of them took, within the limits; doubled up
 * to the last one while they do not find what events do not tell. */
#define LOOK_TIMES   100
#define LOOK_MIN_MS  2000
#define LOOK_MAX_MS  60000
#define LOOK_IDLE_MS 300000

#define OWN_WORK_MS   5000 /* so long after a flush of ours overruns are its work, and ... */
#define OWN_RESYNC_MS 1000 /* ... need no calm to wait for */
#define STALE_MS      1000 /* so long events may wait to be read that are older than a loss that was reported */

#define SOON_MS    50    /* until who asked for what is to be read back has had the answer */
#define ROOM_MS    10000 /* at least, between two looks for what HashLimit kept out */
#define FLUSHED_MS 10000 /* so long after a flush of ours what is missing may have gone that way */

static void
ask_dump(struct resync *r, enum slot_kind kind)
{
	struct msg_dump_start d = {.id = ++r->id, .subsys = kind == SLOT_FLOW ? SUBSYS_CT : SUBSYS_EXP};

	r->kind = kind;
	r->state = RESYNC_DUMP;
	store_dump_begin(r->store, r->first_done && !r->quiet);
	r->env.ask(r->env.arg, &d);
}

/* Events have been lost just now, so others still wait to be read that are older than this dump, and what would have
 * revoked them may be what was lost: they win over the dump all the same. Another dump sees what they got wrong. */
static void
plan_after_loss(struct resync *r)
{
	if (r->count.overruns > 0 && r->clock->ms - r->lost_at < STALE_MS && r->lost_wait > 0)
		resync_in(r, r->lost_wait);
}

static void
begin(struct resync *r, bool quiet)
{
	r->quiet = quiet && r->due == NEVER; /* else it would have told the peers what it finds */
	r->due = r->look = r->soon = NEVER;
	plan_after_loss(r);
	r->started = r->clock->ms;
	r->tries = 0;
	if (r->clock->ms - r->flushed_at >= FLUSHED_MS)
		r->store->flushed = 0;
	r->serial++;
	ask_dump(r, SLOT_FLOW);
}

void
resync_init(struct resync *r)
{
	r->due = r->look = r->soon = NEVER;
	r->first_done = r->conf.direct;
}

uint32_t
resync_next(const struct resync *r)
{
	return r->again || r->soon != NEVER ? r->serial + 1 : r->serial;
}

bool
resync_owes(const struct resync *r)
{
	return r->soon != NEVER;
}

bool
resync_reads(const struct resync *r, uint32_t id)
{
	return r->state == RESYNC_DUMP && id == r->id;
}

void
resync_start(struct resync *r, bool quiet)
{
	if (r->state == RESYNC_IDLE) {
		begin(r, quiet || r->soon != NEVER);
		return;
	}
	r->again_quiet = r->again ? r->again_quiet && quiet : quiet;
	r->again = true;
}

void
resync_soon(struct resync *r)
{
	if (r->state != RESYNC_IDLE)
		resync_start(r, true);
	else if (r->soon == NEVER)
		r->soon = r->clock->ms + SOON_MS;
}

void
resync_in(struct resync *r, uint64_t ms)
{
	if (r->clock->ms + ms < r->due)
		r->due = r->clock->ms + ms;
}

/* While there are silent flows, look again: should they really have no events, nothing else says that one has ended. */
static void
plan_look(struct resync *r)
{
	struct store *st = r->store;
	uint64_t pause = (r->clock->ms - r->started) * LOOK_TIMES;

	pause = pause < LOOK_MIN_MS ? LOOK_MIN_MS : pause > LOOK_MAX_MS ? LOOK_MAX_MS : pause;
	if (st->found <= st->told / 8 && r->pause * 2 > pause)
		pause = r->pause * 2 < LOOK_IDLE_MS ? r->pause * 2 : LOOK_IDLE_MS;
	st->found = st->told = 0;
	r->pause = st->silent > 0 ? pause : 0;
	r->look = st->silent > 0 ? r->clock->ms + pause : NEVER;
}

static void
finish(struct resync *r)
{
	r->state = RESYNC_IDLE;
	if (r->store->complete && r->started > r->flushed_at)
		r->store->flushed = 0;
	r->count.resyncs += r->first_done;
	if (!r->first_done)
		r->env.complete(r->env.arg);
	r->first_done = true;
	if (r->conf.poll_secs > 0) /* no events at all: dumps are the only news */
		resync_in(r, (uint64_t)r->conf.poll_secs * 1000);
	else
		plan_look(r);
	r->env.done(r->env.arg);
	if (!r->again)
		return;
	r->again = false;
	begin(r, r->again_quiet);
}

void
resync_dump_done(struct resync *r, const struct msg_dump_done *d)
{
	if (!resync_reads(r, d->id))
		return;
	r->failed = d->err != 0 || (r->kind != SLOT_FLOW && r->failed); /* flows come first */
	if (d->err != 0) {
		log_put(r->log, LV_ERROR, "can't dump kernel table: %s", strerror(-d->err));
		resync_in(r, RETRY_MS);
	} else if (d->interrupted && ++r->tries < TRIES_MAX) {
		ask_dump(r, r->kind); /* entries may be missing: once more */
		return;
	}
	store_dump_end(r->store, d->err == 0 && !d->interrupted);
	r->state = RESYNC_SWEEP;
}

uint64_t
resync_due(const struct resync *r)
{
	const uint64_t due = r->due != NEVER ? r->due : r->look;

	return r->state != RESYNC_IDLE ? NEVER : r->soon < due ? r->soon : due;
}

void
resync_turn(struct resync *r)
{
	if (r->store->missed && cache_has_room(r->store->t.of[SLOT_FLOW], r->conf.limit)) {
		r->store->missed = false;
		resync_in(r, ROOM_MS);
	}
	if (r->look <= r->clock->ms && r->env.busy(r->env.arg))
		r->look = r->clock->ms + LOOK_MIN_MS;
	if (r->clock->ms >= resync_due(r)) /* a look shows what we wrote for peers, too: not to be told to them */
		begin(r, r->soon <= r->clock->ms || (r->due == NEVER && r->store->injected));
	if (r->state != RESYNC_SWEEP)
		return;
	if (!store_sweep(r->store, r->kind, SWEEP_STEP))
		r->env.again(r->env.arg);
	else if (r->kind == SLOT_FLOW && r->conf.expects)
		ask_dump(r, SLOT_EXPECT);
	else
		finish(r);
}

static void
log_overrun(struct resync *r, const struct msg_overrun *o)
{
	if (o->grown)
		log_put(r->log, LV_NOTICE, "netlink event socket buffer size has been doubled to %u bytes", o->bufsize);
	else if (!r->growth_warned)
		log_put(r->log, LV_WARNING,
			"netlink event socket buffer size cannot be doubled further since it will exceed "
			"NetlinkBufferSizeMaxGrowth. We are likely to be losing events, this may lead to "
			"unsynchronized "
			"replicas. Please, consider increasing netlink socket buffer size via NetlinkBufferSize and "
			"NetlinkBufferSizeMaxGrowth clauses in conntrackd.conf");
	r->growth_warned = r->growth_warned || !o->grown;
}

void
resync_overrun(struct resync *r, const struct msg_overrun *o, bool own)
{
	r->count.overruns++;
	r->lost_at = r->clock->ms;
	log_overrun(r, o);
	if (r->conf.direct)
		return;                /* what was lost would be sent as new, whatever it was */
	if (r->state != RESYNC_IDLE) { /* peers must hear what this dump finds in place of the lost events */
		r->quiet = false;
		r->store->announce = r->first_done;
	}
	/* what we asked for ourselves caused it: no need to wait until traffic calms down */
	own = own || r->clock->ms - r->flushed_at < OWN_WORK_MS;
	r->lost_wait = own ? OWN_RESYNC_MS : (uint64_t)r->conf.overrun_resync * 1000;
	if (r->lost_wait > 0)
		resync_in(r, r->lost_wait);
}

void
resync_flushed(struct resync *r, unsigned int tables)
{
	r->flushed_at = r->clock->ms;
	r->store->flushed |= tables;
}

/*
 * Bulk sends in steps that the mode allows. Peers' demands are limited in rate here.
 */
#include "bulk.h"

#define WAIT_MS      300   /* a new peer usually asks by itself: one bulk serves both */
#define PAUSE_MAX_MS 2000  /* between bulk sends that a peer asked for: the time of ... */
#define PER_MS       20    /* ... the entries that may be sent that way, but ... */
#define PAUSE_MIN_MS 100   /* ... at least that: each is two lines in the log */
#define ASK_PAUSE_MS 10000 /* between requests that we make of our own accord */
#define STEP_MS      10

/* Between bulk sends that a peer asked for. A dump of the kernel's table costs the same however large that is. */
static uint64_t
pause_of(const struct bulk *b)
{
	uint64_t pause = cache_stats(b->tables->of[SLOT_FLOW])->total / PER_MS;

	if (b->env.read_kernel != NULL || pause > PAUSE_MAX_MS)
		return PAUSE_MAX_MS;
	return pause > PAUSE_MIN_MS ? pause : PAUSE_MIN_MS;
}

void
bulk_want(struct bulk *b, enum bulk_why why)
{
	const uint64_t now = b->clock->ms, paused = b->last > 0 ? b->last + pause_of(b) : 0;

	if (!b->mode->ops->bulk || (b->wanted && why == BULK_UNASKED))
		return;
	b->wanted = true;
	b->not_before = now;
	if (why != BULK_OPERATOR && paused > b->not_before)
		b->not_before = paused;
	if (why == BULK_UNASKED && now + WAIT_MS > b->not_before)
		b->not_before = now + WAIT_MS;
}

void
bulk_ask(struct bulk *b, bool by_operator)
{
	if (!b->mode->ops->bulk)
		return;
	b->ask_wanted = true;
	if (by_operator)
		b->ask_after = b->clock->ms;
}

static void
ask_turn(struct bulk *b)
{
	const uint64_t now = b->clock->ms;

	if (!b->ask_wanted || now < b->ask_after || !b->mode->ops->ready(b->mode, now))
		return;
	b->ask_wanted = false;
	b->ask_after = now + ASK_PAUSE_MS;
	b->asked++;
	log_put(b->log, LV_NOTICE, "resync requested");
	b->mode->ops->ask(b->mode);
}

static void
begin(struct bulk *b)
{
	b->wanted = false;
	b->last = b->clock->ms;
	b->kind = SLOT_FLOW;
	b->pos = 0;
	b->sent++;
	log_put(b->log, LV_NOTICE, "sending bulk update");
	b->active = b->env.read_kernel == NULL;
	if (!b->active)
		b->env.read_kernel(b->env.arg);
}

void
bulk_turn(struct bulk *b)
{
	const uint64_t now = b->clock->ms;
	uint32_t slot;

	ask_turn(b);
	if (b->wanted && !b->active && now >= b->not_before && b->env.complete(b->env.arg) &&
	    b->mode->ops->ready(b->mode, now))
		begin(b);
	if (!b->active)
		return;
	for (uint32_t credit = b->mode->ops->credit(b->mode, now); credit > 0; credit--) {
		if ((slot = tables_walk(b->tables, &b->kind, &b->pos)) == SLOT_NONE) {
			b->active = false;
			return;
		}
		b->env.announce(b->env.arg, b->kind, slot);
	}
}

uint64_t
bulk_due(const struct bulk *b)
{
	if (b->active)
		return b->clock->ms + STEP_MS;
	return b->wanted && b->not_before > b->clock->ms ? b->not_before : NEVER;
}

/*
 * Events and dumps into the internal caches. Flows come from the kernel, with content that
 * packets chose.
 */
#include "store.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#define FLAG_SILENT 0x01 /* seen in dumps only */
#define FLAG_THEIRS 0x02 /* written here for a peer since the kernel last reported it */
#define FLAG_TERM   0x7c /* the term in which the kernel last reported it */
#define TERM_SHIFT  2
#define TERM_MAX    31

/* An assured flow has been answered, so its packets pass here; what is about to end is worth nothing. */
#define STATUS_LIVE 0x06u /* SEEN_REPLY, ASSURED */
#define TCP_LIVES   3     /* ESTABLISHED */
#define TCP_ENDS    6     /* LAST_ACK */

int
store_init(struct store *s, uint32_t limit)
{
	*s = (struct store){.gen = 1, .term = 1};
	if (tables_init(&s->t, limit) == 0)
		return 0;
	store_clear(s);
	return -ENOMEM;
}

void
store_clear(struct store *s)
{
	tables_clear(&s->t);
}

/* The protocol has words for it. */
static bool
carried(const struct store *s, enum slot_kind kind, uint32_t slot)
{
	return kind != SLOT_FLOW || wire_carries(&cache_entry(s->t.of[kind], slot)->flow);
}

void
store_send(struct store *s, enum slot_kind kind, uint32_t slot)
{
	if (s->mode == NULL)
		return;
	if (!carried(s, kind, slot))
		s->unsent++;
	else
		s->mode->ops->change(s->mode, kind, slot);
}

static void
forget(struct store *s, enum slot_kind kind, uint32_t slot)
{
	if (s->mode != NULL)
		s->mode->ops->forget(s->mode, kind, slot);
}

/* The kernel reports this flow. */
static void
reported(struct store *s, struct entry *e)
{
	if (e->flags & FLAG_SILENT)
		s->silent--;
	e->flags = (uint8_t)((e->flags & ~(FLAG_SILENT | FLAG_THEIRS | FLAG_TERM)) | s->term << TERM_SHIFT);
}

static void
silent(struct store *s, struct entry *e)
{
	s->silent += (e->flags & FLAG_SILENT) == 0;
	e->flags |= FLAG_SILENT;
}

static unsigned int
is_silent(const struct entry *e)
{
	return (e->flags & FLAG_SILENT) != 0;
}

/* It lives at a peer, or may do so: that it ends here does not mean that it ends there. */
static bool
theirs(const struct store *s, const struct entry *e)
{
	return e->flags & FLAG_THEIRS || (s->injected && e->flags & FLAG_SILENT);
}

static uint32_t
insert(struct store *s, enum slot_kind kind, const void *object, uint32_t now)
{
	uint32_t slot;
	int r = cache_insert(s->t.of[kind], object, now, &slot);

	if (r < 0) {
		s->full += r == -ENOSPC;
		s->missed = s->missed || (r == -ENOSPC && kind == SLOT_FLOW);
		return SLOT_NONE;
	}
	cache_entry(s->t.of[kind], slot)->gen = s->gen;
	return slot;
}

/* An entry that goes while a dump runs stays as a tombstone: the dump may still show it. */
static uint32_t
bury(struct store *s, enum slot_kind kind, uint32_t slot, bool tell)
{
	struct entry *e = cache_entry(s->t.of[kind], slot);

	reported(s, e);
	e->gen = s->gen;
	cache_bury(s->t.of[kind], slot);
	if (tell && s->mode != NULL && carried(s, kind, slot)) {
		store_send(s, kind, slot);
		return slot;
	}
	forget(s, kind, slot);
	if (s->dumping)
		return slot;
	cache_drop(s->t.of[kind], slot);
	return SLOT_NONE;
}

static uint32_t
gone(struct store *s, enum slot_kind kind, const void *object, bool own, uint32_t now)
{
	struct cache *c = s->t.of[kind];
	uint32_t slot = cache_find(c, object);

	if (slot != SLOT_NONE && cache_entry(c, slot)->flags & ENTRY_DEAD) {
		cache_entry(c, slot)->gen = s->gen;
		return slot;
	}
	if (slot != SLOT_NONE) {
		s->told += is_silent(cache_entry(c, slot));
		return bury(s, kind, slot, !own && !theirs(s, cache_entry(c, slot)));
	}
	if (s->dumping && (slot = insert(s, kind, object, now)) != SLOT_NONE)
		return bury(s, kind, slot, !own && !s->injected); /* peers may know it from before our start */
	if (!s->dumping && !own)
		cache_note_missing(c);
	return SLOT_NONE;
}

static void put_expect(struct store *s, const struct expect *e, bool tell, uint32_t now);

struct flow
store_master_of(const struct expect *e)
{
	struct flow f = {.l3 = e->l3, .l4 = e->master.l4, .have = FLOW_PORTS};
	unsigned int words = flow_words(&f);

	f.port[0] = e->master.sport;
	f.port[1] = e->master.dport;
	memcpy(f.addr, e->master.src, words * sizeof(uint32_t));
	memcpy(f.addr + words, e->master.dst, words * sizeof(uint32_t));
	if (e->have & EXPECT_ZONE && e->zone != 0) {
		f.have |= FLOW_ZONE;
		f.zone = e->zone;
	}
	return f;
}

bool
store_expect_early(struct store *s, const struct expect *e, uint32_t now)
{
	struct expect *at = &s->early.expect[s->early.next];
	bool free_place = at->l3 == 0;

	*at = *e;
	s->early.since[s->early.next] = now;
	s->early.next = (s->early.next + 1) % STORE_EARLY;
	s->early.n += free_place;
	return free_place;
}

static void
early_drop(struct store *s, struct expect *e)
{
	e->l3 = 0;
	s->early.n--;
}

bool
store_expect_early_gone(struct store *s, const struct expect *e)
{
	for (unsigned int i = 0; s->early.n > 0 && i < STORE_EARLY; i++)
		if (s->early.expect[i].l3 != 0 && expect_same_key(&s->early.expect[i], e)) {
			early_drop(s, &s->early.expect[i]);
			return true;
		}
	return false;
}

static bool
is_master(const struct flow *f, const struct expect *e)
{
	struct flow master;

	if (e->l3 != f->l3 || e->master.l4 != f->l4 || e->master.sport != f->port[0] || e->master.dport != f->port[1])
		return false;
	master = store_master_of(e);
	return flow_same_key(&master, f);
}

/* One whose master is f; those that are too old go on the way. */
static struct expect *
early_of(struct store *s, const struct flow *f, uint32_t now)
{
	for (unsigned int i = 0; s->early.n > 0 && i < STORE_EARLY; i++) {
		struct expect *e = &s->early.expect[i];

		if (e->l3 == 0)
			continue;
		if (now - s->early.since[i] > STORE_EARLY_LIFE)
			early_drop(s, e);
		else if (is_master(f, e))
			return e;
	}
	return NULL;
}

/* The master of some of them is here. */
static void
early_join(struct store *s, const struct flow *f, bool own, uint32_t now)
{
	for (struct expect *e; (e = early_of(s, f, now)) != NULL; early_drop(s, e))
		put_expect(s, e, !own, now);
}

unsigned int
store_early_drop(struct store *s, const struct flow *master, uint32_t now)
{
	unsigned int n = 0;

	for (struct expect *e; (e = early_of(s, master, now)) != NULL; n++)
		early_drop(s, e);
	return n;
}

static void
early_clear(struct store *s)
{
	for (unsigned int i = 0; s->early.n > 0 && i < STORE_EARLY; i++)
		if (s->early.expect[i].l3 != 0)
			early_drop(s, &s->early.expect[i]);
}

uint32_t
store_flow(struct store *s, enum sink_op op, const struct flow *f, bool own, uint32_t now)
{
	struct entry *e;
	uint32_t slot;

	if (op == SINK_DEL) {
		store_early_drop(s, f, now);
		return gone(s, SLOT_FLOW, f, own, now);
	}
	if ((slot = cache_find(s->t.of[SLOT_FLOW], f)) == SLOT_NONE) {
		if (own || (slot = insert(s, SLOT_FLOW, f, now)) == SLOT_NONE)
			return SLOT_NONE;
		reported(s, cache_entry(s->t.of[SLOT_FLOW], slot));
	} else {
		e = cache_entry(s->t.of[SLOT_FLOW], slot);
		s->told += is_silent(e);
		if (own)
			e->flags |= FLAG_THEIRS;
		else
			reported(s, e);
		e->gen = s->gen;
		if ((op == SINK_NEW || e->flags & ENTRY_DEAD ? cache_revive : cache_update)(s->t.of[SLOT_FLOW], slot, f,
											    now) < 0)
			return slot;
	}
	if (!own)
		store_send(s, SLOT_FLOW, slot);
	early_join(s, f, own, now);
	return slot;
}

/* What a dump says explicitly and an event leaves out when it is zero is no difference. */
static bool
same(const struct entry *e, const struct flow *f)
{
	struct flow g = *f;

	if ((e->flow.have & FLOW_MARK) == 0 && g.mark == 0)
		g.have &= ~(uint32_t)FLOW_MARK;
	if ((e->flow.have & (FLOW_SYNPROXY | FLOW_SYNPROXY_ZERO)) == 0)
		g.have &= ~(uint32_t)FLOW_SYNPROXY_ZERO;
	return flow_equal(&e->flow, &g);
}

void
store_flow_dumped(struct store *s, const struct flow *f, uint32_t now)
{
	uint32_t slot = cache_find(s->t.of[SLOT_FLOW], f);
	struct entry *e;
	bool dead;

	if (slot == SLOT_NONE) {
		if ((slot = insert(s, SLOT_FLOW, f, now)) == SLOT_NONE)
			return;
		silent(s, cache_entry(s->t.of[SLOT_FLOW], slot));
	} else {
		e = cache_entry(s->t.of[SLOT_FLOW], slot);
		if (e->gen == s->gen) /* an event since, or the dump's second sight of it */
			return;
		e->gen = s->gen;
		if ((e->flags & ENTRY_DEAD) == 0 && same(e, f)) {
			e->flow.timeout = f->timeout;
			e->updated = now;
			return;
		}
		dead = (e->flags & ENTRY_DEAD) != 0;
		s->found += is_silent(e);
		if ((dead ? cache_revive : cache_update)(s->t.of[SLOT_FLOW], slot, f, now) < 0)
			return;
		if (dead)
			silent(s, e);
	}
	if (s->announce)
		store_send(s, SLOT_FLOW, slot);
}

void
store_flow_filtered(struct store *s, const struct flow *f)
{
	uint32_t slot = cache_find(s->t.of[SLOT_FLOW], f);

	if (slot != SLOT_NONE)
		cache_entry(s->t.of[SLOT_FLOW], slot)->gen = s->gen;
}

bool
store_knows(const struct store *s, const struct flow *f)
{
	const struct cache *c = s->t.of[SLOT_FLOW];
	uint32_t slot = cache_find(c, f);
	const struct entry *e = slot != SLOT_NONE ? cache_entry(c, slot) : NULL;

	return e != NULL && (e->flags & ENTRY_DEAD) == 0 && e->flow.have & f->have & FLOW_REPLY &&
	       memcmp(e->flow.port, f->port, sizeof(f->port)) == 0 &&
	       memcmp(e->flow.addr, f->addr, sizeof(f->addr[0]) * 4 * flow_words(f)) == 0;
}

void
store_hand_over(struct store *s)
{
	s->term = s->term == TERM_MAX ? 1 : (uint8_t)(s->term + 1);
}

bool
store_owns(const struct store *s, const struct flow *f)
{
	const struct cache *c = s->t.of[SLOT_FLOW];
	uint32_t slot = cache_find(c, f);
	const struct entry *e = slot != SLOT_NONE ? cache_entry(c, slot) : NULL;

	return e != NULL && (e->flags & (ENTRY_DEAD | FLAG_SILENT | FLAG_THEIRS)) == 0 &&
	       (e->flags & FLAG_TERM) >> TERM_SHIFT == s->term && (e->flow.status & STATUS_LIVE) == STATUS_LIVE &&
	       (e->flow.l4 != IPPROTO_TCP || (e->flow.state >= TCP_LIVES && e->flow.state <= TCP_ENDS));
}

bool
store_has_master(const struct store *s, const struct expect *e)
{
	struct flow f = store_master_of(e);
	uint32_t slot = cache_find(s->t.of[SLOT_FLOW], &f);

	return slot != SLOT_NONE && (cache_entry(s->t.of[SLOT_FLOW], slot)->flags & ENTRY_DEAD) == 0;
}

static void
put_expect(struct store *s, const struct expect *e, bool tell, uint32_t now)
{
	struct cache *c = s->t.of[SLOT_EXPECT];
	uint32_t slot = cache_find(c, e);
	bool news = slot == SLOT_NONE || cache_entry(c, slot)->flags & ENTRY_DEAD;

	if ((slot == SLOT_NONE ? cache_insert(c, e, now, &slot) : cache_update(c, slot, e, now)) < 0)
		return;
	cache_entry(c, slot)->gen = s->gen;
	if (tell && news)
		store_send(s, SLOT_EXPECT, slot);
}

void
store_expect(struct store *s, enum sink_op op, const struct expect *e, bool own, uint32_t now)
{
	if (op == SINK_DEL)
		gone(s, SLOT_EXPECT, e, own, now);
	else
		put_expect(s, e, !own, now);
}

void
store_expect_dumped(struct store *s, const struct expect *e, uint32_t now)
{
	const struct cache *c = s->t.of[SLOT_EXPECT];
	uint32_t slot = cache_find(c, e);

	if (slot == SLOT_NONE || cache_entry(c, slot)->gen != s->gen)
		put_expect(s, e, s->announce, now);
}

void
store_dump_begin(struct store *s, bool tell)
{
	s->gen = s->gen == UINT8_MAX ? 1 : (uint8_t)(s->gen + 1);
	s->dumping = true;
	s->announce = tell;
	early_clear(s);
}

void
store_dump_end(struct store *s, bool complete)
{
	s->dumping = false;
	s->complete = complete;
	s->sweep_pos = 0;
}

static void
sweep(struct store *s, enum slot_kind kind, uint32_t slot)
{
	const struct entry *e = cache_entry(s->t.of[kind], slot);

	if (e->flags & ENTRY_DEAD) {
		if (e->queue == QUEUE_NONE) {
			forget(s, kind, slot); /* its deletion may have been handed out a moment ago */
			cache_drop(s->t.of[kind], slot);
		}
		return;
	}
	if (!s->complete || e->gen == s->gen)
		return;
	s->found += is_silent(e);
	if (s->missed_end != NULL && kind == SLOT_FLOW)
		s->missed_end(s->missed_arg, &e->flow);
	bury(s, kind, slot, (s->flushed & 1U << kind) == 0 && !theirs(s, e));
}

bool
store_sweep(struct store *s, enum slot_kind kind, unsigned int max)
{
	for (uint32_t slot; max > 0; max--) {
		if ((slot = cache_walk(s->t.of[kind], &s->sweep_pos)) == SLOT_NONE)
			return true;
		sweep(s, kind, slot);
	}
	return false;
}

void
store_unqueued(void *store, enum slot_kind kind, uint32_t slot)
{
	struct store *s = store;

	if (!s->dumping)
		cache_drop(s->t.of[kind], slot);
}

void
store_flush(struct store *s, unsigned int tables)
{
	uint32_t pos = 0, slot;

	early_clear(s);
	for (int k = 0; k < SLOT_KINDS; k++, pos = 0)
		while (tables & 1U << k && (slot = cache_walk(s->t.of[k], &pos)) != SLOT_NONE) {
			reported(s, cache_entry(s->t.of[k], slot));
			forget(s, (enum slot_kind)k, slot);
			cache_drop(s->t.of[k], slot);
		}
}

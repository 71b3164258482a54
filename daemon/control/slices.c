/*
 * Caches and the resend queue as records.
 */
#include "slices.h"

#include <string.h>

#define RECORD_MAX (sizeof(struct ctl_flow) + sizeof(struct flow) + sizeof(struct flow_side) + 8)
#define VISITS_MAX 8192

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
void
slice_dump(const struct control_parts *p, struct ctl_client *c)
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
	t = part[c->step].cache == CTL_INTERNAL ? p->internal : p->external;
	if (part[c->step].table == CTL_TABLE_CT)
		len = slice_flows(t->of[SLOT_FLOW], &c->pos, ctl_payload(c), p->clock->s,
				  t == p->external && p->conf->mode == MODE_ALARM ? p->conf->cache_timeout : 0);
	else
		len = slice_expects(t->of[SLOT_EXPECT], &c->pos, ctl_payload(c), p->clock->s);
	if (len > 0)
		ctl_put(c, part[c->step].table == CTL_TABLE_CT ? CTL_R_FLOW : CTL_R_EXPECT, len);
	if (c->pos == SLOT_NONE) {
		c->step++;
		c->pos = 0;
	}
}

static size_t
slice_control(const struct control_env *env, uint8_t *at)
{
	struct mode_item it;
	size_t len = 0;

	for (uint32_t i = 0; len + sizeof(struct ctl_rsq) <= CTL_PAYLOAD_MAX && env->waiting(env->arg, i, &it); i++) {
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
void
slice_rsqueue(const struct control_parts *p, const struct control_env *env, struct ctl_client *c)
{
	size_t len;

	if (c->step == 0)
		len = slice_control(env, ctl_payload(c));
	else
		len = slice_waiting(p->internal->of[c->step - 1], &c->pos, ctl_payload(c));
	if (len > 0)
		ctl_put(c, CTL_R_RSQUEUE, len);
	if (c->step > 0 && (c->pos != SLOT_NONE || len > 0))
		return;
	c->pos = 0;
	if (c->step++ == 2)
		ctl_done(c);
}

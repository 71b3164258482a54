/*
 * Flushes of the kernel's tables.
 */
#include "flush.h"

#include <errno.h>

#define ID_MASK 0x0fffffffU

static uint32_t
next_id(struct flush *x)
{
	x->last = (x->last + 1) & ID_MASK;
	x->last += x->last == 0;
	return x->last;
}

static uint32_t
flush_table(struct flush *x, uint8_t subsys)
{
	const struct msg_flush f = {.subsys = subsys};
	const uint32_t id = next_id(x);

	x->env.flush_table(x->env.arg, id, &f);
	return id;
}

static uint32_t
delete_shown(struct flush *x)
{
	if (!x->deleting.active)
		x->deleting.id = next_id(x);
	x->deleting.active = true;
	x->deleting.pos = 0;
	return x->deleting.id;
}

uint32_t
flush_kernel(struct flush *x, unsigned int tables)
{
	uint32_t id = 0;

	x->count++;
	x->env.begun(x->env.arg, tables);
	if (tables & 1U << SLOT_EXPECT)
		id = flush_table(x, SUBSYS_EXP);
	if (tables & 1U << SLOT_FLOW) /* last: its end is that of both */
		id = x->last_flows = x->shown != NULL ? delete_shown(x) : flush_table(x, SUBSYS_CT);
	return id;
}

void
flush_result(struct flush *x, uint32_t id, int err)
{
	if (id != 0)
		x->env.done(x->env.done_arg, id, err, id == x->last_flows);
}

void
flush_stop(struct flush *x)
{
	if (!x->deleting.active)
		return;
	x->deleting.active = false;
	flush_result(x, x->deleting.id, -ECANCELED);
}

/* The last batch carries the number that clients wait for. */
static void
delete_step(struct flush *x)
{
	const struct flow_nl_opts o = {0};
	uint32_t slot = 0;

	batch_clear(&x->batch);
	while (batch_room(&x->batch) && (slot = cache_walk(x->shown, &x->deleting.pos)) != SLOT_NONE) {
		const struct entry *e = cache_entry(x->shown, slot);

		if ((e->flags & ENTRY_DEAD) == 0)
			batch_flow(&x->batch, FLOW_NL_DELETE, &e->flow, &o);
	}
	x->deleting.active = slot != SLOT_NONE;
	x->env.begun(x->env.arg, 0);
	if (x->batch.len > 0)
		x->env.send(x->env.arg, x->deleting.active ? 0 : x->deleting.id, x->batch.data, x->batch.len);
	else if (!x->deleting.active)
		flush_result(x, x->deleting.id, 0);
}

bool
flush_turn(struct flush *x)
{
	if (!x->deleting.active || !x->env.ready(x->env.arg))
		return false;
	delete_step(x);
	return true;
}

/*
 * The kernel's tables are emptied, at once or when the purge timer fires. With a Filter block the flows that it hides
 * stay: what it shows is in the internal cache, and goes by one request each.
 */
#ifndef FLUSH_H
#define FLUSH_H

#include "batch.h"
#include "cache.h"
#include "clock.h"
#include "msg.h"

struct flush_env {
	void *arg;
	bool (*ready)(void *arg); /* the parent takes more */
	/* One batch of deletions, or a flush of one table. Their results come by flush_result(). */
	void (*send)(void *arg, uint32_t id, const void *data, size_t len);
	void (*flush_table)(void *arg, uint32_t id, const struct msg_flush *f);
	/* Flows (bits 1 << slot_kind) are asked to be deleted; 0: more of the same ones. */
	void (*begun)(void *arg, unsigned int tables);
	/* What flush_kernel() returned is done. flows: it was the last one of flows. */
	void (*done)(void *done_arg, uint32_t id, int err, bool flows);
	void *done_arg;
};

struct flush {
	struct flush_env env;
	const struct cache *shown; /* flows that the filter shows, to be deleted one by one; NULL: it hides none */
	uint32_t last, last_flows; /* ids */
	struct {
		bool active;
		uint32_t pos, id;
	} deleting;
	uint64_t count;
	struct batch batch;
};

/* Asks for it; the number that done() will say. */
uint32_t flush_kernel(struct flush *x, unsigned int tables);
/* Flows that are not deleted yet stay. */
void flush_stop(struct flush *x);
void flush_result(struct flush *x, uint32_t id, int err);
/* Once a turn. True: there is more to do. */
bool flush_turn(struct flush *x);

#endif

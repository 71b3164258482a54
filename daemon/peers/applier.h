/*
 * Where the states go that peers report: into the external caches (external.h), or with DisableExternalCache into the
 * kernel. Chosen once, at the start.
 */
#ifndef APPLIER_H
#define APPLIER_H

#include "cache.h"

/* Peers are told apart, so that none can take the place of the others. */
#define APPLY_SOURCES 16

/* Flows of one datagram that were read but not looked up yet: memory waits for the whole batch at once. */
#define APPLY_BATCH 16
struct apply_batch {
	struct flow flow[APPLY_BATCH];
	struct flow_side side[APPLY_BATCH];
	uint8_t change[APPLY_BATCH]; /* enum entry_change */
	unsigned int n;
	unsigned int source; /* whose they are, < APPLY_SOURCES */
};

struct applier {
	void *arg;
	/* All flows of b, in order; b is the applier's to change. */
	void (*flows)(void *arg, struct apply_batch *b);
	void (*expect)(void *arg, unsigned int source, enum entry_change change, const struct expect *e);
	/* Datagrams that it can take now; what does not fit waits in the sockets. */
	unsigned int (*room)(void *arg);
	/* Once a turn. True: what was refused before has room now, so it is worth asking the peers for everything. */
	bool (*turn)(void *arg);
	const struct cache_stats *(*stats)(void *arg, enum slot_kind kind);
};

#endif

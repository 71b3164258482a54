/*
 * The internal caches as the place where events and dumps go.
 */
#ifndef STORE_SINK_H
#define STORE_SINK_H

#include "clock.h"
#include "store.h"

struct store_sink {
	struct store *store;
	const struct clock *clock;
};
struct sink store_sink(struct store_sink *s);

#endif

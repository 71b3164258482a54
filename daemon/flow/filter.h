/*
 * The Filter block: which flows are replicated. One semantics for events, dumps and flushes. Protocol, then address,
 * then state; deletions are never filtered by state, or the entry would stay for ever.
 */
#ifndef FILTER_H
#define FILTER_H

#include <stdbool.h>

#include "conf.h"
#include "flow.h"

/* It hides something. */
static inline bool
filter_hides(const struct conf_filter *conf)
{
	return conf->proto_policy != FILTER_OFF || conf->addr_policy != FILTER_OFF || conf->state_policy != FILTER_OFF;
}

struct filter;
struct filter *filter_new(const struct conf_filter *conf); /* NULL: no memory. Copies what it needs. */
void filter_free(struct filter *f);
/* Address rules look at the real endpoints: original source and reply source. */
bool filter_passes(const struct filter *f, const struct flow *flow, bool deletion);

#endif

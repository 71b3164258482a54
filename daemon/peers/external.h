/*
 * The external caches: what peers say of their flows, until a take-over writes it into the kernel. With ALARM what a
 * peer does not repeat any more is gone.
 */
#ifndef EXTERNAL_H
#define EXTERNAL_H

#include "applier.h"
#include "clock.h"

struct external_conf {
	uint32_t limit;    /* entries of each table */
	uint32_t lifetime; /* seconds until an entry that is not repeated goes, 0: never */
};

struct external;
struct external *external_new(const struct external_conf *conf, const struct clock *clock); /* NULL: no memory */
void external_free(struct external *x);
struct applier external_applier(struct external *x);
const struct tables *external_tables(const struct external *x);
/* Empties the tables (bits 1 << SLOT_FLOW, 1 << SLOT_EXPECT). */
void external_flush(struct external *x, unsigned int tables);
/* Entries that were refused for the limit since the last call. */
uint64_t external_refused(struct external *x);

#endif

/*
 * The external caches: what peers say of their flows, until a take-over writes it into the kernel. With ALARM what a
 * peer does not repeat any more is gone. When they are full, who has more than an equal share of the places gives some
 * of them to those who have less.
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
/* Entries that found no place since the last call, and those that gave theirs to others'. */
struct external_full {
	uint64_t refused, displaced;
};
struct external_full external_full(struct external *x);
/* How many of the entries are of that peer. */
uint32_t external_held(const struct external *x, enum slot_kind kind, unsigned int source);

#endif

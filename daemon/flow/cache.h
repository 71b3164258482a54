/*
 * A bounded table of flows or of expectations: the internal caches (this kernel's) and the external caches (the
 * peers'). Slab-allocated entries addressed by 32-bit slots, hash index of slots with a keyed hash, IPv4 and IPv6 flows
 * in slabs of their own. Slots and pointers to entries stay valid until the entry is dropped. Nothing here stalls:
 * table and index grow and shrink a piece at a time.
 */
#ifndef CACHE_H
#define CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "figures.h"
#include "flow.h"

#define SLOT_NONE UINT32_MAX

enum slot_kind { SLOT_FLOW, SLOT_EXPECT, SLOT_KINDS };

/* Place of an entry in a queue of mode/. */
struct qlink {
	uint32_t next, prev; /* slots */
	uint32_t seq;        /* sequence number it was last sent with */
};

/* Bookkeeping of an entry; link belongs to the send and resend queues (mode/), gen to the resync, in external caches to
 * the commit (commit.h). */
struct entry {
	struct qlink link;
	uint32_t created, updated; /* seconds of the caller's monotonic clock */
	uint8_t queue;             /* 0 none, else which queue of mode/; in external caches: whose entry it is */
	uint8_t change;            /* enum entry_change: what the next message about it says */
	uint8_t gen;               /* mark of the last kernel dump that saw it, or of an event since */
	uint8_t flags;             /* ENTRY_DEAD: buried; the other bits are the caller's */
	union {                    /* last: stored in as many octets as the object takes, flows in flow_size() */
		struct flow flow;
		struct expect expect;
	};
};
enum entry_change { ENTRY_NEW, ENTRY_UPD, ENTRY_DEL };
#define ENTRY_DEAD 0x80

struct cache;
/* limit: entries, dead ones awaiting acknowledgement included. NULL: no memory */
struct cache *cache_new(enum slot_kind kind, uint32_t limit);
void cache_free(struct cache *c); /* NULL is fine */

/* Objects are a struct flow or a struct expect, as the cache was made for. */

/* Slot of the entry with the object's key, or SLOT_NONE. Entries marked ENTRY_DEL are found too. */
uint32_t cache_find(const struct cache *c, const void *object);
/* Starts fetching what cache_find will need for n flows (16 or so) that are about to be looked up: memory is slow, and
 * this way the waits overlap. Only a hint. */
void cache_prefetch(const struct cache *c, const struct flow *f, size_t n);
/* Copies the object. now: seconds. *slot: where. -ENOSPC at the limit, -ENOMEM, -EEXIST. */
int cache_insert(struct cache *c, const void *object, uint32_t now, uint32_t *slot);
/* Merges what a flow has into the entry (flow_merge), replaces an expectation; the entry lives, as ENTRY_UPD. -ENOMEM
 */
int cache_update(struct cache *c, uint32_t slot, const void *object, uint32_t now);
/* Marks the entry dead (ENTRY_DEL): it no longer counts as active but stays until cache_drop (its deletion must be sent
 * first). */
void cache_bury(struct cache *c, uint32_t slot);
/* The entry lives with the object's content, as ENTRY_NEW; one that lived counts as deleted. -ENOMEM */
int cache_revive(struct cache *c, uint32_t slot, const void *object, uint32_t now);
void cache_drop(struct cache *c, uint32_t slot);

struct entry *cache_entry(const struct cache *c, uint32_t slot);
/* Resumable walk in slot order: returns the first used slot >= *pos and sets *pos behind it; SLOT_NONE at the end.
 * Entries inserted or dropped between calls are seen or not; none is seen twice. Start with *pos = 0. */
uint32_t cache_walk(const struct cache *c, uint32_t *pos);
/* Counts a deletion of something that is not in the cache. */
void cache_note_missing(struct cache *c);
const struct cache_stats *cache_stats(const struct cache *c);
/* So much room below limit again that it is worth asking for what was refused. */
static inline bool
cache_has_room(const struct cache *c, uint32_t limit)
{
	return cache_stats(c)->total <= limit - limit / 8;
}
size_t cache_memory(const struct cache *c); /* octets allocated, index included */

/* A cache of each kind. */
struct tables {
	struct cache *of[SLOT_KINDS];
};
/* limit: of each. -ENOMEM: what there is goes by tables_clear. */
int tables_init(struct tables *t, uint32_t limit);
void tables_clear(struct tables *t);
/* As cache_walk over all of them, flows first; *kind: of the slot, SLOT_KINDS at the end. Start with both 0. */
uint32_t tables_walk(const struct tables *t, enum slot_kind *kind, uint32_t *pos);
uint64_t tables_total(const struct tables *t); /* entries */

#endif

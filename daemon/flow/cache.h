/*
 * A bounded table of flows: the internal cache (this kernel's flows) and the external cache (the peers').
 * Slab-allocated entries addressed by 32-bit slots, hash index of slots with a keyed hash, IPv4 and IPv6 in slabs of
 * their own. Slots and pointers to entries stay valid until the entry is dropped. Nothing here stalls: table and index
 * grow and shrink a piece at a time.
 */
#ifndef CACHE_H
#define CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "flow.h"

#define SLOT_NONE UINT32_MAX

/* Place of an entry in a queue of mode/: flows and expectations are queued by the same code. */
struct qlink {
	uint32_t next, prev; /* slots */
	uint32_t seq;        /* sequence number it was last sent with */
};

/* Bookkeeping of an entry; link belongs to the send and resend queues (mode/), gen to the resync. */
struct entry {
	struct qlink link;
	uint32_t created, updated; /* seconds of the caller's monotonic clock */
	uint8_t queue;             /* 0 none, else which queue of mode/ */
	uint8_t change;            /* enum entry_change: what the next message about it says */
	uint8_t gen;               /* mark of the last kernel dump that saw it, or of an event since */
	uint8_t flags;             /* ENTRY_DEAD: buried; the other bits are the caller's */
	struct flow flow;          /* last: stored in flow_size() octets */
};
enum entry_change { ENTRY_NEW, ENTRY_UPD, ENTRY_DEL };
#define ENTRY_DEAD 0x80

struct cache_conf {
	uint32_t limit; /* entries, dead ones awaiting acknowledgement included */
};

/* All counters since start; the names are those of `conntrackd -s cache`. update_missing stays 0: what is updated and
 * not there is created. */
struct cache_stats {
	uint64_t active, total;
	uint64_t created, create_failed, no_memory, no_space;
	uint64_t updated, update_failed, update_missing;
	uint64_t deleted, delete_failed, delete_missing;
};

struct cache;
struct cache *cache_new(const struct cache_conf *conf); /* NULL: no memory */
void cache_free(struct cache *c);                       /* NULL is fine */

/* Slot of the entry with f's key, or SLOT_NONE. Entries marked ENTRY_DEL are found too. */
uint32_t cache_find(const struct cache *c, const struct flow *f);
/* Starts fetching what cache_find will need for n flows (16 or so) that are about to be looked up: memory is slow, and
 * this way the waits overlap. Only a hint. */
void cache_prefetch(const struct cache *c, const struct flow *f, size_t n);
/* Copies f. now: seconds. *slot: where. -ENOSPC at the limit, -ENOMEM, -EEXIST. */
int cache_insert(struct cache *c, const struct flow *f, uint32_t now, uint32_t *slot);
/* Merges what f has into the entry (flow_merge), sets change to ENTRY_UPD. -ENOMEM */
int cache_update(struct cache *c, uint32_t slot, const struct flow *f, uint32_t now);
/* Marks the entry dead (ENTRY_DEL): it no longer counts as active but stays until cache_drop (its deletion must be sent
 * first). */
void cache_bury(struct cache *c, uint32_t slot);
/* A dead entry lives again with f's content, as ENTRY_NEW. -ENOMEM */
int cache_revive(struct cache *c, uint32_t slot, const struct flow *f, uint32_t now);
void cache_drop(struct cache *c, uint32_t slot);

struct entry *cache_entry(const struct cache *c, uint32_t slot);
/* Resumable walk in slot order: returns the first used slot >= *pos and sets *pos behind it; SLOT_NONE at the end.
 * Entries inserted or dropped between calls are seen or not; none is seen twice. Start with *pos = 0. */
uint32_t cache_walk(const struct cache *c, uint32_t *pos);
/* Counts a deletion of something that is not in the cache. */
void cache_note_missing(struct cache *c);
const struct cache_stats *cache_stats(const struct cache *c);
size_t cache_memory(const struct cache *c); /* octets allocated, index included */

/* Expectations: few, so a simple bounded table with the same verbs. Entries have the same bookkeeping head. */
struct xcache;
struct xentry {
	struct qlink link;
	uint32_t created, updated;
	uint8_t queue, change, gen, flags;
	struct expect expect;
};
struct xcache *xcache_new(const struct cache_conf *conf);
void xcache_free(struct xcache *c);
uint32_t xcache_find(const struct xcache *c, const struct expect *e);
int xcache_insert(struct xcache *c, const struct expect *e, uint32_t now, uint32_t *slot);
int xcache_update(struct xcache *c, uint32_t slot, const struct expect *e, uint32_t now); /* replaces the object */
void xcache_bury(struct xcache *c, uint32_t slot);
void xcache_drop(struct xcache *c, uint32_t slot);
struct xentry *xcache_entry(const struct xcache *c, uint32_t slot);
uint32_t xcache_walk(const struct xcache *c, uint32_t *pos);
void xcache_note_missing(struct xcache *c);
const struct cache_stats *xcache_stats(const struct xcache *c);

#endif

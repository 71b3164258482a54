/*
 * The internal caches: what this kernel's events and dumps say, and what of it is announced to the peers. Events come
 * after the dump was asked for and before or after the dump's entry of the same flow: an event always wins, a dump
 * never brings a destroyed flow back, and after a complete dump what it did not show is gone.
 */
#ifndef STORE_H
#define STORE_H

#include "mode.h"
#include "sink.h"

/* Expectations that were reported before their masters. */
#define STORE_EARLY      64
#define STORE_EARLY_LIFE 10 /* s; the master is reported with the same packet, or never */

struct store {
	struct tables t;
	struct mode *mode; /* NULL: nothing is announced */
	/* A dump shows that f has ended without an event. NULL: nobody wants to know. */
	void (*missed_end)(void *arg, const struct flow *f);
	void *missed_arg;
	uint8_t gen; /* of the dump that is running or was last */
	bool dumping, announce, complete;
	bool injected;        /* peers' flows are written into the kernel: what only dumps showed may be theirs */
	uint8_t term;         /* of being the one whose packets pass here; another one begins when we hand over */
	unsigned int flushed; /* CTL_TABLE_*, by ourselves: what the next complete dump misses went that way, and is not
				 told */
	uint32_t sweep_pos;
	bool missed;     /* flows were refused for HashLimit since its owner last looked for them */
	uint64_t silent; /* flows known from dumps only: the kernel may never report them */
	uint64_t found;  /* ends and changes of such flows that only a dump showed, since its owner set it to 0 */
	uint64_t told;   /* those that an event told */
	uint64_t full;   /* flows refused for HashLimit since it was last logged */
	uint64_t unsent; /* news of flows that the protocol cannot describe */
	struct {
		unsigned int n, next;              /* how many, and the place of the next one */
		struct expect expect[STORE_EARLY]; /* l3 0: a free place */
		uint32_t since[STORE_EARLY];       /* s */
	} early;
};

/* -ENOMEM. limit: entries of each table */
int store_init(struct store *s, uint32_t limit);
void store_clear(struct store *s);

/* An event about f. own: caused by ourselves, who write what peers say and flush: not announced, and new to the store
 * neither. Slot of the flow, SLOT_NONE when there is none now. */
uint32_t store_flow(struct store *s, enum sink_op op, const struct flow *f, bool own, uint32_t now);
void store_expect(struct store *s, enum sink_op op, const struct expect *e, bool own, uint32_t now);
/* The key of an expectation's master. */
struct flow store_master_of(const struct expect *e);
/* The master flow of an expectation is here. */
bool store_has_master(const struct store *s, const struct expect *e);
/* An event about a new expectation whose master is not here: the first packet of a flow made it, and the kernel reports
 * the flow a moment later. Kept until then, for STORE_EARLY_LIFE at most, and not beyond a dump or a flush. False: in
 * the place of an older one, which is forgotten. */
bool store_expect_early(struct store *s, const struct expect *e, uint32_t now);
/* It is over before its master was seen. False: none was kept. */
bool store_expect_early_gone(struct store *s, const struct expect *e);
/* Their master was seen and stays out of the store, or is over. How many were kept. */
unsigned int store_early_drop(struct store *s, const struct flow *master, uint32_t now);

/* A dump of flows (kind) is about to be asked for. announce: tell peers what is new or other than before; ends are told
 * in any case. */
void store_dump_begin(struct store *s, bool announce);
void store_flow_dumped(struct store *s, const struct flow *f, uint32_t now);
/* The flow is in the store, alive and translated in the same way. */
bool store_knows(const struct store *s, const struct flow *f);
/* We have handed over to another node: what the kernel reported until now may have moved on there. */
void store_hand_over(struct store *s);
/* The flow lives here, as the kernel itself has reported since we last handed over: no peer knows it better. */
bool store_owns(const struct store *s, const struct flow *f);
/* The flow is in the kernel but the filter hides it. */
void store_flow_filtered(struct store *s, const struct flow *f);
void store_expect_dumped(struct store *s, const struct expect *e, uint32_t now);
/* The dump has ended; complete: what it did not show is gone. store_sweep() until it returns true. */
void store_dump_end(struct store *s, bool complete);
bool store_sweep(struct store *s, enum slot_kind kind, unsigned int max);

/* An entry is to be sent. What the protocol has no words for is counted instead. */
void store_send(struct store *s, enum slot_kind kind, uint32_t slot);
/* Callback of mode_env: the deletion of a dead entry needs no more sending. */
void store_unqueued(void *store, enum slot_kind kind, uint32_t slot);
/* Empties the tables (of CTL_TABLE_CT = 1, CTL_TABLE_EXP = 2) without telling anybody. */
void store_flush(struct store *s, unsigned int tables);

#endif

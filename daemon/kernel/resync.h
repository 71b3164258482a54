/*
 * Reconciliation of the internal caches with the kernel's tables, by dumps: at the start, on demand, after lost events,
 * and from time to time while there are flows that the kernel does not report (nf_conntrack_events=2 and older than the
 * listener). One at a time; what comes meanwhile is one more after it.
 */
#ifndef RESYNC_H
#define RESYNC_H

#include "clock.h"
#include "log.h"
#include "msg.h"
#include "store.h"

struct resync_conf {
	uint32_t poll_secs;      /* there are no events: dump so often; 0: there are */
	uint32_t limit;          /* of each table */
	uint32_t overrun_resync; /* seconds from lost events to the dump that makes up for them, 0: none */
	bool expects;            /* expectations are replicated */
	bool direct;             /* nothing is kept that a dump could be compared with: it is what peers asked for */
};

struct resync_env {
	void *arg;
	void (*ask)(void *arg, const struct msg_dump_start *d);
	void (*complete)(void *arg); /* the first one is done */
	void (*done)(void *arg);     /* one is done; r->serial and r->failed say which and how */
	bool (*busy)(void *arg);     /* looks at silent flows can wait: a commit runs */
	void (*again)(void *arg);    /* another turn, without waiting */
};

struct resync {
	struct resync_conf conf;
	struct resync_env env;
	struct log *log;
	const struct clock *clock;
	struct store *store;
	enum { RESYNC_IDLE, RESYNC_DUMP, RESYNC_SWEEP } state;
	enum slot_kind kind;
	bool first_done; /* the start-up dump is in the cache */
	bool quiet;      /* the running one is not announced: a bulk send follows */
	bool again;      /* one more after this one */
	bool again_quiet;
	bool failed;
	uint32_t id, serial; /* of the running or last one */
	unsigned int tries;
	uint64_t started, flushed_at;
	uint64_t due;            /* the next one that the peers hear of */
	uint64_t soon;           /* the next one that reads back what we wrote */
	uint64_t look, pause;    /* the next look at silent flows, unless one is due, and how long after the last */
	struct fig_resync count; /* the first dump is none */
	uint64_t lost_at;        /* when it last did */
	uint64_t lost_wait;      /* so long after that a dump makes up for it, 0: never */
	bool growth_warned;
};

/* Everything else of r is zeroed. Nothing is dumped yet. */
void resync_init(struct resync *r);
/* Dumps now, or once more when the running one is done. quiet: what is new or other is not announced to the peers; what
 * has ended is. */
void resync_start(struct resync *r, bool quiet);
/* The serial of the next dump that begins, or of the one that has begun just now: r->serial reaches it when it is done.
 */
uint32_t resync_next(const struct resync *r);
/* Soon, and not announced: reads back what we have written. One that begins before serves as well, and is as quiet. */
void resync_soon(struct resync *r);
void resync_in(struct resync *r, uint64_t ms); /* aloud, at the latest then */
void resync_turn(struct resync *r);            /* once a turn */
uint64_t resync_due(const struct resync *r);   /* when to be called again */
/* What we have written was not read back yet. */
bool resync_owes(const struct resync *r);
/* Entries of dump id are wanted: they are of r->kind. */
bool resync_reads(const struct resync *r, uint32_t id);
void resync_dump_done(struct resync *r, const struct msg_dump_done *d);
/* The kernel lost events. own: our own commit runs, which may have caused it. */
void resync_overrun(struct resync *r, const struct msg_overrun *o, bool own);
/* We have asked the kernel to flush these tables (bits 1 << slot_kind, 0: more of the same ones). */
void resync_flushed(struct resync *r, unsigned int tables);

#endif

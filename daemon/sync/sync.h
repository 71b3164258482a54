/*
 * The parts of the sync role and what they share. Private to daemon/sync.
 */
#ifndef SYNC_H
#define SYNC_H

#include <sched.h>

#include "blob.h"
#include "clock.h"
#include "commit.h"
#include "ctl.h"
#include "external.h"
#include "filter.h"
#include "inject.h"
#include "log.h"
#include "loop.h"
#include "peers.h"
#include "store.h"
#include "wall.h"

/* Batch ids on the wall: who asked is in the upper bits. */
enum asker { ASK_COMMIT = 1, ASK_INJECT, ASK_FLUSH, ASK_LOOK };
#define ASKER_SHIFT 28
#define ASKER_MASK  0x0fffffffU

/* What a waiting client waits for (ctl_client.step). */
enum wait { WAIT_NONE, WAIT_COMMIT, WAIT_RESYNC, WAIT_FLUSH, WAIT_STOP, WAIT_ROLE_COMMIT };

/* Dumps of the kernel's tables. */
struct resync {
	enum { RESYNC_IDLE, RESYNC_DUMP, RESYNC_SWEEP } state;
	enum slot_kind kind;
	bool first_done; /* the start-up dump is in the cache */
	bool quiet;      /* the running one is not announced: a bulk send follows */
	bool again;      /* one more after this one */
	bool again_quiet;
	bool failed;
	uint32_t id, serial; /* of the running or last one */
	unsigned int tries;
	uint64_t started;
	uint64_t due;         /* the next one that the peers hear of */
	uint64_t look, pause; /* the next look at silent flows, unless one is due, and how long after the last */
};

struct counters {
	uint64_t events, filtered, unknown, catch_failed, dump_unknown, overruns, kernel_flushes, kernel_resyncs;
	uint64_t traffic_bytes, traffic_pkts;
	uint64_t commits, committed, commit_failed, last_failed, wall_refused;
};

struct sync {
	struct log *log;
	struct loop *loop;
	struct timer *timer;
	struct wall wall;
	struct watch *wall_watch;
	enum phase phase;
	int status; /* of the process */
	bool have_conf;
	struct conf conf;
	struct msg_status parent;
	bool growth_warned;
	cpu_set_t cpus; /* those it may run on */
	struct clock clock;
	uint64_t started_at, armed; /* armed: when the timer fires */
	int role;                   /* enum ctl_role, last one that an operator gave us */
	enum { TAKEOVER_NONE, TAKEOVER_COMMIT, TAKEOVER_READ } takeover; /* to become primary, whoever waits for it */
	uint32_t takeover_serial;                                        /* of the resync that ends it */

	struct filter *filter;
	bool filtering;                 /* the filter hides something */
	bool bypass;                    /* DisableInternalCache: events go out at once */
	struct cache_stats bypassed[2]; /* flows, expectations */
	struct store store;
	struct external *external;
	struct applier apply; /* of peers' states */
	struct peers *peers;
	struct ctl *ctl;
	struct commit *commit;
	struct inject *inject;
	struct resync resync;
	uint64_t purge_at, full_logged_at, flushed_at;
	uint64_t unsent_logged, unsent_logged_at;
	uint64_t turned_away, turned_away_at, displaced_at; /* clients, when to say so again */
	uint32_t flush_id, flows_flush;                     /* of the last flush, and of the last one of flows */
	struct {
		bool active;
		uint32_t pos, id;
	} deleting;                /* flows of the internal cache out of the kernel */
	unsigned int failed_shown; /* lines about failed entries in this commit, or this minute of injection */
	uint64_t failed_hidden, failed_until;
	struct counters count;
	struct figure_watch watch;
	uint32_t look_len;
	_Alignas(8) uint8_t look[16384]; /* requests for flows that events tell too little of */
	_Alignas(8) uint8_t in[MSG_DATA_MAX + sizeof(struct msg_hdr)];
	_Alignas(8) uint8_t batch[MSG_DATA_MAX - 64]; /* of deletions */
};

/* sync.c: caches, mode, control server, once loop, wall and conf are there; -ENOMEM */
int parts_start(struct sync *s);
void parts_free(struct sync *s);

/* We were stopped for so long that the parent has cut us off. Another worker has our sockets and our numbers: the peers
 * must not hear another word of us, and what they say is not ours to take. Ends the loop. */
bool sync_replaced(struct sync *s);
void sync_client(struct sync *s, const struct msg *m); /* sync.c: a control connection came in */

/* intake.c: kernel to internal caches */
void intake_events(struct sync *s, const struct msg *m);
void intake_dump(struct sync *s, const struct msg *m);
void intake_answer(struct sync *s, const struct msg *m);
void intake_turn(struct sync *s);

/* resync.c: dumps */
void resync_start(struct sync *s, bool quiet);
void resync_in(struct sync *s, uint64_t ms);
void resync_turn(struct sync *s);
uint64_t resync_due(const struct sync *s);
void resync_dump_done(struct sync *s, const struct msg_dump_done *d);

/* verbs.c: what clients ask for */
extern const struct ctl_ops verb_ops;
struct inject *verbs_inject(struct sync *s);
int verbs_init(struct sync *s);
void verbs_turn(struct sync *s);
void verbs_resynced(struct sync *s);
void verbs_flushed(struct sync *s, uint32_t id, int err);
void verbs_last_words(struct sync *s);                 /* the daemon is gone: answers those who asked for that */
void verb_stats(struct sync *s, struct ctl_stats *st); /* stats.c */

/* text.c: one line about a flow for the log */
#define FLOW_TEXT_MAX 200
const char *flow_text(const struct flow *f, char *buf, size_t size);
const char *expect_text(const struct expect *e, char *buf, size_t size);

#endif

/*
 * The parts of the sync role and what they share. Private to daemon/sync.
 */
#ifndef SYNC_H
#define SYNC_H

#include <sched.h>

#include "blob.h"
#include "commit.h"
#include "ctl.h"
#include "filter.h"
#include "inject.h"
#include "link.h"
#include "log.h"
#include "loop.h"
#include "mode.h"
#include "msg_rules.h"
#include "store.h"
#include "wall.h"

#define NEVER UINT64_MAX

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

/* Everything for the peers. */
struct bulk {
	bool wanted, active;
	enum slot_kind kind; /* of the next one, with pos */
	uint32_t pos;
	uint64_t not_before, last; /* last: when one was begun, 0 never */
};
enum bulk_why { BULK_UNASKED, BULK_ASKED, BULK_OPERATOR };

struct counters {
	uint64_t events, filtered, unknown, catch_failed, dump_unknown, overruns, kernel_flushes, kernel_resyncs;
	uint64_t traffic_bytes, traffic_pkts;
	uint64_t malformed[WIRE_ERRORS], send_malformed, unknown_attrs;
	uint64_t resyncs_sent, resyncs_served, commits, committed, commit_failed, wall_refused;
};

struct rx_arg {
	struct sync *sync;
	unsigned int link;
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
	cpu_set_t cpus;                  /* those it may run on */
	uint64_t now, started_at, armed; /* armed: when the timer fires */
	uint32_t now_s;
	int role; /* enum ctl_role, last one that an operator gave us */
	enum { TAKEOVER_NONE, TAKEOVER_COMMIT, TAKEOVER_READ } takeover; /* to become primary, whoever waits for it */
	uint32_t takeover_serial;                                        /* of the resync that ends it */

	struct filter *filter;
	bool filtering;                 /* the filter hides something */
	bool bypass;                    /* DisableInternalCache: events go out at once */
	struct cache_stats bypassed[2]; /* flows, expectations */
	struct store store;
	struct tables external;
	uint32_t expire_pos[SLOT_KINDS]; /* ALARM: peers' entries that were not refreshed */
	uint64_t expire_at;
	struct mode *mode;
	struct links links;
	struct rx_arg rx_arg[MSG_LINKS_MAX];
	struct watch *rx[MSG_LINKS_MAX], *tx[MSG_LINKS_MAX];
	unsigned int remade; /* bit per link: said that its device is another one now */
	uint64_t links_at, reopen_at, mode_due;
	struct ctl *ctl;
	struct commit *commit;
	struct inject *inject;
	struct resync resync;
	struct bulk bulk;
	uint64_t ask_after; /* no RESYNC of our own accord before */
	bool ask_wanted;
	uint64_t purge_at, full_logged_at, flushed_at;
	uint64_t unsent_logged, unsent_logged_at;
	bool external_missed;                                /* peers' flows were refused for HashLimit */
	uint64_t external_full, turned_away, turned_away_at; /* clients, when to say so again */
	uint32_t flush_id, flows_flush;                      /* of the last flush, and of the last one of flows */
	struct {
		bool active;
		uint32_t pos, id;
	} deleting;                /* flows of the internal cache out of the kernel */
	unsigned int failed_shown; /* lines about failed entries in this commit, or this minute of injection */
	uint64_t failed_hidden, failed_until;
	struct counters count;
	struct wire_enc_opts enc;
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

/* peer.c: datagrams in and out */
int peer_open(struct sync *s, const struct msg *m); /* takes the descriptors */
void peer_init(struct sync *s);
void peer_clear(struct sync *s);
void peer_datagram(void *rx_arg, const uint8_t *data, size_t left); /* one that arrived on rx_arg->link */
/* DisableInternalCache: one message past the queue. change: enum entry_change; f or e is NULL. */
void peer_direct(struct sync *s, enum entry_change change, const struct flow *f, const struct expect *e);
void peer_turn(struct sync *s);
uint64_t peer_due(const struct sync *s);
void peer_bulk(struct sync *s, enum bulk_why why); /* everything to the peers */
void peer_ask(struct sync *s, bool operator);      /* and from them */

/* resync.c: dumps */
void resync_start(struct sync *s, bool quiet);
void resync_in(struct sync *s, uint64_t ms);
void resync_turn(struct sync *s);
uint64_t resync_due(const struct sync *s);
void resync_dump_done(struct sync *s, const struct msg_dump_done *d);

/* verbs.c: what clients ask for */
extern const struct ctl_ops verb_ops;
int verbs_init(struct sync *s);
void verbs_turn(struct sync *s);
void verbs_resynced(struct sync *s);
void verbs_flushed(struct sync *s, uint32_t id, int err);
void verbs_last_words(struct sync *s);                       /* the daemon is gone: answers those who asked for that */
void verb_stats(const struct sync *s, struct ctl_stats *st); /* stats.c */

/* So much room again that it is worth asking for what HashLimit kept out. */
static inline bool
has_room(const struct cache *c, uint32_t limit)
{
	return cache_stats(c)->total <= limit - limit / 8;
}

/* text.c: one line about a flow for the log */
#define FLOW_TEXT_MAX 200
const char *flow_text(const struct flow *f, char *buf, size_t size);
const char *expect_text(const struct expect *e, char *buf, size_t size);

#endif

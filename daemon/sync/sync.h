/*
 * The sync role: its parts, and what the parent says to them. Private to daemon/sync.
 */
#ifndef SYNC_H
#define SYNC_H

#include <sched.h>

#include "control.h"
#include "external.h"
#include "failures.h"
#include "ha.h"
#include "inject.h"
#include "intake.h"
#include "opener.h"
#include "peers.h"
#include "resync.h"
#include "store_sink.h"
#include "wall.h"

/* Batch ids on the wall: who asked is in the upper bits. */
enum asker { ASK_COMMIT = 1, ASK_INJECT, ASK_FLUSH, ASK_LOOK, ASK_ROOM };
#define ASKER_SHIFT 28
#define ASKER_MASK  0x0fffffffU

struct sync {
	struct log *log;
	struct loop *loop;
	struct timer *timer;
	struct clock clock;
	struct wall wall;
	struct watch *wall_watch;
	enum phase phase;
	int status; /* of the process */
	bool have_conf;
	struct conf conf;
	int left_out, walls_logged; /* enum jail_wall: what our jail lacks; what was said of that */
	struct msg_status parent;
	cpu_set_t cpus;             /* those it may run on */
	uint64_t started_at, armed; /* armed: when the timer fires */
	uint64_t wall_refused;

	/* kernel to internal caches, or past them */
	struct store store;
	struct store_sink store_sink;
	struct cache_stats direct[SLOT_KINDS]; /* DisableInternalCache: what went past */
	struct intake intake;
	struct resync resync;
	/* peers to external caches, or to the kernel */
	struct external *external;
	struct inject *inject; /* NULL: there are external caches */
	struct failures inject_failures;
	uint64_t inject_failures_until;
	struct applier apply;
	struct peers *peers;
	struct opener opener;
	/* operators */
	struct ha *ha;
	struct control *control;

	struct figure_watch watch;
	uint64_t full_logged_at, unsent_logged, unsent_logged_at;
	_Alignas(8) uint8_t in[MSG_DATA_MAX + sizeof(struct msg_hdr)];
};

/* parts.c: all of them, once loop, wall and conf are there; -ENOMEM */
int parts_start(struct sync *s);
void parts_free(struct sync *s);

/* direct.c: DisableInternalCache: what the kernel reports goes to the peers at once, past all tables. */
struct sink direct_sink(struct sync *s);

/* sync.c: we were stopped for so long that the parent has cut us off. Another worker has our sockets and our numbers:
 * the peers must not hear another word of us, and what they say is not ours to take. Ends the loop. */
bool sync_replaced(struct sync *s);

/* sync.c: the role in its jail, with s zeroed; the exit status. */
int sync_serve(struct sync *s, int wall_fd, struct log *log);

/* stats.c: the figures of the whole */
void sync_figures(struct sync *s, struct ctl_stats *st);

#endif

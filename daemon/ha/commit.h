/*
 * Take-over: the external caches are written into the kernel, in batches of requests without acknowledgement, a few
 * batches in flight. Masters first, then the flows that depend on them, then expectations. What exists already is
 * deleted and created once more, unless it is this kernel's own. What names a helper that this kernel does not have is
 * created without it. Events and clients are served between batches. One state machine, one end. Flows that change in
 * the external cache meanwhile (their entry.gen is set to 0 then) are written once more before that.
 */
#ifndef COMMIT_H
#define COMMIT_H

#include "flow_nl.h"
#include "msg.h"
#include "room.h"
#include "slotq.h"

#define COMMIT_WINDOW 4 /* batches in flight */

enum commit_tables { COMMIT_FLOWS = 1, COMMIT_EXPECTS = 2 };

struct commit_result {
	unsigned int table; /* one of commit_tables */
	uint64_t committed, failed, usec;
	uint64_t kept;           /* not written: they live here, and the kernel itself has said so */
	uint64_t no_room;        /* of failed: left out so that the kernel's table is not filled */
	uint64_t full;           /* of failed: refused because it is */
	uint64_t without_helper; /* of committed: this kernel does not have the helper that the flow names */
};

struct commit_env {
	void *arg;
	/* A batch to the kernel; false: not now. Its result comes by commit_result(). */
	bool (*send)(void *arg, uint32_t id, const void *data, size_t len);
	/* The flow is this kernel's own, and alive: what a peer says about it does not replace it. */
	bool (*owns)(void *arg, const struct flow *f);
	/* One table is done. */
	void (*table_done)(void *arg, const struct commit_result *r);
	/* Everything that was asked for is done. */
	void (*done)(void *arg);
	/* One entry failed; what: "create" or "destroy"; f or e is NULL. */
	void (*failed)(void *arg, const char *what, int err, const struct flow *f, const struct expect *e);
	uint64_t (*usec)(void *arg); /* monotonic */
	/* How much the kernel's table takes is asked for; commit_room() follows. False: not now. */
	bool (*ask_room)(void *arg);
	/* Flows of that source in the external cache. */
	uint32_t (*held)(void *arg, unsigned int source);
	/* Once for each name, when the kernel has refused it often enough to be asked no more. */
	void (*helper_missing)(void *arg, const char *name);
};

struct commit_conf {
	uint32_t timeout; /* CommitTimeout, 0: estimate */
	bool window_tracking;
};

struct commit;
struct commit *commit_new(const struct commit_conf *conf, const struct commit_env *env, const struct tables *external);
void commit_free(struct commit *c);
/* Writes tables (of commit_tables); what is not part of a running commit follows it. now: seconds, as in the caches. */
void commit_start(struct commit *c, unsigned int tables);
/* Nothing more is written; what was sent is still answered, then it is done. A start from now on begins anew. */
void commit_stop(struct commit *c);
bool commit_running(const struct commit *c);
/* Sends what may be sent; to be called once a turn while running. True: call again without waiting. */
bool commit_step(struct commit *c, uint32_t now);
/* So many flows may be created, ROOM_UNKNOWN: as many as there are (room.h). */
void commit_room(struct commit *c, uint32_t room);
/* The kernel's answer to batch id. */
void commit_on_result(struct commit *c, uint32_t id, const struct msg_error *err, size_t n);

#endif

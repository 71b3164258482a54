/*
 * What the workers that serve (the parent forwards events and clients to them) have in common: the loop, the wall with
 * its table, the clock, one batched turn after what was ready, and the processor that they share with the parent while
 * there is little to do. A role brings a handler for each message and a turn.
 */
#ifndef SERVE_H
#define SERVE_H

#include <sched.h>
#include <stdbool.h>

#include "clock.h"
#include "log.h"
#include "loop.h"
#include "msg_rules.h"
#include "wall.h"

struct serve_ops {
	enum role role;
	/* By type, MSG_MAX of them; NULL: none. MSG_STATUS is taken before, and answered. They own the descriptors. */
	void (*const *handlers)(void *arg, const struct msg *m);
	/* Once a turn from MSG_START on. When to be called again, NEVER: no need. */
	uint64_t (*turn)(void *arg);
};

struct serve {
	const struct serve_ops *ops;
	void *arg;
	struct log *log;
	struct loop *loop;
	struct timer *timer;
	struct clock clock;
	struct wall wall;
	struct watch *watch;
	enum phase phase;
	int status;             /* of the process */
	struct msg_status last; /* what the parent said of itself */
	cpu_set_t cpus;         /* those it may run on */
	uint64_t armed, refused;
	_Alignas(8) uint8_t in[MSG_DATA_MAX + sizeof(struct msg_hdr)];
};

/* Before the jail, of a zeroed s. */
void serve_prepare(struct serve *s, struct log *log);
/* In the jail, until the parent is gone or serve_leave(). Exit status. */
int serve_run(struct serve *s, int wall_fd, const struct serve_ops *ops, void *arg);
void serve_free(struct serve *s);
void serve_leave(struct serve *s, int status);
/* We were stopped for so long that the parent has cut us off, and another worker serves. Ends the loop. */
bool serve_replaced(struct serve *s);

#endif

/*
 * What operators and HA managers ask for over the control socket: which requests there are, whether this mode has what
 * they are about, who waits for what, and listings in slices. What is done is the owner's.
 */
#ifndef CONTROL_H
#define CONTROL_H

#include "clock.h"
#include "conf.h"
#include "ctl.h"
#include "mode.h"
#include "msg_rules.h"

struct control_env {
	void *arg;
	/* Peers' states into the kernel. True: control_committed() follows, or control_superseded(). */
	bool (*commit)(void *arg, unsigned int tables);
	bool (*role)(void *arg, unsigned int role);
	int (*flush_caches)(void *arg, unsigned int caches, unsigned int tables); /* -EBUSY: a commit runs */
	/* The number that control_flushed() says. */
	uint32_t (*flush_kernel)(void *arg, unsigned int tables);
	/* The number that control_resynced() reaches. */
	uint32_t (*resync)(void *arg, unsigned int tables);
	void (*ask)(void *arg);
	void (*send)(void *arg);
	void (*purge)(void *arg);
	void (*stop)(void *arg);
	void (*figures)(void *arg, struct ctl_stats *st);
	/* The i-th control message in the resend queue; false: no more. */
	bool (*waiting)(void *arg, uint32_t i, struct mode_item *it);
};

struct control_parts {
	struct log *log;
	struct loop *loop;
	const struct clock *clock;
	const struct conf *conf;
	const struct tables *internal, *external;
};

struct control;
struct control *control_new(const struct control_parts *parts, const struct control_env *env); /* NULL: no memory */
void control_free(struct control *c);
/* Takes the connection of a MSG_CLIENT. */
void control_client(struct control *c, const struct msg *m);
/* Once a turn; when to be called again. */
uint64_t control_turn(struct control *c);
const struct fig_local *control_counts(const struct control *c);

/* News for those who wait. */
void control_table_done(struct control *c, const struct ctl_commit *r);
void control_committed(struct control *c);
void control_superseded(struct control *c);
void control_flushed(struct control *c, uint32_t id, int err); /* -ENOENT: there was nothing */
void control_resynced(struct control *c, uint32_t serial, bool failed);
void control_last_words(struct control *c); /* the daemon is gone: answers those who asked for that */

#endif

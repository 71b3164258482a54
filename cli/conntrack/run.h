/*
 * One run of conntrack: its sockets, its output, and the verbs that carry out commands. Each verb returns an exit
 * status and has said on standard error what went wrong.
 */
#ifndef RUN_H
#define RUN_H

#include "nl.h"
#include "cmd.h"
#include "out.h"
#include "show.h"

struct selection;

/* Whether entries have zones, as far as a run knows. */
enum zones { ZONES_UNKNOWN, ZONES_UNSEEN, ZONES_SEEN };

struct run {
	struct nl dump;   /* also for single requests */
	struct nl change; /* requests while a dump is under way */
	struct nl look;   /* one dump that is not read to its end */
	struct nl event;
	enum zones zones;
	struct out out;
	const struct labelmap *map;
	const char *where; /* "FILE:LINE: " while a file is loaded, else "" */
	bool quiet;        /* loading: no summaries */
	int stop;          /* -E: readable when a signal asks for the end */
};

int run_list(struct run *r, const struct cmd *c);
int run_get(struct run *r, const struct cmd *c);
int run_count(struct run *r, const struct cmd *c);
int run_stats(struct run *r, const struct cmd *c);
int run_flush(struct run *r, const struct cmd *c);
int run_create(struct run *r, const struct cmd *c);
/* among (may be NULL): of what c selects, only entries in there. */
int run_delete(struct run *r, const struct cmd *c, const struct selection *among);
int run_update(struct run *r, const struct cmd *c);
/* Subscribes; before privileges are given up. */
int run_open_events(struct run *r, const struct cmd *c);
int run_events(struct run *r, const struct cmd *c);
int run_expect(struct run *r, const struct cmd *c);

/* Says what failed (err: negative errno) and gives the exit status. */
int run_failed(struct run *r, const struct cmd *c, int err);
/* The summary. 0, or 1 when n is 0 and the command needs a match. */
int run_summary(struct run *r, const struct cmd *c, unsigned long n);
/* A dump with the kernel's filters, or without them where the kernel has none. */
int run_dump(struct run *r, const struct cmd *c, nl_msg_fn fn, void *arg);

#endif

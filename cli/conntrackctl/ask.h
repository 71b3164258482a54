/*
 * Asks the daemon for one thing, collects what the answer says and turns failures into words and exit states.
 */
#ifndef ASK_H
#define ASK_H

#include "client.h"
#include "request.h"

/* Exit states of conntrackctl; conntrackctl(8) documents them. */
enum exit_status { EXIT_DONE, EXIT_FAILED, EXIT_USAGE, EXIT_DENIED, EXIT_UNSUPPORTED, EXIT_BUSY, EXIT_SUPERSEDED };

struct answer {
	int err;    /* 0, or -errno: no (complete) answer, or -EBUSY: told to stop, it did not */
	bool asked; /* the request was delivered */
	bool old;   /* to a daemon of conntrack-tools 1.4.x */
	bool has_stats;
	unsigned int n_commits;
	struct ctl_fail fail; /* why is CTL_WHY_NONE when the request was carried out */
	struct ctl_stats stats;
	struct ctl_commit commit[2];
};

/* Gets the payload of every frame of records (CTL_R_FLOW, CTL_R_EXPECT, CTL_R_RSQUEUE). -errno ends the dialogue. */
typedef int record_fn(void *ctx, uint32_t type, const uint8_t *payload, size_t len);

/* fn may be NULL: records are skipped. What a daemon of conntrack-tools says goes to standard output. Gives up all
 * rights and most system calls of this process once it is connected: what is left afterwards is to write to open
 * descriptors. */
void ask(const char *path, int silence, const struct request *q, record_fn *fn, void *ctx, struct answer *a);
/* The same over a client that is already connected. */
void ask_client(struct client *c, const struct request *q, record_fn *fn, void *ctx, struct answer *a);

enum exit_status answer_status(const struct answer *a);
/* What went wrong, for people; one line without its end. */
void answer_text(const struct answer *a, const char *path, char *buf, size_t size);

#endif

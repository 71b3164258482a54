/*
 * Where the kernel's events and dumps go: into the internal caches (store_sink.h), or with DisableInternalCache to the
 * peers at once. Chosen once, at the start.
 */
#ifndef SINK_H
#define SINK_H

#include "flow.h"

struct nlmsghdr;

enum sink_op { SINK_NEW, SINK_UPD, SINK_DEL };

/* own: caused by ourselves, who write what peers say and flush. */
struct sink {
	void *arg;
	/* These are about to come: a hint. */
	void (*prefetch)(void *arg, const struct flow *f, size_t n);
	/* An event. True: a flow that was known has ended. */
	bool (*flow)(void *arg, enum sink_op op, const struct flow *f, bool own);
	/* The event itself, after flow(), when a flow has ended. NULL: nobody wants it. */
	void (*ended)(void *arg, const struct nlmsghdr *nlh);
	void *ended_arg;
	/* Events of a flow that the filter hides in every state, while *waiting (NULL: never) is not 0. How many others
	 * turn out to be hidden with it. */
	const unsigned int *waiting;
	unsigned int (*hidden)(void *arg, const struct flow *f);
	/* False: it is hidden, or one that was taken before turns out to be so. */
	bool (*expect)(void *arg, enum sink_op op, const struct expect *e, bool own);
	/* An entry of a dump; shown: the filter does not hide it. */
	void (*flow_dumped)(void *arg, const struct flow *f, bool shown);
	void (*expect_dumped)(void *arg, const struct expect *e);
	/* The flow as it is now, which was asked for because events tell too little of it. NULL: no need to ask. */
	void (*looked_at)(void *arg, const struct flow *f);
};

#endif

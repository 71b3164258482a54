/*
 * Entries that could not be written into the kernel, as lines of the log: some of them, and how many more.
 */
#ifndef FAILURES_H
#define FAILURES_H

#include "flow.h"
#include "log.h"

struct failures {
	unsigned int shown;
	uint64_t hidden;
};

/* f or e is NULL. */
void failures_note(struct failures *x, struct log *log, enum log_level level, const char *what, int err,
		   const struct flow *f, const struct expect *e);
/* How many were not shown; and from the beginning. */
uint64_t failures_end(struct failures *x);

#endif

/*
 * The log worker: the only writer of log files, of syslog and of the console once the daemon runs.
 */
#ifndef LOGGER_H
#define LOGGER_H

#include <stddef.h>

#include "log.h"
#include "msg.h"

struct logger {
	int sink[SINK_MAX]; /* -1: none. Owned. */
	char file[MSG_PATH_MAX];
	uint32_t facility; /* of syslog, when there is SINK_SYSLOG */
	uint64_t lost;     /* lines that LogFile did not take since it last did */
	int lost_errno;
};

void logger_init(struct logger *l);
void logger_clear(struct logger *l);
/* One sink more; takes fd over. -EINVAL */
int logger_sink(struct logger *l, uint32_t which, int fd);
/* Takes what waits in the log socket, at most max records. How many there were. */
unsigned int logger_drain(struct logger *l, unsigned int max);
/* Opens LogFile again by name in its directory; the old one stays open when that fails (-errno).
 * Without LogFile there is nothing to do. */
int logger_reopen(struct logger *l);

/* Body of `ctd-worker log'. Exit status. */
int log_role(int wall_fd, struct log *log);

#endif

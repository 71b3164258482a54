/*
 * The log worker: the only writer of log files, of syslog and of the console once the daemon runs.
 */
#ifndef LOGGER_H
#define LOGGER_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include "log.h"
#include "setup.h"

#define LOGGER_LINES_MAX 200 /* of all workers in a second: one that is taken over could fill the disk */

struct logger {
	int sink[SINK_MAX];      /* -1: none. Owned. In the jail SINK_DIR is AT_FDCWD: the root. */
	char file[MSG_PATH_MAX]; /* LogFile; its last part is the name in that directory */
	uint32_t facility;       /* of syslog, when there is SINK_SYSLOG */
	uint64_t lost;           /* lines that LogFile did not take since it last did */
	int lost_errno;
	uint64_t flow_lines; /* of the flow log */
	time_t second;       /* of lines; with SINK_FLOWS: when lost ones were last told of */
	unsigned int lines;  /* that workers may still write in it */
};

void logger_init(struct logger *l);
void logger_clear(struct logger *l);
/* One sink more; takes fd over. -EINVAL */
int logger_sink(struct logger *l, uint32_t which, int fd);
/* Takes what waits in a log socket (SINK_PARENT, SINK_WORKERS), at most max records. How many there were. */
unsigned int logger_drain(struct logger *l, enum log_sink from, unsigned int max);
/* The parent's lines first, then as many of the workers' as they may have in the second that now is; the others stay in
 * the socket. Whether there may be more of them. */
bool logger_turn(struct logger *l, time_t now);
/* SINK_FLOWS: at most max records of flow lines to the file and to syslog. What the file does not take is counted as
 * lost. Whether there may be more. */
bool logger_flows(struct logger *l, unsigned int max);
/* Opens LogFile again by name in its directory; the old one stays open when that fails (-errno).
 * Without LogFile, or with one that has no directory (/dev/stdout), there is nothing to do. */
int logger_reopen(struct logger *l);

/* Body of `ctd-worker log'. Exit status. */
int log_role(int wall_fd, struct log *log);

#endif

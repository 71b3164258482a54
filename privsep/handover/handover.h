/*
 * What ctd-start leaves to conntrackd, which replaces it by exec: the checked settings and open descriptors, as sealed
 * memory behind HANDOVER_FD. Both run as root. The first time that conntrackd is executed there is none, and it becomes
 * ctd-start, with its own file, by which ctd-start comes back, behind HANDOVER_FD.
 */
#ifndef HANDOVER_H
#define HANDOVER_H

#include <sys/types.h>

#include "jail.h"
#include "msg_rules.h"

#define HANDOVER_FD    3
#define HANDOVER_MAGIC 0x4f765264
#define WALL_BUFFER    (8 << 20) /* SO_SNDBUFFORCE of the parent's end of every wall */

struct worker {
	enum role role;
	uint16_t index;   /* helpers: which Type */
	pid_t pid;        /* 0: ended and reaped */
	int trigger;      /* a word to it ends the worker; -1: there is none */
	struct chan wall; /* fd -1: cut off */
	enum phase phase;
};

struct handover {
	uint32_t magic;
	bool sync;           /* else statistics */
	uint32_t walls;      /* enum jail_wall: those that must be there */
	uint32_t events_max; /* of the event socket, bytes as the kernel accounts them */
	struct worker worker[MSG_WORKERS_MAX];
	unsigned int n_workers;
	int filter;                  /* of jail_parent, in sealed memory */
	int log_fd, control, notify; /* control, notify: -1 when there is none */
	int events, requests, dumps; /* netlink; events: -1 when the worker polls */
	int quiet;                   /* as requests; events has a filter that drops what it causes */
	struct msg_status status;    /* portid of requests, bufsize of events; the rest begins at 0 */
	bool daemon;                 /* a waiting process reads standard error until it sees a zero byte */
	gid_t ctl_gid;               /* 0: no group may read */
	uint64_t watchdog; /* ns between signs of life, ours to the service manager and the serving worker's to us */
};

/* The path of another program of ours. False: there is none. */
bool locate(char *path, size_t size, const char *program);
/* What the program before has left behind HANDOVER_FD, which is closed: a struct of that size that begins with the
 * magic number. False: nothing of that kind. */
bool handover_take(void *h, size_t size, uint32_t magic);
bool handover_leave(const void *h, size_t size); /* false: errno */

#endif

/*
 * What conntrackd, the starting program, leaves to ctd-parent, which replaces it by exec: the checked settings and
 * open descriptors, as plain memory behind HANDOVER_FD. Both run as root; nobody else can write it.
 */
#ifndef HANDOVER_H
#define HANDOVER_H

#include <sys/types.h>

#include "jail.h"
#include "msg_rules.h"

#define HANDOVER_FD 3
#define WALL_BUFFER (8 << 20) /* SO_SNDBUFFORCE of the parent's end of every wall */

struct worker {
	enum role role;
	uint16_t index;   /* helpers: which Type */
	pid_t pid;        /* 0: ended and reaped */
	struct chan wall; /* fd -1: cut off */
	enum phase phase;
	uint32_t channels; /* bits: links whose sockets it has had; of ctd-link: that it shall open */
};

struct handover {
	struct msg_setup conf;
	struct worker worker[MSG_WORKERS_MAX];
	unsigned int n_workers;
	int log_fd, control, notify; /* control, notify: -1 when there is none */
	int events, requests, dumps; /* netlink; events: -1 when the worker polls */
	int quiet;                   /* as requests; events has a filter that drops what it causes */
	struct msg_status status;    /* portid of requests, bufsize of events; the rest begins at 0 */
	int link[MSG_LINKS_MAX][2];  /* receive, send; kept for the next worker */
	struct msg_channel link_info[MSG_LINKS_MAX];
	bool daemon;       /* a waiting process reads standard error until it sees a zero byte */
	gid_t ctl_gid;     /* 0: no group may read */
	uint64_t watchdog; /* ns between signs of life, ours to the service manager and the serving worker's to us */
};

#endif

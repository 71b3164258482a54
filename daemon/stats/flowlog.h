/*
 * The flow log of statistics mode: one line for each flow that has ended, in the text of conntrack-tools 1.4.x, which
 * libnetfilter_conntrack makes of the kernel's own event. Lines travel to the log worker in records of many, so that
 * neither a slow disk nor a burst stalls anybody: what the socket does not take is kept for a moment, then counted as
 * lost.
 */
#ifndef FLOWLOG_H
#define FLOWLOG_H

#include <linux/netlink.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "flow.h"

#define FLOWLOG_RECORD 32768 /* octets of lines in one record, at most */
#define FLOWLOG_KEPT   64    /* records that wait for the log worker */
#define FLOWLOG_LINE   1024

struct flowlog;

/* fd: a datagram socket to the log worker, not blocking; taken over. NULL: no memory. */
struct flowlog *flowlog_new(int fd);
void flowlog_free(struct flowlog *l); /* NULL is fine */
/* A flow has ended: nlh is the kernel's event about it. now: wall-clock seconds. What cannot be told is counted. */
void flowlog_add(struct flowlog *l, const struct nlmsghdr *nlh, time_t now);
/* A flow whose end no event told, as it was known. */
void flowlog_add_known(struct flowlog *l, const struct flow *f, time_t now);
/* Sends what there is. True: some of it has to wait, and the descriptor will become writable. */
bool flowlog_flush(struct flowlog *l);
int flowlog_fd(const struct flowlog *l);

/* Lines written, and those that were lost. */
struct flowlog_counts {
	uint64_t lines, lost;
};
const struct flowlog_counts *flowlog_counts(const struct flowlog *l);

#endif

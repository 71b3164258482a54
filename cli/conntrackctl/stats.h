/*
 * Careful access to struct ctl_stats, which came over a socket: indexes bounded, strings terminated, words for numbers.
 */
#ifndef STATS_H
#define STATS_H

#include "ctl_msg.h"

/* Clamps counts and terminates strings. Call once, before anything else reads s. */
void stats_clean(struct ctl_stats *s);

/* The link that is sent on, NULL without links. */
const struct ctl_link_stats *stats_active_link(const struct ctl_stats *s);
/* "RUNNING", "NO-CARRIER", "DOWN" */
const char *stats_link_status(const struct ctl_link_stats *l);
/* "udp", "multicast", "tcp" */
const char *stats_link_kind(const struct ctl_link_stats *l);
/* "ftfw", "alarm", "notrack", "stats", "none" */
const char *stats_mode(const struct ctl_stats *s);
/* "primary", "backup", "fault", "none": the last role it was told */
const char *stats_role(const struct ctl_stats *s);
/* "sync", "stats", "helper", … */
const char *stats_worker_role(const struct msg_worker *w);
/* "spare", "serving", "dead" */
const char *stats_worker_state(const struct msg_worker *w);

/* Room for an address as text. */
#define STATS_ADDR 46
/* Returns buf. */
const char *stats_addr(uint8_t family, const uint8_t addr[16], char buf[STATS_ADDR]);
/* "address", "port", "crowd", "ourselves": why a sender was refused, and the same in words, said of it. */
const char *stats_refused(const struct ctl_refused *r);
const char *stats_refused_words(const struct ctl_refused *r);
/* What has to be in the configuration for its datagrams to be taken. Returns buf. */
#define STATS_REMEDY 96
const char *stats_remedy(const struct ctl_refused *r, char buf[STATS_REMEDY]);
/* "mode", "port", "checksum", "deaf": a bit of enum ctl_differs */
const char *stats_differs(unsigned int bit);

#endif

/*
 * The statistics blocks of conntrack-tools 1.4.x, byte for byte, and all figures by name (VIEW_ALL).
 */
#ifndef STATS_TEXT_H
#define STATS_TEXT_H

#include <stdio.h>

#include "request.h"

/* Prints what the view shows of s: nothing where 1.4.x prints nothing. */
void stats_text(FILE *to, const struct ctl_stats *s, enum view view);

/* Resend queue: its head, then one line per element. */
void rsqueue_head(FILE *to, uint64_t len);
void rsqueue_text(FILE *to, const struct ctl_rsq *q);

/* "3 h 5 min" */
void uptime_text(char *buf, size_t size, uint64_t seconds);

#endif

/* Statistics mode: flows of this kernel in a cache, a line about each that ends, figures for operators. */
#ifndef STATS_H
#define STATS_H

#include "log.h"
#include "msg.h"

/* Body of ctd-stats. Exit status. */
int stats_role(int wall_fd, struct log *log);

#endif

/*
 * What a command line asks for, whichever of the two syntaxes it was written in: the verb for the daemon and how its
 * answer is shown.
 */
#ifndef REQUEST_H
#define REQUEST_H

#include <stdbool.h>

#include "ctl_msg.h"

/* Which part of struct ctl_stats is shown. */
enum view {
	VIEW_GENERAL,
	VIEW_EXPECT,
	VIEW_NETWORK,
	VIEW_CACHE,
	VIEW_RUNTIME,
	VIEW_LINK,
	VIEW_QUEUE,
	VIEW_RSQUEUE,
	VIEW_PROCESS,
	VIEW_STATUS,
	VIEW_ALL,
	VIEW_MAX
};
enum format { FORMAT_TEXT, FORMAT_XML, FORMAT_JSON };

#define OLD_STOP    20
#define OLD(number) ((number) + 1)
struct request {
	enum ctl_verb verb;
	uint8_t old;    /* OLD() of the number that conntrack-tools 1.4.x has for it; 0: it is not asked that */
	uint8_t caches; /* enum ctl_cache */
	uint8_t tables; /* enum ctl_tables */
	uint8_t role;   /* enum ctl_role */
	enum view view;
	enum format format;
};

#endif

/*
 * ctd-start, which conntrackd executes at once: command line and configuration; then it becomes ctd-open, which opens
 * and starts what the settings ask for. It runs as root and reads nothing from outside but the configuration worker's
 * answer, which it checks field by field.
 */
#ifndef START_H
#define START_H

#include "spawn.h"

struct start {
	struct log log;
	struct settled s;
};

/* config.c: runs the configuration worker; fills s.conf and s.conf_fd. Returns its exit status. */
int read_config(struct start *s, const char *path, enum conf_use use);
/* NULL, or the name of the first thing that is wrong. */
const char *setup_check(const struct msg_setup *s, int memfd);
/* Whether the text has it as a word, or it is empty. */
bool name_written(const char *text, size_t len, const char *name);

#endif

/*
 * Whether a daemon is gone that cannot be watched by its process: nobody listens on its socket any more. Who reads a
 * daemon's answer may not connect again, so a child does, which reads nothing.
 */
#ifndef GONE_H
#define GONE_H

#include <stdbool.h>

/* Starts the child, which ends with this process. To be closed; -errno. */
int gone_watch(const char *path);
/* Waits up to ms milliseconds. False: somebody still listens. */
bool gone_ask(int fd, int ms);

#endif

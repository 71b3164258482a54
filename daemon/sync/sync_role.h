/*
 * The sync worker: keeps peers informed of this kernel's flows, holds theirs, writes them into the kernel on take-over,
 * and serves the control socket.
 */
#ifndef SYNC_ROLE_H
#define SYNC_ROLE_H

#include "log.h"

/* Body of `ctd-worker sync'. Returns the exit status. */
int sync_role(int wall_fd, struct log *log);

#endif

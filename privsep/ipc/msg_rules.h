/*
 * The table of the wall: who may say what to whom, when, how long and with how many descriptors. The parent judges
 * every message of a worker by it, and a worker every message of the parent.
 */
#ifndef MSG_RULES_H
#define MSG_RULES_H

#include <stdbool.h>

#include "chan.h"

enum { R_PARENT = 1 << ROLE_PARENT, R_CONFIG = 1 << ROLE_CONFIG, R_LOG = 1 << ROLE_LOG, R_LINK = 1 << ROLE_LINK };
enum { R_SYNC = 1 << ROLE_SYNC, R_STATS = 1 << ROLE_STATS, R_HELPER = 1 << ROLE_HELPER };
enum { R_KEEPER = 1 << ROLE_KEEPER, R_QUEUE = 1 << ROLE_QUEUE };                /* queue: the parent of helpers */
enum { R_SERVING = R_SYNC | R_STATS, R_WORKER = R_LOG | R_SERVING | R_HELPER }; /* those with settings */

/* Before MSG_START was sent (received), and from then on. */
enum phase { PHASE_SETUP = 1, PHASE_RUN = 2 };

/* Number and name (msg_admit_name) of the broken rule. */
enum admit { ADMIT_OK, ADMIT_UNKNOWN, ADMIT_SENDER, ADMIT_PHASE, ADMIT_LENGTH, ADMIT_FDS, ADMIT_CONTENT, ADMIT_MAX };

/* from, to and phase are facts the caller knows about the socket, never fields of the message. The descriptors of
 * a refused message stay the caller's to close (msg_close_fds). */
enum admit msg_admit(enum role from, enum role to, enum phase phase, const struct msg *m);
const char *msg_admit_name(enum admit a);
const char *role_name(enum role role);

#endif

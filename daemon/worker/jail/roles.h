/* The rows of the jail (privsep/jail) for every worker; a worker enters it with the row of its role. */
#ifndef ROLES_H
#define ROLES_H

#include "jail.h"

/* Static; NULL when that role is no worker's. A caller may copy the row and fill in what is only known at run time. */
const struct jail *jail_row(enum role role);

/* As jail_enter(), of a worker: with a network namespace of its own where its row says so. It may fork for a moment. */
int jail_worker(const struct jail *j, struct log *log);

/* Which walls must be there: what comes along with MSG_CONF, when that is the first message. It waits for one, and
 * leaves it to be read: nothing but its head is looked at before the jail. */
uint32_t jail_asked(int wall_fd);

#endif

/* The rows of the jail (privsep/jail) for every worker; a worker enters it with the row of its role. */
#ifndef ROLES_H
#define ROLES_H

#include "jail.h"

/* Static; NULL when that role is no worker's. A caller may copy the row and fill in what is only known at run time. */
const struct jail *jail_row(enum role role);

#endif

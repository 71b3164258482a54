/* The rows of which a filter is made (struct jail). */
#ifndef ROWS_H
#define ROWS_H

#include "jail.h"
#include "sanitize.h"

/* System calls by name, the roles that have them, and the argument they are limited to (mask 0: none). */
struct sys_row {
	unsigned int roles; /* 1 << enum role each */
	const char *calls;  /* names between blanks; NULL ends the rows */
	unsigned int arg;
	uint64_t mask, value; /* allowed when (argument & mask) == value */
};
#define ONLY(arg, mask, value) arg, mask, value
/* socket() of that family, for datagrams, of the protocol that a family has for them. */
#define DATAGRAM(family) ARG_DATAGRAM, UINT32_MAX, family
#define ARG_DATAGRAM     6
#define ALL_ROLES        UINT32_MAX

#endif

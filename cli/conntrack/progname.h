/*
 * Which program stands behind a netlink port.
 */
#ifndef PROGNAME_H
#define PROGNAME_H

#include <stddef.h>
#include <stdint.h>

/* Writes the name of the process that has a netfilter netlink socket bound to portid; false when it cannot be found. */
_Bool progname_find(uint32_t portid, char *name, size_t size);

#endif

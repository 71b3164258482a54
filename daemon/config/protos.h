/*
 * Names of layer 4 protocols as a table: /etc/protocols is opened before the jail, and read inside it.
 */
#ifndef PROTOS_H
#define PROTOS_H

#include <stddef.h>
#include <stdint.h>

#include "near.h"

struct proto_name {
	char name[24];
	uint16_t number; /* mptcp is 262 */
};

struct protos {
	struct proto_name *v; /* owned; as in the file, names before their aliases */
	size_t n;
};

/* Opens the system's table, for protos_load(): a descriptor, or -errno. */
int protos_open(void);
/* Reads it. -ENOMEM; a negative fd, and what has not the form of such a table, leave it empty. */
int protos_load(struct protos *p, int fd);
void protos_free(struct protos *p);

/* Exact case, as getprotobyname(). Common names are known without a table, p may be NULL. -ENOENT. */
int protos_number(const struct protos *p, const char *name);
/* NULL when number has no name. */
const char *protos_name(const struct protos *p, unsigned int number);
/* Tries every name, upper case first, as files write it. */
void protos_near(const struct protos *p, struct near *n);

#endif

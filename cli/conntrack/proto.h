/*
 * What conntrack knows about layer 4 protocols: their options, and which command needs or allows them.
 */
#ifndef PROTO_H
#define PROTO_H

#include "ctnames.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum pfield {
	FIELD_SPORT, /* GRE keys share the port fields */
	FIELD_DPORT,
	FIELD_RSPORT,
	FIELD_RDPORT,
	FIELD_MSPORT,
	FIELD_MDPORT,
	FIELD_TSPORT,
	FIELD_TDPORT,
	FIELD_STATE,
	FIELD_OVTAG,
	FIELD_RVTAG,
	FIELD_ROLE,
	FIELD_TYPE,
	FIELD_CODE,
	FIELD_ICMPID
};
#define FIELD_BIT(f) (1u << (f))

/* Columns of the option tables: the commands that have rules of their own. */
enum pcolumn { PC_LIST, PC_UPDATE, PC_CREATE, PC_GET, PC_XCREATE, PC_XGET, PC_NONE };

struct popt {
	const char *name;
	enum pfield field;
};

/* 'R' required, 'o' optional, 'P' part of a pair, '-' illegal; one letter per column. */
struct prow {
	enum pfield field;
	const char *name;
	const char *rule;
};

struct proto {
	const char *name;
	uint8_t number;
	const struct popt *opts; /* ends with a NULL name */
	const struct prow *rows; /* in the order they are checked, ends with a NULL name */
	const char *pair[2][2];  /* names in the errors about half pairs: original, reply */
};

/* A protocol with options of its own, by number; NULL for others. */
const struct proto *proto_find(uint8_t number);
/* Built-in name in any case, /etc/protocols name or alias, or number. -ENOENT. */
int proto_number(const char *word, uint8_t *number);

#endif

/*
 * The entry that a command line names by its whole tuple: found by a request, where the table would have to be walked.
 */
#ifndef EXACT_H
#define EXACT_H

#include "run.h"

enum exact {
	EXACT_WALK, /* the table has to be walked: the tuple is not whole, or zones may have it several times */
	EXACT_NONE, /* there is no such entry */
	EXACT_ONE,
};

/* Whether a command line may be carried out by requests; r->look must be open then. */
bool exact_possible(const struct cmd *c);
/* With EXACT_ONE, msg (NL_MSG_MAX bytes) is the only entry c can mean; whether the rest of c fits it is not compared.
 * Zones: a tuple may be there once in each, and without -w (or with -w 0, which entries match that have a zone in one
 * direction) all of them are meant. The kernel looks up in one. So the beginning of the table, which is in no order, is
 * read as well: where none of LOOK_ENTRIES entries has a zone, the tuple of zone 0 is taken for the only one. */
enum exact exact_find(struct run *r, const struct cmd *c, void *msg);

#define LOOK_ENTRIES 1024

#endif

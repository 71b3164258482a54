/*
 * Which helpers this kernel has, as far as its answers tell. For each request that names one it does not have it looks
 * for a module, which costs milliseconds, and names come from peers: so they are tried out a few at a time, and what
 * was refused is not asked for again. Names of the kernel's own helpers always have a place; of the others each peer
 * has an equal share, so none can fill the table for the rest.
 */
#ifndef HELPERS_H
#define HELPERS_H

#include <stdbool.h>

#include "applier.h"
#include "flow.h"

#define HELPER_KNOWN    64 /* rows of names that the kernel has helpers of, both families and protocols */
#define HELPER_OTHERS   32 /* other names that are told apart; further ones count as missing */
#define HELPER_ROWS     (HELPER_KNOWN + HELPER_OTHERS)
#define HELPER_REFUSALS 4 /* after so many a name is missing; the kernel may have refused something else */

/* The kernel looks it up by all three. */
struct helper_key {
	char name[FLOW_HELPER_MAX];
	uint8_t l3, l4;
};

enum helper_verdict { HELPER_UNTRIED, HELPER_THERE, HELPER_MISSING };

struct helpers {
	struct helper_row {
		struct helper_key key;
		uint8_t source; /* the peer that named it first */
		bool there, known;
		unsigned int refused;
	} row[HELPER_ROWS];
	unsigned int n;
};

/* False: it names none. */
bool helper_of_flow(const struct flow *f, struct helper_key *k);
bool helper_of_expect(const struct expect *e, struct helper_key *k);
/* source: whose flow names it, see applier.h. */
enum helper_verdict helpers_judge(const struct helpers *h, const struct helper_key *k, unsigned int source);
/* A request with that name was carried out, or refused as not supported. True: from now on it counts as missing. */
bool helpers_note(struct helpers *h, const struct helper_key *k, unsigned int source, bool done);

#endif

/*
 * Names that conntrack prints and reads: protocols, connection states, roles.
 */
#ifndef CTNAMES_H
#define CTNAMES_H

#include <stdint.h>

/* What the layer 4 part of a tuple holds. */
enum l4_kind { L4_NONE, L4_PORTS, L4_KEYS, L4_ICMP };

struct l4_name {
	uint8_t number;
	const char *name;   /* "unknown" for protocols without a row */
	const char *column; /* "%-8s %u ", as a listing begins */
	enum l4_kind kind;
};

/* Row of a protocol number; never NULL. Unknown ones share a row whose column is NULL. */
const struct l4_name *l4_name(uint8_t number);

/* State number to name, NULL when the protocol has none; unknown numbers of a protocol with states are "NONE". */
const char *state_name(uint8_t proto, uint8_t state);

/* Case-sensitive. The number, or -1. */
int state_number(uint8_t proto, const char *name);

const char *dccp_role_name(uint8_t role);
/* Any case, any prefix. The number, or -1. */
int dccp_role_number(const char *name);

#endif

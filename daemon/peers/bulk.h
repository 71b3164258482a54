/*
 * Everything for the peers, and everything from them: when it is sent, and when it is asked for. Both are wanted at
 * once by many, and cost much: they are put off and done once.
 */
#ifndef BULK_H
#define BULK_H

#include "clock.h"
#include "log.h"
#include "mode.h"

enum bulk_why { BULK_UNASKED, BULK_ASKED, BULK_OPERATOR };

struct bulk_env {
	void *arg;
	/* The kernel's table is known as far as it goes. */
	bool (*complete)(void *arg);
	/* An entry of the internal cache is to be sent. */
	void (*announce)(void *arg, enum slot_kind kind, uint32_t slot);
	/* There is no internal cache: the kernel's table is read, and sent as it comes. NULL: there is one. */
	void (*read_kernel)(void *arg);
};

struct bulk {
	struct bulk_env env;
	struct log *log;
	const struct clock *clock;
	struct mode *mode;
	const struct tables *tables; /* the internal cache */
	bool wanted, active;
	enum slot_kind kind; /* of the next one, with pos */
	uint32_t pos;
	uint64_t not_before, last; /* last: when one was begun, 0 never */
	bool ask_wanted;
	uint64_t ask_after; /* not of our own accord before */
	uint64_t sent, asked;
};

void bulk_want(struct bulk *b, enum bulk_why why); /* everything to the peers */
void bulk_ask(struct bulk *b, bool by_operator);   /* and from them */
void bulk_turn(struct bulk *b);                    /* once a turn */
uint64_t bulk_due(const struct bulk *b);           /* when to be called again */

#endif

/*
 * Where the sync role gets its links' sockets from: at first those that the start opened, which every sync worker has;
 * when a device was deleted and made again, new ones of ctd-link, over a wall of their own that the parent has no part
 * in.
 */
#ifndef OPENER_H
#define OPENER_H

#include "log.h"
#include "loop.h"
#include "wall.h"

struct opener_env {
	void *arg;
	void (*answer)(void *arg,
		       const struct msg *m); /* MSG_CHANNEL, whose descriptors are taken, or MSG_CHANNEL_FAILED */
};

struct opener {
	struct opener_env env;
	struct log *log;
	struct wall wall; /* fd -1: there is nobody to ask */
	struct watch *watch;
	struct timer *gone; /* until it is said that there is nobody */
	uint32_t pending;   /* bits: links that it was asked for */
	struct given {
		int fd[2]; /* -1: none, or handed on */
		struct msg_channel info;
		bool asked;
	} given[MSG_LINKS_MAX];
};

void opener_init(struct opener *o, const struct opener_env *env, struct log *log);
void opener_clear(struct opener *o);
/* MSG_CHANNEL of the start: kept until they are asked for. */
void opener_given(struct opener *o, const struct msg *m);
/* Our end of the wall to ctd-link, which is taken over. False: no memory. */
bool opener_wall(struct opener *o, struct loop *loop, int fd);
/* Asks for sockets of link i; the answer comes in a later turn. */
void opener_ask(struct opener *o, unsigned int i);
void opener_turn(struct opener *o);

#endif

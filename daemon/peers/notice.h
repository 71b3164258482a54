/*
 * What the operator should know of who speaks on the links, for the log: each thing once, and again when it has
 * changed. Addresses are strangers' words.
 */
#ifndef NOTICE_H
#define NOTICE_H

#include "link.h"
#include "log.h"
#include "mode.h"

/* How a peer's settings differ from ours, or what else is wrong between us. */
enum odds {
	ODDS_NONE,
	ODDS_DEAF,    /* FT-FW: neither greets us nor acknowledges: it does not hear us, or has another mode */
	ODDS_FTFW,    /* it runs FT-FW */
	ODDS_NOTRACK, /* NOTRACK, or FT-FW without hearing us */
	ODDS_ALARM,
};

struct notice {
	struct channel_from alias[MSG_LINKS_MAX];
	unsigned int unbound, unserved; /* bits per link that were told of */
	uint64_t bouncing_since[MSG_LINKS_MAX], bounced_at[MSG_LINKS_MAX];
	uint8_t odds[MODE_PEERS];
	uint64_t odd_since[MODE_PEERS];
	uint8_t told[MODE_PEERS];
};

/* To be called some times a second. own: our enum conf_mode. */
void notice_turn(struct notice *n, struct links *ls, const struct mode *m, enum conf_mode own, struct log *log,
		 uint64_t now);
/* What is wrong with a peer, after it has been so for a while. */
enum odds notice_odds(const struct notice *n, unsigned int peer);

#endif

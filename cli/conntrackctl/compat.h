/*
 * The old client options of conntrackd (-s, -c, -i, …), scanned by the rules of conntrack-tools 1.4.9.
 */
#ifndef COMPAT_H
#define COMPAT_H

#include "request.h"

enum compat_kind {
	COMPAT_REQUEST, /* request */
	COMPAT_VERSION, /* -v */
	COMPAT_HELP,    /* -h */
	COMPAT_DAEMON,  /* nothing to ask: start the daemon; daemonize */
	/* usage errors: exit status 1 */
	COMPAT_UNKNOWN,   /* bad: the argument */
	COMPAT_NO_CONFIG, /* -C without a name */
	COMPAT_BAD_WORD,  /* bad: the word, option: its option */
	COMPAT_INVALID,   /* combination */
};

struct compat {
	enum compat_kind kind;
	struct request request;
	const char *config; /* of -C, or PATH_CONF */
	bool daemonize;
	bool multicast; /* warn: `link' is the word to use */
	const char *bad;
	char option;
};

/* argv without the program's name. Strings are borrowed. */
struct compat compat_scan(int argc, char *const argv[]);

#endif

/*
 * conntrackctl's own command line: options anywhere, then a verb and its words.
 */
#ifndef OPTS_H
#define OPTS_H

#include <stdio.h>

#include "request.h"

enum opts_kind { OPTS_ASK, OPTS_CHECK, OPTS_HELP, OPTS_VERSION, OPTS_ERROR };

struct verb;
struct opts {
	enum opts_kind kind;
	const struct verb *verb; /* NULL: none named */
	struct request request;
	const char *config; /* -C; the default when not given */
	const char *socket; /* NULL: as the configuration says */
	int silence;        /* milliseconds, -1: no limit */
	bool colour;
	char error[160]; /* OPTS_ERROR */
};

/* argv[0] is the program. Permutes argv; strings are borrowed from it. */
struct opts opts_scan(int argc, char *argv[]);

const char *verb_name(const struct verb *v);
/* Help of a verb, or of the program when v is NULL. */
void opts_help(FILE *to, const struct verb *v);

#endif

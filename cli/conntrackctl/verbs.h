/*
 * Carries out conntrackctl's verbs.
 */
#ifndef VERBS_H
#define VERBS_H

#include "opts.h"

/* Asks the daemon and prints: results to standard output, what went wrong to standard error. Returns the exit status.
 */
int verbs_run(struct opts *o);

#endif

/*
 * The second half of the command line: values of protocol options, and the rules about which options go together.
 */
#ifndef OPTS_CHECK_H
#define OPTS_CHECK_H

#include "cmd.h"

/* Name of an option in errors. */
const char *opt_title(enum opt o);

/* Stores the value of a protocol option. */
int opt_set_proto(struct cmd *c, const struct popt *p, const char *value, struct opt_error *err);

/* All checks that need the whole command line, and the label names. */
int opts_check(struct cmd *c, struct opt_ctx *ctx, struct opt_error *err);

#endif

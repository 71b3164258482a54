/*
 * The words of a command line, made a struct cmd.
 */
#ifndef OPTS_H
#define OPTS_H

#include "cmd.h"

/* Parses argv[1..argc), which ends with a NULL. 0, or -1 with *err. cmd_done() releases what c holds, also on -1. */
int cmd_parse(struct cmd *c, struct opt_ctx *ctx, int argc, char **argv, struct opt_error *err);

#endif

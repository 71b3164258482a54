/*
 * The help text.
 */
#ifndef USAGE_H
#define USAGE_H

#include "cmd.h"
#include "out.h"

/* General help, and that of the protocol of -p. */
void usage(struct out *o, const struct cmd *c);

#endif

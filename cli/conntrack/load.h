/*
 * -R: a file of commands, checked as a whole, then carried out in order until one fails.
 */
#ifndef LOAD_H
#define LOAD_H

#include "lines.h"
#include "run.h"

struct load;

/* Reads and checks everything. NULL after saying what is wrong; *code is the exit status. */
struct load *load_read(struct lines *l, struct opt_ctx *ctx, int *code);
void load_free(struct load *ld);
/* Carries it out; the exit status. */
int load_run(struct load *ld, struct run *r, struct lines *l);

#endif

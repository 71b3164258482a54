/*
 * Which entries a command line selects. The kernel may have filtered already; everything is compared again, so old
 * and new kernels give the same result.
 */
#ifndef FILTER_H
#define FILTER_H

#include "cmd.h"

#define FILTER_CHECKS 24

typedef bool (*filter_fn)(const struct cmd *c, const struct ct_rec *rec);

struct filter {
	const struct cmd *cmd;
	unsigned n;
	filter_fn check[FILTER_CHECKS]; /* only what the command line asks for */
};

/* Borrows c. */
void filter_init(struct filter *f, const struct cmd *c);
bool filter_match(const struct filter *f, const struct ct_rec *rec);

#endif

/*
 * Many selections at once: which entries match any of them. Those that name one address are looked up by it, so the
 * cost of an entry hardly depends on how many there are.
 */
#ifndef SELECT_H
#define SELECT_H

#include "filter.h"

struct selection;

/* Borrows the n command lines. NULL when memory is short. */
struct selection *selection_new(const struct cmd *const *c, size_t n);
void selection_free(struct selection *s);
bool selection_match(const struct selection *s, const struct ct_rec *rec);

#endif

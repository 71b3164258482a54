/*
 * Listings, a slice for each frame that the control server has room for: c->step says which part, c->pos how far.
 */
#ifndef SLICES_H
#define SLICES_H

#include "control.h"

void slice_dump(const struct control_parts *p, struct ctl_client *c);
void slice_rsqueue(const struct control_parts *p, const struct control_env *env, struct ctl_client *c);

#endif

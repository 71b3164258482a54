/*
 * Keywords that are read and kept but not acted upon yet: whoever makes one work removes its row in later.c.
 */
#ifndef LATER_H
#define LATER_H

#include "conf.h"
#include "diag.h"

/* The text of the notice about one. */
#define LATER_FORMAT "%s is read but not acted upon in this version"
/* The i-th that c uses, in words; NULL: there are no more. */
const char *conf_later(const struct conf *c, unsigned int i);
/* False when the daemon cannot start with c, which is said at this level. */
bool conf_starts(const struct conf *c, const struct diag *d, enum log_level level);

#endif

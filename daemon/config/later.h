/*
 * Keywords that are read and kept but not acted upon yet: whoever makes one work removes its row in later.c.
 */
#ifndef LATER_H
#define LATER_H

#include "conf.h"
#include "diag.h"

/* One notice for each such keyword that c uses. false: the daemon cannot start without it, which is said as an error.
 */
bool conf_say_later(const struct conf *c, const struct diag *d);

#endif

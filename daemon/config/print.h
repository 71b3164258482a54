/*
 * Settings as the text of a conntrackd.conf that means the same: conf_parse() of it gives equal settings.
 */
#ifndef PRINT_H
#define PRINT_H

#include <stddef.h>

#include "conf.h"
#include "protos.h"

/* A terminated text in new memory, the caller frees it; NULL: out of memory. protos may be NULL. */
char *conf_print(const struct conf *c, const struct protos *protos, size_t *len);

#endif

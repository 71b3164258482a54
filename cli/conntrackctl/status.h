/*
 * The operator's first look: about a dozen lines, or the same as JSON.
 */
#ifndef STATUS_H
#define STATUS_H

#include <stdbool.h>
#include <stdio.h>

#include "ctl_msg.h"

/* colour: terminal sequences mark what is well and what is not. */
void status_text(FILE *to, const struct ctl_stats *s, bool colour);
void status_json(FILE *to, const struct ctl_stats *s);

/* What deserves attention: calls put for each, returns how many. */
unsigned int status_warnings(const struct ctl_stats *s, void (*put)(void *ctx, const char *text), void *ctx);

#endif

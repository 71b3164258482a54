/*
 * What conntrack says on standard error: summaries and errors, in the words of 1.4.x.
 */
#ifndef REPORT_H
#define REPORT_H

#include "cmd.h"

#define REPORT_NAME "conntrack v" CT_COMPAT_VERSION " (conntrack-tools): "

/* "N flow entries have been …"; nothing for commands that say nothing. */
void report_count(enum cmd_op op, enum table table, unsigned long n);
/* "Operation failed: …" for a positive errno. where: "FILE:LINE: " or "". */
void report_failure(enum cmd_op op, enum table table, int err, const char *where);
/* An error of the command line, with the hint that follows some. */
void report_options(const struct opt_error *err, const char *where);
void report_warnings(const struct cmd *c);
/* Any other line. */
void report_line(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif

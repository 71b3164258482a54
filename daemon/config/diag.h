/*
 * What the reader of a configuration has to say: one line of text with the place in the file. Where it goes is the
 * caller's business (console, a test's buffer, nowhere).
 */
#ifndef DIAG_H
#define DIAG_H

#include <stdint.h>

#include "log.h"

struct place {
	uint32_t line, col; /* from 1; line 0: no place */
};

struct diag {
	void (*put)(void *arg, enum log_level level, const char *text); /* NULL: nobody listens */
	void *arg;
	const char *file; /* name for messages */
};

void diag_at(const struct diag *d, enum log_level level, struct place at, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

#endif

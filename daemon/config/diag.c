/*
 * Formats one message with its place; what does not fit is cut.
 */
#include "diag.h"

#include <stdarg.h>
#include <stdio.h>

void
diag_at(const struct diag *d, enum log_level level, struct place at, const char *fmt, ...)
{
	char text[LOG_TEXT_MAX], msg[700];
	va_list ap;

	if (d == NULL || d->put == NULL)
		return;
	va_start(ap, fmt);
	vsnprintf(msg, sizeof(msg), fmt, ap);
	va_end(ap);
	if (at.line != 0)
		snprintf(text, sizeof(text), "%.250s:%u:%u: %s", d->file, at.line, at.col, msg);
	else
		snprintf(text, sizeof(text), "%.250s: %s", d->file, msg);
	d->put(d->arg, level, text);
}

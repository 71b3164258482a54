/* One record, sent at once: safe inside every jail. */
#include "log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

void
log_put(struct log *l, enum log_level level, const char *fmt, ...)
{
	char record[1 + LOG_TEXT_MAX + 1] = {(char)level}, *text = record + 1;
	va_list ap;
	ssize_t sent;
	int n, saved = errno;

	if (l == NULL)
		return;
	va_start(ap, fmt);
	n = vsnprintf(text, LOG_TEXT_MAX + 1, fmt, ap);
	va_end(ap);
	if (n > LOG_TEXT_MAX) {
		n = LOG_TEXT_MAX;
		memcpy(text + n - 3, "...", 3);
	}
	if (l->form != LF_RECORD)
		sent = l->form(l, level, text);
	else /* not write(): whoever shares the socket can take O_NONBLOCK away */
		sent = send(l->fd, record, 1 + (size_t)n, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (sent < 0)
		l->lost++;
	errno = saved;
}

/*
 * Formats one line and writes it with one write: safe inside every jail, no stdio streams, no time zone files
 * (localtime is loaded before the jail by log_put's first caller, the start-up code).
 */
#include "log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

const char *
log_level_name(enum log_level level)
{
	static const char *const names[] = {"info", "notice", "warning", "ERROR"};

	return level < LV_MAX ? names[level] : "?";
}

static size_t
format_line(char *line, size_t size, enum log_level level, const char *text)
{
	char when[32] = "";
	time_t now = time(NULL);
	struct tm tm;
	int n;

	if (localtime_r(&now, &tm) != NULL)
		strftime(when, sizeof(when), "%a %b %e %H:%M:%S %Y", &tm);
	n = snprintf(line, size, "[%s] (pid=%d) [%s] %s\n", when, (int)getpid(), log_level_name(level), text);
	return n < 0 ? 0 : (size_t)n < size ? (size_t)n : size - 1;
}

void
log_put(struct log *l, enum log_level level, const char *fmt, ...)
{
	char record[1 + LOG_TEXT_MAX + 1] = {(char)level}, *text = record + 1, line[LOG_TEXT_MAX + 128];
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
	if (l->form == LF_RECORD) /* not write(): whoever shares the socket can take O_NONBLOCK away */
		sent = send(l->fd, record, 1 + (size_t)n, MSG_DONTWAIT | MSG_NOSIGNAL);
	else
		sent = write(level >= LV_WARNING ? l->fd_err : l->fd, line,
			     format_line(line, sizeof(line), level, text));
	if (sent < 0)
		l->lost++;
	errno = saved;
}

/* See log_text.h. */
#include "log_text.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

const char *
log_level_name(enum log_level level)
{
	static const char *const names[] = {"info", "notice", "warning", "ERROR"};

	return level < LV_MAX ? names[level] : "?";
}

ssize_t
log_text(const struct log *l, enum log_level level, const char *text)
{
	char line[LOG_TEXT_MAX + 128], when[32] = "";
	time_t now = time(NULL);
	struct tm tm;
	int n;

	if (localtime_r(&now, &tm) != NULL)
		strftime(when, sizeof(when), "%a %b %e %H:%M:%S %Y", &tm);
	n = snprintf(line, sizeof(line), "[%s] (pid=%d) [%s] %s\n", when, (int)getpid(), log_level_name(level), text);
	return write(level >= LV_WARNING ? l->fd_err : l->fd, line,
		     n < (int)sizeof(line) ? (size_t)n : sizeof(line) - 1);
}

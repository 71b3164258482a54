/* Log lines as text, for those who have a terminal or write the files. */
#ifndef LOG_TEXT_H
#define LOG_TEXT_H

#include "log.h"

/* The form of struct log for a terminal: "[ctime] (pid=N) [level] text\n" by one write, info and notice to fd, warning
 * and error to fd_err. No stdio streams; in a jail the time zone must have been read before. */
#define LF_TEXT log_text
ssize_t log_text(const struct log *l, enum log_level level, const char *text);

/* "info", "notice", "warning", "ERROR": the words of the 1.4.x log format. */
const char *log_level_name(enum log_level level);

#endif

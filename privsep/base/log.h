/*
 * One log line of any process: level and text go to one descriptor, either as text for a terminal or as one record
 * for the log worker, which learns the writer's pid from the kernel (SCM_CREDENTIALS), not from the record.
 * Only the edge that decides what happens next logs; inner layers return -errno and stay silent.
 */
#ifndef LOG_H
#define LOG_H

#include <stdint.h>

#define LOG_TEXT_MAX 1000 /* longer text is cut and ends in "..." */

enum log_level { LV_INFO, LV_NOTICE, LV_WARNING, LV_ERROR, LV_MAX };

/* LF_RECORD: one datagram, level as one byte and then the text without terminator; the socket is O_NONBLOCK.
 * LF_TEXT: "[ctime] (pid=N) [level] text\n", info and notice to fd, warning and error to fd_err. */
enum log_form { LF_TEXT, LF_RECORD };

struct log {
	int fd, fd_err;
	enum log_form form;
	uint64_t lost; /* records that the log worker's queue could not take */
};

/* Never blocks, never fails: what cannot be written is counted in l->lost. l may be NULL: nothing is written. */
void log_put(struct log *l, enum log_level level, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* "info", "notice", "warning", "ERROR": the words of the 1.4.x log format. */
const char *log_level_name(enum log_level level);

#endif

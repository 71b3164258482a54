/*
 * One log line of any process: level and text go to one descriptor, as one record for the log worker (or as text for a
 * terminal: log_text.h), which learns the writer's pid from the kernel (SCM_CREDENTIALS), not from the record.
 * Only the edge that decides what happens next logs; inner layers return -errno and stay silent.
 */
#ifndef LOG_H
#define LOG_H

#include <stdint.h>
#include <sys/types.h>

#define LOG_TEXT_MAX 1000 /* longer text is cut and ends in "..." */

enum log_level { LV_INFO, LV_NOTICE, LV_WARNING, LV_ERROR, LV_MAX };

/* form: LF_RECORD, one datagram, level as one byte and then the text without terminator, the socket is O_NONBLOCK; or
 * who writes it, which returns a negative number when it cannot. */
#define LF_RECORD NULL
struct log {
	int fd, fd_err;
	ssize_t (*form)(const struct log *l, enum log_level level, const char *text);
	uint64_t lost; /* records that the log worker's queue could not take */
};

/* Never blocks, never fails: what cannot be written is counted in l->lost. l may be NULL: nothing is written. */
void log_put(struct log *l, enum log_level level, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

#endif

/*
 * Settings as sealed bytes: the config worker writes them into shared memory, every other worker maps and checks them.
 * The format is private to one build (both sides are the same program) and carries its size and a layout number.
 */
#ifndef BLOB_H
#define BLOB_H

#include <stddef.h>

#include "settings.h"

/* Bytes needed for c. */
size_t blob_size(const struct conf *c);
/* Writes c; -ENOSPC when size is too small. Returns bytes written. */
int blob_write(const struct conf *c, void *mem, size_t size);
/* Reads and checks every field again (a config worker may have been taken over); -EBADMSG otherwise.
 * On success the caller owns *c and calls conf_clear(). */
int blob_read(struct conf *c, const void *mem, size_t size);
/* New memory of a fixed size that fits any settings; call it before RLIMIT_FSIZE. The descriptor or -errno. */
int blob_memfd(void);
/* Writes c into memory made by blob_memfd() and seals it against any further change. */
int blob_store(const struct conf *c, int fd);
/* Maps fd (sealed against writing and resizing, else -EPERM) and reads it. The caller keeps fd. */
int blob_load(struct conf *c, int fd);

#endif

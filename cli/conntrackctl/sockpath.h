/*
 * Where the daemon listens: UNIX { Path } of the configuration file. The tool reads no more of the file than that:
 * it must reach a running daemon even while the file is being edited, and repeats none of the file's warnings.
 */
#ifndef SOCKPATH_H
#define SOCKPATH_H

#include <stddef.h>
#include <sys/un.h>

#define SOCKPATH_MAX sizeof(((struct sockaddr_un *)0)->sun_path)

/* Finds the path in text. 0, -ENOENT (there is none), -ENAMETOOLONG, or -EINVAL (no configuration). */
int sockpath_find(const char *text, size_t len, char path[SOCKPATH_MAX]);
/* The same for a file. -errno of opening or reading it (-EISDIR: a directory), -EFBIG beyond 16 MiB. */
int sockpath_read(const char *file, char path[SOCKPATH_MAX]);
/* What an error of these means. */
const char *sockpath_error(int err);

#endif

/*
 * Where the daemon listens, UNIX { Path }, from a text that may be wrong elsewhere: a client must reach a running
 * daemon even while the file is being edited.
 */
#ifndef CTL_PATH_H
#define CTL_PATH_H

#include <stddef.h>

/* The last path counts, as for the daemon. 0; -ENAMETOOLONG when it does not fit; -ENOENT: a configuration (also an
 * empty one) without a control socket; -EINVAL: none of the blocks of a configuration stands in the text. */
int ctl_path_find(const char *text, size_t len, char *path, size_t size);

#endif

/*
 * What a worker may ask of the kernel. The kernel's parser of these messages has had bugs, so nothing malformed may
 * reach it: one header check and one walk of the attribute tree for each message.
 */
#ifndef GUARD_H
#define GUARD_H

#include <stddef.h>

#include "msg.h"

/* A batch: complete ctnetlink or ctnetlink_exp NEW, DELETE or GET messages back to back, each padded, nothing behind
 * them, from a sync worker; from a stats worker only ctnetlink DELETE. 0, or of the first that is refused: -EBADMSG
 * (malformed), -EPERM (well-formed, but not allowed). */
int guard_batch(enum role from, const void *data, size_t len);

#endif

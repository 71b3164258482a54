/*
 * What a worker may ask of the kernel. The kernel's parser of these messages has had bugs, so nothing malformed may
 * reach it: one header check and one walk of the attribute tree for each message.
 */
#ifndef GUARD_H
#define GUARD_H

#include <stddef.h>

#include "msg.h"

/* One complete ctnetlink or ctnetlink_exp NEW, DELETE or GET at data, of its own length, at most len bytes, from a sync
 * worker; from a stats worker only ctnetlink DELETE. Its padded length (never more than len), or -EBADMSG (malformed),
 * -EPERM (well-formed, but not allowed). */
int guard_request(enum role from, const void *data, size_t len);

/* A batch: such messages back to back, nothing behind them. 0 or the first refusal. */
int guard_batch(enum role from, const void *data, size_t len);

#endif

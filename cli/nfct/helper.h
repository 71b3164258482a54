/* User space helpers (nfnetlink_cthelper): arguments to one request, answers to text or JSON. */
#ifndef HELPER_H
#define HELPER_H

#include "request.h"

/* argv: the words behind command and subsystem. 0, or -EINVAL with err filled. -ENOSYS: no such command here. */
int helper_request(struct request *rq, enum nfct_cmd cmd, int argc, char **argv, char *err);

#endif

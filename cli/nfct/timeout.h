/* Timeout policies (nfnetlink_cttimeout): arguments to one request, answers to text or JSON. */
#ifndef TIMEOUT_H
#define TIMEOUT_H

#include "request.h"

/* argv: the words behind command and subsystem. 0, or -EINVAL with err filled. -ENOSYS: no such command here. */
int timeout_request(struct request *rq, enum nfct_cmd cmd, int argc, char **argv, char *err);

#endif

/* Netlink messages back to back, by the same walk as attributes: see nlattr.h. */
#ifndef NLMSG_H
#define NLMSG_H

#include "nlattr.h"

static inline bool
nl_next(struct rd *r, struct nlmsghdr *h, struct rd *body)
{
	if (r->bad || rd_left(r) == 0)
		return false;
	rd_copy(r, h, sizeof(*h));
	*body = nl_rest(r, h->nlmsg_len, sizeof(*h));
	return !r->bad;
}

#endif

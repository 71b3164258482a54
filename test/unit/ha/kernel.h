/* A cache that plays the kernel's table. Wants cmocka.h before it. */
#ifndef KERNEL_H
#define KERNEL_H

#include <errno.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <stdbool.h>
#include <string.h>

#include "cache.h"
#include "flow_nl.h"

static inline bool
kernel_asked_to_delete(const struct nlmsghdr *nlh)
{
	return (nlh->nlmsg_type & 0xff) == IPCTNL_MSG_CT_DELETE;
}

/* What ctnetlink does with one request about a flow, which is put in f for the caller to look at. Of the helpers it has
 * ftp alone; for a new flow with another one it looks for a module first. */
static inline int
kernel_does(struct cache *kernel, const struct nlmsghdr *nlh, struct flow *f, unsigned int *module_requests)
{
	static struct flow_side side;
	uint32_t slot;

	assert_int_equal(flow_from_nl(nlh, f, &side), 0);
	slot = cache_find(kernel, f);
	if (kernel_asked_to_delete(nlh)) {
		if (slot != SLOT_NONE)
			cache_drop(kernel, slot);
		return slot != SLOT_NONE ? 0 : -ENOENT;
	}
	if (slot == SLOT_NONE && nlh->nlmsg_flags & NLM_F_EXCL && f->have & FLOW_HELPER &&
	    strcmp(side.helper, "ftp") != 0) {
		++*module_requests;
		return -EOPNOTSUPP;
	}
	if (nlh->nlmsg_flags & NLM_F_EXCL)
		return cache_insert(kernel, f, 0, &slot);
	return slot == SLOT_NONE ? -ENOENT : cache_update(kernel, slot, f, 0);
}

#endif

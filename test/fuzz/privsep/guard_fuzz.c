/* Any bytes as a batch of requests. What the guard lets through must be whole messages of allowed types. */
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "guard.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* a copy of exactly this size, so that the sanitizer sees one byte too many */
	uint8_t *copy = calloc(1, size > 0 ? size : 1);
	size_t at = 0;

	if (copy == NULL)
		abort();
	if (size > 0)
		memcpy(copy, data, size);
	if (guard_batch(ROLE_SYNC, copy, size) == 0)
		while (at < size) {
			struct nlmsghdr h;

			if (size - at < sizeof(h))
				abort();
			memcpy(&h, copy + at, sizeof(h));
			if (NLMSG_ALIGN((size_t)h.nlmsg_len) > size - at || h.nlmsg_pid != 0 ||
			    (h.nlmsg_type >> 8 != NFNL_SUBSYS_CTNETLINK &&
			     h.nlmsg_type >> 8 != NFNL_SUBSYS_CTNETLINK_EXP))
				abort();
			at += NLMSG_ALIGN((size_t)h.nlmsg_len);
		}
	free(copy);
	return 0;
}

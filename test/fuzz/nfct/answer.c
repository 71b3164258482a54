/*
 * Kernel answers to nfct, shown as text and as JSON. First byte: bit 0 JSON, bit 1 helper instead of timeout; the rest
 * is what follows the netlink header. Exactly sized memory, so that a sanitizer sees every byte read beyond it.
 */
#include "helper.h"
#include "timeout.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static FILE *null;
	char err[REQUEST_ERR];
	struct request rq;
	struct nlmsghdr *nlh;
	size_t len;

	if (size == 0 || size > 65000)
		return 0;
	if (null == NULL && (null = fopen("/dev/null", "w")) == NULL)
		abort();
	if ((data[0] & 2 ? helper_request : timeout_request)(&rq, CMD_LIST, 0, NULL, err) < 0 || rq.show == NULL)
		abort();
	len = NLMSG_HDRLEN + size - 1;
	if ((nlh = calloc(1, len)) == NULL)
		abort();
	nlh->nlmsg_len = (uint32_t)len;
	memcpy((uint8_t *)nlh + NLMSG_HDRLEN, data + 1, size - 1);
	(void)rq.show(&(struct show){.out = null, .json = data[0] & 1}, nlh);
	free(nlh);
	return 0;
}

/*
 * A flow or expectation as one short line for the log. Called when an entry could not be written into the kernel.
 */
#include <arpa/inet.h>
#include <stdio.h>

#include "sync.h"

const char *
flow_text(const struct flow *f, char *buf, size_t size)
{
	char src[INET6_ADDRSTRLEN] = "?", dst[INET6_ADDRSTRLEN] = "?";

	inet_ntop(f->l3, flow_addr(f, ORIG_SRC), src, sizeof(src));
	inet_ntop(f->l3, flow_addr(f, ORIG_DST), dst, sizeof(dst));
	snprintf(buf, size, "proto=%u src=%s dst=%s sport=%u dport=%u zone=%u", f->l4, src, dst, ntohs(f->port[0]),
		 ntohs(f->port[1]), f->have & FLOW_ZONE ? (unsigned int)f->zone : 0U);
	return buf;
}

const char *
expect_text(const struct expect *e, char *buf, size_t size)
{
	char src[INET6_ADDRSTRLEN] = "?", dst[INET6_ADDRSTRLEN] = "?";

	inet_ntop(e->l3, e->tuple.src, src, sizeof(src));
	inet_ntop(e->l3, e->tuple.dst, dst, sizeof(dst));
	snprintf(buf, size, "expectation proto=%u src=%s dst=%s sport=%u dport=%u", e->tuple.l4, src, dst,
		 ntohs(e->tuple.sport), ntohs(e->tuple.dport));
	return buf;
}

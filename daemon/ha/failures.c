/*
 * A flow or expectation as one short line. What it is was a peer's choice.
 */
#include "failures.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#define SHOWN    10
#define TEXT_MAX 200

static const char *
flow_text(const struct flow *f, char *buf, size_t size)
{
	char src[INET6_ADDRSTRLEN] = "?", dst[INET6_ADDRSTRLEN] = "?";

	inet_ntop(f->l3, flow_addr(f, ORIG_SRC), src, sizeof(src));
	inet_ntop(f->l3, flow_addr(f, ORIG_DST), dst, sizeof(dst));
	snprintf(buf, size, "proto=%u src=%s dst=%s sport=%u dport=%u zone=%u", f->l4, src, dst, ntohs(f->port[0]),
		 ntohs(f->port[1]), f->have & FLOW_ZONE ? (unsigned int)f->zone : 0U);
	return buf;
}

static const char *
expect_text(const struct expect *e, char *buf, size_t size)
{
	char src[INET6_ADDRSTRLEN] = "?", dst[INET6_ADDRSTRLEN] = "?";

	inet_ntop(e->l3, e->tuple.src, src, sizeof(src));
	inet_ntop(e->l3, e->tuple.dst, dst, sizeof(dst));
	snprintf(buf, size, "expectation proto=%u src=%s dst=%s sport=%u dport=%u", e->tuple.l4, src, dst,
		 ntohs(e->tuple.sport), ntohs(e->tuple.dport));
	return buf;
}

void
failures_note(struct failures *x, struct log *log, enum log_level level, const char *what, int err,
	      const struct flow *f, const struct expect *e)
{
	char text[TEXT_MAX];

	if (x->shown++ >= SHOWN) {
		x->hidden++;
		return;
	}
	log_put(log, level, "%s: %s: %s", what, strerror(-err),
		f != NULL ? flow_text(f, text, sizeof(text)) : expect_text(e, text, sizeof(text)));
}

uint64_t
failures_end(struct failures *x)
{
	const uint64_t hidden = x->hidden;

	*x = (struct failures){0};
	return hidden;
}

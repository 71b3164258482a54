/*
 * Flows and expectations from and to ctnetlink messages, straight between attributes and struct, without allocation.
 * Reading does not trust the message beyond what the walk checks; writing emits only what the guard of the wall admits.
 */
#ifndef FLOW_NL_H
#define FLOW_NL_H

#include <linux/netlink.h>
#include <stddef.h>

#include "flow.h"

/* f->side is set to side (caller's scratch) when rare parts are there, else NULL. -EBADMSG when a needed attribute
 * is missing or has a wrong size, -EAFNOSUPPORT for other families. */
int flow_from_nl(const struct nlmsghdr *nlh, struct flow *f, struct flow_side *side);
int expect_from_nl(const struct nlmsghdr *nlh, struct expect *e);

/* RELAX: window tracking is no longer to judge a TCP flow that is there, if tcp_liberal says so; nothing else changes.
 */
enum flow_nl_op { FLOW_NL_CREATE, FLOW_NL_UPDATE, FLOW_NL_DELETE, FLOW_NL_GET, FLOW_NL_RELAX };
/* How a flow that another node knew is written into this kernel. */
struct flow_nl_opts {
	uint32_t timeout; /* seconds to write; 0: the flow's own */
	bool no_helper;   /* leave it out: the kernel does not have it */
	bool tcp_liberal; /* window tracking must not judge a flow whose windows nobody told us */
};
/* Builds one request at buf. Returns its length (a multiple of 4), -EINVAL when the flow lacks what the kernel needs
 * (reply tuple and timeout for create; a TCP, SCTP or DCCP state it knows; an ICMP type that has an answer), -ENOSPC.
 * CREATE: NLM_F_CREATE|EXCL, NAT as the kernel wants it, EXPECTED bit cleared, labels, helper, master, sequence
 * adjustment, synproxy. No ACK is asked for: errors come back by seq. */
int flow_to_nl(const struct flow *f, enum flow_nl_op op, const struct flow_nl_opts *o, uint32_t seq, void *buf,
	       size_t size);
int expect_to_nl(const struct expect *e, enum flow_nl_op op, uint32_t timeout, uint32_t seq, void *buf, size_t size);

#endif

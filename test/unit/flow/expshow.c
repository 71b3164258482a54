/*
 * All expectations of this network namespace, one a line, with everything that the kernel says of them but timeout and
 * id: what the tools leave out (what NAT will do, the function that does it) stands here too.
 */
#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdio.h>

#include "flow_nl.h"
#include "nltest.h"

static void
show_tuple(const char *name, uint8_t l3, const struct flow_tuple *t)
{
	char src[INET6_ADDRSTRLEN], dst[INET6_ADDRSTRLEN];

	inet_ntop(l3, t->src, src, sizeof(src));
	inet_ntop(l3, t->dst, dst, sizeof(dst));
	printf("%s=%u,%s,%s,%u,%u ", name, t->l4, src, dst, ntohs(t->sport), ntohs(t->dport));
}

static int
show(const struct nlmsghdr *nlh, void *data)
{
	struct expect e;

	(void)data;
	if (expect_from_nl(nlh, &e) < 0)
		return MNL_CB_ERROR;
	show_tuple("expected", e.l3, &e.tuple);
	show_tuple("mask", e.l3, &e.mask);
	show_tuple("master", e.l3, &e.master);
	if (e.have & EXPECT_NAT) {
		show_tuple("nat", e.l3, &e.nat);
		printf("dir=%u ", e.nat_dir);
	}
	printf("flags=%u class=%u zone=%u helper=%s fn=%s\n", e.flags, e.class, e.zone, e.helper, e.fn);
	return MNL_CB_OK;
}

int
main(void)
{
	struct mnl_socket *nl = nltest_open(0);
	int r = nl != NULL ? nltest_dump(nl, NFNL_SUBSYS_CTNETLINK_EXP, AF_UNSPEC, show, NULL) : -1;

	if (nl != NULL)
		mnl_socket_close(nl);
	return r < 0 || fflush(stdout) != 0;
}

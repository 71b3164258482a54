/* Talks to the kernel with libmnl, so that our own walker is not tested against itself alone. */
#include "nltest.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct mnl_socket *
nltest_open(unsigned int groups)
{
	struct mnl_socket *nl = mnl_socket_open(NETLINK_NETFILTER);

	if (nl == NULL || mnl_socket_bind(nl, groups, MNL_SOCKET_AUTOPID) < 0)
		return NULL;
	return nl;
}

bool
nltest_enter(void)
{
	struct mnl_socket *nl;
	bool ok;

	if (unshare(CLONE_NEWNET) < 0)
		return false;
	if ((nl = nltest_open(0)) == NULL)
		return false;
	ok = nltest_flush(nl, NFNL_SUBSYS_CTNETLINK) == 0;
	mnl_socket_close(nl);
	return ok;
}

static void
record(const struct nlmsghdr *nlh)
{
	static unsigned int n;
	const char *dir = getenv("CT_RECORD");
	char path[512];
	FILE *f;

	if (dir == NULL || nlh->nlmsg_type < NLMSG_MIN_TYPE)
		return;
	snprintf(path, sizeof(path), "%s/msg-%04u", dir, n++);
	if ((f = fopen(path, "wb")) != NULL) {
		fwrite(nlh, 1, nlh->nlmsg_len, f);
		fclose(f);
	}
}

struct answers {
	int (*cb)(const struct nlmsghdr *, void *);
	void *data;
};

static int
on_answer(const struct nlmsghdr *nlh, void *data)
{
	const struct answers *a = data;

	record(nlh);
	return a->cb != NULL ? a->cb(nlh, a->data) : MNL_CB_OK;
}

int
nltest_talk(struct mnl_socket *nl, void *request, int (*cb)(const struct nlmsghdr *, void *), void *data)
{
	static uint8_t buf[65536];
	struct nlmsghdr *nlh = request;
	struct answers answers = {cb, data};
	ssize_t n;
	int r = 1;

	nlh->nlmsg_flags |= NLM_F_ACK;
	if (mnl_socket_sendto(nl, nlh, nlh->nlmsg_len) < 0)
		return -errno;
	while (r > 0) {
		if ((n = mnl_socket_recvfrom(nl, buf, sizeof(buf))) < 0)
			return -errno;
		errno = 0;
		r = mnl_cb_run(buf, (size_t)n, nlh->nlmsg_seq, mnl_socket_get_portid(nl), on_answer, &answers);
	}
	return r < 0 ? -errno : 0;
}

static struct nlmsghdr *
request(void *buf, uint8_t subsys, uint16_t type, uint16_t flags, uint8_t family)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct nfgenmsg *g = mnl_nlmsg_put_extra_header(nlh, sizeof(*g));

	nlh->nlmsg_type = (uint16_t)(subsys << 8 | type);
	nlh->nlmsg_flags = NLM_F_REQUEST | flags;
	nlh->nlmsg_seq = 1;
	g->nfgen_family = family;
	return nlh;
}

int
nltest_dump(struct mnl_socket *nl, uint8_t subsys, uint8_t family, int (*cb)(const struct nlmsghdr *, void *),
	    void *data)
{
	uint8_t buf[256];

	return nltest_talk(nl, request(buf, subsys, IPCTNL_MSG_CT_GET, NLM_F_DUMP, family), cb, data);
}

int
nltest_flush(struct mnl_socket *nl, uint8_t subsys)
{
	uint8_t buf[256];

	return nltest_talk(nl, request(buf, subsys, IPCTNL_MSG_CT_DELETE, 0, 0), NULL, NULL);
}

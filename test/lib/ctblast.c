/*
 * ctblast: drives ctnetlink for tests and benches. Creates, updates and deletes many flows with many requests in each
 * send, and measures how long a flow needs from one namespace's kernel to another's.
 * It writes into the table of the namespace it runs in, whichever that is, and needs CAP_NET_ADMIN there.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <arpa/inet.h>
#include <endian.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_conntrack_sctp.h>
#include <linux/netfilter/nf_conntrack_tcp.h>

#define BATCH_BYTES 65536 /* one send; the kernel takes such a request as one buffer */
#define MSG_ROOM    512

enum work { CREATE, UPDATE, DELETE };

struct kind {
	const char *name;
	uint8_t family, proto;
	bool nat;
};

static const struct kind kinds[] = {
	{"tcp", AF_INET, IPPROTO_TCP, false},       {"udp", AF_INET, IPPROTO_UDP, false},
	{"icmp", AF_INET, IPPROTO_ICMP, false},     {"sctp", AF_INET, IPPROTO_SCTP, false},
	{"gre", AF_INET, IPPROTO_GRE, false},       {"unknown", AF_INET, 200, false},
	{"pptp", AF_INET, IPPROTO_GRE, false}, /* with keys */
	{"tcp6", AF_INET6, IPPROTO_TCP, false},     {"udp6", AF_INET6, IPPROTO_UDP, false},
	{"icmp6", AF_INET6, IPPROTO_ICMPV6, false}, {"nat", AF_INET, IPPROTO_TCP, true},
	{"natudp", AF_INET, IPPROTO_UDP, true},
};

struct blast {
	const struct kind *kind;
	uint32_t n, first, rate, timeout, mark, repeat, zone;
	uint32_t state; /* 0: established, whatever its number is in the protocol */
	struct mnl_socket *nl;
	uint32_t seq, errors;
	int last_error;
	uint64_t sent;
};

static uint64_t
now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000U + (uint64_t)t.tv_nsec;
}

static void
die(const char *what)
{
	fprintf(stderr, "ctblast: %s: %s\n", what, strerror(errno));
	exit(1);
}

static struct mnl_socket *
ct_socket(unsigned groups)
{
	struct mnl_socket *nl = mnl_socket_open(NETLINK_NETFILTER);
	int size = 32 << 20;

	if (nl == NULL || mnl_socket_bind(nl, groups, MNL_SOCKET_AUTOPID) < 0)
		die("netlink socket");
	setsockopt(mnl_socket_get_fd(nl), SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	return nl;
}

/* The address of flow i: 24 bits of it go into the client side, the server side stays. */
static void
put_addrs(struct nlmsghdr *nlh, const struct blast *b, uint32_t i, bool reply)
{
	struct nlattr *nest = mnl_attr_nest_start(nlh, CTA_TUPLE_IP);
	struct in6_addr c6 = {.s6_addr = {0xfd, 0x10}}, s6 = {.s6_addr = {0xfd, 0x20, [15] = 1}};
	uint32_t c = htonl((b->kind->nat ? 0x0b000000 : 0x0a000000) | (i & 0xffffff)), s = htonl(0xc6120001);

	memcpy(&c6.s6_addr[12], &c, sizeof(c));
	if (b->kind->family == AF_INET) {
		mnl_attr_put_u32(nlh, CTA_IP_V4_SRC, reply ? s : c);
		mnl_attr_put_u32(nlh, CTA_IP_V4_DST, reply ? c : s);
	} else {
		mnl_attr_put(nlh, CTA_IP_V6_SRC, sizeof(c6), reply ? &s6 : &c6);
		mnl_attr_put(nlh, CTA_IP_V6_DST, sizeof(c6), reply ? &c6 : &s6);
	}
	mnl_attr_nest_end(nlh, nest);
}

static void
put_icmp(struct nlmsghdr *nlh, uint8_t family, uint32_t i, bool reply)
{
	if (family == AF_INET) {
		mnl_attr_put_u16(nlh, CTA_PROTO_ICMP_ID, htons((uint16_t)i));
		mnl_attr_put_u8(nlh, CTA_PROTO_ICMP_TYPE, reply ? 0 : 8);
		mnl_attr_put_u8(nlh, CTA_PROTO_ICMP_CODE, 0);
	} else {
		mnl_attr_put_u16(nlh, CTA_PROTO_ICMPV6_ID, htons((uint16_t)i));
		mnl_attr_put_u8(nlh, CTA_PROTO_ICMPV6_TYPE, reply ? 129 : 128);
		mnl_attr_put_u8(nlh, CTA_PROTO_ICMPV6_CODE, 0);
	}
}

static void
put_proto(struct nlmsghdr *nlh, const struct blast *b, uint32_t i, bool reply)
{
	struct nlattr *nest = mnl_attr_nest_start(nlh, CTA_TUPLE_PROTO);
	uint16_t client = htons((uint16_t)(1024 + i % 60000)), server = htons(80);

	if (strcmp(b->kind->name, "gre") == 0)
		client = server = 0;
	mnl_attr_put_u8(nlh, CTA_PROTO_NUM, b->kind->proto);
	switch (b->kind->proto) {
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		put_icmp(nlh, b->kind->family, i, reply);
		break;
	case 200:
		break;
	default:
		mnl_attr_put_u16(nlh, CTA_PROTO_SRC_PORT, reply ? server : client);
		mnl_attr_put_u16(nlh, CTA_PROTO_DST_PORT, reply ? client : server);
	}
	mnl_attr_nest_end(nlh, nest);
}

static void
put_tuple(struct nlmsghdr *nlh, const struct blast *b, uint32_t i, bool reply)
{
	struct nlattr *nest = mnl_attr_nest_start(nlh, reply ? CTA_TUPLE_REPLY : CTA_TUPLE_ORIG);

	put_addrs(nlh, b, i, reply);
	put_proto(nlh, b, i, reply);
	mnl_attr_nest_end(nlh, nest);
}

static void
put_protoinfo(struct nlmsghdr *nlh, const struct blast *b)
{
	struct nf_ct_tcp_flags liberal = {.flags = IP_CT_TCP_FLAG_BE_LIBERAL, .mask = IP_CT_TCP_FLAG_BE_LIBERAL};
	struct nlattr *info = mnl_attr_nest_start(nlh, CTA_PROTOINFO), *l4;

	if (b->kind->proto == IPPROTO_TCP) {
		l4 = mnl_attr_nest_start(nlh, CTA_PROTOINFO_TCP);
		mnl_attr_put_u8(nlh, CTA_PROTOINFO_TCP_STATE, b->state != 0 ? b->state : TCP_CONNTRACK_ESTABLISHED);
		mnl_attr_put(nlh, CTA_PROTOINFO_TCP_FLAGS_ORIGINAL, sizeof(liberal), &liberal);
		mnl_attr_put(nlh, CTA_PROTOINFO_TCP_FLAGS_REPLY, sizeof(liberal), &liberal);
	} else {
		l4 = mnl_attr_nest_start(nlh, CTA_PROTOINFO_SCTP);
		mnl_attr_put_u8(nlh, CTA_PROTOINFO_SCTP_STATE, b->state != 0 ? b->state : SCTP_CONNTRACK_ESTABLISHED);
		mnl_attr_put_u32(nlh, CTA_PROTOINFO_SCTP_VTAG_ORIGINAL, htonl(0x1001));
		mnl_attr_put_u32(nlh, CTA_PROTOINFO_SCTP_VTAG_REPLY, htonl(0x2002));
	}
	mnl_attr_nest_end(nlh, l4);
	mnl_attr_nest_end(nlh, info);
}

/* Source NAT to one address a 64 k flows, each with its own port: unique by construction. */
static void
put_nat(struct nlmsghdr *nlh, uint32_t i)
{
	struct nlattr *nest = mnl_attr_nest_start(nlh, CTA_NAT_SRC), *proto;
	uint32_t addr = htonl(0xcb007100 | ((i / 60000) & 0xff));
	uint16_t port = htons((uint16_t)(1024 + i % 60000));

	mnl_attr_put_u32(nlh, CTA_NAT_V4_MINIP, addr);
	mnl_attr_put_u32(nlh, CTA_NAT_V4_MAXIP, addr);
	proto = mnl_attr_nest_start(nlh, CTA_NAT_PROTO);
	mnl_attr_put_u16(nlh, CTA_PROTONAT_PORT_MIN, port);
	mnl_attr_put_u16(nlh, CTA_PROTONAT_PORT_MAX, port);
	mnl_attr_nest_end(nlh, proto);
	mnl_attr_nest_end(nlh, nest);
}

static void
put_flow(struct nlmsghdr *nlh, const struct blast *b, uint32_t i, enum work work)
{
	put_tuple(nlh, b, i, false);
	if (b->zone != 0)
		mnl_attr_put_u16(nlh, CTA_ZONE, htons(b->zone));
	if (work == DELETE)
		return;
	if (work == CREATE) {
		put_tuple(nlh, b, i, true);
		mnl_attr_put_u32(nlh, CTA_STATUS, htonl(IPS_SEEN_REPLY | IPS_ASSURED | IPS_CONFIRMED));
		if (b->kind->nat)
			put_nat(nlh, i);
	}
	mnl_attr_put_u32(nlh, CTA_TIMEOUT, htonl(b->timeout));
	if (b->mark != 0)
		mnl_attr_put_u32(nlh, CTA_MARK, htonl(b->mark));
	if (b->kind->proto == IPPROTO_TCP || b->kind->proto == IPPROTO_SCTP)
		put_protoinfo(nlh, b);
}

static struct nlmsghdr *
put_request(void *at, struct blast *b, uint32_t i, enum work work)
{
	static const uint16_t flags[] = {NLM_F_CREATE | NLM_F_EXCL, 0, 0};
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(at);
	struct nfgenmsg *nfh;

	nlh->nlmsg_type = NFNL_SUBSYS_CTNETLINK << 8 | (work == DELETE ? IPCTNL_MSG_CT_DELETE : IPCTNL_MSG_CT_NEW);
	nlh->nlmsg_flags = NLM_F_REQUEST | flags[work];
	nlh->nlmsg_seq = ++b->seq;
	nfh = mnl_nlmsg_put_extra_header(nlh, sizeof(*nfh));
	nfh->nfgen_family = b->kind->family;
	put_flow(nlh, b, i, work);
	return nlh;
}

/* Reads answers up to the acknowledgement of the batch's last request. */
static void
read_answers(struct blast *b)
{
	char buf[32768];
	ssize_t len;

	while ((len = recv(mnl_socket_get_fd(b->nl), buf, sizeof(buf), 0)) > 0) {
		int left = (int)len;

		for (struct nlmsghdr *nlh = (void *)buf; mnl_nlmsg_ok(nlh, left); nlh = mnl_nlmsg_next(nlh, &left)) {
			const struct nlmsgerr *err = mnl_nlmsg_get_payload(nlh);

			if (nlh->nlmsg_type == NLMSG_ERROR && err->error != 0) {
				b->errors++;
				b->last_error = -err->error;
			}
			if (nlh->nlmsg_seq == b->seq)
				return;
		}
	}
	die("netlink answer");
}

static void
pace(const struct blast *b, uint64_t begin)
{
	uint64_t due, now = now_ns();

	if (b->rate == 0)
		return;
	due = begin + b->sent * 1000000000U / b->rate;
	if (due > now)
		nanosleep(&(struct timespec){(time_t)((due - now) / 1000000000U), (long)((due - now) % 1000000000U)},
			  NULL);
}

/* With a rate, batches stay small enough for 200 of them a second. */
static void
run_pass(struct blast *b, const enum work *works, size_t nworks, uint64_t begin)
{
	static char buf[BATCH_BYTES + MSG_ROOM];
	size_t used = 0, in_batch = 0, most = b->rate != 0 ? b->rate / 200 + 1 : SIZE_MAX;
	struct nlmsghdr *nlh = NULL;

	for (uint32_t i = 0; i < b->n; i++) {
		for (size_t w = 0; w < nworks; w++) {
			nlh = put_request(buf + used, b, b->first + i, works[w]);
			used += MNL_ALIGN(nlh->nlmsg_len);
			in_batch++;
		}
		if (i + 1 < b->n && used < BATCH_BYTES - nworks * MSG_ROOM && in_batch < most)
			continue;
		nlh->nlmsg_flags |= NLM_F_ACK;
		if (send(mnl_socket_get_fd(b->nl), buf, used, 0) < 0)
			die("netlink send");
		read_answers(b);
		b->sent += in_batch;
		used = in_batch = 0;
		pace(b, begin);
	}
}

static int
blast(struct blast *b, const enum work *works, size_t nworks)
{
	uint64_t begin = now_ns();
	double secs;

	b->nl = ct_socket(0);
	for (uint32_t r = 0; r < b->repeat; r++)
		run_pass(b, works, nworks, begin);
	secs = (double)(now_ns() - begin) / 1e9;
	printf("requests=%" PRIu64 " errors=%u seconds=%.3f rate=%.0f\n", b->sent, b->errors, secs,
	       (double)b->sent / secs);
	if (b->errors != 0)
		fprintf(stderr, "ctblast: %u requests refused, last: %s\n", b->errors, strerror(b->last_error));
	mnl_socket_close(b->nl);
	return b->errors == 0 ? 0 : 1;
}

/* ---- latency: create here, wait for the event there */

static struct mnl_socket *
watch_in(const char *netns)
{
	int here = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC), there = open(netns, O_RDONLY | O_CLOEXEC);
	struct timeval patience = {.tv_sec = 5};
	struct mnl_socket *nl;

	if (here == -1 || there == -1 || setns(there, CLONE_NEWNET) == -1)
		die(netns);
	nl = ct_socket(1U << (NFNLGRP_CONNTRACK_NEW - 1));
	if (setns(here, CLONE_NEWNET) == -1)
		die("back to our namespace");
	setsockopt(mnl_socket_get_fd(nl), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	close(here);
	close(there);
	return nl;
}

/* Is it the event of flow i? Its tuple, as we wrote it, stands somewhere in the message byte for byte. */
static bool
is_flow(const struct blast *b, uint32_t i, const void *msg, size_t len)
{
	char buf[MSG_ROOM];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);

	put_addrs(nlh, b, i, false);
	return memmem(msg, len, buf + NLMSG_HDRLEN + MNL_ATTR_HDRLEN,
		      nlh->nlmsg_len - NLMSG_HDRLEN - MNL_ATTR_HDRLEN) != NULL;
}

/* When the kernel behind nl made flow i, by its own clock; 0: it does not say (nf_conntrack_timestamp is off). */
static uint64_t
made_at(struct mnl_socket *nl, struct blast *b, uint32_t i)
{
	char buf[16384];
	struct nlmsghdr *nlh = put_request(buf, b, i, DELETE); /* names it by its tuple */
	uint32_t seq = nlh->nlmsg_seq;
	const struct nlattr *a, *at;
	ssize_t len;

	nlh->nlmsg_type = NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET;
	if (mnl_socket_sendto(nl, nlh, nlh->nlmsg_len) < 0)
		die("netlink send");
	do /* events of other flows may come first */
		if ((len = recv(mnl_socket_get_fd(nl), buf, sizeof(buf), 0)) < (ssize_t)sizeof(*nlh))
			die("netlink answer");
	while (nlh->nlmsg_seq != seq);
	if (nlh->nlmsg_type == (NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_NEW))
		mnl_attr_for_each(a, nlh, sizeof(struct nfgenmsg)) if (mnl_attr_get_type(a) == CTA_TIMESTAMP)
			mnl_attr_for_each_nested(at, a) if (mnl_attr_get_type(at) ==
							    CTA_TIMESTAMP_START) return be64toh(mnl_attr_get_u64(at));
	return 0;
}

/* From kernel to kernel: how soon this process hears of it does not count. */
static uint64_t
one_latency(struct blast *b, struct mnl_socket *events, uint32_t i)
{
	static const enum work create[] = {CREATE};
	struct blast one = *b;
	char buf[16384];
	uint64_t here, there;
	ssize_t len;

	one.n = 1;
	one.first = b->first + i;
	run_pass(&one, create, 1, now_ns());
	if (one.errors != 0)
		die("create");
	while ((len = recv(mnl_socket_get_fd(events), buf, sizeof(buf), 0)) > 0)
		if (is_flow(b, one.first, buf, (size_t)len))
			break;
	b->seq = one.seq;
	if (len <= 0)
		return UINT64_MAX;
	here = made_at(b->nl, b, one.first);
	there = made_at(events, b, one.first);
	if (here == 0 || there < here)
		die("set net.netfilter.nf_conntrack_timestamp=1 in both namespaces; times of creation");
	return there - here;
}

static int
by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static int
latency(struct blast *b, const char *netns)
{
	struct mnl_socket *events = watch_in(netns);
	uint64_t *t = calloc(b->n, sizeof(*t));
	uint32_t lost = 0;

	if (t == NULL)
		die("memory");
	b->nl = ct_socket(0);
	for (uint32_t i = 0; i < b->n; i++) {
		t[i] = one_latency(b, events, i);
		lost += t[i] == UINT64_MAX;
		if (lost > 3)
			break;
		b->sent = i + 1;
		usleep(b->rate != 0 ? 1000000 / b->rate : 1000);
	}
	qsort(t, b->n, sizeof(*t), by_value);
	printf("samples=%u lost=%u p50_us=%.1f p99_us=%.1f max_us=%.1f\n", b->n, lost, (double)t[b->n / 2] / 1e3,
	       (double)t[(uint64_t)b->n * 99 / 100] / 1e3, (double)t[b->n - 1] / 1e3);
	free(t);
	return lost == 0 ? 0 : 1;
}

/* ---- command line */

static int
usage(void)
{
	fputs("usage: ctblast create|update|delete|churn|latency [options]\n"
	      "  churn creates and deletes each flow at once; latency creates here and waits for the event in --to\n"
	      "  -k KIND   tcp udp icmp sctp gre pptp unknown tcp6 udp6 icmp6 nat natudp (tcp)\n"
	      "  -n N      flows (1)            -f FIRST  index of the first (0); tuples follow from the index\n"
	      "  -r RATE   requests a second (flat out)   -p TIMES  passes over the same flows (1)\n"
	      "  -t SECS   timeout (600)        -m MARK   -z ZONE   -s STATE  protocol state number (established)\n"
	      "  -T FILE   latency: the other network namespace\n",
	      stderr);
	return 2;
}

static const struct kind *
kind_by_name(const char *name)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcmp(kinds[i].name, name) == 0)
			return &kinds[i];
	exit(usage());
}

static void
read_options(struct blast *b, const char **to, int argc, char **argv)
{
	static const char letters[] = "nfrptmzs";
	uint32_t *const number[] = {&b->n, &b->first, &b->rate, &b->repeat, &b->timeout, &b->mark, &b->zone, &b->state};
	const char *at;

	for (int c; (c = getopt(argc, argv, "k:n:f:r:p:t:m:z:s:T:")) != -1;) {
		if (c == 'k')
			b->kind = kind_by_name(optarg);
		else if (c == 'T')
			*to = optarg;
		else if ((at = strchr(letters, c)) != NULL)
			*number[at - letters] = (uint32_t)strtoul(optarg, NULL, 0);
		else
			exit(usage());
	}
}

int
main(int argc, char **argv)
{
	static const enum work churn[] = {CREATE, DELETE};
	static const struct {
		const char *name;
		enum work works[2];
		size_t n;
	} verbs[] = {{"create", {CREATE}, 1}, {"update", {UPDATE}, 1}, {"delete", {DELETE}, 1}};
	struct blast b = {.kind = &kinds[0], .n = 1, .timeout = 600, .repeat = 1};
	const char *verb = argc > 1 ? argv[1] : "", *to = NULL;

	if (argc < 2)
		return usage();
	read_options(&b, &to, argc - 1, argv + 1);
	for (size_t i = 0; i < 3; i++)
		if (strcmp(verb, verbs[i].name) == 0)
			return blast(&b, verbs[i].works, verbs[i].n);
	if (strcmp(verb, "churn") == 0)
		return blast(&b, churn, 2);
	if (strcmp(verb, "latency") == 0 && to != NULL && b.n > 0)
		return latency(&b, to);
	return usage();
}

/*
 * What whoever starts ctd-queue leaves to it: settings and open descriptors, as plain memory behind QUEUE_HANDOVER_FD
 * (a memfd, read from its beginning). The starter is root, and nobody else can write it. To start ctd-queue:
 *
 * 1. For each helper open a socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER) and give it room
 *    (SO_RCVBUFFORCE: queue length times packet size). ctd-queue binds the queue. One socket for each queue: the
 *    kernel then refuses a verdict for another queue's packet.
 * 2. For each helper make up to QUEUE_WORKERS socketpairs (AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK) and start a worker
 *    behind each. It enters its jail, says MSG_READY (READY_JAILED), which the starter may wait for but not take away,
 *    and waits for MSG_START; from then on it answers every MSG_PACKET by one MSG_VERDICT. The first worker serves.
 * 3. Fill in struct queue_handover, make it descriptor 3, clear FD_CLOEXEC of what it names, exec ctd-queue as root.
 *
 * The stubs (nfnetlink_cthelper) are registered by somebody else, with status 1 after ctd-queue has logged that the
 * queue is bound. ctd-queue ends on SIGTERM, and when life_fd reaches its end (status 0), when no queue could be bound
 * (status 1), and when none has a worker any more (status 75): what waits for workers, or in its sockets, is accepted
 * first. SIGUSR1 logs the counters. When it is killed the kernel lets the helpers' packets pass.
 */
#ifndef QUEUE_HANDOVER_H
#define QUEUE_HANDOVER_H

#include "msg.h"

#define QUEUE_HANDOVER_FD 3
#define QUEUE_WORKERS     2 /* of a helper: one serves, one waits */

/* clang-format off */
enum helper_kind {
	HELPER_AMANDA, HELPER_DHCPV6, HELPER_FTP, HELPER_MDNS, HELPER_RPC, HELPER_SANE, HELPER_SLP, HELPER_SSDP,
	HELPER_TFTP, HELPER_TNS, HELPER_KINDS
};
/* clang-format on */

/* QUEUE_FAIL_OPEN: the kernel accepts what finds its queue full. QUEUE_FOREIGN: ftp and tns may name other hosts.
 * QUEUE_MAY_DROP: the helper may drop packets. */
enum queue_flag { QUEUE_FAIL_OPEN = 1, QUEUE_FOREIGN = 2, QUEUE_MAY_DROP = 4 };

/* kind: enum helper_kind; family: AF_INET, AF_INET6; proto: IPPROTO_TCP, IPPROTO_UDP: of the flows; queue_len: packets
 * in the kernel, 0: its default; min_port: smallest port that a packet's content may open; expect_max: the stub's
 * policy, 0: no limit but the kind's; priv_len: as registered; rate, flow_rate: expectations a second, of all flows
 * and of one, with bursts of twice as many. */
struct queue_conf {
	uint8_t kind, family, proto, flags, expect_max, priv_len;
	uint16_t queue, min_port, reserved;
	uint32_t queue_len, rate, flow_rate;
};

struct queue_handover {
	uint32_t size, n_queues; /* sizeof(struct queue_handover) */
	struct {
		struct queue_conf conf;
		int netlink, wall[QUEUE_WORKERS]; /* wall: -1 where there is none */
	} queue[MSG_HELPERS_MAX];
	int log_fd, life_fd, last_fd; /* records of log.h, non-blocking; -1: none; the highest of all */
	uint32_t jail_asked;          /* enum jail_wall */
};

#endif

/* The kernel's side: netlink sockets and the scheduler. Called once each by main.c, as root. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netlink.h>
#include <sched.h>
#include <stddef.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "open.h"

#define REALTIME_MOST 30000000  /* us without a pause, in which the kernel may have to empty its table */
#define ANSWER_BUFFER (8 << 20) /* every request of a batch may fail */

/* 0 when nf_conntrack_netlink is there, loaded by the kernel when it can be; else -errno. It answers at once. */
static int
ask_ctnetlink(int fd)
{
	struct {
		struct nlmsghdr head;
		struct nfgenmsg nf;
	} ask = {{sizeof(ask), NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET_STATS, NLM_F_REQUEST, 0, 0}, {0}};
	struct {
		struct nlmsghdr head;
		struct nlmsgerr error;
		uint8_t rest[256];
	} answer = {0};

	if (send(fd, &ask, sizeof(ask), 0) == -1 || recv(fd, &answer, sizeof(answer), 0) == -1)
		return -errno;
	return answer.head.nlmsg_type == NLMSG_ERROR ? answer.error.error : 0;
}

static __attribute__((noreturn)) void
no_netlink(struct opened *s, int err)
{
	log_put(&s->log, LV_ERROR, "can't open netlink handler: %s", strerror(err));
	log_put(&s->log, LV_ERROR, "no ctnetlink kernel support? (modprobe nf_conntrack_netlink)");
	give_up(s, 1);
}

static int
nl_open(struct opened *s, uint32_t groups, int rcvbuf)
{
	struct sockaddr_nl sa = {.nl_family = AF_NETLINK, .nl_groups = groups};
	int on = 1, fd = socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, NETLINK_NETFILTER);

	/* errors come back without the request that caused them */
	if (fd != -1 && bind(fd, (struct sockaddr *)&sa, sizeof(sa)) == 0 &&
	    setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof(on)) == 0 &&
	    (rcvbuf == 0 || setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &rcvbuf, sizeof(rcvbuf)) == 0))
		return fd;
	no_netlink(s, errno);
}

static uint32_t
port_of(int fd)
{
	struct sockaddr_nl sa = {0};
	socklen_t len = sizeof(sa);

	getsockname(fd, (struct sockaddr *)&sa, &len);
	return sa.nl_pid;
}

/* Drops the events that requests of this port cause: a commit would have to read a million of its own. */
static void
ignore_port(struct opened *s, uint32_t port)
{
	struct sock_filter of_port[] = {{BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(struct nlmsghdr, nlmsg_pid)},
					{BPF_JMP | BPF_JEQ | BPF_K, 0, 1, htonl(port)},
					{BPF_RET | BPF_K, 0, 0, 0},
					{BPF_RET | BPF_K, 0, 0, UINT32_MAX}};
	struct sock_fprog filter = {sizeof(of_port) / sizeof(of_port[0]), of_port};

	if (setsockopt(s->h.events, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof(filter)) == -1)
		log_put(&s->log, LV_WARNING, "events that a commit causes will be read: %s", strerror(errno));
}

static void
describe_events(struct opened *s, bool sized)
{
	int on = 1;
	socklen_t len = sizeof(s->h.status.bufsize);

	if (s->s.conf.events_reliable &&
	    setsockopt(s->h.events, SOL_NETLINK, NETLINK_BROADCAST_ERROR, &on, sizeof(on)) == 0 &&
	    setsockopt(s->h.events, SOL_NETLINK, NETLINK_NO_ENOBUFS, &on, sizeof(on)) == 0)
		log_put(&s->log, LV_NOTICE, "reliable ctnetlink event delivery is ENABLED.");
	if (!sized)
		log_put(&s->log, LV_NOTICE,
			"NetlinkBufferSize is either not set or is greater than NetlinkBufferSizeMaxGrowth. "
			"Using current system buffer size");
	getsockopt(s->h.events, SOL_SOCKET, SO_RCVBUF, &s->h.status.bufsize, &len);
	log_put(&s->log, LV_NOTICE, "netlink event socket buffer size has been set to %u bytes", s->h.status.bufsize);
}

static void
check_reports(struct opened *s)
{
	char set = '1';
	int fd = open("/proc/sys/net/netfilter/nf_conntrack_events", O_RDONLY | O_CLOEXEC);

	if (fd != -1 && read(fd, &set, 1) == 1 && set == '0')
		log_put(&s->log, LV_WARNING,
			"this kernel reports no flows: what begins is replicated late or never (sysctl "
			"net.netfilter.nf_conntrack_events=1)");
	if (fd != -1)
		close(fd);
}

void
open_netlink(struct opened *s)
{
	const struct msg_setup *c = &s->s.conf;
	uint32_t groups = c->expect_sync ? 0x3f : 0x07; /* NEW, UPDATE, DESTROY of flows; the same of expectations */
	bool sized = c->nl_buf != 0 && c->nl_buf <= c->nl_buf_max;
	int r;

	s->h.requests = nl_open(s, 0, ANSWER_BUFFER);
	if ((r = ask_ctnetlink(s->h.requests)) < 0)
		no_netlink(s, -r);
	s->h.quiet = nl_open(s, 0, ANSWER_BUFFER);
	s->h.dumps = nl_open(s, 0, 0);
	s->h.events =
		c->no_events ? -1 : nl_open(s, groups, sized ? (int)c->nl_buf / 2 : 0); /* the kernel doubles it */
	s->h.status.portid = port_of(s->h.requests);
	s->h.status.cpu = MSG_ALL_CPUS;
	if (c->no_events) {
		log_put(&s->log, LV_NOTICE, "running in polling mode");
		return;
	}
	ignore_port(s, port_of(s->h.quiet));
	describe_events(s, sized);
	check_reports(s);
}

/* Of the parent alone: it must read events before they are lost, and does next to nothing for each. Workers parse what
 * others send and have room for many events: one that spins would keep everybody from running. */
void
set_scheduler(struct opened *s)
{
	const struct sched_param prio = {.sched_priority = s->s.conf.sched_prio};
	const struct rlimit most = {REALTIME_MOST, REALTIME_MOST};

	if (s->s.conf.sched_type == 0)
		return;
	setrlimit(RLIMIT_RTTIME, &most);
	if (sched_setscheduler(0, s->s.conf.sched_type, &prio) == -1)
		log_put(&s->log, LV_WARNING,
			"scheduler configuration failed: %s. Continuing with system default scheduler. "
			"It takes CAP_SYS_NICE.",
			strerror(errno));
}

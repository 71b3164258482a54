/*
 * Sockets of a dedicated link: bound to its device and address, and connected to the other firewall, so that a worker
 * that holds them can talk to nobody else. Called by main.c, and by ctd-link (link_worker.c)
 * for a device that was made again.
 */
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "start.h"

union address {
	struct sockaddr sa;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
	struct sockaddr_storage any;
};

static union address
address_of(const struct msg_link *l, const uint8_t *ip, uint16_t port, uint32_t ifindex)
{
	union address a = {0};

	a.sa.sa_family = l->family;
	if (l->family == AF_INET) {
		a.v4.sin_port = htons(port);
		memcpy(&a.v4.sin_addr, ip, sizeof(a.v4.sin_addr));
		return a;
	}
	a.v6.sin6_port = htons(port);
	memcpy(&a.v6.sin6_addr, ip, sizeof(a.v6.sin6_addr));
	if (IN6_IS_ADDR_LINKLOCAL(&a.v6.sin6_addr) || IN6_IS_ADDR_MULTICAST(&a.v6.sin6_addr))
		a.v6.sin6_scope_id = ifindex;
	return a;
}

/* Options whose value 0 means "leave alone". What only root may force is asked for politely by ctd-link. */
static bool
option_fails(int fd, int level, int name, uint32_t value)
{
	if (value == 0 || setsockopt(fd, level, name, &value, sizeof(value)) == 0)
		return false;
	if (errno != EPERM || (name != SO_RCVBUFFORCE && name != SO_SNDBUFFORCE))
		return true;
	name = name == SO_RCVBUFFORCE ? SO_RCVBUF : SO_SNDBUF;
	return setsockopt(fd, level, name, &value, sizeof(value)) == -1;
}

static int
device(int fd, const struct msg_link *l, struct msg_channel *info)
{
	struct ifreq ifr = {0};

	memcpy(ifr.ifr_name, l->ifname, sizeof(l->ifname));
	if (ioctl(fd, SIOCGIFINDEX, &ifr) == -1)
		return -errno;
	info->ifindex = (uint32_t)ifr.ifr_ifindex;
	if (ioctl(fd, SIOCGIFMTU, &ifr) == -1 ||
	    setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, l->ifname, (socklen_t)strlen(l->ifname)) == -1)
		return -errno;
	info->mtu = (uint32_t)ifr.ifr_mtu;
	return 0;
}

static int
set_up(const struct msg_link *l, const int fd[2], struct msg_channel *info)
{
	bool mcast = l->kind == LINK_MCAST, v4 = l->family == AF_INET;
	struct group_req group = {0};
	union address peer, from, to;
	int r, own = 0;

	if (fd[0] == -1 || fd[1] == -1)
		return -errno;
	if ((r = device(fd[0], l, info)) != 0 || (r = device(fd[1], l, info)) != 0)
		return r;
	peer = address_of(l, l->peer, l->port, info->ifindex);
	from = address_of(l, mcast ? l->peer : l->local, l->port, info->ifindex); /* 1.4.9: bound to the group */
	to = address_of(l, l->local, 0, info->ifindex);
	if (option_fails(fd[0], SOL_SOCKET, SO_REUSEADDR, 1) ||
	    option_fails(fd[0], SOL_SOCKET, SO_RCVBUFFORCE, l->rcvbuf) || bind(fd[0], &from.sa, sizeof(from)) == -1)
		return -errno;
	group.gr_interface = info->ifindex;
	group.gr_group = peer.any;
	if (mcast && setsockopt(fd[0], v4 ? SOL_IP : SOL_IPV6, MCAST_JOIN_GROUP, &group, sizeof(group)) == -1)
		return -errno;
	/* what we send ourselves would look like a peer's */
	if (mcast && setsockopt(fd[1], v4 ? SOL_IP : SOL_IPV6, v4 ? IP_MULTICAST_LOOP : IPV6_MULTICAST_LOOP, &own,
				sizeof(own)) == -1)
		return -errno;
	if (option_fails(fd[1], SOL_SOCKET, SO_SNDBUFFORCE, l->sndbuf) ||
	    option_fails(fd[1], SOL_SOCKET, SO_NO_CHECK, l->no_checksum) || bind(fd[1], &to.sa, sizeof(to)) == -1 ||
	    connect(fd[1], &peer.sa, sizeof(peer)) == -1)
		return -errno;
	return 0;
}

int
link_open(const struct msg_link *l, int fd[2], struct msg_channel *info)
{
	int r = -EPROTONOSUPPORT;

	fd[0] = fd[1] = -1;
	if (l->kind == LINK_TCP)
		return r;
	for (int i = 0; i < 2; i++)
		fd[i] = socket(l->family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	r = set_up(l, fd, info);
	for (int i = 0; i < 2 && r != 0; i++)
		close(fd[i]);
	return r;
}

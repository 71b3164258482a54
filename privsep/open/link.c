/*
 * Sockets of a dedicated link: bound to its device, address and port, and the one that sends connected to the other
 * firewall, so that a worker that holds them can talk to nobody else. By the port the peer knows that not any user of
 * this host speaks. For the start, and for ctd-link when a device was made again.
 */
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "open.h"

union address {
	struct sockaddr sa;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
	struct sockaddr_storage any;
};

static union address
address_of(const struct msg_link *l, const uint8_t *ip, uint32_t ifindex)
{
	union address a = {0};

	a.sa.sa_family = l->family;
	a.v4.sin_port = htons(l->port); /* of IPv6 it is in the same place */
	memcpy(l->family == AF_INET ? (void *)&a.v4.sin_addr : &a.v6.sin6_addr, ip, l->family == AF_INET ? 4 : 16);
	if (l->family == AF_INET6)
		a.v6.sin6_scope_id = ifindex; /* the kernel looks at it where it has a meaning */
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

/* What the peer sends may come in on another device than the link's: that is the loopback of a relay, or has not the
 * address. */
static bool
comes_in_elsewhere(const struct msg_link *l)
{
	static const uint8_t any[16];
	const size_t len = l->family == AF_INET ? 4 : 16, name = strlen(l->ifname);
	struct ifaddrs *all, *i;
	bool there = false;

	if (l->kind != LINK_UDP || getifaddrs(&all) == -1)
		return false;
	for (i = all; i != NULL; i = i->ifa_next) {
		const union address *own = (const void *)i->ifa_addr;

		if (own == NULL || own->sa.sa_family != l->family || i->ifa_flags & IFF_LOOPBACK ||
		    strncmp(i->ifa_name, l->ifname, name) != 0 || strchr(":", i->ifa_name[name]) == NULL)
			continue; /* behind a colon is the label of an address */
		there = there || memcmp(l->local, any, len) == 0 ||
			memcmp(len == 4 ? (const void *)&own->v4.sin_addr : &own->v6.sin6_addr, l->local, len) == 0;
	}
	freeifaddrs(all);
	return !there;
}

static int
device(int fd, const struct msg_link *l, struct msg_channel *info, bool again)
{
	struct ifreq ifr = {0};

	memcpy(ifr.ifr_name, l->ifname, sizeof(l->ifname));
	if (ioctl(fd, SIOCGIFINDEX, &ifr) == -1)
		return -1;
	info->ifindex = !again && comes_in_elsewhere(l) ? 0 : (uint32_t)ifr.ifr_ifindex;
	if (ioctl(fd, SIOCGIFMTU, &ifr) == -1 ||
	    (info->ifindex != 0 &&
	     setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, l->ifname, (socklen_t)strlen(l->ifname)) == -1))
		return -1;
	info->mtu = (uint32_t)ifr.ifr_mtu;
	return 0;
}

static int
set_up(const struct msg_link *l, const int fd[2], struct msg_channel *info, bool again)
{
	bool mcast = l->kind == LINK_MCAST, v4 = l->family == AF_INET;
	int level = v4 ? SOL_IP : SOL_IPV6, own = 0;
	struct group_req group = {0};
	union address peer, local;

	/* The port is shared by our own sockets, of which the kernel compares the users. What the peer sends from its
	 * port comes in on the one that sends. */
	for (int i = 0; i < 2; i++)
		if (option_fails(fd[i], SOL_SOCKET, SO_REUSEPORT, 1) ||
		    option_fails(fd[i], SOL_IPV6, IPV6_V6ONLY, !v4) ||
		    option_fails(fd[i], SOL_SOCKET, SO_RCVBUFFORCE, l->rcvbuf) || device(fd[i], l, info, again) == -1)
			return -errno;
	peer = address_of(l, l->peer, info->ifindex);
	local = address_of(l, l->local, info->ifindex);
	group.gr_interface = info->ifindex;
	group.gr_group = peer.any;
	/* 1.4.9: bound to the group. What we send ourselves would look like a peer's. */
	if (bind(fd[0], mcast ? &peer.sa : &local.sa, sizeof(peer)) == -1 ||
	    (mcast && setsockopt(fd[0], level, MCAST_JOIN_GROUP, &group, sizeof(group)) == -1) ||
	    (mcast &&
	     setsockopt(fd[1], level, v4 ? IP_MULTICAST_LOOP : IPV6_MULTICAST_LOOP, &own, sizeof(own)) == -1) ||
	    option_fails(fd[1], SOL_SOCKET, SO_SNDBUFFORCE, l->sndbuf) ||
	    option_fails(fd[1], SOL_SOCKET, SO_NO_CHECK, l->no_checksum) ||
	    bind(fd[1], &local.sa, sizeof(local)) == -1 || connect(fd[1], &peer.sa, sizeof(peer)) == -1)
		return -errno;
	return 0;
}

int
link_open(const struct msg_link *l, int fd[2], struct msg_channel *info, bool again)
{
	int r;

	for (int i = 0; i < 2; i++)
		fd[i] = l->kind == LINK_TCP ? -1 : socket(l->family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	r = l->kind == LINK_TCP ? -EPROTONOSUPPORT : set_up(l, fd, info, again);
	for (int i = 0; i < 2 && r != 0; i++)
		close(fd[i]);
	return r;
}

void
link_port_user(const struct msg_link *l, char *text, size_t size)
{
	FILE *f = fopen(l->family == AF_INET ? "/proc/net/udp" : "/proc/net/udp6", "re");
	unsigned int port, uid;
	char line[256];

	while (f != NULL && fgets(line, sizeof(line), f) != NULL)
		if (sscanf(line, " %*d: %*[0-9A-F]:%x %*s %*s %*s %*s %*s %u", &port, &uid) == 2 && port == l->port)
			snprintf(text, size, ": user %u has UDP port %u, ss -lunp tells the program", uid, port);
	if (f != NULL)
		fclose(f);
}

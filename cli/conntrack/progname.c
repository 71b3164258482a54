/*
 * Port id to socket inode in /proc/net/netlink, inode to process in /proc/PID/fd, process to name in /proc/PID/comm.
 * The process that caused an event may be gone, not ours to look into, or have given itself any name.
 */
#include "progname.h"

#include <ctype.h>
#include <dirent.h>
#include <linux/netlink.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool
socket_inode(uint32_t portid, unsigned long *inode)
{
	FILE *f = fopen("/proc/net/netlink", "re");
	char line[256];
	bool found = false;

	if (f == NULL)
		return false;
	while (!found && fgets(line, sizeof(line), f) != NULL) {
		unsigned protocol, port;

		if (sscanf(line, "%*s %u %u %*s %*s %*s %*s %*s %*s %lu", &protocol, &port, inode) == 3)
			found = protocol == NETLINK_NETFILTER && port == portid;
	}
	fclose(f);
	return found;
}

static bool
has_socket(const char *pid, const char *target)
{
	char path[300], text[64];
	struct dirent *de;
	bool found = false;
	ssize_t n;
	DIR *d;

	snprintf(path, sizeof(path), "/proc/%s/fd", pid);
	if ((d = opendir(path)) == NULL)
		return false;
	while (!found && (de = readdir(d)) != NULL) {
		if ((n = readlinkat(dirfd(d), de->d_name, text, sizeof(text) - 1)) <= 0)
			continue;
		text[n] = '\0';
		found = strcmp(text, target) == 0;
	}
	closedir(d);
	return found;
}

static bool
read_comm(const char *pid, char *name, size_t size)
{
	char path[300];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%s/comm", pid);
	if ((f = fopen(path, "re")) == NULL)
		return false;
	if (fgets(name, (int)size, f) == NULL)
		name[0] = '\0';
	fclose(f);
	name[strcspn(name, "\n")] = '\0';
	return name[0] != '\0';
}

static bool
scan_processes(unsigned long inode, char *name, size_t size)
{
	char target[64];
	struct dirent *de;
	bool found = false;
	DIR *d = opendir("/proc");

	if (d == NULL)
		return false;
	snprintf(target, sizeof(target), "socket:[%lu]", inode);
	while (!found && (de = readdir(d)) != NULL)
		if (isdigit((unsigned char)de->d_name[0]) && has_socket(de->d_name, target))
			found = read_comm(de->d_name, name, size);
	closedir(d);
	return found;
}

bool
progname_find(uint32_t portid, char *name, size_t size)
{
	unsigned long inode;
	char pid[16];

	if (!socket_inode(portid, &inode))
		return false;
	/* Whose descriptors we may not look into: the kernel names a process's first socket after its process id. */
	snprintf(pid, sizeof(pid), "%u", portid);
	return scan_processes(inode, name, size) || read_comm(pid, name, size);
}

/*
 * Least privilege for the command line tools: once sockets are open and files are read, only CAP_NET_ADMIN and a list
 * of system calls are left.
 */
#ifndef CONFINE_H
#define CONFINE_H

enum confine {
	CONFINE_TALK = 0,      /* write output, talk over sockets that are open */
	CONFINE_READ = 1 << 0, /* also read files below /proc: statistics, names of processes */
	CONFINE_WAIT = 1 << 1, /* also wait for events and signals */
	CONFINE_BARE = 1 << 2, /* keep not even CAP_NET_ADMIN */
};

/* Drops all capabilities but CAP_NET_ADMIN (if it was there), forbids new ones, allows what `what` needs. -errno. */
int confine(unsigned what);

#endif

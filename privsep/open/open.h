/*
 * ctd-open: opens files and sockets as the settings of ctd-start say, starts workers, and becomes conntrackd again by
 * exec. It runs as root and reads nothing from outside. Every step that cannot be done ends the program with a message
 * that says what to do.
 */
#ifndef OPEN_H
#define OPEN_H

#include "spawn.h"

#define PATIENCE 60000 /* ms that a worker may take to say its first word */

struct opened {
	struct handover h;
	struct settled s;
	struct log log;
	int sink[SINK_MAX], flow_sink[SINK_MAX]; /* of the log workers, and of those of the flow log (index 1) */
	int link[MSG_LINKS_MAX][2];              /* receive, send; every sync worker gets them */
	struct msg_channel link_info[MSG_LINKS_MAX];
	struct worker *opener; /* ctd-link */
	bool streamed;         /* a log is standard output or error: no need to say it twice */
	int lock;              /* held as long as it is open; 0: not yet */
	bool locked;           /* we are the only one: what fails from here on is the configuration's */
	int workers_log;       /* what they write to; h.log_fd is the parent's own */
	int flows;             /* the stats worker's to the flow log, 0: there is none */
	char **argv;           /* as they were typed */
};

/* main.c */
void give_up(struct opened *s, int status) __attribute__((noreturn)); /* the caller has logged why */

/* arm.c */
int arm(struct opened *s, struct worker *w); /* from now on a word to w->trigger ends it; 0 or -errno */

/* lock.c */
void take_lock(struct opened *s);
void keep_name(struct opened *s, const char *path, int file); /* which is open by that name, to be removed in the end */

/* files.c */
void open_logs(struct opened *s);
void open_control(struct opened *s);
void open_notify(struct opened *s);

/* kernel.c */
void open_netlink(struct opened *s);
void set_scheduler(struct opened *s);

/* link.c: sockets of a dedicated link, receive and send; 0 or -errno. again: its device was made again. ifindex 0 in
 * info: bound to no device. */
int link_open(const struct msg_link *l, int fd[2], struct msg_channel *info, bool again);
/* Who has the link's port, as far as the kernel tells everybody; else text stays. */
void link_port_user(const struct msg_link *l, char *text, size_t size);

#endif

/*
 * ctd-start, which conntrackd executes at once: command line, configuration, files, sockets, workers; then it becomes
 * conntrackd again by exec and is gone. It runs as root and reads nothing from outside but the configuration worker's
 * answer, which it checks field by field. Every step that cannot be done ends the program with a message that says what
 * to do.
 */
#ifndef START_H
#define START_H

#include "handover.h"

#define PATIENCE       60000 /* ms that a worker may take to say its first word */
#define CONFIG_SECONDS 20    /* that the configuration worker may take for all it does */

struct start {
	struct handover h;
	struct log log;
	int conf_fd;                             /* the settings, sealed */
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
	const char *notify_socket, *watchdog_usec; /* of the environment, which nobody else gets */
};

/* main.c */
void give_up(struct start *s, int status) __attribute__((noreturn)); /* the caller has logged why */

/* spawn.c */
/* A worker, with its end of the wall as WORKER_FD and log_fd as WORKER_LOG_FD. 0 or -errno. */
int spawn(struct worker *w, enum role role, uint16_t index, int log_fd);
int give_fd(struct worker *w, uint32_t type, uint32_t arg, int fd);
int arm(struct start *s, struct worker *w); /* from now on a word to w->trigger ends it; 0 or -errno */

/* config.c: runs the configuration worker; fills h.conf and conf_fd. Returns its exit status. */
int read_config(struct start *s, const char *path, enum conf_use use);
/* NULL, or the name of the first thing that is wrong. */
const char *setup_check(const struct msg_setup *s, int memfd);
/* Whether the text has it as a word, or it is empty. */
bool name_written(const char *text, size_t len, const char *name);

/* lock.c */
void take_lock(struct start *s);
void keep_name(struct start *s, const char *path, int file); /* which is open by that name, to be removed in the end */

/* files.c */
void open_logs(struct start *s);
void open_control(struct start *s);
void open_notify(struct start *s);

/* kernel.c */
void open_netlink(struct start *s);
void set_scheduler(struct start *s);

/* link.c: sockets of a dedicated link, receive and send; 0 or -errno. again: its device was made again. ifindex 0 in
 * info: bound to no device. */
int link_open(const struct msg_link *l, int fd[2], struct msg_channel *info, bool again);

#endif

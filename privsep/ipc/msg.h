/*
 * The messages that may cross a process boundary: numbers and payloads. Who may say what, when, how long and with how
 * many descriptors is the table in msg_rules.c. A record is one SOCK_SEQPACKET datagram: struct msg_hdr, then payload.
 * Payloads are fixed-size structs, arrays of them, or netlink messages: no pointers, no names to resolve, no paths,
 * except in MSG_SETUP, which the parent takes once, before anything else runs, and checks field by field.
 */
#ifndef MSG_H
#define MSG_H

#include <assert.h>
#include <stdint.h>

#define WORKER_FD       3     /* a worker finds its end of the wall here */
#define WORKER_LOG_FD   4     /* and the sending end of the log socket here (records of log.h) */
#define MSG_DATA_MAX    65536 /* payload of one record */
#define MSG_EVENTS_MAX  64    /* kernel datagrams in one MSG_EVENTS */
#define MSG_LINKS_MAX   4
#define MSG_SINKS_MAX   8
#define MSG_HELPERS_MAX 16
#define MSG_PATH_MAX    257
#define CONF_NAME_MAX   255 /* of the path that comes with MSG_CONF_TEXT */
#define MSG_WORKERS_MAX 32

/* clang-format off */
enum role {
	ROLE_PARENT, ROLE_CONFIG, ROLE_LOG, ROLE_SYNC, ROLE_STATS, ROLE_HELPER, ROLE_LINK, ROLE_QUEUE, ROLE_KEEPER, ROLE_MAX
};
/* clang-format on */

enum msg_type {
	MSG_NONE,
	/* parent → worker */
	MSG_CONF_TEXT, /* to config; 1 fd: the configuration file, open for reading; arg: enum conf_use;
			  payload: its path, for messages only */
	MSG_CONF, /* to all others; 1 fd: sealed memory with the settings (daemon/config/blob.h); arg: enum jail_wall */
	MSG_LOG_SINK,   /* to log, before MSG_CONF (then it enters its jail); 1 fd; arg: enum log_sink */
	MSG_LOG_REOPEN, /* to log */
	MSG_START,      /* stop waiting, serve: to the first worker of a role at start, to a spare when it takes over.
			   arg: 0 first start, n = the n-th take-over */
	MSG_CHANNEL,    /* to sync, from parent, then from link; 2 fds: receive and send socket of link arg;
			   struct msg_channel */
	MSG_CHANNEL_FAILED, /* from link to sync; arg: link; struct msg_error, seq unused */
	MSG_CLIENT,         /* to sync or stats; 1 fd: an accepted control connection; struct msg_client */
	MSG_EVENTS,         /* ctnetlink multicast messages back to back; arg: how many datagrams */
	MSG_OVERRUN,        /* the kernel lost events; struct msg_overrun */
	MSG_ANSWER,         /* netlink messages that answer GETs of batch arg */
	MSG_RESULT,         /* batch or flush arg is done; array of struct msg_error, empty when all went well */
	MSG_DUMP,           /* netlink messages of dump arg */
	MSG_DUMP_DONE,      /* struct msg_dump_done */
	MSG_STATUS,         /* to sync or stats whenever it changed and every few seconds, answered by READY_ALIVE;
			       struct msg_status */
	MSG_KEEP_NAME,      /* to keeper; 2 fds: a directory, a file in it; payload: its name, without terminator */
	MSG_KEEP_WORKER,    /* to keeper; 3 fds: the reading end of its trigger, the trigger, a pidfd; arg: enum role */
	MSG_REMOVE,         /* to keeper: remove the names that still are those files'; answered by READY_SERVING */
	MSG_LINK,           /* to link; arg: link; struct msg_link */
	MSG_LINK_WALL,      /* to sync and link; 1 fd: the wall between them */
	MSG_PACKET,         /* from queue to helper; struct msg_packet, then the packet from its IP header on */
	/* worker → parent */
	MSG_SETUP,         /* from config; 1 fd: the memory, sealed; struct msg_setup */
	MSG_READY,         /* arg: enum ready */
	MSG_REQUEST,       /* from sync; complete ctnetlink requests back to back; arg: batch id */
	MSG_REQUEST_QUIET, /* as MSG_REQUEST; the events that it causes are not wanted */
	MSG_FLUSH,         /* from sync; struct msg_flush; arg: batch id; answered by MSG_RESULT */
	MSG_DUMP_START,    /* from sync; struct msg_dump_start; one dump at a time */
	MSG_CHANNEL_OPEN,  /* from sync to link; arg: link */
	MSG_STOP,          /* from sync or stats: an operator asked the daemon to stop */
	MSG_VERDICT,       /* from helper to queue; struct msg_verdict */
	MSG_MAX
};

enum link_kind { LINK_UDP = 1, LINK_MCAST, LINK_TCP };
/* waiting in the jail; serving (sync: start-up dump is in the cache); the answer to MSG_STATUS */
enum ready { READY_JAILED = 1, READY_SERVING, READY_ALIVE };
/* what a kernel or a container may not offer to a jail; ANYHOW: do without what is not asked for, however it fails */
enum jail_wall { WALL_NET = 1, WALL_ROOT = 2, WALL_BOUNDS = 4, WALL_LANDLOCK = 8, WALL_ALL = 15, WALL_ANYHOW = 16 };
enum subsys { SUBSYS_CT = 1, SUBSYS_EXP = 2 }; /* as the kernel numbers them */

struct msg_hdr {
	uint32_t type, arg; /* enum msg_type; as said there */
};

/* seq: nlmsg_seq of the request it answers, 0 when the whole batch failed; err: -errno. */
struct msg_error {
	uint32_t seq;
	int32_t err;
};

struct msg_channel {
	uint32_t mtu, ifindex; /* of the link's interface */
};

/* access: bit 0 everything (root or the parent's own uid), bit 1 read-only verbs (member of UNIX { Group }). */
enum client_access { CLIENT_FULL = 1, CLIENT_READ = 2 };
struct msg_client {
	uint32_t uid, gid, access;
	int32_t pid;
};

/* count: overruns since start; bufsize: of the event socket now, as the kernel accounts it; grown: 1 when it was
 * doubled because of this overrun, 0 when the configured maximum is reached. */
struct msg_overrun {
	uint32_t count, bufsize, grown, reserved;
};

/* subsys: enum subsys; family: AF_UNSPEC, AF_INET, AF_INET6. */
struct msg_dump_start {
	uint32_t id;
	uint8_t subsys, family;
	uint16_t reserved;
};

/* err: 0 or -errno; interrupted: the kernel flagged NLM_F_DUMP_INTR, entries may be missing. */
struct msg_dump_done {
	uint32_t id;
	int32_t err;
	uint32_t interrupted;
};

struct msg_flush {
	uint8_t subsys, family;
	uint16_t reserved;
};

/* role: enum role; state: enum worker_state; index: helpers, which Type; refused: messages of it that broke
 * the table. */
enum worker_state { WORKER_SPARE, WORKER_SERVES, WORKER_DEAD };
struct msg_worker {
	int32_t pid;
	uint8_t role, state;
	uint16_t index;
	uint32_t refused;
};

/* worker_deaths: all abnormal ends, worker_signals: those by a signal; portid: nlmsg_pid of the kernel's events about
 * our own requests; cpu: the one processor that parent and server share now, MSG_ALL_CPUS when they may use all;
 * left_out: enum jail_wall, of the parent (and then of the worker that says so). */
#define MSG_ALL_CPUS UINT32_MAX
struct msg_status {
	uint32_t parent_pid, bufsize, overruns, takeovers, worker_deaths, worker_signals, n_workers, portid, cpu;
	int32_t left_out;
	struct msg_worker worker[MSG_WORKERS_MAX];
};

/* Payloads that are known here by their length alone: struct msg_packet and msg_verdict of helper_msg.h, struct
 * msg_setup and msg_link of setup.h. */
#define MSG_PACKET_LEN  144
#define MSG_VERDICT_LEN 272
#define MSG_SETUP_LEN   1780
#define MSG_LINK_LEN    64

static_assert(sizeof(struct msg_hdr) == 8, "wall format");
static_assert(sizeof(struct msg_dump_start) == 8 && sizeof(struct msg_worker) == 12, "wall format");

#endif

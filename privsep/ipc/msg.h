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
#define MSG_HELPERS_MAX 16
#define MSG_PATH_MAX    257
#define CONF_NAME_MAX   255 /* of the path that comes with MSG_CONF_TEXT */
#define MSG_WORKERS_MAX 32

enum role { ROLE_PARENT, ROLE_CONFIG, ROLE_LOG, ROLE_SYNC, ROLE_STATS, ROLE_HELPER, ROLE_LINK, ROLE_QUEUE, ROLE_MAX };

enum msg_type {
	MSG_NONE,
	/* parent → worker */
	MSG_CONF_TEXT,  /* to config; 1 fd: the configuration file, open for reading; arg: enum conf_use;
			   payload: its path, for messages only */
	MSG_CONF,       /* to all others; 1 fd: sealed memory with the settings (daemon/config/blob.h) */
	MSG_LOG_SINK,   /* to log, before MSG_CONF (then it enters its jail); 1 fd; arg: enum log_sink */
	MSG_LOG_REOPEN, /* to log */
	MSG_START,      /* stop waiting, serve: to the first worker of a role at start, to a spare when it takes over.
			   arg: 0 first start, n = the n-th take-over */
	MSG_CHANNEL,    /* to sync, from link; 2 fds: receive and send socket of link arg; struct msg_channel */
	MSG_CHANNEL_FAILED, /* to sync, from link; arg: link; struct msg_error, seq unused */
	MSG_CLIENT,         /* to sync or stats; 1 fd: an accepted control connection; struct msg_client */
	MSG_EVENTS,         /* ctnetlink multicast messages back to back; arg: how many datagrams */
	MSG_OVERRUN,        /* the kernel lost events; struct msg_overrun */
	MSG_ANSWER,         /* netlink messages that answer GETs of batch arg */
	MSG_RESULT,         /* batch or flush arg is done; array of struct msg_error, empty when all went well */
	MSG_DUMP,           /* netlink messages of dump arg */
	MSG_DUMP_DONE,      /* struct msg_dump_done */
	MSG_STATUS,         /* to sync or stats whenever it changed and every few seconds, answered by READY_ALIVE;
			       struct msg_status */
	MSG_PACKET,         /* from queue to helper; struct msg_packet, then the packet from its IP header on */
	/* worker → parent */
	MSG_SETUP,         /* from config; 1 fd: the memory, sealed; struct msg_setup */
	MSG_READY,         /* arg: enum ready */
	MSG_REQUEST,       /* from sync; complete ctnetlink requests back to back; arg: batch id */
	MSG_REQUEST_QUIET, /* as MSG_REQUEST; the events that it causes are not wanted */
	MSG_FLUSH,         /* from sync; struct msg_flush; arg: batch id; answered by MSG_RESULT */
	MSG_DUMP_START,    /* from sync; struct msg_dump_start; one dump at a time */
	MSG_CHANNEL_OPEN,  /* from sync; arg: link. To link: the same, with struct msg_link */
	MSG_STOP,          /* from sync or stats: an operator asked the daemon to stop */
	MSG_VERDICT,       /* from helper to queue; struct msg_verdict */
	MSG_MAX
};

/* What the log worker gets before it starts: the receiving ends of the parent's log socket and of the one that workers
 * share, who can shut it down or keep it full; directory and open file of LogFile and of the statistics log (the
 * directory is for reopening by name); the syslog socket; standard output and error. */
/* clang-format off */
enum log_sink {
	SINK_PARENT, SINK_WORKERS, SINK_DIR, SINK_FILE, SINK_SYSLOG, SINK_CONSOLE, SINK_CONSOLE_ERR,
	SINK_STATS_DIR, SINK_STATS_FILE, SINK_MAX
};
/* clang-format on */
enum conf_use { CONF_START, CONF_CHECK, CONF_PRINT }; /* MSG_SETUP; verdict as exit status; print the settings */
/* waiting in the jail; serving (sync: start-up dump is in the cache); the answer to MSG_STATUS */
enum ready { READY_JAILED = 1, READY_SERVING, READY_ALIVE };
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

/* role: enum role; state: 0 spare, 1 serving, 2 dead; index: helpers, which Type; refused: messages of it that broke
 * the table. */
struct msg_worker {
	int32_t pid;
	uint8_t role, state;
	uint16_t index;
	uint32_t refused;
};

/* worker_deaths: all abnormal ends, worker_signals: those by a signal; portid: nlmsg_pid of the kernel's events about
 * our own requests; cpu: the one processor that parent and server share now, MSG_ALL_CPUS when they may use all. */
#define MSG_ALL_CPUS UINT32_MAX
struct msg_status {
	uint32_t parent_pid, bufsize, overruns, takeovers, worker_deaths, worker_signals, n_workers, portid, cpu;
	struct msg_worker worker[MSG_WORKERS_MAX];
};

/* One kernel packet for a helper (struct, then `len` bytes of packet). Tuples are in network order. */
struct msg_tuple {
	uint8_t src[16], dst[16];
	uint16_t sport, dport;
	uint8_t proto, reserved[3];
};
/* seq: echo it in the verdict; ct_id, status: of the flow; ct_info: 0 established/original, 1 related/original, 2 new,
 * 3 established/reply, 4 related/reply; payload, payload_len: where in the packet that of TCP or UDP is, never empty.
 */
struct msg_packet {
	uint32_t seq, ct_id, ct_info, status, len, payload, payload_len;
	uint8_t family, hook, has_master, priv_len, priv[32];
	struct msg_tuple orig, reply;
};

/* A helper's answer. Addresses are by reference, but for REF_FOREIGN where the administrator allows other hosts. The
 * queue process (privsep/queue) judges it by its table and builds every netlink byte itself. */
enum addr_ref { REF_ANY, REF_ORIG_SRC, REF_ORIG_DST, REF_REPLY_SRC, REF_REPLY_DST, REF_FOREIGN, REF_MAX };
/* src, dst: enum addr_ref, address: that of REF_FOREIGN; proto: IPPROTO_TCP or IPPROTO_UDP; permanent, follow (the
 * expected flow gets this helper): 0 or 1; class: 0; ports in host order, sport 0: any; nat_port: the one where the
 * listener really is when the flow is translated, else 0. */
struct msg_expect {
	uint8_t src, dst, proto, permanent, follow, class;
	uint16_t sport, dport, nat_port;
	uint8_t address[16];
};
#define MSG_EDIT_MAX 4096 /* longer packets cannot be edited */
struct msg_edit {
	uint32_t offset; /* from the IP header on */
	uint16_t old_len, new_len;
	uint8_t bytes[64];
};
/* accept: 1, and 0 only from helpers that may drop; timeout: seconds, 0: leave alone. */
struct msg_verdict {
	uint32_t seq;
	uint8_t accept, n_expect, n_edits, priv_len;
	uint32_t timeout;
	uint8_t priv[32];
	struct msg_expect expect[3];
	struct msg_edit edit[2];
};

/* What the parent needs of the configuration. Strings are terminated; unused bytes are zero. */
enum link_kind { LINK_UDP = 1, LINK_MCAST, LINK_TCP };
/* kind: enum link_kind; family: AF_INET, AF_INET6; no_checksum: 1, SO_NO_CHECK on the send socket; port: host order,
 * local and remote; local: network order, multicast IPv4: address of the interface; peer: UDP, TCP: the other
 * firewall, multicast: the group; sndbuf, rcvbuf: bytes for SO_*BUFFORCE, 0: leave alone. */
struct msg_link {
	uint8_t kind, family, no_checksum, is_default;
	uint16_t port, reserved;
	char ifname[16];
	uint8_t local[16], peer[16];
	uint32_t sndbuf, rcvbuf;
};
struct msg_helper {
	char name[16];
	uint8_t family, proto, setup, reserved;
	uint16_t queue, reserved2;
	uint32_t queue_len, expect_max, expect_timeout;
};
/* size: sizeof(struct msg_setup); sync, stats: which workers there are; sched_type: 0 leave alone, else SCHED_RR or
 * SCHED_FIFO; expect_sync: subscribe to expectation events as well; no_events: PollSecs, no event socket; nl_buf*:
 * event socket, bytes as the kernel accounts them, 0 unset; syslog_facility: 0 none, else LOG_DAEMON, LOG_LOCAL0, … of
 * <syslog.h>; empty path: none; jail: 0 not said, 1 Require, 2 BestEffort. */
struct msg_setup {
	uint32_t size;
	uint8_t sync, stats, events_reliable, landlock_required;
	uint8_t sched_type, sched_prio, expect_sync, no_events;
	uint8_t systemd, n_links, n_helpers, console, jail, reserved[3];
	uint32_t nl_buf, nl_buf_max, syslog_facility;
	char lockfile[MSG_PATH_MAX], logfile[MSG_PATH_MAX], stats_logfile[MSG_PATH_MAX];
	char ctl_path[108], ctl_group[33];
	struct msg_link link[MSG_LINKS_MAX];
	struct msg_helper helper[MSG_HELPERS_MAX];
};

static_assert(sizeof(struct msg_hdr) == 8, "wall format");
static_assert(sizeof(struct msg_dump_start) == 8 && sizeof(struct msg_worker) == 12, "wall format");
static_assert(sizeof(struct msg_expect) == 28 && sizeof(struct msg_link) == 64, "wall format");
static_assert(sizeof(struct msg_packet) == 144 && sizeof(struct msg_verdict) == 272, "wall format");

#endif

/*
 * What the start and the parent need of the configuration: the answer of the worker that reads it. Strings are
 * terminated; unused bytes are zero.
 */
#ifndef SETUP_H
#define SETUP_H

#include "msg.h"

/* What the log worker gets before it starts: the receiving ends of the parent's log socket and of the one that workers
 * share, who can shut it down or keep it full; directory and open file of LogFile (the directory is for reopening by
 * name); the syslog socket; standard output and error. Those of the flow log: the receiving end of the stats worker's
 * socket for its lines, whose other end that worker gets; directory and file of the statistics log. */
/* clang-format off */
enum log_sink {
	SINK_PARENT, SINK_WORKERS, SINK_DIR, SINK_FILE, SINK_SYSLOG, SINK_CONSOLE, SINK_CONSOLE_ERR,
	SINK_FLOWS, SINK_MAX
};
/* clang-format on */
enum conf_use { CONF_START, CONF_CHECK, CONF_PRINT }; /* MSG_SETUP; verdict as exit status; print the settings */

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
 * <syslog.h>, of flows: any but 0 means the same one; empty path: none; jail: 0 not said, 1 Require, 2 BestEffort. */
struct msg_setup {
	uint32_t size;
	uint8_t sync, stats, events_reliable, landlock_required;
	uint8_t sched_type, sched_prio, expect_sync, no_events;
	uint8_t systemd, n_links, n_helpers, console, jail, reserved[3];
	uint32_t nl_buf, nl_buf_max, syslog_facility, stats_syslog_facility;
	char lockfile[MSG_PATH_MAX], logfile[MSG_PATH_MAX], stats_logfile[MSG_PATH_MAX];
	char ctl_path[108], ctl_group[33];
	struct msg_link link[MSG_LINKS_MAX];
	struct msg_helper helper[MSG_HELPERS_MAX];
};

/* enum jail_wall: what every jail must have. */
static inline uint32_t
setup_walls(const struct msg_setup *s)
{
	return s->jail == 1 ? WALL_ALL : (s->landlock_required ? WALL_LANDLOCK : 0) | (s->jail == 2 ? WALL_ANYHOW : 0);
}

static_assert(SINK_MAX == MSG_SINKS_MAX, "wall format");
static_assert(sizeof(struct msg_setup) == MSG_SETUP_LEN && sizeof(struct msg_link) == MSG_LINK_LEN, "wall format");

#endif

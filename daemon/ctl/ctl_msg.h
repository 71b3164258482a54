/*
 * The control protocol between conntrackctl (and conntrackd's old client options) and the serving worker, over the UNIX
 * stream socket that the parent accepted. Same host, same build: numbers are in host order, the version is checked.
 * A request is one struct ctl_request. The answer is a row of frames, struct ctl_frame and its payload, ending in
 * CTL_DONE or CTL_FAIL. Long answers (dumps) come in many frames, a slice per turn of the worker's loop.
 * The worker never formats text: the tool turns records into the 1.4.x text, XML or JSON.
 */
#ifndef CTL_MSG_H
#define CTL_MSG_H

#include <assert.h>
#include <stdint.h>

#include "cache.h"
#include "flow.h"
#include "msg.h"

#define CTL_MAGIC       0x4f437431u /* "OCt1"; changes with any struct below */
#define CTL_PAYLOAD_MAX 65536

enum ctl_verb {
	CTL_NONE,
	/* read-only */
	CTL_STATS,   /* CTL_R_STATS */
	CTL_RSQUEUE, /* CTL_R_RSQUEUE frames */
	CTL_DUMP,    /* CTL_R_FLOW / CTL_R_EXPECT frames; arg: enum ctl_cache, tables */
	/* need full access */
	CTL_COMMIT, /* done when the state is in the kernel; CTL_R_COMMIT frames */
	CTL_FLUSH,  /* caches; arg: enum ctl_cache bits */
	CTL_FLUSH_KERNEL,
	CTL_RESYNC_KERNEL, /* done when the dump is merged */
	CTL_RESYNC_PEERS,  /* ask peers for their state */
	CTL_SEND,          /* bulk send of the internal cache */
	CTL_PURGE,         /* arm the purge timer */
	CTL_STOP,
	CTL_ROLE, /* arg: enum ctl_role; done when the state is in the kernel */
	CTL_VERB_MAX
};
enum ctl_cache { CTL_INTERNAL = 1, CTL_EXTERNAL = 2 };
enum ctl_tables { CTL_TABLE_CT = 1, CTL_TABLE_EXP = 2 };
enum ctl_role { CTL_ROLE_NONE, CTL_ROLE_PRIMARY, CTL_ROLE_BACKUP, CTL_ROLE_FAULT };

struct ctl_request {
	uint32_t magic;
	uint16_t verb; /* enum ctl_verb */
	uint8_t caches, tables, role, reserved[3];
};

enum ctl_record {
	CTL_R_NONE,
	CTL_R_STATS,   /* struct ctl_stats */
	CTL_R_FLOW,    /* struct ctl_flow records back to back */
	CTL_R_EXPECT,  /* struct ctl_expect array */
	CTL_R_RSQUEUE, /* struct ctl_rsq array */
	CTL_R_COMMIT,  /* struct ctl_commit */
	CTL_DONE,      /* end; the request was carried out */
	CTL_FAIL,      /* end; struct ctl_fail */
};
struct ctl_frame {
	uint32_t type, len;
};

/* why: for the exit status and the message of the tool. */
enum ctl_why {
	CTL_WHY_NONE,
	CTL_WHY_DENIED,      /* the caller may not do that */
	CTL_WHY_UNSUPPORTED, /* not in this mode (cache disabled, statistics mode) */
	CTL_WHY_BUSY,        /* a commit is in progress */
	CTL_WHY_BAD_REQUEST, /* magic, verb or length */
	CTL_WHY_FAILED,      /* err says why */
	CTL_WHY_SUPERSEDED,  /* a later request asked for the opposite */
};
struct ctl_fail {
	uint32_t why; /* enum ctl_why */
	int32_t err;
	char text[120];
};

/* One flow in flow_size() octets, then its side block when flow.have & FLOW_SIDE; total len, a multiple of 8. */
struct ctl_flow {
	uint32_t len;
	uint32_t age;     /* seconds since it entered this cache */
	uint32_t updated; /* seconds since the last update */
	uint32_t expires; /* seconds until the cache drops it (ALARM external), else 0 */
			  /* struct flow (side pointer zeroed), struct flow_side follow */
};
struct ctl_expect {
	uint32_t age, updated;
	struct expect expect;
};
struct ctl_rsq {
	uint32_t seq;
	uint16_t flags; /* control element: its flags */
	uint8_t control, reserved;
};
struct ctl_commit {
	uint32_t table; /* CTL_TABLE_* */
	uint32_t reserved;
	uint64_t committed, failed, usec;
};

struct ctl_link_stats {
	char ifname[16];
	uint8_t kind;           /* enum link_kind */
	uint8_t active;         /* current link */
	uint8_t status;         /* 0 DOWN, 1 NO-CARRIER, 2 RUNNING */
	uint8_t server, client; /* TCP: connected */
	uint8_t reserved[3];
	uint64_t sent_bytes, sent_pkts, sent_errors, recv_bytes, recv_pkts, recv_errors;
	uint64_t foreign; /* datagrams whose source is not the configured peer */
};
struct ctl_queue_stats {
	uint64_t len, max, no_space;
};
struct ctl_stats {
	uint8_t sync, stats_mode, mode, internal_disabled, external_disabled, expect_sync, n_links, role;
	uint32_t uptime; /* seconds */
	uint32_t reserved;
	struct cache_stats internal, external, internal_exp, external_exp;
	uint64_t traffic_bytes, traffic_pkts; /* of destroyed flows */
	/* network */
	uint64_t malformed[8]; /* index enum wire_error; [0] is their sum */
	uint64_t send_malformed, lost, before, unknown_attrs;
	/* netlink */
	uint64_t events, events_filtered, events_unknown, catch_failed, dump_unknown, overruns, kernel_flushes,
		kernel_resyncs;
	uint64_t buffer_size;
	/* peers */
	uint8_t peer_known, peer_in_sync, commit_running, purge_armed, reserved2[4];
	uint32_t peer_silent; /* seconds since the last message */
	uint32_t resyncs_sent, resyncs_served, reserved3;
	uint64_t commits, committed, commit_failed;
	uint64_t queue_nodes;
	struct ctl_queue_stats txq, errq, rsq;
	uint64_t local_read_failed, local_unknown, local_denied;
	uint64_t log_lost, wall_refused;
	struct ctl_link_stats link[MSG_LINKS_MAX];
	struct msg_status status; /* processes */
};

#endif

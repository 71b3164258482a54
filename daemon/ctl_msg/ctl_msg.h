/*
 * The control protocol between conntrackctl (and conntrackd's old client options) and the serving worker, over the UNIX
 * stream socket that the parent accepted. Same host, so numbers are in host order. A request is one struct ctl_request.
 * The answer is a row of frames, struct ctl_frame and its payload, ending in CTL_DONE or CTL_FAIL. Long answers (dumps)
 * come in many frames, a slice per turn of the worker's loop. The worker never formats text: the tool turns records
 * into the 1.4.x text, XML or JSON.
 *
 * What is marked as frozen here is the same in every build, because a daemon runs on while programs are replaced: what
 * acts (a take-over, a stop) works across builds. What shows the daemon's structs needs the same layout of them on both
 * sides, which ctl_layout() sums up; a daemon of another one says so.
 */
#ifndef CTL_MSG_H
#define CTL_MSG_H

#include <assert.h>
#include <stdint.h>

#include "cache.h"
#include "figures.h"
#include "flow.h"
#include "msg.h"

#define CTL_MAGIC       0x4f437432u /* frozen */
#define CTL_PAYLOAD_MAX 65536       /* frozen */

/* Frozen: new ones go to the end. */
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

/* Frozen. old: the number that conntrack-tools 1.4.x has for the request, CTL_OLD_NONE where it has none: its daemon
 * reads that much and no more, and answers with text. */
#define CTL_OLD_NONE UINT32_MAX
struct ctl_request {
	uint32_t old, magic, layout; /* layout: ctl_layout() of the client */
	uint16_t verb;               /* enum ctl_verb */
	uint8_t caches, tables, role, reserved[3];
};
static_assert(sizeof(struct ctl_request) == 20 && offsetof(struct ctl_request, magic) == 4 &&
		      offsetof(struct ctl_request, verb) == 12,
	      "requests are frozen");

/* Frozen: new ones go to the end. */
enum ctl_record {
	CTL_R_NONE,
	CTL_R_STATS,   /* struct ctl_stats */
	CTL_R_FLOW,    /* struct ctl_flow records back to back */
	CTL_R_EXPECT,  /* struct ctl_expect array */
	CTL_R_RSQUEUE, /* struct ctl_rsq array */
	CTL_R_COMMIT,  /* struct ctl_commit */
	CTL_DONE,      /* end; the request was carried out */
	CTL_FAIL,      /* end; struct ctl_fail */
	CTL_R_MAX
};
struct ctl_frame {
	uint32_t type, len;
};

/* why: for the exit status and the message of the tool. */
enum ctl_why {
	CTL_WHY_NONE,
	CTL_WHY_DENIED,      /* the caller may not do that */
	CTL_WHY_UNSUPPORTED, /* not in this mode (cache disabled, statistics mode) */
	CTL_WHY_BUSY,        /* a commit is in progress, or there are too many clients */
	CTL_WHY_BAD_REQUEST, /* magic or verb */
	CTL_WHY_FAILED,      /* err says why */
	CTL_WHY_SUPERSEDED,  /* a later request asked for the opposite */
	CTL_WHY_LAYOUT,      /* the daemon is of another build, whose structs differ */
};
/* Frozen. */
struct ctl_fail {
	uint32_t why; /* enum ctl_why */
	int32_t err;
	char text[120];
};
static_assert(CTL_STOP == 11 && CTL_ROLE == 12 && CTL_R_COMMIT == 5 && CTL_DONE == 6 && CTL_FAIL == 7 &&
		      sizeof(struct ctl_frame) == 8 && sizeof(struct ctl_fail) == 128,
	      "answers of what acts are frozen");

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
/* Frozen. */
struct ctl_commit {
	uint32_t table; /* CTL_TABLE_* */
	uint32_t reserved;
	uint64_t committed, failed, usec;
};
static_assert(sizeof(struct ctl_commit) == 32, "answers of what acts are frozen");

/* A sender whose datagrams a link did not take. family: AF_INET, AF_INET6, 0: no more of them; why: enum
 * ctl_refused_why; ago: seconds since its last one; addr: network order. */
#define CTL_REFUSED_MAX 8
enum ctl_refused_why {
	CTL_REFUSED_ADDRESS = 1, /* it is not the configured peer */
	CTL_REFUSED_PORT,        /* the peer speaks from the link's port: this is another program of its host */
	CTL_REFUSED_CROWD,       /* more senders than are told apart */
	CTL_REFUSED_OURSELVES,   /* both ends of the link are one address */
	CTL_REFUSED_WHYS
};
struct ctl_refused {
	uint8_t family, why;
	uint16_t port;
	uint32_t ago;
	uint64_t count;
	uint8_t addr[16];
};

enum ctl_link_status { CTL_LINK_DOWN, CTL_LINK_NO_CARRIER, CTL_LINK_RUNNING };

/* send_error: -errno of the last datagram that could not be sent, send_error_ago: seconds since; 0: there was none.
 * refused_others: datagrams of senders that had no room in refused; unserved: a peer speaks, but another link leads to
 * the one that is sent to. */
struct ctl_link_stats {
	char ifname[16];
	uint8_t kind;           /* enum link_kind */
	uint8_t active;         /* current link */
	uint8_t status;         /* enum ctl_link_status */
	uint8_t server, client; /* TCP: connected */
	uint8_t unserved;
	uint16_t port; /* host order */
	int32_t send_error;
	uint32_t send_error_ago;
	struct fig_link count;
	uint64_t refused_others;
	struct ctl_refused refused[CTL_REFUSED_MAX];
};

/* One of the peers that were heard. family: 0: no more of them; link: where it was last heard; differs: enum
 * ctl_differs of its settings from ours, as far as its messages tell; silent: seconds. */
#define CTL_PEERS_MAX 16
enum ctl_differs {
	CTL_DIFFERS_MODE = 1,
	CTL_DIFFERS_PORT = 2,
	CTL_DIFFERS_CHECKSUM = 4,
	CTL_DIFFERS_DEAF = 8, /* it does not acknowledge */
};
struct ctl_peer {
	uint8_t family, link, in_sync, differs;
	uint32_t silent;
	uint64_t lost, before;
	uint8_t addr[16];
};

/* A counter that deserves a warning: by how much it grew since it last rested for FIGURE_RECENT_S, and the seconds
 * since (FIG_NEVER: it is at rest). */
#define CTL_RECENT_MAX 16
struct ctl_recent {
	uint64_t rise, ago;
};

struct ctl_stats {
	uint8_t sync, stats_mode, mode, internal_disabled, external_disabled, expect_sync, n_links, role;
	uint8_t commit_running, purge_armed, reserved[6];
	struct fig_daemon daemon;
	struct cache_stats internal, external, internal_exp, external_exp;
	struct fig_traffic traffic;
	struct fig_peer peer;
	struct fig_network network;
	struct fig_queues queues;
	struct fig_queue txq, errq, rsq;
	struct fig_commits commits;
	struct fig_intake intake;
	struct fig_resync resync;
	struct fig_netlink netlink;
	struct fig_local local;
	struct fig_runtime runtime;
	struct ctl_link_stats link[MSG_LINKS_MAX];
	struct ctl_peer peers[CTL_PEERS_MAX];
	struct ctl_recent recent[CTL_RECENT_MAX]; /* in the order of figure_watched() */
	struct msg_status status;                 /* processes */
};
static_assert(sizeof(struct ctl_stats) <= CTL_PAYLOAD_MAX, "one frame");

/* Where struct ctl_stats has a group's struct. */
struct figure_place {
	const char *path; /* "caches.internal": the way to it in JSON; empty: the outermost object */
	enum figure_group group;
	size_t at;         /* in struct ctl_stats */
	const char *which; /* puts what a warning counts in front of it; NULL: the warning names it */
};
/* Those that are there once; links are an array. */
extern const struct figure_place figure_places[];
extern const size_t figure_places_n;

/* Differs between builds whose records differ: of every member that is told of, name, size and place. */
uint32_t ctl_layout(void);

/* What a daemon remembers to tell what is recent. Zeros are a good beginning. */
struct figure_watch {
	struct {
		uint64_t seen, rise, at;
	} row[CTL_RECENT_MAX];
};
/* Fills s->recent. To be called every few seconds: what grew is noticed then. now: milliseconds */
void figure_watch(struct figure_watch *w, struct ctl_stats *s, uint64_t now);
/* The i-th counter that is watched; false: no more. */
bool figure_watched(unsigned int i, const struct figure_place **place, const struct figure **row);

#endif

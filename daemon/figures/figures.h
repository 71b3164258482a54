/*
 * The one table of what the daemon counts and measures. A row makes the member of the struct in which it is counted and
 * which travels to the tools, its name for programs, the JSON schema, and the line of `conntrackctl stats all'; the
 * texts of 1.4.x take their numbers by these names. A new figure is a row here and the place that counts.
 */
#ifndef FIGURES_H
#define FIGURES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum figure_kind {
	FIG_COUNTER, /* grows since the start of the daemon */
	FIG_GAUGE,
	FIG_FLAG, /* 0 or 1 */
	FIG_AGE,  /* seconds since something; FIG_NEVER: it never was, and is not shown */
};
enum figure_unit { FIG_PLAIN, FIG_BYTES, FIG_SECONDS };
#define FIG_NEVER UINT64_MAX

/* Rows: X(member, name, kind, unit, what it is, what to warn of, or NULL). A warning lasts while a gauge is not 0, and
 * for FIGURE_RECENT_S after a counter has grown. */
#define FIGURE_RECENT_S 300
#define FIGURES_CACHE(X)                                                                                               \
	X(active, "active", FIG_GAUGE, FIG_PLAIN, "entries that are valid", NULL)                                      \
	X(total, "total", FIG_GAUGE, FIG_PLAIN, "entries, those that wait for an acknowledgement of their end too",    \
	  NULL)                                                                                                        \
	X(created, "created", FIG_COUNTER, FIG_PLAIN, "entries created", NULL)                                         \
	X(create_failed, "create_failed", FIG_COUNTER, FIG_PLAIN, "entries that could not be created", NULL)           \
	X(no_memory, "no_memory", FIG_COUNTER, FIG_PLAIN, "of these, for want of memory", NULL)                        \
	X(no_space, "no_space", FIG_COUNTER, FIG_PLAIN, "of these, because HashLimit was reached",                     \
	  "did not fit into the cache (raise HashLimit)")                                                              \
	X(updated, "updated", FIG_COUNTER, FIG_PLAIN, "entries updated", NULL)                                         \
	X(update_failed, "update_failed", FIG_COUNTER, FIG_PLAIN, "updates that failed", NULL)                         \
	X(update_missing, "update_missing", FIG_COUNTER, FIG_PLAIN, "of these, because there was no such entry", NULL) \
	X(deleted, "destroyed", FIG_COUNTER, FIG_PLAIN, "entries that ended", NULL)                                    \
	X(delete_failed, "destroy_failed", FIG_COUNTER, FIG_PLAIN, "ends that failed", NULL)                           \
	X(delete_missing, "destroy_missing", FIG_COUNTER, FIG_PLAIN, "of these, because there was no such entry", NULL)

#define FIGURES_TRAFFIC(X)                                                            \
	X(bytes, "bytes", FIG_COUNTER, FIG_BYTES, "octets of flows that ended", NULL) \
	X(packets, "packets", FIG_COUNTER, FIG_PLAIN, "packets of flows that ended", NULL)

#define FIGURES_LINK(X)                                                                                              \
	X(sent_bytes, "sent_bytes", FIG_COUNTER, FIG_BYTES, "octets sent to the peers", NULL)                        \
	X(sent_pkts, "sent_packets", FIG_COUNTER, FIG_PLAIN, "datagrams sent to the peers", NULL)                    \
	X(sent_errors, "send_errors", FIG_COUNTER, FIG_PLAIN, "datagrams that could not be sent", NULL)              \
	X(recv_bytes, "received_bytes", FIG_COUNTER, FIG_BYTES, "octets received from the peers", NULL)              \
	X(recv_pkts, "received_packets", FIG_COUNTER, FIG_PLAIN, "datagrams received from the peers", NULL)          \
	X(recv_errors, "receive_errors", FIG_COUNTER, FIG_PLAIN, "datagrams that could not be received whole", NULL) \
	X(foreign, "foreign", FIG_COUNTER, FIG_PLAIN, "datagrams from other addresses than the peer's", NULL)        \
	X(bounced, "bounced", FIG_COUNTER, FIG_PLAIN, "answers that nobody listens at the other end", NULL)

#define FIGURES_PEER(X)                                                                                        \
	X(known, "known", FIG_FLAG, FIG_PLAIN, "it was heard at least once", NULL)                             \
	X(in_sync, "in_sync", FIG_FLAG, FIG_PLAIN, "its states are complete here", NULL)                       \
	X(silent, "silent", FIG_AGE, FIG_SECONDS, "since it was heard", NULL)                                  \
	X(resyncs_sent, "resyncs_sent", FIG_COUNTER, FIG_PLAIN, "how often it was asked for all states", NULL) \
	X(resyncs_served, "resyncs_served", FIG_COUNTER, FIG_PLAIN, "how often it got all states", NULL)

#define FIGURES_NETWORK(X)                                                                                           \
	X(malformed, "malformed", FIG_COUNTER, FIG_PLAIN,                                                            \
	  "messages of peers that were refused: the sum of the next six", "malformed messages were refused")         \
	X(bad_version, "bad_version", FIG_COUNTER, FIG_PLAIN, "messages of another version of the protocol", NULL)   \
	X(bad_header, "bad_header", FIG_COUNTER, FIG_PLAIN, "messages whose header is wrong", NULL)                  \
	X(bad_payload, "bad_payload", FIG_COUNTER, FIG_PLAIN, "messages whose attributes are wrong", NULL)           \
	X(bad_type, "bad_type", FIG_COUNTER, FIG_PLAIN, "messages of an unknown type", NULL)                         \
	X(truncated, "truncated", FIG_COUNTER, FIG_PLAIN, "messages that end early", NULL)                           \
	X(bad_size, "bad_size", FIG_COUNTER, FIG_PLAIN, "messages whose length is wrong", NULL)                      \
	X(send_malformed, "send_malformed", FIG_COUNTER, FIG_PLAIN, "states that could not be put into a message",   \
	  NULL)                                                                                                      \
	X(lost, "lost", FIG_COUNTER, FIG_PLAIN, "messages of peers that did not arrive",                             \
	  "messages of the peer were lost")                                                                          \
	X(before, "before", FIG_COUNTER, FIG_PLAIN, "messages of peers that were older than what came before", NULL) \
	X(unknown_attributes, "unknown_attributes", FIG_COUNTER, FIG_PLAIN, "attributes that were passed over", NULL)

#define FIGURES_QUEUES(X) X(nodes, "nodes", FIG_GAUGE, FIG_PLAIN, "what is in all queues", NULL)

#define FIGURES_QUEUE(X)                                                      \
	X(length, "length", FIG_GAUGE, FIG_PLAIN, "what is in it", NULL)      \
	X(maximum, "maximum", FIG_GAUGE, FIG_PLAIN, "what it may hold", NULL) \
	X(no_space, "no_space", FIG_COUNTER, FIG_PLAIN, "what did not fit", NULL)

#define FIGURES_COMMITS(X)                                                                        \
	X(count, "count", FIG_COUNTER, FIG_PLAIN, "commits", NULL)                                \
	X(committed, "committed", FIG_COUNTER, FIG_PLAIN, "states written into the kernel", NULL) \
	X(failed, "failed", FIG_COUNTER, FIG_PLAIN, "states that the kernel refused", NULL)       \
	X(last_failed, "last_failed", FIG_GAUGE, FIG_PLAIN, "of these, in the last commit",       \
	  "states could not be committed")                                                        \
	X(kept, "kept", FIG_COUNTER, FIG_PLAIN, "flows of peers that were not written: they live here", NULL)

#define FIGURES_DAEMON(X) X(uptime, "uptime", FIG_GAUGE, FIG_SECONDS, "since the serving worker began", NULL)

/* In JSON, intake, resync and netlink are one object, as are local and runtime. */
#define FIGURES_INTAKE(X)                                                                 \
	X(events, "events", FIG_COUNTER, FIG_PLAIN, "events of the kernel", NULL)         \
	X(filtered, "filtered", FIG_COUNTER, FIG_PLAIN, "events that Filter hides", NULL) \
	X(unknown, "unknown", FIG_COUNTER, FIG_PLAIN, "events of an unknown type", NULL)  \
	X(dump_unknown, "dump_unknown", FIG_COUNTER, FIG_PLAIN, "entries of dumps that could not be read", NULL)

#define FIGURES_RESYNC(X)                                                                        \
	X(overruns, "overruns", FIG_COUNTER, FIG_PLAIN, "times that the kernel dropped events",  \
	  "times the kernel dropped events; a resync followed (see NetlinkBufferSizeMaxGrowth)") \
	X(resyncs, "resyncs", FIG_COUNTER, FIG_PLAIN, "times that the kernel's table was read again", NULL)

#define FIGURES_NETLINK(X)                                                                                   \
	X(catch_failed, "catch_failed", FIG_COUNTER, FIG_PLAIN, "times that events could not be read", NULL) \
	X(flushes, "flushes", FIG_COUNTER, FIG_PLAIN, "flushes of the kernel's table", NULL)                 \
	X(buffer_size, "buffer_size", FIG_GAUGE, FIG_BYTES, "size of the event socket's buffer", NULL)

#define FIGURES_LOCAL(X)                                                                                             \
	X(read_failed, "local_read_failed", FIG_COUNTER, FIG_PLAIN, "control clients without a whole request", NULL) \
	X(unknown, "local_unknown", FIG_COUNTER, FIG_PLAIN, "requests that are not known", NULL)                     \
	X(denied, "local_denied", FIG_COUNTER, FIG_PLAIN, "requests of users who may not ask that", NULL)            \
	X(turned_away, "local_turned_away", FIG_COUNTER, FIG_PLAIN, "control clients without a place", NULL)         \
	X(displaced, "local_displaced", FIG_COUNTER, FIG_PLAIN,                                                      \
	  "control clients that stood still and lost their place to another", NULL)

#define FIGURES_RUNTIME(X)                                                                                            \
	X(log_lost, "log_lost", FIG_COUNTER, FIG_PLAIN, "lines that did not get into the log", "log lines were lost") \
	X(wall_refused, "wall_refused", FIG_COUNTER, FIG_PLAIN, "messages between processes that broke a rule",       \
	  "messages between the daemon's processes were refused: see the log")

/* Of struct msg_status. */
#define FIGURES_PROCESSES(X)                                                                         \
	X(takeovers, "takeovers", FIG_COUNTER, FIG_PLAIN, "spare workers that took over", NULL)      \
	X(worker_deaths, "worker_deaths", FIG_COUNTER, FIG_PLAIN, "workers that ended unexpectedly", \
	  "worker processes ended unexpectedly")                                                     \
	X(worker_signals, "worker_signals", FIG_COUNTER, FIG_PLAIN, "of these, by a signal", NULL)

#define FIG_MEMBER(member, name, kind, unit, help, warning) uint64_t member;
struct cache_stats {
	FIGURES_CACHE(FIG_MEMBER)
};
struct fig_traffic {
	FIGURES_TRAFFIC(FIG_MEMBER)
};
struct fig_link {
	FIGURES_LINK(FIG_MEMBER)
};
struct fig_peer {
	FIGURES_PEER(FIG_MEMBER)
};
struct fig_network {
	FIGURES_NETWORK(FIG_MEMBER)
};
struct fig_queues {
	FIGURES_QUEUES(FIG_MEMBER)
};
struct fig_queue {
	FIGURES_QUEUE(FIG_MEMBER)
};
struct fig_commits {
	FIGURES_COMMITS(FIG_MEMBER)
};
struct fig_daemon {
	FIGURES_DAEMON(FIG_MEMBER)
};
struct fig_intake {
	FIGURES_INTAKE(FIG_MEMBER)
};
struct fig_resync {
	FIGURES_RESYNC(FIG_MEMBER)
};
struct fig_netlink {
	FIGURES_NETLINK(FIG_MEMBER)
};
struct fig_local {
	FIGURES_LOCAL(FIG_MEMBER)
};
struct fig_runtime {
	FIGURES_RUNTIME(FIG_MEMBER)
};

struct figure {
	const char *name, *help;
	const char *warning; /* said behind the number; NULL: of no concern */
	size_t at;           /* in the group's struct */
	unsigned int size;   /* octets there: 4 or 8 */
	enum figure_kind kind;
	enum figure_unit unit;
};

/* clang-format off */
enum figure_group {
	GROUP_CACHE, GROUP_TRAFFIC, GROUP_LINK, GROUP_PEER, GROUP_NETWORK, GROUP_QUEUES, GROUP_QUEUE, GROUP_COMMITS,
	GROUP_DAEMON, GROUP_INTAKE, GROUP_RESYNC, GROUP_NETLINK, GROUP_LOCAL, GROUP_RUNTIME, GROUP_PROCESSES, GROUP_MAX
};
/* clang-format on */
struct figure_list {
	const char *name; /* of the group */
	const struct figure *row;
	size_t n;
};
extern const struct figure_list figure_groups[GROUP_MAX];

/* The figure's value in its group's struct. */
uint64_t figure_value(const struct figure *f, const void *base);
/* NULL: the group has no such figure. */
const struct figure *figure_find(enum figure_group group, const char *name, size_t len);
/* "counter", "gauge", …; "bytes", "seconds" or "". */
const char *figure_kind_name(enum figure_kind kind);
const char *figure_unit_name(enum figure_unit unit);

#endif

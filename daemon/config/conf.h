/*
 * The settings of conntrackd.conf as plain structs. Each field has a row in fields.c, which says by what keyword it is
 * set and how it is read, printed, checked and handed on. Defaults are already applied: readers never see "unset"
 * except where a field says so.
 */
#ifndef CONF_H
#define CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "setup.h"

#define CONF_NETS_MAX 65536 /* networks of one Filter */

enum conf_mode { MODE_NONE, MODE_FTFW, MODE_ALARM, MODE_NOTRACK };
enum conf_jail { JAIL_UNSAID, JAIL_REQUIRE, JAIL_BEST_EFFORT };
enum filter_policy { FILTER_OFF, FILTER_ACCEPT, FILTER_IGNORE };

struct conf_net {
	uint8_t family;   /* AF_INET, AF_INET6 */
	uint8_t prefix;   /* 0..32, 0..128 */
	uint8_t addr[16]; /* network order, host bits cleared */
};

struct conf_filter {
	enum filter_policy proto_policy, addr_policy, state_policy;
	bool kernelspace;
	uint8_t proto[32];    /* bit n of byte n/8: protocol n is listed */
	uint16_t tcp_states;  /* bit n: kernel TCP state n is listed */
	struct conf_net *net; /* owned; sorted as written */
	uint32_t n_nets;
};

/* A link as the text says it. */
struct conf_link {
	struct msg_link l;
	bool any_source; /* our extension: link { CheckSource off }; default: only the peer's address */
};

struct conf {
	/* General */
	uint32_t hash_size, hash_limit;                     /* entries of each cache: hash_limit */
	char logfile[MSG_PATH_MAX], lockfile[MSG_PATH_MAX]; /* logfile: empty = none */
	uint32_t syslog_facility;                           /* 0 none, else LOG_* */
	char ctl_path[108];                                 /* empty: unreachable */
	char ctl_group[33];                                 /* our extension UNIX { Group NAME }; empty: root only */
	uint32_t nl_buf, nl_buf_max;
	uint32_t overrun_resync; /* seconds; 0 off */
	bool events_reliable;
	uint32_t event_limit; /* EventIterationLimit */
	uint32_t poll_secs;   /* 0: events */
	uint8_t sched_type;   /* SCHED_RR, SCHED_FIFO, SCHED_OTHER */
	uint8_t sched_prio;
	bool systemd;
	bool landlock_required; /* our extension General { LandlockRequired BOOL }, default off */
	enum conf_jail jail;    /* our extension General { Jail Require|BestEffort } */
	struct conf_filter filter;

	/* Sync */
	bool sync;
	enum conf_mode mode;
	uint32_t resend_queue_size, ack_window_size;
	uint32_t refresh_time, cache_timeout;
	uint32_t commit_timeout; /* seconds; 0: estimate the remaining time */
	uint32_t purge_timeout;
	bool disable_internal_cache, disable_external_cache;
	bool startup_resync; /* accepted; we always ask the peers at start */
	bool tcp_window_tracking;
	bool expect_sync;
	char expect_helper[32][17]; /* name prefixes; none: all */
	uint32_t n_expect_helpers;
	struct msg_link link[MSG_LINKS_MAX];
	bool link_any_source[MSG_LINKS_MAX];
	uint32_t n_links;
	uint32_t error_queue_len;

	/* Stats */
	bool stats;
	char stats_logfile[MSG_PATH_MAX];
	uint32_t stats_syslog_facility;

	/* Helper */
	bool helper_setup;
	struct msg_helper helper[MSG_HELPERS_MAX];
	uint32_t n_helpers;
};

/* DisableInternalCache has an effect: what the kernel reports is sent at once and not kept. */
static inline bool
conf_direct(const struct conf *c)
{
	return c->disable_internal_cache && c->mode == MODE_NOTRACK;
}

#endif

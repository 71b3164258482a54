/*
 * Facts that daemon and tools share and nobody can change: names that users know from conntrack-tools and the kernel.
 * What is privileged includes nothing of this folder; a test compares the paths that it knows by itself.
 */
#ifndef FACTS_H
#define FACTS_H

#include <stddef.h>
#include <stdint.h>

#define PATH_CONF      "/etc/conntrackd/conntrackd.conf"
#define PATH_LOCK      "/var/lock/conntrackd.lock"
#define PATH_LOG       "/var/log/conntrackd.log"
#define PATH_STATS_LOG "/var/log/conntrackd-stats.log"

/* TCP states of the kernel's table, by number. */
#define TCP_STATES 10
extern const char *const tcp_state_names[TCP_STATES];

/* The type that answers an ICMP (l4 IPPROTO_ICMP) or ICMPv6 type; -1: the kernel tracks nothing that would. */
int icmp_answer(uint8_t l4, uint8_t type);

/* A user-space helper: limits of its expectations that hold when nobody says others, octets of its private data in the
 * kernel. A helper of both protocols has two rows. */
struct helper_fact {
	const char *name;
	uint8_t proto;                       /* IPPROTO_TCP, IPPROTO_UDP */
	uint32_t expect_max, expect_timeout; /* timeout: seconds */
	uint32_t private_len;
};

/* Row i in the order of names, NULL behind the last. */
const struct helper_fact *helper_fact_at(size_t i);
/* NULL: there is no such helper for proto. */
const struct helper_fact *helper_fact(const char *name, uint8_t proto);

#endif

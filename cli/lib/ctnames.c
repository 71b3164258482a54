/*
 * The tables behind protocol, state and role names.
 */
#include "ctnames.h"
#include "facts.h"

#include <netinet/in.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

#define NITEMS(a) (sizeof(a) / sizeof((a)[0]))

static const struct l4_name names[] = {
	{IPPROTO_TCP, "tcp", "tcp      6 ", L4_PORTS},
	{IPPROTO_UDP, "udp", "udp      17 ", L4_PORTS},
	{IPPROTO_UDPLITE, "udplite", "udplite  136 ", L4_PORTS},
	{IPPROTO_ICMP, "icmp", "icmp     1 ", L4_ICMP},
	{IPPROTO_ICMPV6, "icmpv6", "icmpv6   58 ", L4_ICMP},
	{IPPROTO_SCTP, "sctp", "sctp     132 ", L4_PORTS},
	{IPPROTO_DCCP, "dccp", "dccp     33 ", L4_PORTS},
	{IPPROTO_GRE, "gre", "gre      47 ", L4_KEYS},
	{0, "unknown", NULL, L4_NONE},
};

static const char *const sctp_states[] = {
	"NONE",          "CLOSED",        "COOKIE_WAIT",       "COOKIE_ECHOED",  "ESTABLISHED",
	"SHUTDOWN_SENT", "SHUTDOWN_RECD", "SHUTDOWN_ACK_SENT", "HEARTBEAT_SENT", "HEARTBEAT_ACKED",
};
static const char *const dccp_states[] = {
	"NONE", "REQUEST", "RESPOND", "PARTOPEN", "OPEN", "CLOSEREQ", "CLOSING", "TIMEWAIT", "IGNORE", "INVALID",
};
static const struct states {
	uint8_t proto;
	const char *const *name;
	size_t n;
} states[] = {
	{IPPROTO_TCP, tcp_state_names, TCP_STATES},
	{IPPROTO_SCTP, sctp_states, NITEMS(sctp_states)},
	{IPPROTO_DCCP, dccp_states, NITEMS(dccp_states)},
};
static const char *const roles[] = {"client", "server"};

const struct l4_name *
l4_name(uint8_t number)
{
	const struct l4_name *l = names;

	while (l->column != NULL && l->number != number)
		l++;
	return l;
}

static const struct states *
states_of(uint8_t proto)
{
	for (size_t i = 0; i < NITEMS(states); i++)
		if (states[i].proto == proto)
			return &states[i];
	return NULL;
}

const char *
state_name(uint8_t proto, uint8_t state)
{
	const struct states *s = states_of(proto);

	if (s == NULL)
		return NULL;
	return s->name[state < s->n ? state : 0];
}

int
state_number(uint8_t proto, const char *name)
{
	const struct states *s = states_of(proto);

	if (proto == IPPROTO_TCP && strcmp(name, "LISTEN") == 0) /* the number the kernel reused for SYN_SENT2 */
		return 9;
	for (size_t i = 0; s != NULL && i < s->n; i++)
		if (strcmp(s->name[i], name) == 0)
			return (int)i;
	return -1;
}

const char *
dccp_role_name(uint8_t role)
{
	return roles[role & 1];
}

int
dccp_role_number(const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 0; len > 0 && i < NITEMS(roles); i++)
		if (len <= strlen(roles[i]) && strncasecmp(roles[i], name, len) == 0)
			return (int)i;
	return -1;
}

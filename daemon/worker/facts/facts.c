/*
 * The tables behind facts.h.
 */
#include "facts.h"

#include <netinet/in.h>
#include <string.h>

const char *const tcp_state_names[TCP_STATES] = {
	"NONE",       "SYN_SENT", "SYN_RECV",  "ESTABLISHED", "FIN_WAIT",
	"CLOSE_WAIT", "LAST_ACK", "TIME_WAIT", "CLOSE",       "SYN_SENT2",
};

static const struct icmp_pair {
	uint8_t l4, asks, answers; /* either answers the other: a flow may begin with what we take for the answer */
} icmp_pairs[] = {
	{IPPROTO_ICMP, 8, 0},       /* echo */
	{IPPROTO_ICMP, 13, 14},     /* timestamp */
	{IPPROTO_ICMP, 15, 16},     /* information */
	{IPPROTO_ICMP, 17, 18},     /* address mask */
	{IPPROTO_ICMPV6, 128, 129}, /* echo */
	{IPPROTO_ICMPV6, 139, 140}, /* node information */
};

int
icmp_answer(uint8_t l4, uint8_t type)
{
	for (size_t i = 0; i < sizeof(icmp_pairs) / sizeof(icmp_pairs[0]); i++) {
		const struct icmp_pair *p = &icmp_pairs[i];

		if (p->l4 == l4 && (p->asks == type || p->answers == type))
			return p->asks == type ? p->answers : p->asks;
	}
	return -1;
}

/* clang-format off */
static const struct helper_fact helpers[] = {
	{"amanda", IPPROTO_UDP, 3, 180, 0},
	{"dhcpv6", IPPROTO_UDP, 1, 300, 0},
	{"ftp",    IPPROTO_TCP, 1, 300, 24},
	{"mdns",   IPPROTO_UDP, 8, 30, 0},
	{"rpc",    IPPROTO_TCP, 1, 300, 16},
	{"rpc",    IPPROTO_UDP, 1, 300, 16},
	{"sane",   IPPROTO_TCP, 1, 300, 4},
	{"slp",    IPPROTO_UDP, 8, 16, 0},
	{"ssdp",   IPPROTO_UDP, 8, 300, 0},
	{"ssdp",   IPPROTO_TCP, 8, 300, 0},
	{"tftp",   IPPROTO_UDP, 1, 300, 0},
	{"tns",    IPPROTO_TCP, 1, 300, 1},
};
/* clang-format on */

const struct helper_fact *
helper_fact_at(size_t i)
{
	return i < sizeof(helpers) / sizeof(helpers[0]) ? &helpers[i] : NULL;
}

const struct helper_fact *
helper_fact(const char *name, uint8_t proto)
{
	const struct helper_fact *h;

	for (size_t i = 0; (h = helper_fact_at(i)) != NULL; i++)
		if (strcmp(h->name, name) == 0 && h->proto == proto)
			return h;
	return NULL;
}

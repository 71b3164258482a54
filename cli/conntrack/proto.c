/*
 * The protocol tables.
 */
#include "proto.h"
#include "args.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <strings.h>

#define NITEMS(a) (sizeof(a) / sizeof((a)[0]))

/* Lists shared by the protocols with ports; formatted by hand, as the formatter does not see that they are lists. */
/* clang-format off */
#define PORT_OPTS                                                                                                      \
	{"sport", FIELD_SPORT}, {"dport", FIELD_DPORT},                                                                \
	{"orig-port-src", FIELD_SPORT}, {"orig-port-dst", FIELD_DPORT},                                                \
	{"reply-port-src", FIELD_RSPORT}, {"reply-port-dst", FIELD_RDPORT},                                            \
	{"mask-port-src", FIELD_MSPORT}, {"mask-port-dst", FIELD_MDPORT},                                              \
	{"tuple-port-src", FIELD_TSPORT}, {"tuple-port-dst", FIELD_TDPORT}

#define PORT_ROWS                                                                                                      \
	{FIELD_SPORT, "sport", "ooPPRR"}, {FIELD_DPORT, "dport", "ooPPRR"},                                            \
	{FIELD_RSPORT, "reply-port-src", "ooPP-R"}, {FIELD_RDPORT, "reply-port-dst", "ooPP-R"},                        \
	{FIELD_MSPORT, "mask-port-src", "----R-"}, {FIELD_MDPORT, "mask-port-dst", "----R-"}

#define TUPLE_ROWS                                                                                                     \
	{FIELD_TSPORT, "tuple-port-src", "----R-"}, {FIELD_TDPORT, "tuple-port-dst", "----R-"}
/* clang-format on */

static const struct popt udp_opts[] = {PORT_OPTS, {NULL, 0}};
static const struct popt tcp_opts[] = {PORT_OPTS, {"state", FIELD_STATE}, {NULL, 0}};
static const struct popt sctp_opts[] = {
	PORT_OPTS, {"state", FIELD_STATE}, {"orig-vtag", FIELD_OVTAG}, {"reply-vtag", FIELD_RVTAG}, {NULL, 0},
};
static const struct popt dccp_opts[] = {PORT_OPTS, {"state", FIELD_STATE}, {"role", FIELD_ROLE}, {NULL, 0}};
static const struct popt gre_opts[] = {
	{"srckey", FIELD_SPORT},
	{"dstkey", FIELD_DPORT},
	{"orig-key-src", FIELD_SPORT},
	{"orig-key-dst", FIELD_DPORT},
	{"reply-key-src", FIELD_RSPORT},
	{"reply-key-dst", FIELD_RDPORT},
	{"mask-key-src", FIELD_MSPORT},
	{"mask-key-dst", FIELD_MDPORT},
	{"tuple-key-src", FIELD_TSPORT},
	{"tuple-key-dst", FIELD_TDPORT},
	{NULL, 0},
};
static const struct popt icmp_opts[] = {
	{"icmp-type", FIELD_TYPE}, {"icmp-code", FIELD_CODE}, {"icmp-id", FIELD_ICMPID}, {NULL, 0}};
static const struct popt icmp6_opts[] = {
	{"icmpv6-type", FIELD_TYPE}, {"icmpv6-code", FIELD_CODE}, {"icmpv6-id", FIELD_ICMPID}, {NULL, 0}};

static const struct prow udp_rows[] = {PORT_ROWS, TUPLE_ROWS, {0, NULL, NULL}};
static const struct prow tcp_rows[] = {PORT_ROWS, {FIELD_STATE, "state", "ooRo--"}, TUPLE_ROWS, {0, NULL, NULL}};
static const struct prow sctp_rows[] = {
	PORT_ROWS,
	{FIELD_STATE, "state", "ooRo--"},
	TUPLE_ROWS,
	{FIELD_OVTAG, "orig-vtag", "-oRoR-"},
	{FIELD_RVTAG, "reply-vtag", "-oRoR-"},
	{0, NULL, NULL},
};
static const struct prow dccp_rows[] = {
	PORT_ROWS, {FIELD_STATE, "state", "ooRo--"}, TUPLE_ROWS, {FIELD_ROLE, "role", "--R-R-"}, {0, NULL, NULL}};
static const struct prow gre_rows[] = {
	{FIELD_SPORT, "srckey", "ooPPRR"},
	{FIELD_DPORT, "dstkey", "ooPPRR"},
	{FIELD_RSPORT, "reply-key-src", "ooPPRR"},
	{FIELD_RDPORT, "reply-key-dst", "ooPPRR"},
	{FIELD_MSPORT, "mask-key-src", "----R-"},
	{FIELD_MDPORT, "mask-key-dst", "----R-"},
	{FIELD_TSPORT, "tuple-key-src", "----R-"},
	{FIELD_TDPORT, "tuple-key-dst", "----R-"},
	{0, NULL, NULL},
};
static const struct prow icmp_rows[] = {{FIELD_TYPE, "icmp-type", "ooRR--"},
					{FIELD_CODE, "icmp-code", "ooRR--"},
					{FIELD_ICMPID, "icmp-id", "oooo--"},
					{0, NULL, NULL}};
static const struct prow icmp6_rows[] = {{FIELD_TYPE, "icmpv6-type", "ooRR--"},
					 {FIELD_CODE, "icmpv6-code", "ooRR--"},
					 {FIELD_ICMPID, "icmpv6-id", "oooo--"},
					 {0, NULL, NULL}};

#define PORT_PAIRS                                         \
	{                                                  \
		{"sport", "dport"},                        \
		{                                          \
			"reply-src-port", "reply-dst-port" \
		}                                          \
	}
#define KEY_PAIRS                                        \
	{                                                \
		{"srckey", "dstkey"},                    \
		{                                        \
			"reply-src-key", "reply-dst-key" \
		}                                        \
	}
#define NO_PAIRS                   \
	{                          \
		{NULL, NULL},      \
		{                  \
			NULL, NULL \
		}                  \
	}

static const struct proto protos[] = {
	{"tcp", IPPROTO_TCP, tcp_opts, tcp_rows, PORT_PAIRS},
	{"udp", IPPROTO_UDP, udp_opts, udp_rows, PORT_PAIRS},
	{"udplite", IPPROTO_UDPLITE, udp_opts, udp_rows, PORT_PAIRS},
	{"sctp", IPPROTO_SCTP, sctp_opts, sctp_rows, PORT_PAIRS},
	{"dccp", IPPROTO_DCCP, dccp_opts, dccp_rows, PORT_PAIRS},
	{"icmp", IPPROTO_ICMP, icmp_opts, icmp_rows, NO_PAIRS},
	{"icmpv6", IPPROTO_ICMPV6, icmp6_opts, icmp6_rows, NO_PAIRS},
	{"gre", IPPROTO_GRE, gre_opts, gre_rows, KEY_PAIRS},
};

const struct proto *
proto_find(uint8_t number)
{
	for (size_t i = 0; i < NITEMS(protos); i++)
		if (protos[i].number == number)
			return &protos[i];
	return NULL;
}

int
proto_number(const char *word, uint8_t *number)
{
	const struct protoent *pe;
	uint64_t v;

	for (size_t i = 0; i < NITEMS(protos); i++)
		if (strcasecmp(protos[i].name, word) == 0) {
			*number = protos[i].number;
			return 0;
		}
	if ((pe = getprotobyname(word)) != NULL && pe->p_proto >= 0 && pe->p_proto <= UINT8_MAX)
		*number = (uint8_t)pe->p_proto;
	else if (arg_number(word, UINT8_MAX, &v) == 0)
		*number = (uint8_t)v;
	else
		return -ENOENT;
	return 0;
}

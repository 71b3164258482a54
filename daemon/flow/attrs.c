/*
 * The attributes, one row each: type on the wire, layout, family it decides, payload sizes taken, place, what it makes
 * known, and with what it is merged and compared. The second table of each kind finds a row by its type.
 */
#include "attrs.h"

#include <netinet/in.h>

#define F(field) offsetof(struct flow, field), sizeof(((struct flow *)0)->field)
#define S(field) offsetof(struct flow_side, field), sizeof(((struct flow_side *)0)->field)
#define T(field) offsetof(struct flow_nat, field), sizeof(((struct flow_nat *)0)->field)
#define X(field) offsetof(struct expect, field), sizeof(((struct expect *)0)->field)
#define V4       AF_INET
#define V6       AF_INET6

/* clang-format off */
const struct attr flow_attrs[FA_MAX] = {
	/* row                  type kind         base       l3  min max   place            makes known, goes with */
	[FA_IPV4] =           {  0, ATTR_RAW,    BASE_MAIN, V4,  8,  8,   F(addr[0]),       0, 0 },
	[FA_IPV6] =           {  1, ATTR_RAW,    BASE_MAIN, V6, 32, 32,   F(addr[0]),       0, 0 },
	[FA_STATUS] =         {  5, ATTR_BE32,   BASE_MAIN, 0,   4,  4,   F(status),        FLOW_STATUS, FLOW_STATUS },
	[FA_L4PROTO] =        {  2, ATTR_RAW,    BASE_MAIN, 0,   1,  1,   F(l4),            0, 0 },
	[FA_PORT] =           {  3, ATTR_RAW,    BASE_MAIN, 0,   4,  4,   F(port[0]),       FLOW_PORTS, 0 },
	[FA_ICMP_TYPE] =      { 22, ATTR_RAW,    BASE_MAIN, 0,   1,  1,   F(port[1]),       FLOW_PORTS, 0 },
	[FA_ICMP_CODE] =      { 23, ATTR_RAW,    BASE_MAIN, 0,   1,  1,   offsetof(struct flow, port[1]) + 1, 1, 0, 0 },
	[FA_ICMP_ID] =        { 24, ATTR_HOST16, BASE_MAIN, 0,   2,  2,   F(port[0]),       0, 0 },
	[FA_TCP_STATE] =      {  4, ATTR_RAW,    BASE_MAIN, 0,   1,  1,   F(state),         FLOW_STATE, FLOW_STATE },
	[FA_WSCALE_ORIG] =    { 25, ATTR_RAW,    BASE_MAIN, 0,   1,  1,   F(wscale[0]),     FLOW_WSCALE, FLOW_WSCALE },
	[FA_WSCALE_REPL] =    { 26, ATTR_RAW,    BASE_MAIN, 0,   1,  1,   F(wscale[1]),     FLOW_WSCALE, FLOW_WSCALE },
	[FA_SCTP_STATE] =     { 17, ATTR_RAW,    BASE_MAIN, 0,   1,  1,   F(state),         FLOW_STATE, 0 },
	[FA_VTAG_ORIG] =      { 18, ATTR_BE32,   BASE_MAIN, 0,   4,  4,   F(vtag[0]),       0, FLOW_STATE },
	[FA_VTAG_REPL] =      { 19, ATTR_BE32,   BASE_MAIN, 0,   4,  4,   F(vtag[1]),       0, FLOW_STATE },
	[FA_DCCP_STATE] =     { 20, ATTR_RAW,    BASE_MAIN, 0,   1,  1,   F(state),         FLOW_STATE, 0 },
	[FA_DCCP_ROLE] =      { 21, ATTR_RAW,    BASE_MAIN, 0,   1,  1,   F(dccp_role),     0, FLOW_STATE },
	[FA_TIMEOUT] =        {  6, ATTR_BE32,   BASE_MAIN, 0,   4,  4,   F(timeout),       FLOW_TIMEOUT, FLOW_TIMEOUT },
	[FA_MARK] =           {  7, ATTR_BE32,   BASE_MAIN, 0,   4,  4,   F(mark),          FLOW_MARK, FLOW_MARK },
	[FA_MASTER_IPV4] =    {  8, ATTR_RAW,    BASE_SIDE, 0,   8,  8,   S(master_addr[0]), 0, 0 },
	[FA_MASTER_IPV6] =    {  9, ATTR_RAW,    BASE_SIDE, 0,  32, 32,   S(master_addr[0]), 0, FLOW_MASTER },
	[FA_MASTER_L4PROTO] = { 10, ATTR_RAW,    BASE_SIDE, 0,   1,  1,   S(master_l4),     0, FLOW_MASTER },
	[FA_MASTER_PORT] =    { 11, ATTR_RAW,    BASE_SIDE, 0,   4,  4,   S(master_port[0]), 0, FLOW_MASTER },
	[FA_SNAT_IPV4] =      { 12, ATTR_RAW,    BASE_NAT,  0,   4,  4,   T(snat_addr),     0, 0 },
	[FA_SNAT_IPV6] =      { 29, ATTR_RAW,    BASE_NAT,  0,  16, 16,   T(snat_addr),     0, 0 },
	[FA_DNAT_IPV4] =      { 13, ATTR_RAW,    BASE_NAT,  0,   4,  4,   T(dnat_addr),     0, 0 },
	[FA_DNAT_IPV6] =      { 30, ATTR_RAW,    BASE_NAT,  0,  16, 16,   T(dnat_addr),     0, 0 },
	[FA_SPAT_PORT] =      { 14, ATTR_HOST16, BASE_NAT,  0,   2,  2,   T(spat_port),     0, 0 },
	[FA_DPAT_PORT] =      { 15, ATTR_HOST16, BASE_NAT,  0,   2,  2,   T(dpat_port),     0, 0 },
	[FA_SEQADJ] =         { 16, ATTR_BE32,   BASE_SIDE, 0,  24, 24,   S(seqadj),        FLOW_SEQADJ, FLOW_SEQADJ },
	[FA_HELPER] =         { 27, ATTR_STR,    BASE_SIDE, 0,   0, 12,   S(helper),        FLOW_HELPER, FLOW_HELPER },
	[FA_LABELS] =         { 28, ATTR_LABELS, BASE_SIDE, 0,   0, 1024, S(label),         FLOW_LABELS, FLOW_LABELS },
	[FA_SYNPROXY] =       { 31, ATTR_BE32,   BASE_SIDE, 0,  12, 12,   S(its),           FLOW_SYNPROXY, FLOW_SYNPROXY },
	[FA_SYNPROXY_ZERO] =  { 31, ATTR_ZERO,   BASE_MAIN, 0,  12, 12,   0, 0,             FLOW_SYNPROXY_ZERO, 0 },
	[FA_ZONE] =           { 32, ATTR_BE16,   BASE_MAIN, 0,   2,  2,   F(zone),          FLOW_ZONE, 0 },
};

const uint8_t flow_attr_of[FLOW_ATTR_TYPES] = {
	FA_IPV4, FA_IPV6, FA_L4PROTO, FA_PORT, FA_TCP_STATE, FA_STATUS, FA_TIMEOUT, FA_MARK,
	FA_MASTER_IPV4, FA_MASTER_IPV6, FA_MASTER_L4PROTO, FA_MASTER_PORT, FA_SNAT_IPV4, FA_DNAT_IPV4, FA_SPAT_PORT, FA_DPAT_PORT,
	FA_SEQADJ, FA_SCTP_STATE, FA_VTAG_ORIG, FA_VTAG_REPL, FA_DCCP_STATE, FA_DCCP_ROLE, FA_ICMP_TYPE, FA_ICMP_CODE,
	FA_ICMP_ID, FA_WSCALE_ORIG, FA_WSCALE_REPL, FA_HELPER, FA_LABELS, FA_SNAT_IPV6, FA_DNAT_IPV6, FA_SYNPROXY,
	FA_ZONE,
};

const uint8_t flow_kept[FLOW_KEPT] = {
	FA_STATUS, FA_TIMEOUT, FA_MARK, FA_TCP_STATE, FA_WSCALE_ORIG, FA_WSCALE_REPL, FA_VTAG_ORIG, FA_VTAG_REPL, FA_DCCP_ROLE,
	FA_MASTER_IPV6, FA_MASTER_L4PROTO, FA_MASTER_PORT, FA_SEQADJ, FA_HELPER, FA_LABELS, FA_SYNPROXY,
};

const struct attr expect_attrs[XA_MAX] = {
	/* row                  type kind         base       l3  min max   place            makes known */
	[XA_MASTER_IPV4] =    {  0, ATTR_RAW,    BASE_MAIN, V4,  8,  8,   X(master.src),    0, 0 },
	[XA_MASTER_IPV6] =    {  1, ATTR_RAW,    BASE_MAIN, V6, 32, 32,   X(master.src),    0, 0 },
	[XA_MASTER_L4PROTO] = {  2, ATTR_RAW,    BASE_MAIN, 0,   1,  1,   X(master.l4),     0, 0 },
	[XA_MASTER_PORT] =    {  3, ATTR_RAW,    BASE_MAIN, 0,   4,  4,   X(master.sport),  0, 0 },
	[XA_EXPECT_IPV4] =    {  4, ATTR_RAW,    BASE_MAIN, V4,  8,  8,   X(tuple.src),     0, 0 },
	[XA_EXPECT_IPV6] =    {  5, ATTR_RAW,    BASE_MAIN, V6, 32, 32,   X(tuple.src),     0, 0 },
	[XA_EXPECT_L4PROTO] = {  6, ATTR_RAW,    BASE_MAIN, 0,   1,  1,   X(tuple.l4),      0, 0 },
	[XA_EXPECT_PORT] =    {  7, ATTR_RAW,    BASE_MAIN, 0,   4,  4,   X(tuple.sport),   0, 0 },
	[XA_MASK_IPV4] =      {  8, ATTR_RAW,    BASE_MAIN, V4,  8,  8,   X(mask.src),      0, 0 },
	[XA_MASK_IPV6] =      {  9, ATTR_RAW,    BASE_MAIN, V6, 32, 32,   X(mask.src),      0, 0 },
	[XA_MASK_L4PROTO] =   { 10, ATTR_RAW,    BASE_MAIN, 0,   1,  1,   X(mask.l4),       0, 0 },
	[XA_MASK_PORT] =      { 11, ATTR_RAW,    BASE_MAIN, 0,   4,  4,   X(mask.sport),    0, 0 },
	[XA_TIMEOUT] =        { 12, ATTR_BE32,   BASE_MAIN, 0,   4,  4,   X(timeout),       EXPECT_TIMEOUT, 0 },
	[XA_FLAGS] =          { 13, ATTR_BE32,   BASE_MAIN, 0,   4,  4,   X(flags),         0, 0 },
	[XA_CLASS] =          { 14, ATTR_BE32,   BASE_MAIN, 0,   4,  4,   X(class),         EXPECT_CLASS, 0 },
	[XA_NAT_IPV4] =       { 15, ATTR_RAW,    BASE_MAIN, 0,   8,  8,   X(nat.src),       0, 0 },
	[XA_NAT_L4PROTO] =    { 17, ATTR_RAW,    BASE_MAIN, 0,   1,  1,   X(nat.l4),        0, 0 },
	[XA_NAT_PORT] =       { 16, ATTR_RAW,    BASE_MAIN, 0,   4,  4,   X(nat.sport),     0, 0 },
	[XA_NAT_DIR] =        { 18, ATTR_BE32,   BASE_MAIN, 0,   4,  4,   X(nat_dir),       0, 0 },
	[XA_HELPER] =         { 19, ATTR_STR,    BASE_MAIN, 0,   0, 12,   X(helper),        EXPECT_HELPER, 0 },
	[XA_FN] =             { 20, ATTR_STR,    BASE_MAIN, 0,   0, 28,   X(fn),            EXPECT_FN, 0 },
};

const uint8_t expect_attr_of[EXPECT_ATTR_TYPES] = {
	XA_MASTER_IPV4, XA_MASTER_IPV6, XA_MASTER_L4PROTO, XA_MASTER_PORT,
	XA_EXPECT_IPV4, XA_EXPECT_IPV6, XA_EXPECT_L4PROTO, XA_EXPECT_PORT,
	XA_MASK_IPV4, XA_MASK_IPV6, XA_MASK_L4PROTO, XA_MASK_PORT,
	XA_TIMEOUT, XA_FLAGS, XA_CLASS, XA_NAT_IPV4, XA_NAT_PORT, XA_NAT_L4PROTO, XA_NAT_DIR, XA_HELPER, XA_FN,
};
/* clang-format on */

bool
attr_has_ports(uint8_t l4)
{
	return l4 == IPPROTO_TCP || l4 == IPPROTO_UDP || l4 == IPPROTO_SCTP || l4 == IPPROTO_DCCP;
}

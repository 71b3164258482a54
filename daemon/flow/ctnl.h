/*
 * What flows and expectations share on their way to and from ctnetlink: tuples both ways, and the writing of messages
 * and attributes (with the rows that nla.h reads by). Only flow_nl.c and expect_nl.c know it.
 */
#ifndef CTNL_H
#define CTNL_H

#include "flow.h"
#include "nla.h"

/* Writes the rows of which all have bits are in have, in order of type. */
void nla_put_all(struct wr *w, const struct nla_row *rows, size_t n, const void *base, uint32_t have);
void nla_put(struct wr *w, uint16_t type, const void *data, size_t len);
void nla_put_be16(struct wr *w, uint16_t type, uint16_t v);
void nla_put_be32(struct wr *w, uint16_t type, uint32_t v);
void nla_put_str(struct wr *w, uint16_t type, const char *s, size_t max); /* terminated; s fills at most max octets */
/* Where the nest began, for nla_nest_end. */
uint8_t *nla_nest(struct wr *w, uint16_t type);
void nla_nest_end(struct wr *w, uint8_t *nest);
/* String attribute, with or without terminator: false when it does not fit in size - 1 octets. */
bool nla_str(const struct nla *a, char *dst, size_t size);

/* CTA_TUPLE_*: family is that of the message. */
enum nla_tuple_have { TUPLE_L4 = 1 << 0, TUPLE_PORTS = 1 << 1 };
bool nla_get_tuple(const struct nla *a, uint8_t l3, struct flow_tuple *t, uint32_t *have);
void nla_put_tuple(struct wr *w, uint16_t type, uint8_t l3, const struct flow_tuple *t);

/* nlmsghdr and nfgenmsg; nla_msg_end fills in the length. Returns the length or -ENOSPC. */
void nla_msg(struct wr *w, uint16_t type, uint16_t flags, uint32_t seq, uint8_t family);
int nla_msg_end(struct wr *w);

#endif

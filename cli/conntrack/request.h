/*
 * ctnetlink requests from command lines and records. Every verb writes one message of at most NL_MSG_MAX bytes to buf
 * and returns it; the socket numbers and sends it.
 */
#ifndef REQUEST_H
#define REQUEST_H

#include "nl.h"
#include "cmd.h"

/* Dump of the table a command works on. narrow: with the attributes by which newer kernels filter. */
struct nlmsghdr *request_dump(void *buf, const struct cmd *c, uint8_t family, bool narrow);
/* Whether narrow makes a difference. */
bool request_narrows(const struct cmd *c);
/* Whether those attributes compare tuples, for which the kernel insists on a family. */
bool request_compares_tuples(const struct cmd *c);

/* One entry, named by the command line: by its original tuple, or else its reply tuple, in the zone given or zone 0. */
struct nlmsghdr *request_get(void *buf, const struct cmd *c);
/* Whether the command line has one of them whole, so that it can mean no other entry of that zone. */
bool request_names_one(const struct cmd *c);
/* One entry, named by a record; also how an update is shown. */
struct nlmsghdr *request_get_rec(void *buf, const struct ct_rec *rec);

/* NEW for -I (flags NLM_F_CREATE | NLM_F_EXCL) and -A; NULL: what is asked for cannot be (-EINVAL). */
struct nlmsghdr *request_create(void *buf, const struct cmd *c, uint16_t flags);
/* Deletes the entry of a record, and none that took its place. */
struct nlmsghdr *request_delete(void *buf, const struct ct_rec *rec);
/* Deletes what a request_create() of the same command created. */
struct nlmsghdr *request_undo(void *buf, const struct nlmsghdr *created);
/* NEW without create; NULL: the command changes nothing in this entry. */
struct nlmsghdr *request_update(void *buf, const struct cmd *c, const struct ct_rec *rec);

struct nlmsghdr *request_flush(void *buf, const struct cmd *c);

/* Expectations. */
struct nlmsghdr *request_expect(void *buf, const struct cmd *c, uint16_t type, uint16_t flags);

#endif

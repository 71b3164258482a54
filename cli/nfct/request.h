/*
 * What one nfct command line asks of the kernel: a complete netlink message, how to send it and how to show the
 * answer. timeout.c and helper.c make it from arguments without touching a socket; main.c sends it.
 */
#ifndef REQUEST_H
#define REQUEST_H

#include "nl.h"
#include "nla.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum nfct_cmd {
	CMD_LIST,
	CMD_ADD,
	CMD_DELETE,
	CMD_GET,
	CMD_FLUSH,
	CMD_DISABLE,
	CMD_DEFAULT_SET,
	CMD_DEFAULT_GET,
	CMD_MAX
};

/* Where answers go. Errors of arguments are told in err, REQUEST_ERR bytes, as the text behind "nfct v…: ". */
#define REQUEST_ERR 256

struct show {
	FILE *out;
	bool json;
};

struct request {
	union {
		struct nlmsghdr head;
		uint8_t buf[NL_MSG_MAX];
	} msg;
	bool dump;
	nl_msg_fn show; /* arg is a struct show; NULL: nothing to show */
	char busy[96];  /* said after EBUSY; empty: nothing */
};

/* What a command sends, and the words it takes. */
struct verb {
	uint16_t type, flags; /* of the message; type 0: the subsystem has no such command */
	int min, max;
	const char *missing;                                              /* said of fewer than min words */
	int (*put)(struct request *rq, int argc, char **argv, char *err); /* adds attributes; NULL: there are none */
	nl_msg_fn show;
	bool dump;
};

/* argv: the words behind command and subsystem. 0, or -EINVAL with err filled. -ENOSYS: no such command. */
int request_make(struct request *rq, const struct verb *v, int argc, char **argv, char *err);
/* Fills err; always -EINVAL. */
int request_fail(char *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* AF_INET, AF_INET6; AF_UNSPEC when the word is no family. */
uint8_t family_by_name(const char *name);

/* Every attribute up to max by number into tb (max + 1 entries); data is NULL where there was none. -EBADMSG. */
int attrs_index(struct rd r, unsigned max, struct nla *tb);
/* Big-endian number of exactly that size; absent or of another size: 0. */
uint32_t attr_be32(const struct nla *a);
uint16_t attr_be16(const struct nla *a);
uint8_t attr_u8(const struct nla *a);
/* Text up to its terminator or the attribute's end; out gets at most size - 1 bytes. */
void attr_text(const struct nla *a, char *out, size_t size);

#endif

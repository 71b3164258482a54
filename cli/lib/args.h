/*
 * Numbers, addresses and lists as the command line tools read them from arguments. Nothing is truncated: what does
 * not fit or has a tail is refused. All verbs return 0 or a negative errno and leave *out alone on failure, unless
 * said otherwise.
 */
#ifndef ARGS_H
#define ARGS_H

#include "addr.h"

#include <stdbool.h>
#include <stdint.h>

/* C integer literal (decimal, 0x…, 0…) from 0 to max, no sign, no blanks, no tail. -EINVAL, -ERANGE. */
int arg_number(const char *text, uint64_t max, uint64_t *out);
int arg_u32(const char *text, uint32_t *out);
int arg_u16(const char *text, uint16_t *out);

/* Decimal digits only, 0 to max. */
int arg_decimal(const char *text, uint64_t max, uint64_t *out);

/* V or V/M, both u32 literals; an empty M is 0, no M all ones. */
int arg_mark(const char *text, uint32_t *value, uint32_t *mask);

/* IPv4 as inet_aton(), IPv6 as inet_pton(). */
int arg_addr(const char *text, struct addr *out);

/* ADDR or ADDR/len. *len is 32 or 128 without "/len"; *has_len says whether there was one. -EINVAL: bad address,
 * -ERANGE: bad length. */
int arg_cidr(const char *text, struct addr *out, unsigned *len, bool *has_len);

enum nat_arg_error {
	NAT_ARG_OK,
	NAT_ARG_BAD_ADDR,
	NAT_ARG_NO_PORT,
	NAT_ARG_BAD_PORT,
	NAT_ARG_NO_ADDR6,
	NAT_ARG_NO_BRACKET,
};

struct nat_arg {
	struct addr addr;
	bool has_port;
	uint16_t port;
	char bad[64]; /* what is wrong with it: the address or port part */
};

/* A, A:port, IPv6 A or [A]:port. Fills out->bad on errors. */
enum nat_arg_error arg_nat(const char *text, struct nat_arg *out);

/* A keyword a list word may be a prefix of. */
struct arg_word {
	const char *name;
	uint32_t bit;
};

/* First keyword of words (ends with a NULL name) that word[0..len) is a non-empty, case-insensitive prefix of. */
const struct arg_word *arg_word_find(const struct arg_word *words, const char *word, size_t len);

#endif

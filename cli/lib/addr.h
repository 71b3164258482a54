/*
 * An IPv4 or IPv6 address as every part of the tools passes it round, and its text form.
 */
#ifndef ADDR_H
#define ADDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#define ADDR_TEXT_MAX 46

struct addr {
	uint8_t family; /* AF_INET, AF_INET6, or 0: no address */
	union {
		uint8_t b[16];
		uint32_t w[4]; /* network order */
	} u;
};

/* 4, 16 or 0 bytes. */
static inline size_t
addr_size(const struct addr *a)
{
	return a->family == AF_INET ? 4 : a->family == AF_INET6 ? 16 : 0;
}

/* Family and address bytes are the same. */
bool addr_equal(const struct addr *a, const struct addr *b);

/* (a & mask) == (b & mask); all three must have one family. */
bool addr_equal_masked(const struct addr *a, const struct addr *b, const struct addr *mask);

/* The netmask of len leading bits; len must fit the family. */
struct addr addr_mask(uint8_t family, unsigned len);

/* Writes the text inet_ntop() gives, without terminator, to dst (ADDR_TEXT_MAX bytes); returns its length. */
size_t addr_text(const struct addr *a, char *dst);

#endif

/*
 * Addresses: comparison, masks and a text form that needs no library call for the common cases, because a listing
 * writes four of them per flow. The family decides how many bytes count; the others may hold anything.
 */
#include "addr.h"

#include <arpa/inet.h>
#include <string.h>

bool
addr_equal(const struct addr *a, const struct addr *b)
{
	return a->family == b->family && memcmp(a->u.b, b->u.b, addr_size(a)) == 0;
}

bool
addr_equal_masked(const struct addr *a, const struct addr *b, const struct addr *mask)
{
	if (a->family != b->family || a->family != mask->family)
		return false;
	for (size_t i = 0; i < addr_size(a) / 4; i++)
		if ((a->u.w[i] ^ b->u.w[i]) & mask->u.w[i])
			return false;
	return true;
}

struct addr
addr_mask(uint8_t family, unsigned len)
{
	struct addr m = {.family = family};

	for (unsigned i = 0; i < len && i < 128; i++)
		m.u.b[i / 8] |= (uint8_t)(0x80 >> i % 8);
	return m;
}

static char *
put_octet(char *p, unsigned v)
{
	if (v >= 100) {
		*p++ = (char)('0' + v / 100);
		v %= 100;
		*p++ = (char)('0' + v / 10);
	} else if (v >= 10) {
		*p++ = (char)('0' + v / 10);
	}
	*p++ = (char)('0' + v % 10);
	return p;
}

static char *
put_v4(char *p, const uint8_t *b)
{
	for (int i = 0; i < 4; i++) {
		p = put_octet(p, b[i]);
		*p++ = '.';
	}
	return p - 1;
}

static char *
put_hex16(char *p, unsigned v)
{
	static const char digit[] = "0123456789abcdef";
	int shift = v > 0xfff ? 12 : v > 0xff ? 8 : v > 0xf ? 4 : 0;

	for (; shift >= 0; shift -= 4)
		*p++ = digit[v >> shift & 0xf];
	return p;
}

/* First longest run of two or more zero groups: the one that "::" stands for. */
static int
zero_run(const unsigned g[8], int *len)
{
	int at = -1, n = 0;

	*len = 1;
	for (int i = 0; i < 8; i++) {
		n = g[i] == 0 ? n + 1 : 0;
		if (n > *len) {
			*len = n;
			at = i - n + 1;
		}
	}
	return at;
}

static char *
put_v6(char *p, const uint8_t *b)
{
	unsigned g[8];
	int len, at;

	for (int i = 0; i < 8; i++)
		g[i] = (unsigned)b[2 * i] << 8 | b[2 * i + 1];
	at = zero_run(g, &len);
	for (int i = 0; i < 8; i++) {
		if (i == at) {
			*p++ = ':';
			i += len - 1;
			if (i == 7)
				*p++ = ':';
			continue;
		}
		if (i > 0)
			*p++ = ':';
		if (i == 6 && at == 0 && (len == 6 || (len == 5 && g[5] == 0xffff)))
			return put_v4(p, b + 12);
		p = put_hex16(p, g[i]);
	}
	return p;
}

size_t
addr_text(const struct addr *a, char *dst)
{
	if (a->family == AF_INET)
		return (size_t)(put_v4(dst, a->u.b) - dst);
	if (a->family == AF_INET6)
		return (size_t)(put_v6(dst, a->u.b) - dst);
	return 0;
}

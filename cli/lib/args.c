/*
 * Argument values of conntrack and nfct: numbers, addresses, NAT targets, keywords. Trusts nothing in the text.
 */
#include "args.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

int
arg_number(const char *text, uint64_t max, uint64_t *out)
{
	char *end;
	unsigned long long v;

	if (!isdigit((unsigned char)text[0]))
		return -EINVAL;
	errno = 0;
	v = strtoull(text, &end, 0);
	if (*end != '\0')
		return -EINVAL;
	if (errno == ERANGE || v > max)
		return -ERANGE;
	*out = v;
	return 0;
}

int
arg_u32(const char *text, uint32_t *out)
{
	uint64_t v;
	int r = arg_number(text, UINT32_MAX, &v);

	if (r == 0)
		*out = (uint32_t)v;
	return r;
}

int
arg_u16(const char *text, uint16_t *out)
{
	uint64_t v;
	int r = arg_number(text, UINT16_MAX, &v);

	if (r == 0)
		*out = (uint16_t)v;
	return r;
}

int
arg_decimal(const char *text, uint64_t max, uint64_t *out)
{
	uint64_t v = 0;

	if (text[0] == '\0')
		return -EINVAL;
	for (; *text != '\0'; text++) {
		if (*text < '0' || *text > '9')
			return -EINVAL;
		v = v * 10 + (uint64_t)(*text - '0');
		if (v > max)
			return -ERANGE;
	}
	*out = v;
	return 0;
}

int
arg_mark(const char *text, uint32_t *value, uint32_t *mask)
{
	const char *slash = strchr(text, '/');
	uint32_t v, m = UINT32_MAX;
	char head[32];
	int r;

	if (slash == NULL) {
		if ((r = arg_u32(text, &v)) == 0) {
			*value = v;
			*mask = m;
		}
		return r;
	}
	if ((size_t)(slash - text) >= sizeof(head))
		return -EINVAL;
	memcpy(head, text, (size_t)(slash - text));
	head[slash - text] = '\0';
	if ((r = arg_u32(head, &v)) < 0)
		return r;
	m = 0;
	if (slash[1] != '\0' && (r = arg_u32(slash + 1, &m)) < 0)
		return r;
	*value = v;
	*mask = m;
	return 0;
}

/* Plain dotted quads, nearly all there is in a file to load, without the library's generality. */
static bool
dotted_quad(const char *s, uint8_t b[4])
{
	for (int i = 0; i < 4; i++) {
		unsigned v = 0, n = 0;

		for (; *s >= '0' && *s <= '9' && n < 3; s++, n++)
			v = v * 10 + (unsigned)(*s - '0');
		if (n == 0 || v > 255 || (n > 1 && s[-(int)n] == '0') || *s++ != (i < 3 ? '.' : '\0'))
			return false;
		b[i] = (uint8_t)v;
	}
	return true;
}

int
arg_addr(const char *text, struct addr *out)
{
	struct addr a = {.family = AF_INET};
	struct in_addr in;

	if (dotted_quad(text, a.u.b)) {
		*out = a;
		return 0;
	}
	if (strpbrk(text, " \t\n") != NULL) /* inet_aton() would ignore what follows */
		return -EINVAL;
	if (inet_aton(text, &in) != 0) {
		a.u.w[0] = in.s_addr;
	} else if (inet_pton(AF_INET6, text, a.u.b) == 1) {
		a.family = AF_INET6;
	} else {
		return -EINVAL;
	}
	*out = a;
	return 0;
}

int
arg_cidr(const char *text, struct addr *out, unsigned *len, bool *has_len)
{
	const char *slash = strchr(text, '/');
	char head[64];
	struct addr a;
	uint64_t v = 0;

	if (slash == NULL) {
		if (arg_addr(text, &a) < 0)
			return -EINVAL;
		v = addr_size(&a) * 8;
	} else {
		if ((size_t)(slash - text) >= sizeof(head))
			return -EINVAL;
		memcpy(head, text, (size_t)(slash - text));
		head[slash - text] = '\0';
		if (arg_addr(head, &a) < 0)
			return -EINVAL;
		if (slash[1] != '\0' && arg_decimal(slash + 1, addr_size(&a) * 8, &v) < 0)
			return -ERANGE;
	}
	*out = a;
	*len = (unsigned)v;
	*has_len = slash != NULL;
	return 0;
}

static enum nat_arg_error
nat_port(const char *text, struct nat_arg *out)
{
	uint64_t v;

	if (text[0] == '\0')
		return NAT_ARG_NO_PORT;
	snprintf(out->bad, sizeof(out->bad), "%s", text);
	if (arg_decimal(text, UINT16_MAX, &v) < 0)
		return NAT_ARG_BAD_PORT;
	out->has_port = true;
	out->port = (uint16_t)v;
	return NAT_ARG_OK;
}

static enum nat_arg_error
nat_split(const char *addr, size_t len, const char *port, struct nat_arg *out)
{
	enum nat_arg_error e = port != NULL ? nat_port(port, out) : NAT_ARG_OK;

	if (e != NAT_ARG_OK)
		return e;
	snprintf(out->bad, sizeof(out->bad), "%.*s", (int)(len < sizeof(out->bad) ? len : sizeof(out->bad)), addr);
	return len < sizeof(out->bad) && arg_addr(out->bad, &out->addr) == 0 ? NAT_ARG_OK : NAT_ARG_BAD_ADDR;
}

enum nat_arg_error
arg_nat(const char *text, struct nat_arg *out)
{
	const char *colon = strchr(text, ':'), *end;

	memset(out, 0, sizeof(*out));
	if (text[0] == '[') {
		if ((end = strchr(text, ']')) == NULL)
			return NAT_ARG_NO_BRACKET;
		if (end == text + 1)
			return NAT_ARG_NO_ADDR6;
		if (end[1] != ':')
			return nat_split(text, strlen(text), NULL, out);
		return nat_split(text + 1, (size_t)(end - text - 1), end + 2, out);
	}
	if (colon != NULL && strchr(colon + 1, ':') == NULL)
		return nat_split(text, (size_t)(colon - text), colon + 1, out);
	return nat_split(text, strlen(text), NULL, out);
}

const struct arg_word *
arg_word_find(const struct arg_word *words, const char *word, size_t len)
{
	for (; len > 0 && words->name != NULL; words++)
		if (len <= strlen(words->name) && strncasecmp(words->name, word, len) == 0)
			return words;
	return NULL;
}

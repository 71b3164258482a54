/*
 * Words as values; nothing here knows where a word stands.
 */
#include "value.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#define ADDR_MAX 64

int
word_bool(const struct token *t)
{
	if (tok_is_nocase(t, "on") || tok_is_nocase(t, "yes"))
		return 1;
	return tok_is_nocase(t, "off") || tok_is_nocase(t, "no") ? 0 : -1;
}

int
word_num(const struct token *t, uint32_t max, uint32_t *v)
{
	uint64_t n = 0;

	if (t->kind != TOK_WORD)
		return -EINVAL;
	for (size_t i = 0; i < t->len; i++) {
		if (t->s[i] < '0' || t->s[i] > '9')
			return -EINVAL;
		if (n <= max)
			n = n * 10 + (uint64_t)(t->s[i] - '0');
	}
	if (n > max)
		return -ERANGE;
	*v = (uint32_t)n;
	return 0;
}

static bool
read_octet(const char **s, uint8_t *out)
{
	unsigned int dec = 0, oct = 0, n = 0;
	bool leading = **s == '0', is_oct = true;

	for (; **s >= '0' && **s <= '9' && n < 4; (*s)++, n++) {
		dec = dec * 10 + (unsigned int)(**s - '0');
		oct = oct * 8 + (unsigned int)(**s - '0');
		is_oct &= **s < '8';
	}
	*out = (uint8_t)dec;
	/* 010 is 8 for inet_aton() and 10 for people: only what both read alike */
	return n > 0 && dec <= 255 && (!leading || n == 1 || (is_oct && oct == dec));
}

static bool
read_quad(const char *s, uint8_t addr[4])
{
	for (int i = 0; i < 4; i++) {
		if (!read_octet(&s, &addr[i]) || *s != (i < 3 ? '.' : '\0'))
			return false;
		s++;
	}
	return true;
}

int
word_addr(const struct token *t, int family, uint8_t addr[16], int *prefix)
{
	int bits = family == AF_INET ? 32 : 128;
	char buf[ADDR_MAX], *slash;
	struct token len = *t;
	uint32_t n = (uint32_t)bits;

	memset(addr, 0, 16);
	if (!tok_copy(t, buf, sizeof(buf)))
		return -EINVAL;
	if (prefix != NULL && (slash = strchr(buf, '/')) != NULL) {
		*slash = '\0';
		len.s = t->s + (slash + 1 - buf);
		len.len = t->len - (size_t)(slash + 1 - buf);
		if (len.len == 0 || word_num(&len, (uint32_t)bits, &n) != 0)
			return -ERANGE;
	}
	if (family == AF_INET ? !read_quad(buf, addr) : inet_pton(AF_INET6, buf, addr) != 1)
		return -EINVAL;
	if (prefix != NULL)
		*prefix = (int)n;
	return 0;
}

bool
word_is_name(const struct token *t)
{
	for (size_t i = 0; i < t->len; i++)
		if (strchr("/:@%&*?!'`$\\()[]<>|~^+", t->s[i]) != NULL || t->s[0] == '-')
			return false;
	return true;
}

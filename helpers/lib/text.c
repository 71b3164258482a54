/* Text of strangers, octet by octet. Nothing here looks for a terminator or reads beyond the cursor's end. */
#include "text.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

int
text_peek(const struct rd *r)
{
	return r->bad || rd_left(r) == 0 ? -1 : *r->p;
}

bool
text_skip(struct rd *r, char c)
{
	if (text_peek(r) != (uint8_t)c)
		return false;
	r->p++;
	return true;
}

void
text_skip_blanks(struct rd *r)
{
	while (text_skip(r, ' ') || text_skip(r, '\t'))
		;
}

bool
text_word(struct rd *r, const char *w)
{
	size_t n = strlen(w);

	if (r->bad || rd_left(r) < n || strncasecmp((const char *)r->p, w, n) != 0)
		return false;
	r->p += n;
	return true;
}

bool
text_exact(struct rd *r, const char *w)
{
	size_t n = strlen(w);

	if (r->bad || rd_left(r) < n || memcmp(r->p, w, n) != 0)
		return false;
	r->p += n;
	return true;
}

bool
text_find(struct rd *r, const char *w)
{
	size_t n = strlen(w);

	for (; !r->bad && rd_left(r) >= n; r->p++)
		if (strncasecmp((const char *)r->p, w, n) == 0)
			return true;
	return false;
}

struct rd
text_until(struct rd *r, char c)
{
	const uint8_t *stop = r->bad ? NULL : memchr(r->p, c, rd_left(r));
	struct rd before;

	if (stop == NULL) {
		r->bad = true;
		return (struct rd){NULL, NULL, true};
	}
	before = rd_sub(r, (size_t)(stop - r->p));
	r->p++;
	return before;
}

struct rd
text_span(struct rd *r, const char *stop)
{
	size_t n = 0;

	while (n < rd_left(r) && (r->p[n] == '\0' || strchr(stop, r->p[n]) == NULL))
		n++;
	return rd_sub(r, n);
}

struct rd
text_line(struct rd *r)
{
	struct rd line = text_until(r, '\n');

	if (!line.bad && line.p < line.end && line.end[-1] == '\r')
		line.end--;
	return line;
}

bool
text_number(struct rd *r, unsigned int digits, uint32_t most, uint32_t *n)
{
	unsigned int got = 0;
	uint64_t value = 0;
	int c;

	for (; (c = text_peek(r)) >= '0' && c <= '9'; r->p++, got++)
		if (got == digits || (value = value * 10 + (uint64_t)(c - '0')) > most)
			return false;
	*n = (uint32_t)value;
	return got > 0;
}

bool
text_port(struct rd *r, uint32_t *port)
{
	return text_number(r, 5, UINT16_MAX, port) && *port > 0;
}

bool
text_address(struct rd r, int family, uint8_t *address)
{
	char text[ADDRESS_TEXT_MAX] = "";
	size_t n = rd_left(&r);

	if (r.bad || n == 0 || n >= sizeof(text) || memchr(r.p, '\0', n) != NULL)
		return false;
	memcpy(text, r.p, n);
	return inet_pton(family, text, address) == 1;
}

/* Zeros before groups of up to four digits until the text is len long. */
static bool
pad_groups(char text[ADDRESS_TEXT_MAX], size_t len)
{
	char out[ADDRESS_TEXT_MAX];
	size_t n = strlen(text), put = 0, missing = len - n;

	if (len < n || len >= sizeof(out))
		return false;
	for (const char *at = text; *at != '\0';) {
		size_t group = strspn(at, "0123456789abcdef"), room = group > 0 && group < 4 ? 4 - group : 0;

		room = room < missing ? room : missing;
		missing -= room;
		memset(out + put, '0', room);
		memcpy(out + put + room, at, group + (at[group] != '\0'));
		put += room + group + (at[group] != '\0');
		at += group + (at[group] != '\0');
	}
	out[put] = '\0';
	strcpy(text, out);
	return missing == 0;
}

bool
address_text(int family, const uint8_t *address, size_t len, char text[ADDRESS_TEXT_MAX])
{
	size_t at = 0;

	if (inet_ntop(family, address, text, ADDRESS_TEXT_MAX) == NULL)
		return false;
	if (len == 0 || strlen(text) == len)
		return true;
	if (family == AF_INET)
		return false;
	if (strchr(text, '.') == NULL && pad_groups(text, len))
		return true;
	for (int i = 0; i < 16; i += 2) /* without the short form of zeros there is room in every group */
		at += (size_t)snprintf(text + at, ADDRESS_TEXT_MAX - at, "%s%x", i > 0 ? ":" : "",
				       (unsigned int)(address[i] << 8 | address[i + 1]));
	return pad_groups(text, len);
}

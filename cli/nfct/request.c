/*
 * Bounded reading of nfnetlink answers, and the words both subsystems share. The kernel's bytes are not trusted:
 * lengths are checked before anything is read.
 */
#include "request.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

uint8_t
family_by_name(const char *name)
{
	if (strcmp(name, "inet") == 0)
		return AF_INET;
	return strcmp(name, "inet6") == 0 ? AF_INET6 : AF_UNSPEC;
}

int
attrs_index(const void *data, size_t len, unsigned max, const struct nlattr **tb)
{
	const uint8_t *p = data;

	memset(tb, 0, (max + 1) * sizeof(*tb));
	while (len >= NLA_HDRLEN) {
		const struct nlattr *a = (const struct nlattr *)(const void *)p;
		unsigned type = a->nla_type & NLA_TYPE_MASK;
		size_t step = NLA_ALIGN(a->nla_len);

		if (a->nla_len < NLA_HDRLEN || a->nla_len > len)
			return -EBADMSG;
		if (type <= max)
			tb[type] = a;
		step = step < len ? step : len;
		p += step;
		len -= step;
	}
	return len == 0 ? 0 : -EBADMSG;
}

int
attrs_of_msg(const struct nlmsghdr *nlh, unsigned max, const struct nlattr **tb)
{
	const size_t head = NLMSG_LENGTH(sizeof(struct nfgenmsg));

	if (nlh->nlmsg_len < head)
		return -EBADMSG;
	return attrs_index((const uint8_t *)nlh + head, nlh->nlmsg_len - head, max, tb);
}

static bool
attr_read(const struct nlattr *a, void *out, size_t size)
{
	if (a == NULL || a->nla_len != NLA_HDRLEN + size)
		return false;
	memcpy(out, (const uint8_t *)a + NLA_HDRLEN, size);
	return true;
}

uint32_t
attr_be32(const struct nlattr *a)
{
	uint32_t v;

	return attr_read(a, &v, sizeof(v)) ? ntohl(v) : 0;
}

uint16_t
attr_be16(const struct nlattr *a)
{
	uint16_t v;

	return attr_read(a, &v, sizeof(v)) ? ntohs(v) : 0;
}

uint8_t
attr_u8(const struct nlattr *a)
{
	uint8_t v;

	return attr_read(a, &v, sizeof(v)) ? v : 0;
}

void
attr_text(const struct nlattr *a, char *out, size_t size)
{
	size_t n;

	if (a == NULL) {
		out[0] = '\0';
		return;
	}
	n = a->nla_len - NLA_HDRLEN;
	n = n < size ? n : size - 1;
	if (n > 0)
		n = strnlen((const char *)a + NLA_HDRLEN, n);
	if (n > 0)
		memcpy(out, (const uint8_t *)a + NLA_HDRLEN, n);
	out[n] = '\0';
}

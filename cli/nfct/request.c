/*
 * What both subsystems share: a command's words become one message, an answer's attributes are found by number. The
 * kernel's bytes are not trusted: lengths are checked before anything is read.
 */
#include "request.h"

#include <errno.h>
#include <stdarg.h>
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
request_fail(char *err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(err, REQUEST_ERR, fmt, ap);
	va_end(ap);
	return -EINVAL;
}

int
request_make(struct request *rq, const struct verb *v, int argc, char **argv, char *err)
{
	memset(rq, 0, sizeof(*rq));
	if (v->type == 0)
		return -ENOSYS;
	if (argc < v->min)
		return request_fail(err, "%s", v->missing);
	if (argc > v->max)
		return request_fail(err, "too many arguments");
	nl_request(&rq->msg, v->type, v->flags, AF_UNSPEC);
	rq->dump = v->dump;
	rq->show = v->show;
	return v->put == NULL ? 0 : v->put(rq, argc, argv, err);
}

int
attrs_index(struct rd r, unsigned max, struct nla *tb)
{
	struct nla a;

	memset(tb, 0, (max + 1) * sizeof(*tb));
	while (nla_next(&r, &a))
		if (a.type <= max)
			tb[a.type] = a;
	return r.bad ? -EBADMSG : 0;
}

uint32_t
attr_be32(const struct nla *a)
{
	return a->len == sizeof(uint32_t) ? nla_be32(a) : 0;
}

uint16_t
attr_be16(const struct nla *a)
{
	return a->len == sizeof(uint16_t) ? (uint16_t)(a->data[0] << 8 | a->data[1]) : 0;
}

uint8_t
attr_u8(const struct nla *a)
{
	return a->len == sizeof(uint8_t) ? a->data[0] : 0;
}

void
attr_text(const struct nla *a, char *out, size_t size)
{
	size_t n = a->len < size ? a->len : size - 1;

	if (n > 0) {
		n = strnlen((const char *)a->data, n);
		memcpy(out, a->data, n);
	}
	out[n] = '\0';
}

/* Lines about ended flows, and their way to the log worker. What an event says was chosen by packets. */
#include "flowlog.h"

#include <errno.h>
#include <libnetfilter_conntrack/libnetfilter_conntrack.h>
#include <libnetfilter_conntrack/libnetfilter_conntrack_tcp.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct record {
	uint32_t len, lines;
	char text[FLOWLOG_RECORD];
};

struct flowlog {
	int fd;
	struct flowlog_counts count;
	time_t second; /* of when */
	char when[32];
	unsigned int first, n; /* of kept: those that wait; the last one is being filled */
	struct record *kept[FLOWLOG_KEPT];
};

struct flowlog *
flowlog_new(int fd)
{
	struct flowlog *l = calloc(1, sizeof(*l));

	if (l != NULL)
		l->fd = fd;
	return l;
}

void
flowlog_free(struct flowlog *l)
{
	if (l == NULL)
		return;
	for (unsigned int i = 0; i < FLOWLOG_KEPT; i++)
		free(l->kept[i]);
	close(l->fd);
	free(l);
}

static struct record *
at(const struct flowlog *l, unsigned int i)
{
	return l->kept[(l->first + i) % FLOWLOG_KEPT];
}

/* The record that has room for one more line; NULL: all are full. */
static struct record *
room(struct flowlog *l)
{
	struct record **next = &l->kept[(l->first + l->n) % FLOWLOG_KEPT];

	if (l->n > 0 && sizeof(at(l, 0)->text) - at(l, l->n - 1)->len >= FLOWLOG_LINE)
		return at(l, l->n - 1);
	if (l->n == FLOWLOG_KEPT || (*next == NULL && (*next = malloc(sizeof(**next))) == NULL))
		return NULL;
	(*next)->len = (*next)->lines = 0;
	l->n++;
	return *next;
}

/* As ctime(), in local time. */
static void
set_time(struct flowlog *l, time_t now)
{
	struct tm tm;

	if (now == l->second)
		return;
	l->second = now;
	if (localtime_r(&now, &tm) == NULL || strftime(l->when, sizeof(l->when), "%a %b %e %H:%M:%S %Y", &tm) == 0)
		l->when[0] = '\0';
}

/* Length of the line, 0: it cannot be told. */
static size_t
line_of(const struct flowlog *l, const struct nf_conntrack *ct, char *text, size_t size)
{
	int head = snprintf(text, size, "%s\t", l->when), n;

	if (head <= 0 || (size_t)head + 1 >= size)
		return 0;
	n = nfct_snprintf(text + head, size - (size_t)head - 1, ct, NFCT_T_UNKNOWN, NFCT_O_PLAIN, 0);
	if (n <= 0 || (size_t)n >= size - (size_t)head - 1)
		return 0;
	n += head;
	text[n] = '\n';
	return (size_t)n + 1;
}

/* ct: NULL when it is not known what the flow was. */
static void
add(struct flowlog *l, const struct nf_conntrack *ct, time_t now)
{
	struct record *r = ct != NULL ? room(l) : NULL;
	size_t len;

	set_time(l, now);
	len = r != NULL ? line_of(l, ct, r->text + r->len, FLOWLOG_LINE) : 0;
	if (len == 0) {
		l->count.lost++;
		return;
	}
	r->len += (uint32_t)len;
	r->lines++;
	l->count.lines++;
}

void
flowlog_add(struct flowlog *l, const struct nlmsghdr *nlh, time_t now)
{
	struct nf_conntrack *ct = nfct_new();

	if (ct != NULL && nfct_nlmsg_parse(nlh, ct) == 0) {
		nfct_attr_unset(ct, ATTR_TIMEOUT); /* newer kernels tell how much was left */
		add(l, ct, now);
	} else
		add(l, NULL, now);
	if (ct != NULL)
		nfct_destroy(ct);
}

static void
set_addresses(struct nf_conntrack *ct, const struct flow *f)
{
	static const enum nf_conntrack_attr v4[] = {ATTR_ORIG_IPV4_SRC, ATTR_ORIG_IPV4_DST, ATTR_REPL_IPV4_SRC,
						    ATTR_REPL_IPV4_DST};
	static const enum nf_conntrack_attr v6[] = {ATTR_ORIG_IPV6_SRC, ATTR_ORIG_IPV6_DST, ATTR_REPL_IPV6_SRC,
						    ATTR_REPL_IPV6_DST};

	nfct_set_attr_u8(ct, ATTR_ORIG_L3PROTO, f->l3);
	nfct_set_attr_u8(ct, ATTR_ORIG_L4PROTO, f->l4);
	nfct_set_attr_u8(ct, ATTR_REPL_L3PROTO, f->l3);
	nfct_set_attr_u8(ct, ATTR_REPL_L4PROTO, f->l4);
	for (int i = 0; i < 4; i++)
		nfct_set_attr(ct, f->l3 == AF_INET ? v4[i] : v6[i], flow_addr(f, (enum flow_addr)i));
}

static void
set_ports(struct nf_conntrack *ct, const struct flow *f)
{
	static const enum nf_conntrack_attr port[] = {ATTR_ORIG_PORT_SRC, ATTR_ORIG_PORT_DST, ATTR_REPL_PORT_SRC,
						      ATTR_REPL_PORT_DST};
	const uint8_t *type = (const uint8_t *)&f->port[1];

	if (flow_is_icmp(f->l4)) {
		nfct_set_attr_u16(ct, ATTR_ICMP_ID, f->port[0]);
		nfct_set_attr_u8(ct, ATTR_ICMP_TYPE, type[0]);
		nfct_set_attr_u8(ct, ATTR_ICMP_CODE, type[1]);
		return;
	}
	for (int i = 0; i < 4 && f->have & FLOW_PORTS; i++)
		nfct_set_attr_u16(ct, port[i], f->port[i]);
}

static void
set_state(struct nf_conntrack *ct, const struct flow *f)
{
	if (f->have & FLOW_STATE)
		nfct_set_attr_u8(ct,
				 f->l4 == IPPROTO_TCP    ? ATTR_TCP_STATE
				 : f->l4 == IPPROTO_SCTP ? ATTR_SCTP_STATE
							 : ATTR_DCCP_STATE,
				 f->state);
}

void
flowlog_add_known(struct flowlog *l, const struct flow *f, time_t now)
{
	struct nf_conntrack *ct = nfct_new();

	if (ct != NULL) {
		set_addresses(ct, f);
		set_ports(ct, f);
		set_state(ct, f);
		nfct_set_attr_u32(ct, ATTR_STATUS, f->status);
		if (f->mark != 0)
			nfct_set_attr_u32(ct, ATTR_MARK, f->mark);
		if (f->zone != 0)
			nfct_set_attr_u16(ct, ATTR_ZONE, f->zone);
	}
	add(l, ct, now);
	if (ct != NULL)
		nfct_destroy(ct);
}

bool
flowlog_flush(struct flowlog *l)
{
	for (; l->n > 0; l->first = (l->first + 1) % FLOWLOG_KEPT, l->n--) {
		const struct record *r = at(l, 0);

		if (r->len == 0 || send(l->fd, r->text, r->len, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)r->len)
			continue;
		if (errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS)
			return true;
		l->count.lines -= r->lines; /* nobody reads them any more */
		l->count.lost += r->lines;
	}
	return false;
}

int
flowlog_fd(const struct flowlog *l)
{
	return l->fd;
}

const struct flowlog_counts *
flowlog_counts(const struct flowlog *l)
{
	return &l->count;
}

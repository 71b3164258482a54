/*
 * Records of the daemon's caches to lines. The formats are those of cli/lib; here they get their records and the ages
 * that only a cache knows. Names in the records may come from a peer: what is not printable is shown as "?".
 */
#include "show.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ctnames.h"

static const struct fmt plain;

static struct addr
to_addr(uint8_t family, const uint32_t *words)
{
	struct addr a = {.family = family};

	memcpy(a.u.w, words, addr_size(&a));
	return a;
}

/* ICMP keeps id in the first port and type, code in the second. */
static void
to_ids(struct ct_tuple *t, const uint16_t port[2])
{
	if (l4_name(t->proto)->kind == L4_ICMP) {
		t->icmp_id = ntohs(port[0]);
		t->icmp_type = (uint8_t)(ntohs(port[1]) >> 8);
		t->icmp_code = (uint8_t)ntohs(port[1]);
		t->has |= TUPLE_ID | TUPLE_TYPE | TUPLE_CODE;
		return;
	}
	t->sport = ntohs(port[0]);
	t->dport = ntohs(port[1]);
	t->has |= TUPLE_SPORT | TUPLE_DPORT;
}

static struct ct_tuple
to_tuple(uint8_t family, uint8_t l4, const uint32_t *src, const uint32_t *dst, const uint16_t port[2])
{
	struct ct_tuple t = {.has = TUPLE_SRC | TUPLE_DST | TUPLE_PROTO, .proto = l4};

	t.src = to_addr(family, src);
	t.dst = to_addr(family, dst);
	to_ids(&t, port);
	return t;
}

/* Cleans in place: the record is a copy. */
static struct text
to_text(char *s)
{
	for (char *p = s; *p != '\0'; p++)
		if (*p <= ' ' || *p >= 0x7f)
			*p = '?';
	return (struct text){s, strlen(s)};
}

static const struct {
	uint32_t have, rec;
} marks[] = {
	{FLOW_STATUS, REC_STATUS}, {FLOW_MARK, REC_MARK}, {FLOW_ZONE, REC_ZONE},
	{FLOW_STATE, REC_STATE},   {FLOW_ID, REC_ID},
};

static void
to_rec(struct flow_rec *from, struct ct_rec *r)
{
	struct flow *f = &from->flow;

	*r = (struct ct_rec){
		.family = f->l3, .status = f->status, .mark = f->mark, .id = f->id, .zone = f->zone, .state = f->state};
	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
		r->has |= f->have & marks[i].have ? marks[i].rec : 0;
	r->orig = to_tuple(f->l3, f->l4, flow_addr(f, ORIG_SRC), flow_addr(f, ORIG_DST), f->port);
	r->has |= REC_ORIG;
	if (f->have & FLOW_REPLY) {
		r->reply = to_tuple(f->l3, f->l4, flow_addr(f, REPL_SRC), flow_addr(f, REPL_DST), f->port + 2);
		r->has |= REC_REPLY;
	}
	if (f->have & FLOW_ZONE_ONE_WAY) {
		struct ct_tuple *t = f->have & FLOW_ZONE_ORIG ? &r->orig : &r->reply;

		t->zone = f->zone;
		t->has |= TUPLE_ZONE;
	}
	if (f->have & FLOW_HELPER && f->side != NULL)
		r->helper = to_text(f->side->helper);
}

static void
take_back(struct out *o, size_t n)
{
	o->len -= o->len < n ? o->len : n;
}

static void
put_age(struct out *o, const char *before, uint32_t v, const char *after)
{
	out_str(o, before);
	out_u64(o, v);
	out_str(o, after);
}

/* Lines are complete when they come from cli/lib; the ages go before their end. */
static void
show_text(struct show *s, const struct flow_rec *from, struct ct_rec *r)
{
	if (s->external)
		r->has &= ~(uint32_t)REC_REPLY;
	text_flow(&s->out, r, &plain);
	take_back(&s->out, 1);
	if (from->expires > 0)
		put_age(&s->out, " [expires in ", from->expires, "s]");
	put_age(&s->out, " [active since ", from->age, "s]\n");
}

static void
show_xml(struct show *s, const struct flow_rec *from, struct ct_rec *r)
{
	(void)from;
	if (s->external)
		r->reply = (struct ct_tuple){.has = 0};
	xml_flow(&s->out, r, &plain);
}

static void
show_json(struct show *s, const struct flow_rec *from, struct ct_rec *r)
{
	if (from->flow.have & FLOW_TIMEOUT) {
		r->timeout = from->flow.timeout;
		r->has |= REC_TIMEOUT;
	}
	json_flow(&s->out, r, &plain);
	take_back(&s->out, 2);
	put_age(&s->out, ",\"active_since\":", from->age, "");
	put_age(&s->out, ",\"updated_since\":", from->updated, "");
	if (from->expires > 0)
		put_age(&s->out, ",\"expires_in\":", from->expires, "");
	out_str(&s->out, "}\n");
}

static void (*const show_flow[])(struct show *, const struct flow_rec *, struct ct_rec *) = {
	[FORMAT_TEXT] = show_text,
	[FORMAT_XML] = show_xml,
	[FORMAT_JSON] = show_json,
};

static struct ct_tuple
to_exp_tuple(uint8_t family, const struct flow_tuple *t)
{
	const uint16_t port[2] = {t->sport, t->dport};

	return to_tuple(family, t->l4, t->src, t->dst, port);
}

static void
to_exp(struct expect *e, struct exp_rec *r)
{
	*r = (struct exp_rec){.family = e->l3,
			      .has = EXP_TUPLE | EXP_MASK | EXP_MASTER,
			      .exp_flags = e->flags,
			      .class = e->class,
			      .zone = e->zone};
	r->tuple = to_exp_tuple(e->l3, &e->tuple);
	r->mask = to_exp_tuple(e->l3, &e->mask);
	r->master = to_exp_tuple(e->l3, &e->master);
	r->has |= e->have & EXPECT_CLASS ? EXP_CLASS : 0;
	r->has |= e->have & EXPECT_ZONE ? EXP_ZONE : 0;
	r->has |= e->flags != 0 ? EXP_FLAGS : 0;
	if (e->have & EXPECT_HELPER)
		r->helper = to_text(e->helper);
}

static void
show_expect(struct show *s, struct ctl_expect *from)
{
	struct exp_rec r;

	to_exp(&from->expect, &r);
	if (s->format == FORMAT_XML) {
		xml_expect(&s->out, &r, &plain);
		return;
	}
	if (s->format == FORMAT_TEXT) {
		text_expect(&s->out, &r, &plain);
		take_back(&s->out, 1);
		put_age(&s->out, " [active since ", from->age, "s]\n");
		return;
	}
	json_expect(&s->out, &r, &plain);
	take_back(&s->out, 2);
	put_age(&s->out, ",\"active_since\":", from->age, "");
	put_age(&s->out, ",\"updated_since\":", from->updated, "}\n");
}

static int
flows(struct show *s, struct rd r)
{
	struct flow_rec from;
	struct ct_rec rec;
	int n;

	while ((n = client_flow(&r, &from)) == 1) {
		to_rec(&from, &rec);
		show_flow[s->format](s, &from, &rec);
	}
	return n;
}

static int
expects(struct show *s, struct rd r)
{
	struct ctl_expect from;
	int n;

	while ((n = client_expect(&r, &from)) == 1)
		show_expect(s, &from);
	return n;
}

/* A pipe or terminal that is ready takes at least this much at once. */
static bool
takes_piece(int fd)
{
	struct pollfd p = {fd, POLLOUT, 0};

	return poll(&p, 1, 0) == 1;
}

/* Writes up to n octets. False: not now, or never again (out.err). */
static bool
write_piece(struct show *s, size_t n)
{
	size_t left = s->out.len - s->sent;
	ssize_t done = write(s->out.fd, s->out.buf + s->sent, left < n ? left : n);

	if (done == -1 && errno != EINTR)
		s->out.err = errno;
	s->sent += done > 0 ? (size_t)done : 0;
	return done > 0;
}

static void
drain(struct show *s)
{
	struct out *o = &s->out;

	if (!s->pipe) {
		out_drain(o);
		return;
	}
	while (s->sent < o->len && takes_piece(o->fd) && write_piece(s, PIPE_BUF))
		;
	if (s->sent < o->len / 2)
		return;
	memmove(o->buf, o->buf + s->sent, o->len - s->sent);
	o->len -= s->sent;
	s->sent = 0;
}

int
show_records(void *ctx, uint32_t type, const uint8_t *payload, size_t len)
{
	struct show *s = ctx;
	struct rd r = rd_init(payload, len);
	int n = type == CTL_R_FLOW ? flows(s, r) : type == CTL_R_EXPECT ? expects(s, r) : -EBADMSG;

	if (n == 0)
		drain(s);
	return n < 0 ? n : -s->out.err;
}

int
show_init(struct show *s, int fd, const struct request *q)
{
	struct stat st;

	s->sent = 0;
	s->pipe = fstat(fd, &st) == 0 && !S_ISREG(st.st_mode);
	s->format = q->format;
	s->external = q->caches == CTL_EXTERNAL;
	return out_init(&s->out, fd);
}

int
show_done(struct show *s)
{
	int err;

	memmove(s->out.buf, s->out.buf + s->sent, s->out.len - s->sent);
	s->out.len -= s->sent;
	out_flush(&s->out);
	err = s->out.err;
	out_done(&s->out);
	return -err;
}

/*
 * The text line of -L, -G, -D, -U and -E. Strings from the kernel (helper, security context) are bounded by the
 * decoder.
 */
#include "ctnames.h"
#include "fmt.h"

#include <linux/netfilter/nfnetlink_conntrack.h>
#include <stdio.h>

/* A literal whose length the compiler knows. */
#define PUT(o, s) out_mem(o, s, sizeof(s) - 1)

static const struct {
	const char *text;
	size_t len;
} tags[EV_MAX] = {
	[EV_NONE] = {"", 0},
	[EV_NEW] = {"    [NEW] ", 10},
	[EV_UPDATE] = {" [UPDATE] ", 10},
	[EV_DESTROY] = {"[DESTROY] ", 10},
};

enum fmt_event
fmt_event_of(uint16_t type, uint16_t flags)
{
	if (type == IPCTNL_MSG_CT_DELETE)
		return EV_DESTROY;
	if (type != IPCTNL_MSG_CT_NEW)
		return EV_NONE;
	return flags & NLM_F_CREATE ? EV_NEW : EV_UPDATE;
}

static inline void
put_number(struct out *o, const char *name, size_t len, uint64_t v)
{
	out_mem(o, name, len);
	out_u64(o, v);
	PUT(o, " ");
}
#define NUMBER(o, name, v) put_number(o, name, sizeof(name) - 1, v)

static void
put_ports(struct out *o, const struct ct_tuple *t)
{
	NUMBER(o, "sport=", t->sport);
	NUMBER(o, "dport=", t->dport);
}

static void
put_keys(struct out *o, const struct ct_tuple *t)
{
	PUT(o, "srckey=");
	out_hex(o, t->sport);
	PUT(o, " dstkey=");
	out_hex(o, t->dport);
	PUT(o, " ");
}

static void
put_icmp(struct out *o, const struct ct_tuple *t)
{
	NUMBER(o, "type=", t->icmp_type);
	NUMBER(o, "code=", t->icmp_code);
	NUMBER(o, "id=", t->icmp_id);
}

static void
put_l4(struct out *o, const struct ct_tuple *t, uint8_t proto)
{
	static void (*const put[])(struct out *, const struct ct_tuple *) = {
		[L4_PORTS] = put_ports,
		[L4_KEYS] = put_keys,
		[L4_ICMP] = put_icmp,
	};
	enum l4_kind kind = l4_name(proto)->kind;

	if (kind != L4_NONE)
		put[kind](o, t);
}

static void
put_tuple(struct out *o, const char *src, const char *dst, const struct ct_tuple *t, uint8_t proto)
{
	out_str(o, src);
	out_addr(o, &t->src);
	out_str(o, dst);
	out_addr(o, &t->dst);
	PUT(o, " ");
	put_l4(o, t, proto);
}

static void
put_side(struct out *o, const struct ct_rec *rec, int side)
{
	const struct ct_tuple *t = side ? &rec->reply : &rec->orig;

	put_tuple(o, "src=", " dst=", t, rec->orig.proto);
	if (t->has & TUPLE_ZONE)
		side ? NUMBER(o, "zone-reply=", t->zone) : NUMBER(o, "zone-orig=", t->zone);
	if (rec->has & (side ? REC_COUNT_REPLY : REC_COUNT_ORIG)) {
		NUMBER(o, "packets=", rec->count[side].packets);
		NUMBER(o, "bytes=", rec->count[side].bytes);
	}
}

static void
put_when(struct out *o, const struct timespec *when)
{
	out_fmt(o, "[%-.8ld.%-.6ld]\t", (long)when->tv_sec, when->tv_nsec / 1000);
}

static void
put_head(struct out *o, const struct ct_rec *rec, const struct fmt *f)
{
	const struct l4_name *l4 = l4_name(rec->orig.proto);
	const char *state = rec->has & REC_STATE ? state_name(rec->orig.proto, rec->state) : NULL;

	if (f->timestamp && f->event != EV_NONE)
		put_when(o, &f->when);
	out_mem(o, tags[f->event].text, tags[f->event].len);
	if (f->extended)
		out_str(o, rec->orig.src.family == AF_INET6 ? "ipv6     10 " : "ipv4     2 ");
	if (l4->column != NULL)
		out_str(o, l4->column);
	else
		NUMBER(o, "unknown  ", rec->orig.proto);
	if (rec->has & REC_TIMEOUT)
		NUMBER(o, "", rec->timeout);
	if (state != NULL) {
		out_str(o, state);
		PUT(o, " ");
	}
}

static void
put_ctime(struct out *o, const char *name, uint64_t ns)
{
	time_t t = (time_t)(ns / 1000000000);
	struct tm tm;
	char text[64];

	if (localtime_r(&t, &tm) == NULL || strftime(text, sizeof(text), "%a %b %e %H:%M:%S %Y", &tm) == 0)
		return;
	out_fmt(o, "[%s=%s] ", name, text);
}

static void
put_times(struct out *o, const struct ct_rec *rec, const struct fmt *f)
{
	uint64_t start = rec->start / 1000000000, end;

	if (!(rec->has & REC_START))
		return;
	end = rec->has & REC_STOP ? rec->stop / 1000000000 : (uint64_t)f->now;
	NUMBER(o, "delta-time=", end > start ? end - start : 0);
	if (!f->ktimestamp)
		return;
	put_ctime(o, "start", rec->start);
	if (rec->has & REC_STOP)
		put_ctime(o, "stop", rec->stop);
}

static void
put_labels(struct out *o, const struct ct_rec *rec, const struct labelmap *map)
{
	const char *sep = "labels=";

	for (unsigned i = 0; i < rec->label_words * 32; i++) {
		const char *name = ct_rec_label(rec, i) ? labelmap_name(map, i) : NULL;

		if (name == NULL)
			continue;
		out_str(o, sep);
		out_str(o, name);
		sep = ",";
	}
	if (*sep == ',')
		PUT(o, " ");
}

static void
put_text(struct out *o, const char *name, const struct text *t)
{
	if (t->p == NULL)
		return;
	out_str(o, name);
	out_mem(o, t->p, t->len);
	PUT(o, " ");
}

static void
put_flag(struct out *o, uint32_t status)
{
	if (status & CT_HW_OFFLOAD)
		PUT(o, "[HW_OFFLOAD] ");
	else if (status & IPS_OFFLOAD)
		PUT(o, "[OFFLOAD] ");
	else if (status & IPS_ASSURED)
		PUT(o, "[ASSURED] ");
}

static void
put_tail(struct out *o, const struct ct_rec *rec, const struct fmt *f)
{
	put_flag(o, rec->status);
	if (rec->has & REC_MARK)
		NUMBER(o, "mark=", rec->mark);
	if (rec->has & REC_SECMARK)
		NUMBER(o, "secmark=", rec->secmark);
	put_text(o, "secctx=", &rec->secctx);
	if (rec->has & REC_ZONE)
		NUMBER(o, "zone=", rec->zone);
	put_times(o, rec, f);
	put_text(o, "helper=", &rec->helper);
	if (rec->has & REC_USE)
		NUMBER(o, "use=", rec->use);
	if (f->id && rec->has & REC_ID)
		NUMBER(o, "id=", rec->id);
	if (f->labels != NULL && rec->labels != NULL)
		put_labels(o, rec, f->labels);
}

/* A line ends without the blank that follows its last field. */
static void
trim(struct out *o)
{
	if (o->len > 0 && o->buf[o->len - 1] == ' ')
		o->len--;
}

void
text_origin(struct out *o, uint32_t portid, const char *progname)
{
	if (portid == 0)
		return;
	PUT(o, " [USERSPACE] portid=");
	out_u64(o, portid);
	if (progname != NULL) {
		PUT(o, " progname=");
		out_str(o, progname);
	}
}

void
text_flow(struct out *o, const struct ct_rec *rec, const struct fmt *f)
{
	put_head(o, rec, f);
	put_side(o, rec, 0);
	if (rec->has & REC_STATUS && !(rec->status & IPS_SEEN_REPLY))
		PUT(o, "[UNREPLIED] ");
	if (rec->has & REC_REPLY)
		put_side(o, rec, 1);
	put_tail(o, rec, f);
	trim(o);
	if (f->event != EV_NONE)
		text_origin(o, rec->portid, f->progname);
	PUT(o, "\n");
}

static void
put_exp_flags(struct out *o, uint32_t flags)
{
	static const char *const name[] = {"PERMANENT", "INACTIVE", "USERSPACE"};
	const char *sep = "";

	for (unsigned i = 0; i < 3; i++)
		if (flags >> i & 1) {
			out_str(o, sep);
			out_str(o, name[i]);
			sep = ",";
		}
	if (*sep != '\0')
		PUT(o, " ");
}

void
text_expect(struct out *o, const struct exp_rec *rec, const struct fmt *f)
{
	if (f->timestamp)
		put_when(o, &f->when);
	out_mem(o, tags[f->event].text, tags[f->event].len);
	if (rec->has & EXP_TIMEOUT)
		NUMBER(o, "", rec->timeout);
	NUMBER(o, "proto=", rec->tuple.proto);
	put_tuple(o, "src=", " dst=", &rec->tuple, rec->tuple.proto);
	put_tuple(o, "mask-src=", " mask-dst=", &rec->mask, rec->tuple.proto);
	put_tuple(o, "master-src=", " master-dst=", &rec->master, rec->master.proto);
	if (rec->has & EXP_ZONE)
		NUMBER(o, "zone=", rec->zone);
	put_exp_flags(o, rec->exp_flags);
	if (rec->has & EXP_CLASS)
		NUMBER(o, "class=", rec->class);
	if (rec->helper.p != NULL) {
		PUT(o, "helper=");
		out_mem(o, rec->helper.p, rec->helper.len);
	}
	trim(o);
	PUT(o, "\n");
}

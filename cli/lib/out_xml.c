/*
 * XML, one element a line. Strings that come from outside are escaped.
 */
#include "ctnames.h"
#include "fmt.h"

#define PUT(o, s) out_mem(o, s, sizeof(s) - 1)

static void
put_escaped(struct out *o, const char *p, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char ch = (unsigned char)p[i];

		if (ch == '<')
			PUT(o, "&lt;");
		else if (ch == '>')
			PUT(o, "&gt;");
		else if (ch == '&')
			PUT(o, "&amp;");
		else if (ch >= ' ' || ch == '\t')
			out_mem(o, p + i, 1);
		else
			PUT(o, "?"); /* XML has no way to say it */
	}
}

struct tag {
	const char *open, *close;
	uint8_t open_len, close_len;
};
#define TAG(name)                                                               \
	(struct tag)                                                            \
	{                                                                       \
		"<" name ">", "</" name ">", sizeof(name) + 1, sizeof(name) + 2 \
	}

static inline void
put_number(struct out *o, struct tag t, uint64_t v)
{
	out_mem(o, t.open, t.open_len);
	out_u64(o, v);
	out_mem(o, t.close, t.close_len);
}

static void
put_hex(struct out *o, struct tag t, uint32_t v)
{
	out_mem(o, t.open, t.open_len);
	out_hex(o, v);
	out_mem(o, t.close, t.close_len);
}

static void
put_string(struct out *o, struct tag t, const char *p, size_t len)
{
	out_mem(o, t.open, t.open_len);
	put_escaped(o, p, len);
	out_mem(o, t.close, t.close_len);
}

static void
put_addr(struct out *o, struct tag t, const struct addr *a)
{
	out_mem(o, t.open, t.open_len);
	out_addr(o, a);
	out_mem(o, t.close, t.close_len);
}

static void
put_layer3(struct out *o, uint8_t family)
{
	if (family == AF_INET6)
		PUT(o, "<layer3 protonum=\"10\" protoname=\"ipv6\">");
	else if (family == 0) /* a direction that nobody told us */
		PUT(o, "<layer3 protonum=\"0\" protoname=\"unknown\">");
	else
		PUT(o, "<layer3 protonum=\"2\" protoname=\"ipv4\">");
}

static void
put_layer4(struct out *o, uint8_t proto)
{
	PUT(o, "<layer4 protonum=\"");
	out_u64(o, proto);
	PUT(o, "\" protoname=\"");
	out_str(o, l4_name(proto)->name);
	PUT(o, "\">");
}

static void
put_addrs(struct out *o, const struct ct_tuple *t)
{
	put_addr(o, TAG("src"), &t->src);
	put_addr(o, TAG("dst"), &t->dst);
}

static void
put_ids(struct out *o, const struct ct_tuple *t, uint8_t proto)
{
	enum l4_kind kind = l4_name(proto)->kind;

	if (kind == L4_PORTS) {
		put_number(o, TAG("sport"), t->sport);
		put_number(o, TAG("dport"), t->dport);
	} else if (kind == L4_KEYS) {
		put_hex(o, TAG("srckey"), t->sport);
		put_hex(o, TAG("dstkey"), t->dport);
	}
}

static void
put_side(struct out *o, const struct ct_rec *rec, int side)
{
	const struct ct_tuple *t = side ? &rec->reply : &rec->orig;

	if (side)
		PUT(o, "<meta direction=\"reply\">");
	else
		PUT(o, "<meta direction=\"original\">");
	put_layer3(o, t->src.family);
	put_addrs(o, t);
	PUT(o, "</layer3>");
	put_layer4(o, t->proto);
	put_ids(o, t, t->proto);
	PUT(o, "</layer4>");
	if (t->has & TUPLE_ZONE)
		put_number(o, TAG("zone"), t->zone);
	if (rec->has & (side ? REC_COUNT_REPLY : REC_COUNT_ORIG)) {
		PUT(o, "<counters>");
		put_number(o, TAG("packets"), rec->count[side].packets);
		put_number(o, TAG("bytes"), rec->count[side].bytes);
		PUT(o, "</counters>");
	}
	PUT(o, "</meta>");
}

static void
put_labels(struct out *o, const struct ct_rec *rec, const struct labelmap *map)
{
	bool any = false;

	for (unsigned i = 0; i < rec->label_words * 32; i++) {
		const char *name = ct_rec_label(rec, i) ? labelmap_name(map, i) : NULL;

		if (name == NULL)
			continue;
		if (!any)
			PUT(o, "<labels>");
		any = true;
		put_string(o, TAG("label"), name, strlen(name));
	}
	if (any)
		PUT(o, "</labels>");
}

static void
put_times(struct out *o, const struct ct_rec *rec, const struct fmt *f)
{
	uint64_t now = (uint64_t)f->now * 1000000000, end = rec->has & REC_STOP ? rec->stop : now;

	if (!(rec->has & REC_START))
		return;
	if (f->ktimestamp) {
		PUT(o, "<timestamp>");
		put_number(o, TAG("start"), rec->start);
		if (rec->has & REC_STOP)
			put_number(o, TAG("stop"), rec->stop);
		PUT(o, "</timestamp>");
	}
	put_number(o, TAG("deltatime"), end > rec->start ? (end - rec->start) / 1000000000 : 0);
}

static void
put_independent(struct out *o, const struct ct_rec *rec, const struct fmt *f)
{
	const char *state = rec->has & REC_STATE ? state_name(rec->orig.proto, rec->state) : NULL;

	PUT(o, "<meta direction=\"independent\">");
	if (state != NULL)
		put_string(o, TAG("state"), state, strlen(state));
	if (rec->has & REC_TIMEOUT)
		put_number(o, TAG("timeout"), rec->timeout);
	if (rec->has & REC_MARK)
		put_number(o, TAG("mark"), rec->mark);
	if (f->labels != NULL && rec->labels != NULL)
		put_labels(o, rec, f->labels);
	if (rec->has & REC_SECMARK)
		put_number(o, TAG("secmark"), rec->secmark);
	if (rec->secctx.p != NULL)
		put_string(o, TAG("secctx"), rec->secctx.p, rec->secctx.len);
	if (rec->has & REC_ZONE)
		put_number(o, TAG("zone"), rec->zone);
	if (rec->has & REC_USE)
		put_number(o, TAG("use"), rec->use);
	if (rec->has & REC_ID)
		put_number(o, TAG("id"), rec->id);
	if (rec->status & IPS_ASSURED)
		PUT(o, "<assured/>");
	if (rec->has & REC_STATUS && !(rec->status & IPS_SEEN_REPLY))
		PUT(o, "<unreplied/>");
	put_times(o, rec, f);
	PUT(o, "</meta>");
}

static void
put_when(struct out *o, const struct timespec *when)
{
	struct tm tm;

	if (localtime_r(&when->tv_sec, &tm) == NULL)
		return;
	out_fmt(o,
		"<when><hour>%d</hour><min>%02d</min><sec>%02d</sec><wday>%d</wday><day>%d</day><month>%d</month>"
		"<year>%d</year></when>",
		tm.tm_hour, tm.tm_min, tm.tm_sec, tm.tm_wday + 1, tm.tm_mday, tm.tm_mon + 1, tm.tm_year + 1900);
}

static void
put_flow_tag(struct out *o, enum fmt_event event)
{
	static const char *const tag[EV_MAX] = {"<flow>", "<flow type=\"new\">", "<flow type=\"update\">",
						"<flow type=\"destroy\">"};

	out_str(o, tag[event]);
}

void
xml_flow(struct out *o, const struct ct_rec *rec, const struct fmt *f)
{
	put_flow_tag(o, f->event);
	put_side(o, rec, 0);
	put_side(o, rec, 1);
	put_independent(o, rec, f);
	if (f->timestamp && f->event != EV_NONE)
		put_when(o, &f->when);
	if (rec->helper.p != NULL)
		put_string(o, TAG("helper"), rec->helper.p, rec->helper.len);
	PUT(o, "</flow>\n");
}

static void
put_three(struct out *o, const struct exp_rec *rec, void (*put)(struct out *o, const struct ct_tuple *t, uint8_t proto))
{
	PUT(o, "<expected>");
	put(o, &rec->tuple, rec->tuple.proto);
	PUT(o, "</expected><mask>");
	put(o, &rec->mask, rec->tuple.proto);
	PUT(o, "</mask><master>");
	put(o, &rec->master, rec->master.proto);
	PUT(o, "</master>");
}

static void
put_addrs_of(struct out *o, const struct ct_tuple *t, uint8_t proto)
{
	(void)proto;
	put_addrs(o, t);
}

static void
put_expect_meta(struct out *o, const struct exp_rec *rec, const struct fmt *f)
{
	PUT(o, "<meta>");
	if (rec->helper.p != NULL)
		put_string(o, TAG("helper-name"), rec->helper.p, rec->helper.len);
	if (rec->has & EXP_TIMEOUT)
		put_number(o, TAG("timeout"), rec->timeout);
	if (rec->has & EXP_CLASS)
		put_number(o, TAG("class"), rec->class);
	if (rec->has & EXP_ZONE)
		put_number(o, TAG("zone"), rec->zone);
	if (f->timestamp)
		put_when(o, &f->when);
	if (rec->exp_flags & 1)
		PUT(o, "<permanent/>");
	if (rec->exp_flags & 2)
		PUT(o, "<inactive/>");
	if (rec->exp_flags & 4)
		PUT(o, "<userspace/>");
	PUT(o, "</meta>");
}

void
xml_expect(struct out *o, const struct exp_rec *rec, const struct fmt *f)
{
	put_flow_tag(o, f->event);
	put_layer3(o, rec->tuple.src.family);
	put_three(o, rec, put_addrs_of);
	PUT(o, "</layer3>");
	put_layer4(o, rec->tuple.proto);
	put_three(o, rec, put_ids);
	PUT(o, "</layer4>");
	put_expect_meta(o, rec, f);
	PUT(o, "</flow>\n");
}

/*
 * JSON, one object a line; doc/conntrack.schema.json describes it. The frame is written from literals, as a listing
 * of a million lines must not take longer than its text; yajl encodes every string that is not known to be harmless.
 */
#include "ctnames.h"
#include "fmt.h"

#include <yajl/yajl_gen.h>

#define PUT(o, s) out_mem(o, s, sizeof(s) - 1)

/* Every member ends with a comma; the bracket that closes takes the place of the last one. */
static void
close_with(struct out *o, char bracket)
{
	if (o->buf[o->len - 1] == ',')
		o->len--;
	out_mem(o, &bracket, 1);
}

static void
close_member(struct out *o, char bracket)
{
	close_with(o, bracket);
	PUT(o, ",");
}

static inline void
put_number(struct out *o, const char *key, size_t len, uint64_t v)
{
	out_mem(o, key, len);
	out_u64(o, v);
	PUT(o, ",");
}
#define NUMBER(o, name, v) put_number(o, "\"" name "\":", sizeof(name) + 2, v)

static void
append(void *ctx, const char *text, size_t len)
{
	out_mem(ctx, text, len);
}

/* What is not UTF-8 is not shown, rather than making the line invalid. */
static void
encode(struct out *o, const char *p, size_t len)
{
	yajl_gen g = yajl_gen_alloc(NULL);

	if (g == NULL)
		return;
	yajl_gen_config(g, yajl_gen_print_callback, append, o);
	yajl_gen_config(g, yajl_gen_validate_utf8, 1);
	if (yajl_gen_string(g, (const unsigned char *)p, len) != yajl_gen_status_ok)
		PUT(o, "\"?\"");
	yajl_gen_free(g);
}

static bool
harmless(const char *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (p[i] < ' ' || p[i] == '"' || p[i] == '\\' || p[i] == 0x7f)
			return false;
	return true;
}

static void
put_text(struct out *o, const char *p, size_t len)
{
	if (harmless(p, len)) {
		PUT(o, "\"");
		out_mem(o, p, len);
		PUT(o, "\",");
		return;
	}
	encode(o, p, len);
	PUT(o, ",");
}

static void
put_string(struct out *o, const char *key, size_t len, const char *value)
{
	out_mem(o, key, len);
	put_text(o, value, strlen(value));
}
#define STRING(o, name, v) put_string(o, "\"" name "\":", sizeof(name) + 2, v)

static inline void
put_address(struct out *o, const char *key, size_t len, const struct addr *a)
{
	out_mem(o, key, len);
	out_addr(o, a);
	PUT(o, "\",");
}
#define ADDRESS(o, name, a) put_address(o, "\"" name "\":\"", sizeof(name) + 3, a)

static void
put_ids(struct out *o, const struct ct_tuple *t, uint8_t proto)
{
	enum l4_kind kind = l4_name(proto)->kind;

	if (kind == L4_PORTS) {
		NUMBER(o, "sport", t->sport);
		NUMBER(o, "dport", t->dport);
	} else if (kind == L4_KEYS) {
		NUMBER(o, "srckey", t->sport);
		NUMBER(o, "dstkey", t->dport);
	} else if (kind == L4_ICMP) {
		NUMBER(o, "type", t->icmp_type);
		NUMBER(o, "code", t->icmp_code);
		NUMBER(o, "id", t->icmp_id);
	}
}

/* The members of a direction; the caller opens and closes. */
static void
put_tuple(struct out *o, const struct ct_tuple *t, uint8_t proto)
{
	ADDRESS(o, "src", &t->src);
	ADDRESS(o, "dst", &t->dst);
	put_ids(o, t, proto);
	if (t->has & TUPLE_ZONE)
		NUMBER(o, "zone", t->zone);
}

static void
put_side(struct out *o, const struct ct_rec *rec, int side)
{
	if (side)
		PUT(o, "\"reply\":{");
	else
		PUT(o, "\"orig\":{");
	put_tuple(o, side ? &rec->reply : &rec->orig, rec->orig.proto);
	if (rec->has & (side ? REC_COUNT_REPLY : REC_COUNT_ORIG)) {
		NUMBER(o, "packets", rec->count[side].packets);
		NUMBER(o, "bytes", rec->count[side].bytes);
	}
	close_member(o, '}');
}

static const char *const status_names[] = {
	"EXPECTED",   "SEEN_REPLY",   "ASSURED",      "CONFIRMED",  "SRC_NAT",       "DST_NAT",
	"SEQ_ADJUST", "SRC_NAT_DONE", "DST_NAT_DONE", "DYING",      "FIXED_TIMEOUT", "TEMPLATE",
	"NAT_CLASH",  "HELPER",       "OFFLOAD",      "HW_OFFLOAD",
};

static void
put_status(struct out *o, uint32_t status)
{
	PUT(o, "\"status\":[");
	for (unsigned i = 0; i < sizeof(status_names) / sizeof(status_names[0]); i++)
		if (status >> i & 1)
			put_text(o, status_names[i], strlen(status_names[i]));
	close_member(o, ']');
}

/* Where a direction is translated to. */
static void
put_target(struct out *o, const struct addr *a, const struct ct_tuple *reply, uint16_t port)
{
	enum l4_kind kind = l4_name(reply->proto)->kind;

	ADDRESS(o, "addr", a);
	if (kind == L4_PORTS)
		NUMBER(o, "port", port);
	else if (kind == L4_KEYS)
		NUMBER(o, "key", port);
	else if (kind == L4_ICMP)
		NUMBER(o, "id", reply->icmp_id);
	close_member(o, '}');
}

static void
put_nat(struct out *o, const struct ct_rec *rec)
{
	bool snat = ct_rec_snat(rec), dnat = ct_rec_dnat(rec);

	if (!snat && !dnat)
		return;
	PUT(o, "\"nat\":{");
	if (snat) {
		PUT(o, "\"src\":{");
		put_target(o, &rec->reply.dst, &rec->reply, rec->reply.dport);
	}
	if (dnat) {
		PUT(o, "\"dst\":{");
		put_target(o, &rec->reply.src, &rec->reply, rec->reply.sport);
	}
	close_member(o, '}');
}

static void
put_labels(struct out *o, const struct ct_rec *rec, const struct labelmap *map)
{
	PUT(o, "\"labels\":[");
	for (unsigned i = 0; i < rec->label_words * 32; i++) {
		const char *name = ct_rec_label(rec, i) ? labelmap_name(map, i) : NULL;

		if (name != NULL)
			put_text(o, name, strlen(name));
	}
	close_member(o, ']');
}

static void
put_event(struct out *o, const struct fmt *f, uint64_t ns)
{
	static const char *const name[EV_MAX] = {NULL, "new", "update", "destroy"};

	if (f->event != EV_NONE)
		STRING(o, "event", name[f->event]);
	if (f->timestamp)
		NUMBER(o, "time", ns);
}

static uint64_t
when_ns(const struct fmt *f)
{
	return (uint64_t)f->when.tv_sec * 1000000000 + (uint64_t)f->when.tv_nsec;
}

static void
put_head(struct out *o, uint8_t family, uint8_t proto)
{
	STRING(o, "family", family == AF_INET6 ? "ipv6" : "ipv4");
	STRING(o, "proto", l4_name(proto)->name);
	NUMBER(o, "protonum", proto);
}

static void
put_times(struct out *o, const struct ct_rec *rec, const struct fmt *f)
{
	uint64_t start = rec->start / 1000000000, end = rec->has & REC_STOP ? rec->stop / 1000000000 : (uint64_t)f->now;

	if (!(rec->has & REC_START))
		return;
	NUMBER(o, "start", rec->start);
	if (rec->has & REC_STOP)
		NUMBER(o, "stop", rec->stop);
	NUMBER(o, "delta_time", end > start ? end - start : 0);
}

static void
put_helper(struct out *o, const struct text *helper)
{
	if (helper->p == NULL)
		return;
	PUT(o, "\"helper\":");
	put_text(o, helper->p, helper->len);
}

static void
put_origin(struct out *o, const struct fmt *f, uint32_t portid)
{
	if (f->event == EV_NONE || portid == 0)
		return;
	NUMBER(o, "portid", portid);
	if (f->progname != NULL)
		STRING(o, "progname", f->progname);
}

static void
put_protoinfo(struct out *o, const struct ct_rec *rec)
{
	if (rec->has & REC_VTAGS) {
		NUMBER(o, "orig_vtag", rec->vtag[0]);
		NUMBER(o, "reply_vtag", rec->vtag[1]);
	}
	if (rec->has & REC_ROLE)
		STRING(o, "role", dccp_role_name(rec->role));
}

static void
put_meta(struct out *o, const struct ct_rec *rec, const struct fmt *f)
{
	if (rec->has & REC_STATUS)
		put_status(o, rec->status);
	put_nat(o, rec);
	put_protoinfo(o, rec);
	if (rec->has & REC_MARK)
		NUMBER(o, "mark", rec->mark);
	if (rec->has & REC_SECMARK)
		NUMBER(o, "secmark", rec->secmark);
	if (rec->secctx.p != NULL) {
		PUT(o, "\"secctx\":");
		put_text(o, rec->secctx.p, rec->secctx.len);
	}
	if (rec->has & REC_ZONE)
		NUMBER(o, "zone", rec->zone);
	put_times(o, rec, f);
	put_helper(o, &rec->helper);
	if (rec->has & REC_USE)
		NUMBER(o, "use", rec->use);
	if (rec->has & REC_ID)
		NUMBER(o, "id", rec->id);
	if (f->labels != NULL && rec->labels != NULL)
		put_labels(o, rec, f->labels);
}

void
json_flow(struct out *o, const struct ct_rec *rec, const struct fmt *f)
{
	const char *state = rec->has & REC_STATE ? state_name(rec->orig.proto, rec->state) : NULL;

	PUT(o, "{");
	put_event(o, f, rec->has & REC_EVENT_TIME ? rec->event_time : when_ns(f));
	put_head(o, rec->orig.src.family, rec->orig.proto);
	if (rec->has & REC_TIMEOUT)
		NUMBER(o, "timeout", rec->timeout);
	if (state != NULL)
		STRING(o, "state", state);
	put_side(o, rec, 0);
	if (rec->has & REC_REPLY)
		put_side(o, rec, 1);
	put_meta(o, rec, f);
	put_origin(o, f, rec->portid);
	close_with(o, '}');
	PUT(o, "\n");
}

static void
put_expect_tuples(struct out *o, const struct exp_rec *rec)
{
	PUT(o, "\"expected\":{");
	put_tuple(o, &rec->tuple, rec->tuple.proto);
	close_member(o, '}');
	PUT(o, "\"mask\":{");
	put_tuple(o, &rec->mask, rec->tuple.proto);
	close_member(o, '}');
	PUT(o, "\"master\":{");
	put_tuple(o, &rec->master, rec->master.proto);
	close_member(o, '}');
}

static void
put_expect_flags(struct out *o, uint32_t flags)
{
	static const char *const name[] = {"PERMANENT", "INACTIVE", "USERSPACE"};

	PUT(o, "\"flags\":[");
	for (unsigned i = 0; i < sizeof(name) / sizeof(name[0]); i++)
		if (flags >> i & 1)
			put_text(o, name[i], strlen(name[i]));
	close_member(o, ']');
}

void
json_expect(struct out *o, const struct exp_rec *rec, const struct fmt *f)
{
	PUT(o, "{");
	put_event(o, f, when_ns(f));
	put_head(o, rec->tuple.src.family, rec->tuple.proto);
	if (rec->has & EXP_TIMEOUT)
		NUMBER(o, "timeout", rec->timeout);
	put_expect_tuples(o, rec);
	if (rec->has & EXP_ZONE)
		NUMBER(o, "zone", rec->zone);
	if (rec->has & EXP_FLAGS)
		put_expect_flags(o, rec->exp_flags);
	if (rec->has & EXP_CLASS)
		NUMBER(o, "class", rec->class);
	put_helper(o, &rec->helper);
	if (rec->has & EXP_ID)
		NUMBER(o, "id", rec->id);
	put_origin(o, f, rec->portid);
	close_with(o, '}');
	PUT(o, "\n");
}

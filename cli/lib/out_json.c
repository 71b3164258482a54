/*
 * JSON, one object a line, encoded by yajl straight into the output buffer. doc/conntrack.schema.json describes it.
 */
#include "ctnames.h"
#include "fmt.h"

#include <yajl/yajl_gen.h>

static void
put(void *ctx, const char *text, size_t len)
{
	out_mem(ctx, text, len);
}

static void
put_text(yajl_gen g, const char *p, size_t len)
{
	/* Names from the kernel are bytes; what is not UTF-8 is not shown rather than making the line invalid. */
	if (yajl_gen_string(g, (const unsigned char *)p, len) != yajl_gen_status_ok)
		yajl_gen_string(g, (const unsigned char *)"?", 1);
}

static void
key(yajl_gen g, const char *name)
{
	yajl_gen_string(g, (const unsigned char *)name, strlen(name));
}

static void
number(yajl_gen g, const char *name, uint64_t v)
{
	char text[24], *p = text + sizeof(text);

	key(g, name);
	do
		*--p = (char)('0' + v % 10);
	while ((v /= 10) != 0);
	yajl_gen_number(g, p, (size_t)(text + sizeof(text) - p));
}

static void
string(yajl_gen g, const char *name, const char *value)
{
	key(g, name);
	put_text(g, value, strlen(value));
}

static void
address(yajl_gen g, const char *name, const struct addr *a)
{
	char text[ADDR_TEXT_MAX];

	key(g, name);
	put_text(g, text, addr_text(a, text));
}

static void
put_ids(yajl_gen g, const struct ct_tuple *t, uint8_t proto)
{
	enum l4_kind kind = l4_name(proto)->kind;

	if (kind == L4_PORTS) {
		number(g, "sport", t->sport);
		number(g, "dport", t->dport);
	} else if (kind == L4_KEYS) {
		number(g, "srckey", t->sport);
		number(g, "dstkey", t->dport);
	} else if (kind == L4_ICMP) {
		number(g, "type", t->icmp_type);
		number(g, "code", t->icmp_code);
		number(g, "id", t->icmp_id);
	}
}

static void
put_tuple(yajl_gen g, const char *name, const struct ct_tuple *t, uint8_t proto)
{
	key(g, name);
	yajl_gen_map_open(g);
	address(g, "src", &t->src);
	address(g, "dst", &t->dst);
	put_ids(g, t, proto);
	if (t->has & TUPLE_ZONE)
		number(g, "zone", t->zone);
}

static void
put_side(yajl_gen g, const struct ct_rec *rec, int side)
{
	put_tuple(g, side ? "reply" : "orig", side ? &rec->reply : &rec->orig, rec->orig.proto);
	if (rec->has & (side ? REC_COUNT_REPLY : REC_COUNT_ORIG)) {
		number(g, "packets", rec->count[side].packets);
		number(g, "bytes", rec->count[side].bytes);
	}
	yajl_gen_map_close(g);
}

static const char *const status_names[] = {
	"EXPECTED",   "SEEN_REPLY",   "ASSURED",      "CONFIRMED",  "SRC_NAT",       "DST_NAT",
	"SEQ_ADJUST", "SRC_NAT_DONE", "DST_NAT_DONE", "DYING",      "FIXED_TIMEOUT", "TEMPLATE",
	"NAT_CLASH",  "HELPER",       "OFFLOAD",      "HW_OFFLOAD",
};

static void
put_status(yajl_gen g, uint32_t status)
{
	key(g, "status");
	yajl_gen_array_open(g);
	for (unsigned i = 0; i < sizeof(status_names) / sizeof(status_names[0]); i++)
		if (status >> i & 1)
			put_text(g, status_names[i], strlen(status_names[i]));
	yajl_gen_array_close(g);
}

/* Where a direction is translated to. */
static void
put_target(yajl_gen g, const char *name, const struct addr *a, const struct ct_tuple *reply, uint16_t port)
{
	enum l4_kind kind = l4_name(reply->proto)->kind;

	key(g, name);
	yajl_gen_map_open(g);
	address(g, "addr", a);
	if (kind == L4_PORTS)
		number(g, "port", port);
	else if (kind == L4_KEYS)
		number(g, "key", port);
	else if (kind == L4_ICMP)
		number(g, "id", reply->icmp_id);
	yajl_gen_map_close(g);
}

static void
put_nat(yajl_gen g, const struct ct_rec *rec)
{
	bool snat = ct_rec_snat(rec), dnat = ct_rec_dnat(rec);

	if (!snat && !dnat)
		return;
	key(g, "nat");
	yajl_gen_map_open(g);
	if (snat)
		put_target(g, "src", &rec->reply.dst, &rec->reply, rec->reply.dport);
	if (dnat)
		put_target(g, "dst", &rec->reply.src, &rec->reply, rec->reply.sport);
	yajl_gen_map_close(g);
}

static void
put_labels(yajl_gen g, const struct ct_rec *rec, const struct labelmap *map)
{
	key(g, "labels");
	yajl_gen_array_open(g);
	for (unsigned i = 0; i < rec->label_words * 32; i++) {
		const char *name = ct_rec_label(rec, i) ? labelmap_name(map, i) : NULL;

		if (name != NULL)
			put_text(g, name, strlen(name));
	}
	yajl_gen_array_close(g);
}

static void
put_event(yajl_gen g, const struct fmt *f, uint64_t ns)
{
	static const char *const name[EV_MAX] = {NULL, "new", "update", "destroy"};

	if (f->event != EV_NONE)
		string(g, "event", name[f->event]);
	if (f->timestamp)
		number(g, "time", ns);
}

static uint64_t
when_ns(const struct fmt *f)
{
	return (uint64_t)f->when.tv_sec * 1000000000 + (uint64_t)f->when.tv_nsec;
}

static void
put_head(yajl_gen g, uint8_t family, uint8_t proto)
{
	string(g, "family", family == AF_INET6 ? "ipv6" : "ipv4");
	string(g, "proto", l4_name(proto)->name);
	number(g, "protonum", proto);
}

static void
put_times(yajl_gen g, const struct ct_rec *rec, const struct fmt *f)
{
	uint64_t start = rec->start / 1000000000, end = rec->has & REC_STOP ? rec->stop / 1000000000 : (uint64_t)f->now;

	if (!(rec->has & REC_START))
		return;
	number(g, "start", rec->start);
	if (rec->has & REC_STOP)
		number(g, "stop", rec->stop);
	number(g, "delta_time", end > start ? end - start : 0);
}

static void
put_origin(yajl_gen g, const struct fmt *f, uint32_t portid)
{
	if (f->event == EV_NONE || portid == 0)
		return;
	number(g, "portid", portid);
	if (f->progname != NULL)
		string(g, "progname", f->progname);
}

static void
put_meta(yajl_gen g, const struct ct_rec *rec, const struct fmt *f)
{
	if (rec->has & REC_STATUS)
		put_status(g, rec->status);
	put_nat(g, rec);
	if (rec->has & REC_VTAGS) {
		number(g, "orig_vtag", rec->vtag[0]);
		number(g, "reply_vtag", rec->vtag[1]);
	}
	if (rec->has & REC_ROLE)
		string(g, "role", role_name(rec->role));
	if (rec->has & REC_MARK)
		number(g, "mark", rec->mark);
	if (rec->has & REC_SECMARK)
		number(g, "secmark", rec->secmark);
	if (rec->secctx.p != NULL) {
		key(g, "secctx");
		put_text(g, rec->secctx.p, rec->secctx.len);
	}
	if (rec->has & REC_ZONE)
		number(g, "zone", rec->zone);
	put_times(g, rec, f);
	if (rec->helper.p != NULL) {
		key(g, "helper");
		put_text(g, rec->helper.p, rec->helper.len);
	}
	if (rec->has & REC_USE)
		number(g, "use", rec->use);
	if (rec->has & REC_ID)
		number(g, "id", rec->id);
	if (f->labels != NULL && rec->labels != NULL)
		put_labels(g, rec, f->labels);
}

static yajl_gen
begin(struct out *o)
{
	yajl_gen g = yajl_gen_alloc(NULL);

	yajl_gen_config(g, yajl_gen_print_callback, put, o);
	yajl_gen_config(g, yajl_gen_validate_utf8, 1);
	yajl_gen_map_open(g);
	return g;
}

static void
end(yajl_gen g, struct out *o)
{
	yajl_gen_map_close(g);
	yajl_gen_free(g);
	out_mem(o, "\n", 1);
}

void
json_flow(struct out *o, const struct ct_rec *rec, const struct fmt *f)
{
	const char *state = rec->has & REC_STATE ? state_name(rec->orig.proto, rec->state) : NULL;
	yajl_gen g = begin(o);

	put_event(g, f, rec->has & REC_EVENT_TIME ? rec->event_time : when_ns(f));
	put_head(g, rec->orig.src.family, rec->orig.proto);
	if (rec->has & REC_TIMEOUT)
		number(g, "timeout", rec->timeout);
	if (state != NULL)
		string(g, "state", state);
	put_side(g, rec, 0);
	if (rec->has & REC_REPLY)
		put_side(g, rec, 1);
	put_meta(g, rec, f);
	put_origin(g, f, rec->portid);
	end(g, o);
}

void
json_expect(struct out *o, const struct exp_rec *rec, const struct fmt *f)
{
	static const char *const flags[] = {"PERMANENT", "INACTIVE", "USERSPACE"};
	yajl_gen g = begin(o);

	put_event(g, f, when_ns(f));
	put_head(g, rec->tuple.src.family, rec->tuple.proto);
	if (rec->has & EXP_TIMEOUT)
		number(g, "timeout", rec->timeout);
	put_tuple(g, "expected", &rec->tuple, rec->tuple.proto);
	yajl_gen_map_close(g);
	put_tuple(g, "mask", &rec->mask, rec->tuple.proto);
	yajl_gen_map_close(g);
	put_tuple(g, "master", &rec->master, rec->master.proto);
	yajl_gen_map_close(g);
	if (rec->has & EXP_ZONE)
		number(g, "zone", rec->zone);
	if (rec->has & EXP_FLAGS) {
		key(g, "flags");
		yajl_gen_array_open(g);
		for (unsigned i = 0; i < 3; i++)
			if (rec->exp_flags >> i & 1)
				put_text(g, flags[i], strlen(flags[i]));
		yajl_gen_array_close(g);
	}
	if (rec->has & EXP_CLASS)
		number(g, "class", rec->class);
	if (rec->helper.p != NULL) {
		key(g, "helper");
		put_text(g, rec->helper.p, rec->helper.len);
	}
	if (rec->has & EXP_ID)
		number(g, "id", rec->id);
	put_origin(g, f, rec->portid);
	end(g, o);
}

/*
 * The save format: a command line per entry that -R turns into the same entry again.
 */
#include "ctnames.h"
#include "fmt.h"

#include <netinet/in.h>

#define PUT(o, s) out_mem(o, s, sizeof(s) - 1)

static inline void
put_number(struct out *o, const char *option, uint64_t v)
{
	out_str(o, option);
	out_u64(o, v);
	PUT(o, " ");
}

static void
put_command(struct out *o, const struct fmt *f)
{
	static const char *const event[EV_MAX] = {"-A ", "-A ", "-U ", "-D "};

	out_str(o, f->deleted ? "-D " : event[f->event]);
}

static void
put_status(struct out *o, uint32_t status)
{
	static const struct {
		uint32_t bit;
		const char *name;
	} words[] = {
		{IPS_EXPECTED, "EXPECTED"},
		{IPS_SEEN_REPLY, "SEEN_REPLY"},
		{IPS_ASSURED, "ASSURED"},
		{IPS_FIXED_TIMEOUT, "FIXED_TIMEOUT"},
	};
	bool any = false;

	PUT(o, "-u ");
	for (unsigned i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (status & words[i].bit) {
			if (any)
				PUT(o, ",");
			out_str(o, words[i].name);
			any = true;
		}
	if (any)
		PUT(o, " ");
	else
		PUT(o, "UNSET ");
}

static void
put_addr(struct out *o, const char *option, const struct addr *a)
{
	out_str(o, option);
	out_addr(o, a);
	PUT(o, " ");
}

/* A translated ICMP id has no reply option of its own, so it rides on the address. */
static void
put_snat(struct out *o, const struct ct_rec *rec)
{
	bool icmp = l4_name(rec->orig.proto)->kind == L4_ICMP && rec->orig.icmp_id != rec->reply.icmp_id;

	if (!ct_rec_snat(rec)) {
		put_addr(o, "-q ", &rec->reply.dst);
	} else if (!icmp) {
		put_addr(o, "-n ", &rec->reply.dst);
	} else {
		out_str(o, rec->reply.dst.family == AF_INET6 ? "-n [" : "-n ");
		out_addr(o, &rec->reply.dst);
		out_str(o, rec->reply.dst.family == AF_INET6 ? "]:" : ":");
		put_number(o, "", rec->reply.icmp_id);
	}
}

static void
put_addrs(struct out *o, const struct ct_rec *rec)
{
	put_addr(o, "-s ", &rec->orig.src);
	put_addr(o, "-d ", &rec->orig.dst);
	put_addr(o, ct_rec_dnat(rec) ? "-g " : "-r ", &rec->reply.src);
	put_snat(o, rec);
}

/* Ports, and GRE keys, which stand in their fields. */
static void
put_ports(struct out *o, const struct ct_rec *rec)
{
	static const char *const port[] = {"--sport ", "--dport ", "--reply-port-src ", "--reply-port-dst "};
	static const char *const key[] = {"--srckey ", "--dstkey ", "--reply-key-src ", "--reply-key-dst "};
	const char *const *name = l4_name(rec->orig.proto)->kind == L4_KEYS ? key : port;

	put_number(o, name[0], rec->orig.sport);
	put_number(o, name[1], rec->orig.dport);
	put_number(o, name[2], rec->reply.sport);
	put_number(o, name[3], rec->reply.dport);
}

static void
put_icmp(struct out *o, const struct ct_rec *rec)
{
	const char *const option[] = {"--icmp-type ", "--icmp-code ", "--icmp-id "};
	const char *const option6[] = {"--icmpv6-type ", "--icmpv6-code ", "--icmpv6-id "};
	const char *const *name = rec->orig.proto == IPPROTO_ICMPV6 ? option6 : option;

	put_number(o, name[0], rec->orig.icmp_type);
	put_number(o, name[1], rec->orig.icmp_code);
	put_number(o, name[2], rec->orig.icmp_id);
}

/* What loading requires of a protocol is written even when the kernel does not track it. */
static void
put_state(struct out *o, const struct ct_rec *rec)
{
	const char *state = state_name(rec->orig.proto, rec->state);

	if (state == NULL)
		return;
	PUT(o, "--state ");
	out_str(o, state);
	PUT(o, " ");
	if (rec->orig.proto == IPPROTO_SCTP) {
		put_number(o, "--orig-vtag ", rec->vtag[0]);
		put_number(o, "--reply-vtag ", rec->vtag[1]);
	} else if (rec->orig.proto == IPPROTO_DCCP) {
		PUT(o, "--role ");
		out_str(o, dccp_role_name(rec->role));
		PUT(o, " ");
	}
}

static void
put_l4(struct out *o, const struct ct_rec *rec)
{
	static void (*const put[])(struct out * o, const struct ct_rec *rec) = {
		[L4_PORTS] = put_ports,
		[L4_KEYS] = put_ports,
		[L4_ICMP] = put_icmp,
	};
	const struct l4_name *l4 = l4_name(rec->orig.proto);

	PUT(o, "-p ");
	if (l4->kind == L4_NONE) {
		put_number(o, "", rec->orig.proto);
		return;
	}
	out_str(o, l4->name);
	PUT(o, " ");
	put[l4->kind](o, rec);
	put_state(o, rec);
}

static bool
all_named(const struct ct_rec *rec, const struct labelmap *map)
{
	for (unsigned i = 0; i < rec->label_words * 32; i++)
		if (ct_rec_label(rec, i) && (map == NULL || labelmap_name(map, i) == NULL))
			return false;
	return true;
}

/* Names may hold blanks, so the loader gets them in quotes. */
static void
put_named_labels(struct out *o, const struct ct_rec *rec, const struct labelmap *map)
{
	const char *sep = "--label-add \"";

	for (unsigned i = 0; i < rec->label_words * 32; i++) {
		if (!ct_rec_label(rec, i))
			continue;
		out_str(o, sep);
		out_str(o, labelmap_name(map, i));
		sep = ",";
	}
	PUT(o, "\" ");
}

static void
put_label_words(struct out *o, const struct ct_rec *rec)
{
	uint32_t word;

	for (unsigned i = 0; i < rec->label_words; i++) {
		memcpy(&word, rec->labels + i * 4, sizeof(word));
		out_str(o, i == 0 ? "labels=" : ",");
		out_hex(o, word);
	}
	PUT(o, " ");
}

static void
put_labels(struct out *o, const struct ct_rec *rec, const struct labelmap *map)
{
	uint32_t any = 0, word;

	for (unsigned i = 0; i < rec->label_words; i++) {
		memcpy(&word, rec->labels + i * 4, sizeof(word));
		any |= word;
	}
	if (any != 0 && all_named(rec, map))
		put_named_labels(o, rec, map);
	else if (any != 0)
		put_label_words(o, rec);
}

static void
put_master(struct out *o, const struct ct_tuple *t)
{
	out_fmt(o, "master=%u,", t->proto);
	out_addr(o, &t->src);
	out_fmt(o, ",%u,", t->sport);
	out_addr(o, &t->dst);
	out_fmt(o, ",%u ", t->dport);
}

/* What 1.4.x would lose: as options that it knows, or as words that it passes over. */
static void
put_rest(struct out *o, const struct ct_rec *rec, const struct fmt *f)
{
	if (f->event != EV_NONE || f->deleted)
		return;
	if (rec->mark != 0)
		put_number(o, "-m ", rec->mark);
	put_labels(o, rec, f->labels);
	if (rec->helper.p != NULL) {
		PUT(o, "helper=");
		out_mem(o, rec->helper.p, rec->helper.len);
		PUT(o, " ");
	}
	if (rec->has & REC_MASTER)
		put_master(o, &rec->master);
}

void
save_flow(struct out *o, const struct ct_rec *rec, const struct fmt *f)
{
	put_command(o, f);
	if (rec->has & REC_TIMEOUT)
		put_number(o, "-t ", rec->timeout);
	if (rec->has & REC_STATUS)
		put_status(o, rec->status);
	if (rec->has & REC_SECMARK)
		put_number(o, "-c ", rec->secmark);
	if (rec->has & REC_ZONE)
		put_number(o, "-w ", rec->zone);
	if (rec->orig.has & TUPLE_ZONE)
		put_number(o, "--orig-zone ", rec->orig.zone);
	if (rec->reply.has & TUPLE_ZONE)
		put_number(o, "--reply-zone ", rec->reply.zone);
	put_addrs(o, rec);
	put_l4(o, rec);
	put_rest(o, rec, f);
	o->len--;
	if (f->event != EV_NONE)
		text_origin(o, rec->portid, f->progname);
	PUT(o, "\n");
}

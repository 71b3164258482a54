/*
 * Scans words by the rules of GNU getopt_long (any order, unique prefixes, clusters, "--"), fills struct cmd and hands
 * it to opts_check.c. Of its own because protocol options appear once -p names a protocol, values may be the next
 * word, and files of a million lines go through it. Trusts no word.
 */
#include "opts.h"
#include "opts_check.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NITEMS(a) (sizeof(a) / sizeof((a)[0]))

/* How an option takes its value. */
enum takes {
	TAKES_NONE,
	TAKES_VALUE,
	TAKES_DROPPED, /* a command: an attached value means nothing, the next word may be a table */
	TAKES_MAYBE,   /* attached, or the next word unless that looks like an option */
};

struct scan {
	struct cmd *c;
	struct opt_ctx *ctx;
	struct opt_error *err;
	char **argv;
	int argc, at;     /* at: index of the next word */
	const char *word; /* as it was given, for errors */
};

struct optdef {
	const char *name; /* sorted */
	char letter;
	enum takes takes;
	int (*set)(struct scan *s, const struct optdef *d, char *value);
	int what; /* enum cmd_op or enum opt */
};

/* The next word, if it is there and does not look like an option. */
static char *
optional_word(struct scan *s)
{
	char *w = s->at < s->argc ? s->argv[s->at] : NULL;

	if (w == NULL || w[0] == '-' || w[0] == '!')
		return NULL;
	s->at++;
	return w;
}

static int
set_table(struct scan *s, const char *word)
{
	static const struct {
		const char *name;
		enum table table;
	} tables[] = {
		{"expect", TABLE_EXPECT},
		{"conntrack", TABLE_CT},
		{"dying", TABLE_DYING},
		{"unconfirmed", TABLE_UNCONFIRMED},
	};

	for (size_t i = 0; i < NITEMS(tables); i++)
		if (strncmp(tables[i].name, word, strlen(word)) == 0) {
			s->c->table = tables[i].table;
			return 0;
		}
	return opt_fail(s->err, STATUS_USAGE, "unknown type `%s'", word);
}

static int
set_command(struct scan *s, const struct optdef *d, char *value)
{
	char *word;

	if (s->c->op != CMD_NONE && !(s->ctx->selecting && d->what == (int)s->ctx->select_op))
		return opt_fail(s->err, STATUS_USAGE, "Invalid commands combination");
	s->c->op = (enum cmd_op)d->what;
	if (value != NULL || (word = optional_word(s)) == NULL)
		return 0;
	if (set_table(s, word) < 0)
		return -1;
	if (s->c->table >= TABLE_DYING && s->c->op != CMD_LIST)
		return opt_fail(s->err, STATUS_USAGE, "Can't do that command with tables `dying' and `unconfirmed'");
	if (s->c->table == TABLE_EXPECT && s->c->op == CMD_UPDATE)
		return opt_fail(s->err, STATUS_USAGE, "Can't do --update on expectations");
	if (s->c->table == TABLE_EXPECT && s->c->op == CMD_ADD)
		return opt_fail(s->err, STATUS_USAGE, "Can't do --add on expectations");
	return 0;
}

static int
set_family(struct scan *s, uint8_t family)
{
	if (s->c->family != 0 && s->c->family != family)
		return opt_fail(s->err, STATUS_USAGE, "mismatched address family");
	s->c->family = family;
	return 0;
}

static struct addr *
addr_field(struct cmd *c, int what)
{
	switch (what) {
	case OPT_SRC:
		return &c->orig.src;
	case OPT_DST:
		return &c->orig.dst;
	case OPT_RSRC:
		return &c->reply.src;
	case OPT_RDST:
		return &c->reply.dst;
	case OPT_TUPLE_SRC:
		return &c->tuple.src;
	case OPT_TUPLE_DST:
		return &c->tuple.dst;
	case OPT_MASK_SRC:
		return &c->mask_src;
	default:
		return &c->mask_dst;
	}
}

/* The mask that "/len" sets, as an option; -1 where there is none. */
static int
mask_option(int what)
{
	switch (what) {
	case OPT_SRC:
	case OPT_TUPLE_SRC:
		return OPT_MASK_SRC;
	case OPT_DST:
	case OPT_TUPLE_DST:
		return OPT_MASK_DST;
	default:
		return -1;
	}
}

static int
set_addr(struct scan *s, const struct optdef *d, char *value)
{
	struct addr a;
	unsigned len;
	bool has_len;
	int r = arg_cidr(value, &a, &len, &has_len), mask = mask_option(d->what);
	char *slash = strchr(value, '/');

	if (r == -EINVAL)
		return opt_fail(s->err, STATUS_USAGE, "Invalid IP address `%.*s'",
				(int)(slash != NULL ? slash - value : (long)strlen(value)), value);
	if (r < 0)
		return opt_fail(s->err, STATUS_USAGE, "Invalid netmask");
	if (has_len && mask < 0)
		return opt_fail(s->err, STATUS_USAGE, "CIDR notation unavailable for `--%s'",
				opt_title((enum opt)d->what));
	if (set_family(s, a.family) < 0)
		return -1;
	*addr_field(s->c, d->what) = a;
	if (has_len && len != addr_size(&a) * 8) {
		*addr_field(s->c, mask) = addr_mask(a.family, len);
		s->c->given |= OPT_BIT(mask);
	}
	return 0;
}

static int
set_mask(struct scan *s, const struct optdef *d, char *value)
{
	struct addr a;

	if (arg_addr(value, &a) < 0)
		return opt_fail(s->err, STATUS_USAGE, "Invalid IP address `%s'", value);
	if (set_family(s, a.family) < 0)
		return -1;
	*addr_field(s->c, d->what) = a;
	return 0;
}

static int
set_proto(struct scan *s, const struct optdef *d, char *value)
{
	(void)d;
	if (proto_number(value, &s->c->orig.proto) < 0)
		return opt_fail(s->err, STATUS_USAGE, "`%s' unsupported protocol", value);
	s->c->proto = proto_find(s->c->orig.proto);
	s->c->orig.has |= TUPLE_PROTO;
	return 0;
}

static int
set_layer3(struct scan *s, const struct optdef *d, char *value)
{
	(void)d;
	if (strncmp(value, "ipv4", 4) == 0)
		return set_family(s, AF_INET);
	if (strncmp(value, "ipv6", 4) == 0)
		return set_family(s, AF_INET6);
	return opt_fail(s->err, STATUS_USAGE, "`%s' unsupported protocol", value);
}

/* Named by the letter, as in 1.4.9; which ends with 1, the status that scripts take for "nothing found". */
static int
bad_number(struct scan *s, const struct optdef *d, const char *value)
{
	return opt_fail(s->err, STATUS_USAGE, "unexpected value '%s' with -%c option", value, d->letter);
}

static int
set_u32(struct scan *s, const struct optdef *d, char *value)
{
	uint32_t *field = d->what == OPT_ID ? &s->c->id : &s->c->secmark;

	return arg_u32(value, field) < 0 ? bad_number(s, d, value) : 0;
}

static int
set_timeout(struct scan *s, const struct optdef *d, char *value)
{
	uint64_t v;

	if (arg_decimal(value, UINT32_MAX, &v) < 0)
		return bad_number(s, d, value);
	s->c->timeout = (uint32_t)v;
	return 0;
}

static int
set_zone(struct scan *s, const struct optdef *d, char *value)
{
	uint16_t *field = d->what == OPT_OZONE   ? &s->c->orig.zone
			  : d->what == OPT_RZONE ? &s->c->reply.zone
						 : &s->c->zone;

	return arg_u16(value, field) < 0 ? bad_number(s, d, value) : 0;
}

static int
set_mark(struct scan *s, const struct optdef *d, char *value)
{
	return arg_mark(value, &s->c->mark, &s->c->mark_mask) < 0 ? bad_number(s, d, value) : 0;
}

static int
set_buffer(struct scan *s, const struct optdef *d, char *value)
{
	uint64_t v;

	if (arg_number(value, INT32_MAX / 2, &v) < 0)
		return bad_number(s, d, value);
	s->c->buffer = (int)v;
	return 0;
}

static const struct arg_word status_words[] = {
	{"ASSURED", IPS_ASSURED},
	{"SEEN_REPLY", IPS_SEEN_REPLY},
	{"UNSET", 0},
	{"FIXED_TIMEOUT", IPS_FIXED_TIMEOUT},
	{"EXPECTED", IPS_EXPECTED},
	{"OFFLOAD", IPS_OFFLOAD},
	{"HW_OFFLOAD", CT_HW_OFFLOAD},
	{NULL, 0},
};
static const struct arg_word event_words[] = {
	{"ALL", EVENT_ALL}, {"NEW", EVENT_NEW}, {"UPDATES", EVENT_UPDATE}, {"DESTROY", EVENT_DESTROY}, {NULL, 0}};
static const struct arg_word output_words[] = {
	{"xml", OUT_XML},
	{"extended", OUT_EXTENDED},
	{"timestamp", OUT_TIMESTAMP},
	{"id", OUT_ID},
	{"ktimestamp", OUT_KTIMESTAMP},
	{"labels", OUT_LABELS},
	{"userspace", OUT_USERSPACE},
	{"save", OUT_SAVE},
	{"json", OUT_JSON},
	{NULL, 0},
};

static bool
word_is(const char *w, size_t len, const char *name)
{
	return len == strlen(name) && strncmp(w, name, len) == 0;
}

/* Words that old scripts put into lists; they mean nothing any more. */
static bool
obsolete(struct scan *s, const char *w, size_t len)
{
	if (word_is(w, len, "SRC_NAT"))
		s->c->warnings |= WARN_SRC_NAT;
	else if (word_is(w, len, "DST_NAT"))
		s->c->warnings |= WARN_DST_NAT;
	else
		return false;
	return true;
}

/* The bits of a comma separated list; *cleared collects those of "!WORD" and may be NULL. */
static int
read_list(struct scan *s, const struct arg_word *words, const char *list, uint32_t *set, uint32_t *cleared)
{
	for (const char *w = list, *next; w != NULL; w = next) {
		size_t len = strcspn(w, ",");
		const struct arg_word *found;
		bool negated = cleared != NULL && w[0] == '!';

		next = w[len] == ',' ? w + len + 1 : NULL;
		if (obsolete(s, w, len))
			continue;
		if (cleared != NULL && word_is(w, len, "UNREPLIED")) {
			*cleared |= IPS_SEEN_REPLY;
			continue;
		}
		if ((found = arg_word_find(words, w + negated, len - negated)) == NULL)
			return opt_fail(s->err, STATUS_USAGE, "Bad parameter `%s'", w);
		*(negated ? cleared : set) |= found->bit;
	}
	return 0;
}

static int
set_status(struct scan *s, const struct optdef *d, char *value)
{
	(void)d;
	return read_list(s, status_words, value, &s->c->status_set, &s->c->status_clear);
}

static int
set_events(struct scan *s, const struct optdef *d, char *value)
{
	(void)d;
	return read_list(s, event_words, value, &s->c->events, NULL);
}

static int
set_output(struct scan *s, const struct optdef *d, char *value)
{
	(void)d;
	if (read_list(s, output_words, value, &s->c->output, NULL) < 0)
		return -1;
	if (s->c->output & OUT_SAVE && s->c->output & ~(uint32_t)(OUT_SAVE | OUT_USERSPACE))
		return opt_fail(s->err, STATUS_USAGE,
				"cannot combine save output with any other output type, use -o save only");
	if (s->c->output & OUT_JSON && s->c->output & OUT_XML)
		return opt_fail(s->err, STATUS_USAGE, "cannot combine json output with xml output");
	return 0;
}

static int
set_json(struct scan *s, const struct optdef *d, char *value)
{
	static char json[] = "json";

	(void)value;
	return set_output(s, d, json);
}

static int
nat_error(struct scan *s, enum nat_arg_error e, const struct nat_arg *n)
{
	switch (e) {
	case NAT_ARG_NO_PORT:
		return opt_fail(s->err, STATUS_USAGE, "No port specified after `:'");
	case NAT_ARG_BAD_PORT:
		return opt_fail(s->err, STATUS_USAGE, "Invalid port `%s'", n->bad);
	case NAT_ARG_NO_ADDR6:
		return opt_fail(s->err, STATUS_USAGE, "No IPv6 address specified");
	case NAT_ARG_NO_BRACKET:
		return opt_fail(s->err, STATUS_USAGE, "No closing ']' around IPv6 address");
	default:
		return opt_fail(s->err, STATUS_USAGE, "Invalid IP address `%s'", n->bad);
	}
}

static int
set_nat(struct scan *s, const struct optdef *d, char *value)
{
	struct nat_arg *n = &s->c->nat[d->what == OPT_SNAT ? NAT_SRC : d->what == OPT_DNAT ? NAT_DST : NAT_ANY];
	enum nat_arg_error e;

	if (value == NULL)
		return 0;
	if ((e = arg_nat(value, n)) != NAT_ARG_OK)
		return nat_error(s, e, n);
	return set_family(s, n->addr.family);
}

/* Appends ",value" to a list that may be NULL. */
static int
append(struct scan *s, char **list, const char *value)
{
	size_t old = *list != NULL ? strlen(*list) + 1 : 0;
	char *all = realloc(*list, old + strlen(value) + 1);

	if (all == NULL)
		return opt_fail(s->err, STATUS_FAILED, "not enough memory");
	if (old > 0)
		all[old - 1] = ',';
	strcpy(all + old, value);
	*list = all;
	return 0;
}

static int
set_labels(struct scan *s, const struct optdef *d, char *value)
{
	char **list = d->what == OPT_LABEL       ? &s->c->label
		      : d->what == OPT_LABEL_ADD ? &s->c->label_add
						 : &s->c->label_del;

	return value == NULL ? 0 : append(s, list, value);
}

static int
set_path(struct scan *s, const struct optdef *d, char *value)
{
	char **path = d->what == OPT_LABELMAP ? &s->c->labelmap : &s->c->from_file;

	if (*path != NULL)
		return opt_fail(s->err, STATUS_USAGE, "option `--%s' can only be specified once", d->name);
	return append(s, path, value);
}

static int
set_helper(struct scan *s, const struct optdef *d, char *value)
{
	(void)d;
	if (value[0] == '\0' || strlen(value) >= sizeof(s->c->helper))
		return opt_fail(s->err, STATUS_USAGE, "Invalid helper name `%s'", value);
	strcpy(s->c->helper, value);
	s->c->given |= OPT_BIT(OPT_HELPER);
	return 0;
}

/* PROTO,SRC,SPORT,DST,DPORT. */
static int
set_master(struct scan *s, const struct optdef *d, char *value)
{
	struct ct_tuple *t = &s->c->master;
	char *field[5] = {value}, *p = value;
	uint64_t n[3];

	(void)d;
	for (int i = 1; i < 5; i++) {
		if ((p = strchr(p, ',')) == NULL)
			return opt_fail(s->err, STATUS_USAGE, "Invalid master connection `%s'", value);
		*p++ = '\0';
		field[i] = p;
	}
	if (arg_decimal(field[0], UINT8_MAX, &n[0]) < 0 || arg_addr(field[1], &t->src) < 0 ||
	    arg_decimal(field[2], UINT16_MAX, &n[1]) < 0 || arg_addr(field[3], &t->dst) < 0 ||
	    arg_decimal(field[4], UINT16_MAX, &n[2]) < 0 || t->src.family != t->dst.family)
		return opt_fail(s->err, STATUS_USAGE, "Invalid master connection of protocol `%s'", value);
	t->proto = (uint8_t)n[0];
	t->sport = (uint16_t)n[1];
	t->dport = (uint16_t)n[2];
	t->has = TUPLE_SRC | TUPLE_DST | TUPLE_PROTO | TUPLE_SPORT | TUPLE_DPORT;
	s->c->given |= OPT_BIT(OPT_MASTER);
	return 0;
}

/* 32-bit words in hexadecimal, bit 0 first, separated by commas. */
static int
set_saved_labels(struct scan *s, const struct optdef *d, char *value)
{
	char *save = NULL, *word = strtok_r(value, ",", &save);

	(void)d;
	for (unsigned i = 0; word != NULL; i++, word = strtok_r(NULL, ",", &save)) {
		uint32_t v;

		if (i >= LABEL_WORDS || arg_u32(word, &v) < 0)
			return opt_fail(s->err, STATUS_USAGE, "Invalid labels `%s'", word);
		s->c->add.word[i] |= v;
	}
	s->c->given |= OPT_BIT(OPT_SAVED_LABELS);
	return 0;
}

/* What -o save writes where no option exists: words that older versions pass over. */
static int
saved_word(struct scan *s, char *word)
{
	static const struct {
		const char *name;
		int (*set)(struct scan *s, const struct optdef *d, char *value);
	} words[] = {{"helper=", set_helper}, {"master=", set_master}, {"labels=", set_saved_labels}};

	for (size_t i = 0; i < NITEMS(words); i++)
		if (strncmp(word, words[i].name, strlen(words[i].name)) == 0)
			return words[i].set(s, NULL, word + strlen(words[i].name));
	return 0;
}

static int
set_ignored(struct scan *s, const struct optdef *d, char *value)
{
	(void)d;
	(void)value;
	s->c->warnings |= WARN_NAT_RANGE;
	return 0;
}

static int
set_flag(struct scan *s, const struct optdef *d, char *value)
{
	(void)s;
	(void)d;
	(void)value;
	return 0;
}

#define NO_OPT OPT_MAX

/* Sorted by name: files to load look up millions of words. */
static const struct optdef defs[] = {
	{"add", 'A', TAKES_DROPPED, set_command, CMD_ADD},
	{"any-nat", 'j', TAKES_MAYBE, set_nat, OPT_ANYNAT},
	{"buffer-size", 'b', TAKES_VALUE, set_buffer, OPT_BUFFER},
	{"counter", 'C', TAKES_DROPPED, set_command, CMD_COUNT},
	{"create", 'I', TAKES_DROPPED, set_command, CMD_CREATE},
	{"ct-helper", 0, TAKES_VALUE, set_helper, OPT_HELPER},
	{"ct-master", 0, TAKES_VALUE, set_master, OPT_MASTER},
	{"delete", 'D', TAKES_DROPPED, set_command, CMD_DELETE},
	{"dst", 'd', TAKES_VALUE, set_addr, OPT_DST},
	{"dst-nat", 'g', TAKES_MAYBE, set_nat, OPT_DNAT},
	{"dump", 'L', TAKES_DROPPED, set_command, CMD_LIST},
	{"event", 'E', TAKES_DROPPED, set_command, CMD_EVENT},
	{"event-mask", 'e', TAKES_VALUE, set_events, OPT_EVENTS},
	{"family", 'f', TAKES_VALUE, set_layer3, OPT_FAMILY},
	{"flush", 'F', TAKES_DROPPED, set_command, CMD_FLUSH},
	{"from-file", 0, TAKES_VALUE, set_path, OPT_FROM_FILE},
	{"get", 'G', TAKES_DROPPED, set_command, CMD_GET},
	{"help", 'h', TAKES_NONE, set_command, CMD_HELP},
	{"id", 'i', TAKES_VALUE, set_u32, OPT_ID},
	{"json", 0, TAKES_NONE, set_json, OPT_OUTPUT},
	{"label", 'l', TAKES_VALUE, set_labels, OPT_LABEL},
	{"label-add", '<', TAKES_VALUE, set_labels, OPT_LABEL_ADD},
	{"label-del", '>', TAKES_MAYBE, set_labels, OPT_LABEL_DEL},
	{"labelmap", 'M', TAKES_VALUE, set_path, OPT_LABELMAP},
	{"mark", 'm', TAKES_VALUE, set_mark, OPT_MARK},
	{"mask-dst", '}', TAKES_VALUE, set_mask, OPT_MASK_DST},
	{"mask-src", '{', TAKES_VALUE, set_mask, OPT_MASK_SRC},
	{"nat-range", 'a', TAKES_VALUE, set_ignored, NO_OPT},
	{"orig-dst", 'd', TAKES_VALUE, set_addr, OPT_DST},
	{"orig-src", 's', TAKES_VALUE, set_addr, OPT_SRC},
	{"orig-zone", '(', TAKES_VALUE, set_zone, OPT_OZONE},
	{"output", 'o', TAKES_VALUE, set_output, OPT_OUTPUT},
	{"protonum", 'p', TAKES_VALUE, set_proto, OPT_PROTO},
	{"reply-dst", 'q', TAKES_VALUE, set_addr, OPT_RDST},
	{"reply-src", 'r', TAKES_VALUE, set_addr, OPT_RSRC},
	{"reply-zone", ')', TAKES_VALUE, set_zone, OPT_RZONE},
	{"secmark", 'c', TAKES_VALUE, set_u32, OPT_SECMARK},
	{"src", 's', TAKES_VALUE, set_addr, OPT_SRC},
	{"src-nat", 'n', TAKES_MAYBE, set_nat, OPT_SNAT},
	{"stats", 'S', TAKES_NONE, set_command, CMD_STATS},
	{"status", 'u', TAKES_VALUE, set_status, OPT_STATUS},
	{"timeout", 't', TAKES_VALUE, set_timeout, OPT_TIMEOUT},
	{"tuple-dst", ']', TAKES_VALUE, set_addr, OPT_TUPLE_DST},
	{"tuple-src", '[', TAKES_VALUE, set_addr, OPT_TUPLE_SRC},
	{"update", 'U', TAKES_DROPPED, set_command, CMD_UPDATE},
	{"version", 'V', TAKES_NONE, set_command, CMD_VERSION},
	{"zero", 'z', TAKES_NONE, set_flag, OPT_ZERO},
	{"zone", 'w', TAKES_VALUE, set_zone, OPT_ZONE},
};

static int
unknown_option(struct scan *s)
{
	return opt_fail(s->err, STATUS_USAGE, "unknown option `%s'", s->word);
}

static int
needs_argument(struct scan *s)
{
	return opt_fail(s->err, STATUS_USAGE, "option `%s' requires an argument", s->word);
}

static int
apply(struct scan *s, const struct optdef *d, char *value)
{
	if (d->set != set_command && d->what != NO_OPT)
		s->c->given |= OPT_BIT(d->what);
	return d->set(s, d, value);
}

/* An option without attached value: fetches the value from the next word where it takes one. */
static int
apply_detached(struct scan *s, const struct optdef *d)
{
	char *value = NULL;

	if (d->takes == TAKES_VALUE) {
		if (s->at >= s->argc)
			return needs_argument(s);
		value = s->argv[s->at++];
	} else if (d->takes == TAKES_MAYBE) {
		value = optional_word(s);
	}
	return apply(s, d, value);
}

static const struct optdef *
by_letter(char letter)
{
	for (size_t i = 0; letter != '\0' && i < NITEMS(defs); i++)
		if (defs[i].letter == letter)
			return &defs[i];
	return NULL;
}

/* "-Lo extended", "-p6", "-n1.2.3.4": letters until one takes a value. */
static int
scan_cluster(struct scan *s, char *word)
{
	for (char *p = word + 1; *p != '\0'; p++) {
		const struct optdef *d = by_letter(*p);
		bool last = p[1] == '\0', takes;

		if (d == NULL)
			return unknown_option(s);
		takes = d->takes == TAKES_VALUE || d->takes == TAKES_MAYBE ||
			(d->set == set_command && d->what == CMD_COUNT);
		if (!last && takes)
			return apply(s, d, p + 1);
		if (last)
			return apply_detached(s, d);
		if (apply(s, d, p + 1) < 0)
			return -1;
	}
	return 0;
}

struct match {
	const struct optdef *def;
	const struct popt *popt;
	bool ambiguous;
};

static int
name_order(const void *key, const void *row)
{
	return strcmp(key, ((const struct optdef *)row)->name);
}

static void
match_prefix(struct match *m, const struct proto *proto, const char *name, size_t len)
{
	for (size_t i = 0; i < NITEMS(defs); i++) {
		const struct optdef *d = &defs[i];

		if (strncmp(d->name, name, len) != 0)
			continue;
		m->ambiguous |= m->def != NULL && (m->def->set != d->set || m->def->what != d->what);
		m->def = d;
	}
	for (const struct popt *p = proto != NULL ? proto->opts : NULL; p != NULL && p->name != NULL; p++) {
		if (strncmp(p->name, name, len) != 0)
			continue;
		m->ambiguous |= m->def != NULL || (m->popt != NULL && m->popt->field != p->field);
		m->popt = p;
	}
}

static const struct popt *
exact_popt(const struct proto *proto, const char *name)
{
	for (const struct popt *p = proto != NULL ? proto->opts : NULL; p != NULL && p->name != NULL; p++)
		if (p->name[0] == name[0] && strcmp(p->name, name) == 0)
			return p;
	return NULL;
}

/* The option called name (exactly), or the only one that name begins. */
static struct match
find_long(const struct proto *proto, const char *name)
{
	struct match m = {.popt = exact_popt(proto, name)};

	if (m.popt == NULL)
		m.def = bsearch(name, defs, NITEMS(defs), sizeof(defs[0]), name_order);
	if (m.popt == NULL && m.def == NULL)
		match_prefix(&m, proto, name, strlen(name));
	return m;
}

static int
scan_long(struct scan *s, char *word)
{
	char *eq = strchr(word, '='), name[64], *value = eq != NULL ? eq + 1 : NULL;
	size_t len = eq != NULL ? (size_t)(eq - word) - 2 : strlen(word + 2);
	struct match m;

	if (len >= sizeof(name))
		return unknown_option(s);
	memcpy(name, word + 2, len);
	name[len] = '\0';
	m = find_long(s->c->proto, name);
	if (m.ambiguous || (m.def == NULL && m.popt == NULL))
		return unknown_option(s);
	if (m.popt != NULL) {
		if (value == NULL && s->at >= s->argc)
			return needs_argument(s);
		return opt_set_proto(s->c, m.popt, value != NULL ? value : s->argv[s->at++], s->err);
	}
	if (value != NULL && m.def->takes == TAKES_NONE)
		return unknown_option(s);
	return value != NULL ? apply(s, m.def, value) : apply_detached(s, m.def);
}

static int
scan_words(struct scan *s)
{
	while (s->at < s->argc) {
		char *w = s->argv[s->at++];
		int r = 0;

		s->word = w;
		if (w[0] != '-' || w[1] == '\0') { /* nobody's word */
			if (s->ctx->loading && saved_word(s, w) < 0)
				return -1;
			continue;
		}
		if (w[1] == '-' && w[2] == '\0')
			break;
		r = w[1] == '-' ? scan_long(s, w) : scan_cluster(s, w);
		if (r < 0)
			return -1;
	}
	return 0;
}

int
cmd_parse(struct cmd *c, struct opt_ctx *ctx, int argc, char **argv, struct opt_error *err)
{
	struct scan s = {.c = c, .ctx = ctx, .err = err, .argv = argv, .argc = argc, .at = 1};

	memset(c, 0, sizeof(*c));
	if (ctx->selecting)
		c->op = ctx->select_op;
	if (scan_words(&s) < 0)
		return -1;
	return opts_check(c, ctx, err);
}

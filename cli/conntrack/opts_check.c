/*
 * The option × command table and the rules behind it, in the order in which 1.4.x reports violations. Trusts
 * no combination of options: each word is right by itself, and that is all.
 */
#include "opts_check.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

enum column {
	COL_LIST,
	COL_CREATE,
	COL_UPDATE,
	COL_DELETE,
	COL_GET,
	COL_FLUSH,
	COL_EVENT,
	COL_XLIST,
	COL_XCREATE,
	COL_XGET,
	COL_XEVENT,
	COL_NONE,
	COL_HELP,
	COL_COUNT
};

/* 'R' required, 'o' optional, 'P' part of the address pair, '-' illegal. A column a letter:
 * L, I and A, U, D, G, F, E; of expectations L, I, D and G, E. */
static const struct {
	const char *title, *rule;
} rows[OPT_MAX] = {
	[OPT_SRC] = {"src", "oPooP-o-RR-"},
	[OPT_DST] = {"dst", "oPooP-o-RR-"},
	[OPT_RSRC] = {"reply-src", "oPooP-o-oo-"},
	[OPT_RDST] = {"reply-dst", "oPooP-o-oo-"},
	[OPT_PROTO] = {"protonum", "oRooR-o-RR-"},
	[OPT_TIMEOUT] = {"timeout", "-Roo----R--"},
	[OPT_STATUS] = {"status", "oooo----o--"},
	[OPT_ZERO] = {"zero", "o----------"},
	[OPT_EVENTS] = {"event-mask", "------o----"},
	[OPT_TUPLE_SRC] = {"tuple-src", "--------R--"},
	[OPT_TUPLE_DST] = {"tuple-dst", "--------R--"},
	[OPT_MASK_SRC] = {"mask-src", "o-oo--o-R--"},
	[OPT_MASK_DST] = {"mask-dst", "o-oo--o-R--"},
	[OPT_MARK] = {"mark", "oooo--o----"},
	[OPT_ID] = {"id", "--ooo------"},
	[OPT_FAMILY] = {"family", "o-oo-ooo---"},
	[OPT_SNAT] = {"src-nat", "oooo--o----"},
	[OPT_DNAT] = {"dst-nat", "oooo--o----"},
	[OPT_OUTPUT] = {"output", "o-ooo-oo--o"},
	[OPT_SECMARK] = {"secmark", "o-----o----"},
	[OPT_BUFFER] = {"buffer-size", "------o----"},
	[OPT_ANYNAT] = {"any-nat", "o-----o----"},
	[OPT_ZONE] = {"zone", "oo-o--o----"},
	[OPT_LABEL] = {"label", "o-ooo-o----"},
	[OPT_LABEL_ADD] = {"label-add", "-oo--------"},
	[OPT_LABEL_DEL] = {"label-del", "--o--------"},
	[OPT_OZONE] = {"orig-zone", "oo-o--o----"},
	[OPT_RZONE] = {"reply-zone", "oo-o--o----"},
	[OPT_LABELMAP] = {"labelmap", "o-oo--o----"},
	[OPT_FROM_FILE] = {"from-file", "---o-------"},
	[OPT_HELPER] = {"ct-helper", "-o---------"},
	[OPT_MASTER] = {"ct-master", "-o---------"},
	[OPT_SAVED_LABELS] = {"labels", "-o---------"},
};

static enum column
column_of(const struct cmd *c)
{
	static const enum column ct[CMD_MAX] = {
		[CMD_NONE] = COL_NONE,     [CMD_LIST] = COL_LIST,     [CMD_GET] = COL_GET,
		[CMD_DELETE] = COL_DELETE, [CMD_CREATE] = COL_CREATE, [CMD_ADD] = COL_CREATE,
		[CMD_UPDATE] = COL_UPDATE, [CMD_EVENT] = COL_EVENT,   [CMD_FLUSH] = COL_FLUSH,
		[CMD_COUNT] = COL_COUNT,   [CMD_STATS] = COL_COUNT,   [CMD_VERSION] = COL_NONE,
		[CMD_HELP] = COL_HELP,
	};
	static const enum column expect[CMD_MAX] = {
		[CMD_NONE] = COL_NONE,      [CMD_LIST] = COL_XLIST,  [CMD_GET] = COL_XGET,    [CMD_DELETE] = COL_XGET,
		[CMD_CREATE] = COL_XCREATE, [CMD_ADD] = COL_NONE,    [CMD_UPDATE] = COL_NONE, [CMD_EVENT] = COL_XEVENT,
		[CMD_FLUSH] = COL_NONE,     [CMD_COUNT] = COL_COUNT, [CMD_STATS] = COL_COUNT, [CMD_VERSION] = COL_NONE,
		[CMD_HELP] = COL_HELP,
	};

	return c->table == TABLE_EXPECT ? expect[c->op] : ct[c->op];
}

const char *
opt_title(enum opt o)
{
	return rows[o].title;
}

static char
rule_for(const struct cmd *c, enum opt o, enum column col)
{
	if (col == COL_HELP)
		return o == OPT_PROTO ? 'o' : '-';
	/* Beyond 1.4.x: numbers as JSON. */
	if (o == OPT_OUTPUT && c->output == OUT_JSON && (col == COL_COUNT || col == COL_XGET))
		return 'o';
	return col >= COL_NONE ? '-' : rows[o].rule[col];
}

static int
check_table(const struct cmd *c, const struct opt_ctx *ctx, struct opt_error *err)
{
	enum column col = column_of(c);

	for (enum opt o = 0; o < OPT_MAX; o++) {
		char rule = rule_for(c, o, col);

		if (rule == 'R' && !cmd_has(c, o))
			return opt_fail(err, STATUS_USAGE, "You need to supply the `--%s' option for this command",
					rows[o].title);
		if (rule != '-' || !cmd_has(c, o) || (o == OPT_SECMARK && ctx->loading && col == COL_CREATE))
			continue;
		return opt_fail(err, STATUS_USAGE, "Illegal option `--%s' with this command", rows[o].title);
	}
	return 0;
}

/* Only commands whose addresses are under the pair rule. Sets *reply when the pair is the reply's. */
static int
check_pair(const struct cmd *c, struct opt_error *err, bool *reply)
{
	bool src = cmd_has(c, OPT_SRC), dst = cmd_has(c, OPT_DST);
	bool rsrc = cmd_has(c, OPT_RSRC), rdst = cmd_has(c, OPT_RDST);
	enum column col = column_of(c);

	*reply = false;
	if (col >= COL_NONE || rows[OPT_SRC].rule[col] != 'P' || (src && dst))
		return 0;
	*reply = rsrc && rdst;
	if (*reply)
		return 0;
	if (!src && !dst && rsrc != rdst)
		return opt_fail(err, STATUS_USAGE, "you have to specify `--reply-src' and `--reply-dst'");
	return opt_fail(err, STATUS_USAGE, "you have to specify `--src' and `--dst'");
}

static enum pcolumn
proto_column(const struct cmd *c)
{
	static const enum pcolumn of[] = {
		[COL_LIST] = PC_LIST,       [COL_CREATE] = PC_CREATE, [COL_UPDATE] = PC_UPDATE, [COL_DELETE] = PC_LIST,
		[COL_GET] = PC_GET,         [COL_FLUSH] = PC_NONE,    [COL_EVENT] = PC_LIST,    [COL_XLIST] = PC_NONE,
		[COL_XCREATE] = PC_XCREATE, [COL_XGET] = PC_XGET,     [COL_XEVENT] = PC_NONE,   [COL_NONE] = PC_NONE,
		[COL_HELP] = PC_NONE,       [COL_COUNT] = PC_NONE,
	};

	return of[column_of(c)];
}

static int
check_proto_rows(const struct cmd *c, enum pcolumn col, struct opt_error *err)
{
	for (const struct prow *r = c->proto->rows; r->name != NULL; r++) {
		if (r->rule[col] == 'R' && !cmd_has_proto(c, r->field))
			return opt_fail(err, STATUS_USAGE, "You need to supply the `--%s' option for this command",
					r->name);
		if (r->rule[col] == '-' && cmd_has_proto(c, r->field))
			return opt_fail(err, STATUS_USAGE, "Illegal option `--%s' with this command", r->name);
	}
	return 0;
}

static int
check_proto_pair(const struct cmd *c, enum pcolumn col, bool reply, struct opt_error *err)
{
	bool sport = cmd_has_proto(c, FIELD_SPORT), dport = cmd_has_proto(c, FIELD_DPORT);
	bool rsport = cmd_has_proto(c, FIELD_RSPORT), rdport = cmd_has_proto(c, FIELD_RDPORT);
	const char *const *name =
		c->proto->pair[reply ? sport || dport || rsport || rdport : rsport != rdport && !sport && !dport];

	if (name[0] == NULL || c->proto->rows[0].rule[col] != 'P' || (reply ? rsport && rdport : sport && dport))
		return 0;
	return opt_fail(err, STATUS_USAGE, "you have to specify `--%s' and `--%s'", name[0], name[1]);
}

static int
check_proto(const struct cmd *c, bool reply, struct opt_error *err)
{
	enum pcolumn col = proto_column(c);

	if (c->proto == NULL || col == PC_NONE)
		return 0;
	if (check_proto_rows(c, col, err) < 0)
		return -1;
	return check_proto_pair(c, col, reply, err);
}

static struct labelmap *
need_map(const struct cmd *c, struct opt_ctx *ctx)
{
	if (!ctx->tried) {
		ctx->tried = true;
		errno = 0;
		ctx->map = labelmap_load(c->labelmap != NULL ? c->labelmap : LABELMAP_PATH);
		ctx->map_errno = ctx->map == NULL ? errno : 0;
	}
	return ctx->map;
}

/* All names of a comma separated list. */
static int
resolve(const struct labelmap *map, const char *list, struct label_set *set, struct opt_error *err)
{
	char name[256];

	for (const char *w = list; w != NULL; w = *w == ',' ? w + 1 : NULL) {
		size_t len = strcspn(w, ",");
		int bit = -1;

		if (len < sizeof(name)) {
			memcpy(name, w, len);
			name[len] = '\0';
			bit = map != NULL ? labelmap_bit(map, name) : -1;
		}
		if (bit < 0)
			return opt_fail(err, STATUS_USAGE, "unknown label '%.*s'", (int)(len < 200 ? len : 200), w);
		set->word[bit / 32] |= UINT32_C(1) << bit % 32;
		w += len;
	}
	return 0;
}

/* Labels that are to be set must be among those that an entry can have. */
static int
check_settable(const struct labelmap *map, const struct label_set *set, struct opt_error *err)
{
	for (unsigned i = LABEL_BITS_KERNEL; i < LABELMAP_BITS; i++)
		if (set->word[i / 32] >> i % 32 & 1)
			return opt_fail(err, STATUS_USAGE, "label '%s' is bit %u, and the kernel keeps bits 0 to %d",
					labelmap_name(map, i), i, LABEL_BITS_KERNEL - 1);
	return 0;
}

static int
check_labels(struct cmd *c, struct opt_ctx *ctx, struct opt_error *err)
{
	bool wanted = (c->output & OUT_LABELS) != 0 || cmd_has(c, OPT_LABEL) || cmd_has(c, OPT_LABEL_ADD) ||
		      cmd_has(c, OPT_LABEL_DEL);
	bool saving = (c->output & OUT_SAVE) != 0 && c->op != CMD_EVENT; /* nicer with names, possible without */
	const struct labelmap *map;

	if (saving && !wanted && !ctx->tried)
		ctx->quiet = true;
	map = wanted || saving ? need_map(c, ctx) : NULL;

	if (c->label != NULL && resolve(map, c->label, &c->want, err) < 0)
		return -1;
	if (c->label_add != NULL &&
	    (resolve(map, c->label_add, &c->add, err) < 0 || check_settable(map, &c->add, err) < 0))
		return -1;
	if (c->label_del != NULL && resolve(map, c->label_del, &c->del, err) < 0)
		return -1;
	if (cmd_has(c, OPT_LABEL_DEL) && c->label_del == NULL)
		memset(&c->del, 0xff, sizeof(c->del));
	if (cmd_has(c, OPT_LABEL_ADD) && cmd_has(c, OPT_LABEL_DEL))
		return opt_fail(err, STATUS_USAGE, "cannot use --label-add and --label-del at the same time");
	return 0;
}

#define FILTERING                                                                                                  \
	(OPT_BIT(OPT_PROTO) | OPT_BIT(OPT_SRC) | OPT_BIT(OPT_DST) | OPT_BIT(OPT_RSRC) | OPT_BIT(OPT_RDST) |        \
	 OPT_BIT(OPT_MARK) | OPT_BIT(OPT_SECMARK) | OPT_BIT(OPT_STATUS) | OPT_BIT(OPT_ZONE) | OPT_BIT(OPT_OZONE) | \
	 OPT_BIT(OPT_RZONE) | OPT_BIT(OPT_LABEL))

static int
check_values(const struct cmd *c, struct opt_error *err)
{
	bool expect = c->table == TABLE_EXPECT;

	if (cmd_has(c, OPT_MASK_SRC) && !cmd_has(c, expect ? OPT_TUPLE_SRC : OPT_SRC))
		return opt_fail(err, STATUS_USAGE, "Can't use --mask-src without --src");
	if (cmd_has(c, OPT_MASK_DST) && !cmd_has(c, expect ? OPT_TUPLE_DST : OPT_DST))
		return opt_fail(err, STATUS_USAGE, "Can't use --mask-dst without --dst");
	if (cmd_has(c, OPT_ZERO) && c->given & FILTERING)
		return opt_fail(err, STATUS_USAGE, "Can't use -z with filtering parameters");
	return 0;
}

int
opts_check(struct cmd *c, struct opt_ctx *ctx, struct opt_error *err)
{
	bool reply;

	if (ctx->loading) /* comes with the master, or cannot be */
		c->status_set &= ~(uint32_t)IPS_EXPECTED;
	if (check_labels(c, ctx, err) < 0)
		return -1;
	if (cmd_has(c, OPT_ANYNAT) && (cmd_has(c, OPT_SNAT) || cmd_has(c, OPT_DNAT)))
		return opt_fail(err, STATUS_USAGE, "cannot specify `--src-nat' or `--dst-nat' with `--any-nat'");
	if (check_table(c, ctx, err) < 0 || check_pair(c, err, &reply) < 0 || check_proto(c, reply, err) < 0)
		return -1;
	return check_values(c, err);
}

static uint16_t *
port_field(struct cmd *c, enum pfield f)
{
	uint16_t *const field[] = {
		[FIELD_SPORT] = &c->orig.sport,   [FIELD_DPORT] = &c->orig.dport,   [FIELD_RSPORT] = &c->reply.sport,
		[FIELD_RDPORT] = &c->reply.dport, [FIELD_MSPORT] = &c->mask.sport,  [FIELD_MDPORT] = &c->mask.dport,
		[FIELD_TSPORT] = &c->tuple.sport, [FIELD_TDPORT] = &c->tuple.dport,
	};

	return field[f];
}

static int
bad_value(const struct popt *p, const char *value, struct opt_error *err)
{
	return opt_fail(err, STATUS_USAGE, "unexpected value '%s' with --%s option", value, p->name);
}

static int
set_port(struct cmd *c, const struct popt *p, const char *value, struct opt_error *err)
{
	bool key = c->proto->number == IPPROTO_GRE;
	uint64_t v;

	if ((key ? arg_number(value, UINT16_MAX, &v) : arg_decimal(value, UINT16_MAX, &v)) < 0)
		return bad_value(p, value, err);
	*port_field(c, p->field) = (uint16_t)v;
	return 0;
}

static int
set_icmp(struct cmd *c, const struct popt *p, const char *value, struct opt_error *err)
{
	uint64_t v;

	if (arg_decimal(value, p->field == FIELD_ICMPID ? UINT16_MAX : UINT8_MAX, &v) < 0)
		return bad_value(p, value, err);
	if (p->field == FIELD_TYPE)
		c->orig.icmp_type = (uint8_t)v;
	else if (p->field == FIELD_CODE)
		c->orig.icmp_code = (uint8_t)v;
	else
		c->orig.icmp_id = (uint16_t)v;
	return 0;
}

static int
set_state(struct cmd *c, const char *value, struct opt_error *err)
{
	int n = state_number(c->proto->number, value);

	if (n < 0 && c->proto->number == IPPROTO_DCCP)
		return opt_fail(err, STATUS_USAGE, "Unknown DCCP state `%s'", value);
	if (n < 0)
		return opt_fail(err, STATUS_USAGE, "unknown %s state `%s'",
				c->proto->number == IPPROTO_TCP ? "TCP" : "SCTP", value);
	c->state = (uint8_t)n;
	return 0;
}

static int
set_role(struct cmd *c, const char *value, struct opt_error *err)
{
	int n = dccp_role_number(value);

	if (n < 0)
		return opt_fail(err, STATUS_USAGE, "Unknown DCCP role `%s'", value);
	c->role = (uint8_t)n;
	return 0;
}

int
opt_set_proto(struct cmd *c, const struct popt *p, const char *value, struct opt_error *err)
{
	c->proto_given |= FIELD_BIT(p->field);
	if (p->field <= FIELD_TDPORT)
		return set_port(c, p, value, err);
	if (p->field >= FIELD_TYPE)
		return set_icmp(c, p, value, err);
	if (p->field == FIELD_STATE)
		return set_state(c, value, err);
	if (p->field == FIELD_ROLE)
		return set_role(c, value, err);
	return arg_u32(value, &c->vtag[p->field == FIELD_RVTAG]) < 0 ? bad_value(p, value, err) : 0;
}

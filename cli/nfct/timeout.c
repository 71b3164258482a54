/*
 * nfct timeout: names, families, protocols and state/seconds pairs become requests, and policies are shown. Trusts
 * neither the user's words nor the lengths in the kernel's answers.
 */
#include "timeout.h"

#include "args.h"
#include "ctnames.h"
#include "json.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink_cttimeout.h>
#include <netdb.h>
#include <netinet/in.h>
#include <string.h>
#include <strings.h>

#define L4_GENERIC 255
#define OTHERS_MAX 2
#define ATTRS_MAX  12
#define MSG(m)     (NFNL_SUBSYS_CTNETLINK_TIMEOUT << 8 | IPCTNL_MSG_TIMEOUT_##m)
#define NITEMS(a)  (sizeof(a) / sizeof((a)[0]))

/* What has timeouts: first the states of a protocol that has any, then others; their attributes count from 1. */
static const struct l4 {
	uint8_t number;
	const char *name;
	uint8_t states;
	const char *others[OTHERS_MAX];
} l4s[] = {
	{IPPROTO_TCP, "tcp", 9, {"RETRANS", "UNACKNOWLEDGED"}},
	{IPPROTO_UDP, "udp", 0, {"UNREPLIED", "REPLIED"}},
	{IPPROTO_UDPLITE, "udplite", 0, {"UNREPLIED", "REPLIED"}},
	{IPPROTO_GRE, "gre", 0, {"UNREPLIED", "REPLIED"}},
	{IPPROTO_SCTP, "sctp", 8, {NULL}},
	{IPPROTO_DCCP, "dccp", 7, {NULL}},
	{IPPROTO_ICMP, "icmp", 0, {"TIMEOUT"}},
	{IPPROTO_ICMPV6, "icmpv6", 0, {"TIMEOUT"}},
	{L4_GENERIC, "generic", 0, {"TIMEOUT"}},
};

/* The name behind an attribute, NULL behind the last one. */
static const char *
timeout_name(const struct l4 *p, unsigned attr)
{
	if (attr <= p->states)
		return state_name(p->number, (uint8_t)attr);
	return attr - p->states <= OTHERS_MAX ? p->others[attr - p->states - 1] : NULL;
}

static const struct l4 *
l4_by_number(uint8_t number)
{
	for (size_t i = 0; i < NITEMS(l4s); i++)
		if (l4s[i].number == number)
			return &l4s[i];
	return NULL;
}

/* Names of the protocols file, and the two it may lack. */
static int
l4_by_name(const char *name, uint8_t *number)
{
	const struct protoent *p = getprotobyname(name);

	if (p != NULL)
		*number = (uint8_t)p->p_proto;
	else if (strcmp(name, "icmpv6") == 0)
		*number = IPPROTO_ICMPV6;
	else if (strcmp(name, "generic") == 0)
		*number = L4_GENERIC;
	else
		return -ENOENT;
	return 0;
}

/* Attribute number of a state, 0 when the protocol has none of that name. */
static uint16_t
state_attr(uint8_t l4, const char *name)
{
	const struct l4 *p = l4_by_number(l4);

	for (uint16_t i = 1; p != NULL && timeout_name(p, i) != NULL; i++)
		if (strcasecmp(timeout_name(p, i), name) == 0)
			return i;
	return 0;
}

static int
put_name(struct request *rq, const char *name, char *err)
{
	if (strlen(name) >= CTNL_TIMEOUT_NAME_MAX)
		return request_fail(err, "timeout policy name `%s' is longer than %d bytes", name,
				    CTNL_TIMEOUT_NAME_MAX - 1);
	mnl_attr_put_strz(&rq->msg.head, CTA_TIMEOUT_NAME, name);
	return 0;
}

/* FAMILY PROTO; *l4 is the protocol's number. */
static int
put_protocols(struct request *rq, char **argv, uint8_t *l4, char *err)
{
	uint8_t l3 = family_by_name(argv[0]);

	if (l3 == AF_UNSPEC)
		return request_fail(err, "unknown layer 3 protocol");
	if (l4_by_name(argv[1], l4) < 0)
		return request_fail(err, "unknown layer 4 protocol");
	mnl_attr_put_u16(&rq->msg.head, CTA_TIMEOUT_L3PROTO, htons(l3));
	mnl_attr_put_u8(&rq->msg.head, CTA_TIMEOUT_L4PROTO, *l4);
	return 0;
}

static int
read_state(char **argv, int left, const char *proto, uint8_t l4, uint16_t *attr, uint32_t *secs, char *err)
{
	uint64_t v;

	*attr = state_attr(l4, argv[0]);
	if (left < 2)
		return request_fail(err, "missing value for this timeout");
	if (*attr == 0)
		return request_fail(err, "Wrong state name: `%s' for protocol `%s'", argv[0], proto);
	if (arg_decimal(argv[1], UINT32_MAX, &v) < 0)
		return request_fail(err, "invalid value `%s' for timeout %s", argv[1], argv[0]);
	*secs = (uint32_t)v;
	return 0;
}

/* STATE SECS pairs; the last one of a state counts, and each is sent once. */
static int
put_states(struct request *rq, int argc, char **argv, const char *proto, uint8_t l4, char *err)
{
	uint32_t secs[ATTRS_MAX + 1];
	bool given[ATTRS_MAX + 1] = {false};
	struct nlattr *nest;
	uint16_t attr = 0;
	uint32_t value = 0;

	for (int i = 0; i < argc; i += 2) {
		if (read_state(argv + i, argc - i, proto, l4, &attr, &value, err) < 0)
			return -EINVAL;
		secs[attr] = value;
		given[attr] = true;
	}
	if (argc == 0) /* the kernel says what it thinks of a policy without timeouts */
		return 0;
	nest = mnl_attr_nest_start(&rq->msg.head, CTA_TIMEOUT_DATA);
	for (attr = 1; attr <= ATTRS_MAX; attr++)
		if (given[attr])
			mnl_attr_put_u32(&rq->msg.head, attr, htonl(secs[attr]));
	mnl_attr_nest_end(&rq->msg.head, nest);
	return 0;
}

static void
show_text(FILE *out, const char *name, uint16_t l3, uint8_t l4, const struct nla *states)
{
	const struct l4 *p = l4_by_number(l4);

	if (name[0] != '\0')
		fprintf(out, ".%s = {\n", name);
	fprintf(out, "\t.l3proto = %u,\n\t.l4proto = %u,\n\t.policy = {\n", l3, l4);
	for (unsigned i = 1; p != NULL && timeout_name(p, i) != NULL; i++)
		if (states[i].data != NULL)
			fprintf(out, "\t\t.%s = %u,\n", timeout_name(p, i), attr_be32(&states[i]));
	fputs("\t},\n};\n", out);
}

static int
show_json(FILE *out, const char *name, uint16_t l3, uint8_t l4, const struct nla *states)
{
	const struct l4 *p = l4_by_number(l4);
	yajl_gen g = json_begin();

	if (g == NULL)
		return -ENOMEM;
	if (name[0] != '\0')
		json_text(g, "name", name);
	json_number(g, "l3proto", l3);
	json_text(g, "family", l3 == AF_INET6 ? "inet6" : "inet");
	json_number(g, "l4proto", l4);
	if (p != NULL)
		json_text(g, "protocol", p->name);
	json_nest(g, "policy");
	for (unsigned i = 1; p != NULL && timeout_name(p, i) != NULL; i++)
		if (states[i].data != NULL)
			json_number(g, timeout_name(p, i), attr_be32(&states[i]));
	yajl_gen_map_close(g);
	return json_end(g, out);
}

static int
show(void *arg, const struct nlmsghdr *nlh)
{
	struct nla tb[CTA_TIMEOUT_MAX + 1], states[ATTRS_MAX + 1] = {{0}};
	const struct show *s = arg;
	char name[CTNL_TIMEOUT_NAME_MAX];
	uint16_t l3;
	uint8_t l4;

	if (attrs_index(nla_msg_attrs(nlh, NULL), CTA_TIMEOUT_MAX, tb) < 0)
		return -EBADMSG;
	if (tb[CTA_TIMEOUT_DATA].data != NULL && attrs_index(nla_nested(&tb[CTA_TIMEOUT_DATA]), ATTRS_MAX, states) < 0)
		return -EBADMSG;
	attr_text(&tb[CTA_TIMEOUT_NAME], name, sizeof(name));
	l3 = attr_be16(&tb[CTA_TIMEOUT_L3PROTO]);
	l4 = attr_u8(&tb[CTA_TIMEOUT_L4PROTO]);
	if (s->json)
		return show_json(s->out, name, l3, l4, states);
	show_text(s->out, name, l3, l4, states);
	return 0;
}

static int
put_add(struct request *rq, int argc, char **argv, char *err)
{
	uint8_t l4 = 0;

	if (put_name(rq, argv[0], err) < 0 || put_protocols(rq, argv + 1, &l4, err) < 0)
		return -EINVAL;
	return put_states(rq, argc - 3, argv + 3, argv[2], l4, err);
}

static int
put_named(struct request *rq, int argc, char **argv, char *err)
{
	(void)argc;
	return put_name(rq, argv[0], err);
}

static int
put_default_set(struct request *rq, int argc, char **argv, char *err)
{
	uint8_t l4 = 0;

	if (put_protocols(rq, argv, &l4, err) < 0)
		return -EINVAL;
	return put_states(rq, argc - 2, argv + 2, argv[1], l4, err);
}

static int
put_default_get(struct request *rq, int argc, char **argv, char *err)
{
	uint8_t l4 = 0;

	(void)argc;
	return put_protocols(rq, argv, &l4, err);
}

#define MISSING(words) "missing parameters\nsyntax: nfct " words
#define NO_NAME        "missing timeout policy name"

/* default-get has always ignored what stands behind the protocol. */
static const struct verb verbs[CMD_MAX] = {
	[CMD_LIST] = {.type = MSG(GET), .show = show, .dump = true},
	[CMD_ADD] = {MSG(NEW), NLM_F_CREATE, 3, INT_MAX,
		     MISSING("add timeout name family protocol state1 timeout1 ..."), put_add, NULL, false},
	[CMD_DELETE] = {MSG(DELETE), 0, 1, 1, NO_NAME, put_named, NULL, false},
	[CMD_GET] = {MSG(GET), 0, 1, 1, NO_NAME, put_named, show, false},
	[CMD_FLUSH] = {.type = MSG(DELETE)},
	[CMD_DEFAULT_SET] = {MSG(DEFAULT_SET), 0, 3, INT_MAX,
			     MISSING("default-set timeout family protocol state1 timeout1..."), put_default_set, NULL,
			     false},
	[CMD_DEFAULT_GET] = {MSG(DEFAULT_GET), 0, 2, INT_MAX, MISSING("default-get timeout family protocol"),
			     put_default_get, show, false},
};

int
timeout_request(struct request *rq, enum nfct_cmd cmd, int argc, char **argv, char *err)
{
	return request_make(rq, &verbs[cmd], argc, argv, err);
}

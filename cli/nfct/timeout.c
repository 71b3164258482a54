/*
 * nfct timeout: parses names, families, protocols and state/seconds pairs, and shows policies. Called by main.c and
 * the unit tests; arguments come from the user, answers from the kernel, both checked here.
 */
#include "timeout.h"

#include "args.h"
#include "json.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink_cttimeout.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <string.h>
#include <strings.h>

#define L4_GENERIC 255
#define STATES_MAX 12
#define MSG(m)     (NFNL_SUBSYS_CTNETLINK_TIMEOUT << 8 | IPCTNL_MSG_TIMEOUT_##m)
#define NITEMS(a)  (sizeof(a) / sizeof((a)[0]))

/* States in the order of their attributes, which count from 1. */
static const struct l4 {
	uint8_t number;
	const char *name;
	const char *states[STATES_MAX];
} l4s[] = {
	{IPPROTO_TCP,
	 "tcp",
	 {"SYN_SENT", "SYN_RECV", "ESTABLISHED", "FIN_WAIT", "CLOSE_WAIT", "LAST_ACK", "TIME_WAIT", "CLOSE",
	  "SYN_SENT2", "RETRANS", "UNACKNOWLEDGED"}},
	{IPPROTO_UDP, "udp", {"UNREPLIED", "REPLIED"}},
	{IPPROTO_UDPLITE, "udplite", {"UNREPLIED", "REPLIED"}},
	{IPPROTO_GRE, "gre", {"UNREPLIED", "REPLIED"}},
	{IPPROTO_SCTP,
	 "sctp",
	 {"CLOSED", "COOKIE_WAIT", "COOKIE_ECHOED", "ESTABLISHED", "SHUTDOWN_SENT", "SHUTDOWN_RECD",
	  "SHUTDOWN_ACK_SENT", "HEARTBEAT_SENT"}},
	{IPPROTO_DCCP, "dccp", {"REQUEST", "RESPOND", "PARTOPEN", "OPEN", "CLOSEREQ", "CLOSING", "TIMEWAIT"}},
	{IPPROTO_ICMP, "icmp", {"TIMEOUT"}},
	{IPPROTO_ICMPV6, "icmpv6", {"TIMEOUT"}},
	{L4_GENERIC, "generic", {"TIMEOUT"}},
};

static int
fail(char *err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(err, REQUEST_ERR, fmt, ap);
	va_end(ap);
	return -EINVAL;
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

	for (size_t i = 0; p != NULL && i < STATES_MAX && p->states[i] != NULL; i++)
		if (strcasecmp(p->states[i], name) == 0)
			return (uint16_t)(i + 1);
	return 0;
}

static int
put_name(struct request *rq, const char *name, char *err)
{
	if (strlen(name) >= CTNL_TIMEOUT_NAME_MAX)
		return fail(err, "timeout policy name `%s' is longer than %d bytes", name, CTNL_TIMEOUT_NAME_MAX - 1);
	mnl_attr_put_strz(&rq->msg.head, CTA_TIMEOUT_NAME, name);
	return 0;
}

/* FAMILY PROTO; *l4 is the protocol's number. */
static int
put_protocols(struct request *rq, char **argv, uint8_t *l4, char *err)
{
	uint8_t l3 = family_by_name(argv[0]);

	if (l3 == AF_UNSPEC)
		return fail(err, "unknown layer 3 protocol");
	if (l4_by_name(argv[1], l4) < 0)
		return fail(err, "unknown layer 4 protocol");
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
		return fail(err, "missing value for this timeout");
	if (*attr == 0)
		return fail(err, "Wrong state name: `%s' for protocol `%s'", argv[0], proto);
	if (arg_decimal(argv[1], UINT32_MAX, &v) < 0)
		return fail(err, "invalid value `%s' for timeout %s", argv[1], argv[0]);
	*secs = (uint32_t)v;
	return 0;
}

/* STATE SECS pairs; the last one of a state counts, and each is sent once. */
static int
put_states(struct request *rq, int argc, char **argv, const char *proto, uint8_t l4, char *err)
{
	uint32_t secs[STATES_MAX + 1];
	bool given[STATES_MAX + 1] = {false};
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
	for (attr = 1; attr <= STATES_MAX; attr++)
		if (given[attr])
			mnl_attr_put_u32(&rq->msg.head, attr, htonl(secs[attr]));
	mnl_attr_nest_end(&rq->msg.head, nest);
	return 0;
}

static void
show_text(FILE *out, const char *name, uint16_t l3, uint8_t l4, const struct nlattr *const *states)
{
	const struct l4 *p = l4_by_number(l4);

	if (name[0] != '\0')
		fprintf(out, ".%s = {\n", name);
	fprintf(out, "\t.l3proto = %u,\n\t.l4proto = %u,\n\t.policy = {\n", l3, l4);
	for (size_t i = 0; p != NULL && i < STATES_MAX && p->states[i] != NULL; i++)
		if (states[i + 1] != NULL)
			fprintf(out, "\t\t.%s = %u,\n", p->states[i], attr_be32(states[i + 1]));
	fputs("\t},\n};\n", out);
}

static int
show_json(FILE *out, const char *name, uint16_t l3, uint8_t l4, const struct nlattr *const *states)
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
	for (size_t i = 0; p != NULL && i < STATES_MAX && p->states[i] != NULL; i++)
		if (states[i + 1] != NULL)
			json_number(g, p->states[i], attr_be32(states[i + 1]));
	yajl_gen_map_close(g);
	return json_end(g, out);
}

static int
show(void *arg, const struct nlmsghdr *nlh)
{
	const struct nlattr *tb[CTA_TIMEOUT_MAX + 1], *states[STATES_MAX + 1] = {NULL}, *data;
	const struct show *s = arg;
	char name[CTNL_TIMEOUT_NAME_MAX];
	uint16_t l3;
	uint8_t l4;

	if (attrs_of_msg(nlh, CTA_TIMEOUT_MAX, tb) < 0)
		return -EBADMSG;
	data = tb[CTA_TIMEOUT_DATA];
	if (data != NULL &&
	    attrs_index((const uint8_t *)data + NLA_HDRLEN, data->nla_len - NLA_HDRLEN, STATES_MAX, states) < 0)
		return -EBADMSG;
	attr_text(tb[CTA_TIMEOUT_NAME], name, sizeof(name));
	l3 = attr_be16(tb[CTA_TIMEOUT_L3PROTO]);
	l4 = attr_u8(tb[CTA_TIMEOUT_L4PROTO]);
	if (s->json)
		return show_json(s->out, name, l3, l4, states);
	show_text(s->out, name, l3, l4, states);
	return 0;
}

static int
do_list(struct request *rq, int argc, char **argv, char *err)
{
	(void)argv;
	if (argc > 0)
		return fail(err, "too many arguments");
	nl_request(&rq->msg, MSG(GET), 0, AF_UNSPEC);
	rq->dump = true;
	rq->show = show;
	return 0;
}

static int
do_flush(struct request *rq, int argc, char **argv, char *err)
{
	(void)argv;
	if (argc > 0)
		return fail(err, "too many arguments");
	nl_request(&rq->msg, MSG(DELETE), 0, AF_UNSPEC);
	return 0;
}

static int
do_add(struct request *rq, int argc, char **argv, char *err)
{
	uint8_t l4 = 0;

	if (argc < 3)
		return fail(err,
			    "missing parameters\nsyntax: nfct add timeout name family protocol state1 timeout1 ...");
	nl_request(&rq->msg, MSG(NEW), NLM_F_CREATE, AF_UNSPEC);
	if (put_name(rq, argv[0], err) < 0 || put_protocols(rq, argv + 1, &l4, err) < 0)
		return -EINVAL;
	return put_states(rq, argc - 3, argv + 3, argv[2], l4, err);
}

static int
do_named(struct request *rq, uint16_t type, int argc, char **argv, char *err)
{
	if (argc < 1)
		return fail(err, "missing timeout policy name");
	if (argc > 1)
		return fail(err, "too many arguments");
	nl_request(&rq->msg, type, 0, AF_UNSPEC);
	return put_name(rq, argv[0], err);
}

static int
do_get(struct request *rq, int argc, char **argv, char *err)
{
	rq->show = show;
	return do_named(rq, MSG(GET), argc, argv, err);
}

static int
do_delete(struct request *rq, int argc, char **argv, char *err)
{
	return do_named(rq, MSG(DELETE), argc, argv, err);
}

static int
do_default_set(struct request *rq, int argc, char **argv, char *err)
{
	uint8_t l4 = 0;

	if (argc < 3)
		return fail(err, "missing parameters\n"
				 "syntax: nfct default-set timeout family protocol state1 timeout1...");
	nl_request(&rq->msg, MSG(DEFAULT_SET), 0, AF_UNSPEC);
	if (put_protocols(rq, argv, &l4, err) < 0)
		return -EINVAL;
	return put_states(rq, argc - 2, argv + 2, argv[1], l4, err);
}

static int
do_default_get(struct request *rq, int argc, char **argv, char *err)
{
	uint8_t l4;

	if (argc < 2)
		return fail(err, "missing parameters\nsyntax: nfct default-get timeout family protocol");
	nl_request(&rq->msg, MSG(DEFAULT_GET), 0, AF_UNSPEC);
	rq->show = show;
	return put_protocols(rq, argv, &l4, err);
}

int
timeout_request(struct request *rq, enum nfct_cmd cmd, int argc, char **argv, char *err)
{
	static int (*const verbs[CMD_MAX])(struct request *, int, char **, char *) = {
		[CMD_LIST] = do_list,
		[CMD_ADD] = do_add,
		[CMD_DELETE] = do_delete,
		[CMD_GET] = do_get,
		[CMD_FLUSH] = do_flush,
		[CMD_DEFAULT_SET] = do_default_set,
		[CMD_DEFAULT_GET] = do_default_get,
	};

	memset(rq, 0, sizeof(*rq));
	return verbs[cmd] == NULL ? -ENOSYS : verbs[cmd](rq, argc, argv, err);
}

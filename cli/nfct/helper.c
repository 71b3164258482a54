/*
 * nfct helper: registers, disables, shows and removes the user space helpers that a kernel with nfnetlink_cthelper
 * queues packets for. Trusts neither the user's words nor the lengths in the kernel's answers.
 */
#include "helper.h"
#include "facts.h"

#include "json.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink_cthelper.h>
#include <netinet/in.h>
#include <string.h>

#define NAME_MAX_LEN 16 /* NF_CT_HELPER_NAME_LEN, terminator included */
#define MSG(m)       (NFNL_SUBSYS_CTHELPER << 8 | NFNL_MSG_CTHELPER_##m)
#define NITEMS(a)    (sizeof(a) / sizeof((a)[0]))

static int
read_l3(const char *word, uint16_t *l3, char *err)
{
	*l3 = family_by_name(word);
	return *l3 == AF_UNSPEC ? request_fail(err, "unknown layer 3 protocol") : 0;
}

static int
read_l4(const char *word, uint8_t *l4, char *err)
{
	if (strcmp(word, "tcp") == 0)
		*l4 = IPPROTO_TCP;
	else if (strcmp(word, "udp") == 0)
		*l4 = IPPROTO_UDP;
	else
		return request_fail(err, "unsupported layer 4 protocol");
	return 0;
}

static void
put_tuple(struct request *rq, uint16_t l3, uint8_t l4)
{
	struct nlattr *nest = mnl_attr_nest_start(&rq->msg.head, NFCTH_TUPLE);

	mnl_attr_put_u16(&rq->msg.head, NFCTH_TUPLE_L3PROTONUM, htons(l3));
	mnl_attr_put_u8(&rq->msg.head, NFCTH_TUPLE_L4PROTONUM, l4);
	mnl_attr_nest_end(&rq->msg.head, nest);
}

/* One set of expectation limits, named like the helper. */
static void
put_policy(struct request *rq, const struct helper_fact *h)
{
	struct nlattr *all = mnl_attr_nest_start(&rq->msg.head, NFCTH_POLICY);
	struct nlattr *set = mnl_attr_nest_start(&rq->msg.head, NFCTH_POLICY_SET1);

	mnl_attr_put_strz(&rq->msg.head, NFCTH_POLICY_NAME, h->name);
	mnl_attr_put_u32(&rq->msg.head, NFCTH_POLICY_EXPECT_MAX, htonl(h->expect_max));
	mnl_attr_put_u32(&rq->msg.head, NFCTH_POLICY_EXPECT_TIMEOUT, htonl(h->expect_timeout));
	mnl_attr_nest_end(&rq->msg.head, set);
	mnl_attr_put_u32(&rq->msg.head, NFCTH_POLICY_SET_NUM, htonl(1));
	mnl_attr_nest_end(&rq->msg.head, all);
}

static int
show(void *arg, const struct nlmsghdr *nlh)
{
	struct nla tb[NFCTH_MAX + 1], tuple[NFCTH_TUPLE_MAX + 1] = {{0}};
	const struct show *s = arg;
	char name[NAME_MAX_LEN];
	const char *status;
	yajl_gen g;

	if (attrs_index(nla_msg_attrs(nlh, NULL), NFCTH_MAX, tb) < 0)
		return -EBADMSG;
	if (tb[NFCTH_TUPLE].data != NULL && attrs_index(nla_nested(&tb[NFCTH_TUPLE]), NFCTH_TUPLE_MAX, tuple) < 0)
		return -EBADMSG;
	attr_text(&tb[NFCTH_NAME], name, sizeof(name));
	status = attr_be32(&tb[NFCTH_STATUS]) == NFCT_HELPER_STATUS_ENABLED ? "enabled" : "disabled";
	if (!s->json) {
		fprintf(s->out, "{\n\t.name = %s,\n\t.queuenum = %u,\n\t.l3protonum = %u,\n\t.l4protonum = %u,\n", name,
			attr_be32(&tb[NFCTH_QUEUE_NUM]), attr_be16(&tuple[NFCTH_TUPLE_L3PROTONUM]),
			attr_u8(&tuple[NFCTH_TUPLE_L4PROTONUM]));
		fprintf(s->out, "\t.priv_data_len = %u,\n\t.status = %s,\n};\n", attr_be32(&tb[NFCTH_PRIV_DATA_LEN]),
			status);
		return 0;
	}
	if ((g = json_begin()) == NULL)
		return -ENOMEM;
	json_text(g, "name", name);
	json_number(g, "queuenum", attr_be32(&tb[NFCTH_QUEUE_NUM]));
	json_number(g, "l3protonum", attr_be16(&tuple[NFCTH_TUPLE_L3PROTONUM]));
	json_number(g, "l4protonum", attr_u8(&tuple[NFCTH_TUPLE_L4PROTONUM]));
	json_number(g, "priv_data_len", attr_be32(&tb[NFCTH_PRIV_DATA_LEN]));
	json_text(g, "status", status);
	return json_end(g, s->out);
}

/* NAME FAMILY PROTO of add and disable. NULL: err is filled. */
static const struct helper_fact *
read_known(char **argv, uint16_t *l3, uint8_t *l4, char *err)
{
	const struct helper_fact *h;

	if (read_l3(argv[1], l3, err) < 0 || read_l4(argv[2], l4, err) < 0)
		return NULL;
	if ((h = helper_fact(argv[0], *l4)) == NULL)
		request_fail(err, "that helper is not supported");
	return h;
}

static int
put_add(struct request *rq, int argc, char **argv, char *err)
{
	uint16_t l3 = 0;
	uint8_t l4 = 0;
	const struct helper_fact *h = read_known(argv, &l3, &l4, err);

	(void)argc;
	if (h == NULL)
		return -EINVAL;
	mnl_attr_put_strz(&rq->msg.head, NFCTH_NAME, h->name);
	mnl_attr_put_u32(&rq->msg.head, NFCTH_PRIV_DATA_LEN, htonl(h->private_len));
	put_tuple(rq, l3, l4);
	put_policy(rq, h);
	snprintf(rq->busy, sizeof(rq->busy), "Maybe unload nf_conntrack_%s.ko first?", h->name);
	return 0;
}

static int
put_disable(struct request *rq, int argc, char **argv, char *err)
{
	uint16_t l3 = 0;
	uint8_t l4 = 0;
	const struct helper_fact *h = read_known(argv, &l3, &l4, err);

	(void)argc;
	if (h == NULL)
		return -EINVAL;
	mnl_attr_put_strz(&rq->msg.head, NFCTH_NAME, h->name);
	put_tuple(rq, l3, l4);
	mnl_attr_put_u32(&rq->msg.head, NFCTH_STATUS, htonl(NFCT_HELPER_STATUS_DISABLED));
	return 0;
}

/* NAME [FAMILY [PROTO]] of get and delete. */
static int
put_named(struct request *rq, int argc, char **argv, char *err)
{
	uint16_t l3 = 0;
	uint8_t l4 = 0;

	if (argc > 1 && read_l3(argv[1], &l3, err) < 0)
		return -EINVAL;
	if (argc > 2 && read_l4(argv[2], &l4, err) < 0)
		return -EINVAL;
	if (strlen(argv[0]) >= NAME_MAX_LEN)
		return request_fail(err, "helper name is too long");
	mnl_attr_put_strz(&rq->msg.head, NFCTH_NAME, argv[0]);
	if (argc > 1)
		put_tuple(rq, l3, l4);
	return 0;
}

#define MISSING(verb) "missing parameters\nsyntax: nfct " verb " helper name family protocol"
#define NO_NAME       "missing helper policy name"

/* add and disable have always ignored what stands behind the protocol. */
static const struct verb verbs[CMD_MAX] = {
	[CMD_LIST] = {.type = MSG(GET), .show = show, .dump = true},
	[CMD_ADD] = {MSG(NEW), NLM_F_CREATE, 3, INT_MAX, MISSING("add"), put_add, NULL, false},
	[CMD_DELETE] = {MSG(DEL), 0, 1, 3, NO_NAME, put_named, NULL, false},
	[CMD_GET] = {MSG(GET), 0, 1, 3, NO_NAME, put_named, show, false},
	[CMD_FLUSH] = {.type = MSG(DEL)},
	[CMD_DISABLE] = {MSG(NEW), NLM_F_CREATE, 3, INT_MAX, MISSING("disable"), put_disable, NULL, false},
};

int
helper_request(struct request *rq, enum nfct_cmd cmd, int argc, char **argv, char *err)
{
	return request_make(rq, &verbs[cmd], argc, argv, err);
}

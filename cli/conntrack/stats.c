/*
 * -S: counters of each CPU, from netlink or, failing that, from the proc file system.
 */
#include "nla.h"
#include "report.h"
#include "run.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <stdio.h>
#include <stdlib.h>

#define NITEMS(a) (sizeof(a) / sizeof((a)[0]))

static const char *const ct_names[] = {
	NULL,       "searched",       "found",         "new",           "invalid",  "ignore",
	"delete",   "delete_list",    "insert",        "insert_failed", "drop",     "early_drop",
	"error",    "search_restart", "clash_resolve", "chaintoolong",  "unknown1", "unknown2",
	"unknown3", "unknown4",
};
static const char *const exp_names[] = {NULL, "expect_new", "expect_create", "expect_delete"};

struct stats {
	struct out *out;
	const char *const *names;
	size_t n;
	bool json;
};

static void
put_cpu(const struct stats *s, unsigned cpu)
{
	out_fmt(s->out, s->json ? "{\"cpu\":%u" : "cpu=%-4u\t", cpu);
}

static void
put_value(const struct stats *s, const char *name, unsigned v)
{
	out_fmt(s->out, s->json ? ",\"%s\":%u" : "%s=%u ", name, v);
}

static int
one_cpu(void *arg, const struct nlmsghdr *nlh)
{
	const struct stats *s = arg;
	struct nfgenmsg head;
	struct rd r = nla_msg_attrs(nlh, &head);
	uint32_t value[32] = {0};
	uint32_t seen = 0;
	struct nla a;

	while (nla_next(&r, &a))
		if (a.type < s->n && a.type > 0 && a.len == 4) {
			value[a.type] = nla_be32(&a);
			seen |= 1u << a.type;
		}
	if (r.bad)
		return -EBADMSG;
	put_cpu(s, ntohs(head.res_id));
	for (size_t i = 1; i < s->n; i++)
		if (seen >> i & 1)
			put_value(s, s->names[i], value[i]);
	out_str(s->out, s->json ? "}\n" : "\n");
	return 0;
}

/* One line of the file: a column for each name of the header. */
static void
proc_line(const struct stats *s, unsigned cpu, char *names, char *values)
{
	char *sn, *sv, *name = strtok_r(names, " \t\n", &sn), *value = strtok_r(values, " \t\n", &sv);

	put_cpu(s, cpu);
	while (name != NULL && value != NULL) {
		put_value(s, name, (unsigned)strtoul(value, NULL, 16));
		name = strtok_r(NULL, " \t\n", &sn);
		value = strtok_r(NULL, " \t\n", &sv);
	}
	out_str(s->out, s->json ? "}\n" : "\n");
}

static int
proc_stats(const struct stats *s)
{
	FILE *f = fopen("/proc/net/stat/nf_conntrack", "re");
	char head[1024], names[1024], line[1024];

	if (f == NULL)
		return -errno;
	if (fgets(head, sizeof(head), f) == NULL)
		head[0] = '\0';
	for (unsigned cpu = 0; fgets(line, sizeof(line), f) != NULL; cpu++) {
		memcpy(names, head, sizeof(names));
		proc_line(s, cpu, names, line);
	}
	fclose(f);
	return 0;
}

int
run_stats(struct run *r, const struct cmd *c)
{
	bool expect = c->table == TABLE_EXPECT;
	struct stats s = {&r->out, expect ? exp_names : ct_names, expect ? NITEMS(exp_names) : NITEMS(ct_names),
			  (c->output & OUT_JSON) != 0};
	uint16_t type = expect ? NFNL_SUBSYS_CTNETLINK_EXP << 8 | IPCTNL_MSG_EXP_GET_STATS_CPU
			       : NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET_STATS_CPU;
	uint8_t buf[NL_MSG_MAX];
	int err = nl_dump(&r->dump, nl_request(buf, type, NLM_F_DUMP, AF_UNSPEC), one_cpu, &s);

	if (err < 0 && proc_stats(&s) < 0)
		return run_failed(r, c, err);
	return 0;
}

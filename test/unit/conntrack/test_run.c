/*
 * Whole commands against a played kernel: one that has no filters, one that ignores them, one that interrupts dumps,
 * cuts them off or refuses a single change.
 */
#include "opts.h"
#include "request.h"
#include "run.h"

#include "cmt.h"
#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* A table of three connections, from 10.0.0.1, .2 and .3, the first two of protocol 50; and many like the third. */
#define FLOWS 3

struct kernel {
	bool knows_filters, applies_filters, cuts_off;
	int interruptions; /* dumps that are inconsistent, from now on */
	bool gone[FLOWS];
	int refuse[FLOWS]; /* errno for changes of a flow */
	unsigned dumps, deletes, updates, gets;
	uint16_t zone;  /* of the first flow */
	unsigned crowd; /* how often a dump repeats its last flow */
};

/* One socket: the datagrams that wait in it. */
struct sock {
	struct kernel *kernel;
	uint8_t queue[1 << 20];
	size_t len[4096], head, tail, at, end;
};

static void
say(struct sock *k, const void *data, size_t len)
{
	assert_true(k->tail < NITEMS(k->len) && k->end + len <= sizeof(k->queue));
	memcpy(k->queue + k->end, data, len);
	k->len[k->tail++] = len;
	k->end += len;
}

static void
say_code(struct sock *k, uint16_t type, uint16_t flags, uint32_t seq, int code)
{
	struct {
		struct nlmsghdr h;
		int code;
	} m = {{sizeof(m), type, flags, seq, 0}, code};

	say(k, &m, sizeof(m));
}

static struct nlmsghdr *
flow(uint8_t *buf, unsigned n, uint32_t seq, uint16_t flags)
{
	struct nlmsghdr *nlh = nl_request(buf, NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_NEW, 0, AF_INET);

	nlh->nlmsg_flags = flags;
	nlh->nlmsg_seq = seq;
	for (uint16_t type = CTA_TUPLE_ORIG; type <= CTA_TUPLE_REPLY; type++) {
		struct nlattr *t = mnl_attr_nest_start(nlh, type), *x = mnl_attr_nest_start(nlh, CTA_TUPLE_IP);

		mnl_attr_put_u32(nlh, type == CTA_TUPLE_ORIG ? CTA_IP_V4_SRC : CTA_IP_V4_DST, htonl(0x0a000001 + n));
		mnl_attr_put_u32(nlh, type == CTA_TUPLE_ORIG ? CTA_IP_V4_DST : CTA_IP_V4_SRC, htonl(0x02020202));
		mnl_attr_nest_end(nlh, x);
		x = mnl_attr_nest_start(nlh, CTA_TUPLE_PROTO);
		mnl_attr_put_u8(nlh, CTA_PROTO_NUM, n < 2 ? 50 : 51);
		mnl_attr_nest_end(nlh, x);
		mnl_attr_nest_end(nlh, t);
	}
	mnl_attr_put_u32(nlh, CTA_STATUS, htonl(IPS_CONFIRMED));
	mnl_attr_put_u32(nlh, CTA_MARK, htonl(n));
	mnl_attr_put_u32(nlh, CTA_ID, htonl(n + 100));
	return nlh;
}

static bool
narrowed(const struct nlmsghdr *nlh)
{
	const struct nlattr *a;

	mnl_attr_for_each(a, nlh, sizeof(struct nfgenmsg))
	{
		if (mnl_attr_get_type(a) == CTA_FILTER || mnl_attr_get_type(a) == CTA_MARK)
			return true;
	}
	return false;
}

static void
dump(struct sock *s, const struct nlmsghdr *nlh)
{
	struct kernel *k = s->kernel;
	uint8_t family = *(const uint8_t *)mnl_nlmsg_get_payload(nlh), buf[NL_MSG_MAX];
	uint16_t flags = NLM_F_MULTI | (k->interruptions > 0 ? NLM_F_DUMP_INTR : 0);

	k->dumps++;
	if (narrowed(nlh) && !k->knows_filters) {
		say_code(s, NLMSG_ERROR, 0, nlh->nlmsg_seq, -EOPNOTSUPP);
		return;
	}
	for (unsigned i = 0; i < FLOWS; i++) {
		struct nlmsghdr *m = flow(buf, i, nlh->nlmsg_seq, flags);

		if (i == 0 && k->zone != 0)
			mnl_attr_put_u16(m, CTA_ZONE, htons(k->zone));
		for (unsigned j = 0; i == 2 && j < k->crowd; j++)
			say(s, buf, m->nlmsg_len);

		if (k->gone[i] || family == AF_INET6 || (k->applies_filters && narrowed(nlh) && i > 0))
			continue;
		say(s, buf, k->cuts_off && i == 2 ? m->nlmsg_len - 4 : m->nlmsg_len);
	}
	k->interruptions--;
	say_code(s, NLMSG_DONE, flags, nlh->nlmsg_seq, 0);
}

static void
change(struct sock *s, const struct nlmsghdr *nlh, uint8_t msg)
{
	struct kernel *k = s->kernel;
	uint8_t buf[NL_MSG_MAX];
	struct ct_rec rec;
	unsigned n;
	int err;

	assert_int_equal(ct_rec_decode(&rec, nlh), 0);
	assert_true(rec.has & REC_ORIG); /* anything else would be a flush */
	n = rec.orig.src.u.b[3] - 1u;
	assert_true(n < FLOWS);
	if (msg == IPCTNL_MSG_CT_GET && rec.zone != (n == 0 ? k->zone : 0)) {
		say_code(s, NLMSG_ERROR, 0, nlh->nlmsg_seq, -ENOENT);
		return;
	}
	k->gets += msg == IPCTNL_MSG_CT_GET;
	err = k->gone[n] ? ENOENT : msg == IPCTNL_MSG_CT_GET ? 0 : k->refuse[n];
	k->deletes += msg == IPCTNL_MSG_CT_DELETE;
	k->updates += msg == IPCTNL_MSG_CT_NEW;
	if (msg == IPCTNL_MSG_CT_DELETE && err == 0) {
		assert_int_equal(rec.id, n + 100);
		k->gone[n] = true;
	}
	if (msg == IPCTNL_MSG_CT_GET && err == 0)
		say(s, buf, flow(buf, n, nlh->nlmsg_seq, 0)->nlmsg_len);
	if (err != 0 || nlh->nlmsg_flags & NLM_F_ACK)
		say_code(s, NLMSG_ERROR, 0, nlh->nlmsg_seq, -err);
}

static ssize_t
kernel_send(void *ctx, const void *data, size_t len)
{
	const struct nlmsghdr *nlh = data;
	int left = (int)len;

	for (; mnl_nlmsg_ok(nlh, left); nlh = mnl_nlmsg_next(nlh, &left))
		if ((nlh->nlmsg_flags & NLM_F_DUMP) == NLM_F_DUMP)
			dump(ctx, nlh);
		else
			change(ctx, nlh, nlh->nlmsg_type & 0xff);
	return (ssize_t)len;
}

static ssize_t
kernel_recv(void *ctx, void *data, size_t size, bool wait)
{
	struct sock *k = ctx;
	size_t len;

	(void)wait;
	(void)size;
	assert_true(k->head < k->tail); /* else the program waits for ever */
	len = k->len[k->head++];
	memcpy(data, k->queue + k->at, len);
	k->at += len;
	if (k->head == k->tail)
		k->head = k->tail = k->at = k->end = 0;
	return (ssize_t)len;
}

static const struct nl_ops kernel_ops = {kernel_send, kernel_recv};

/* Runs a command line; its output ends up in text (4096 bytes). */
static int
play(struct kernel *k, const char *line, char *text)
{
	static char copy[256], name[] = "conntrack";
	static struct sock socks[3];
	struct opt_ctx ctx = {0};
	struct run r = {.where = ""};
	char *argv[32] = {name}, *p;
	struct opt_error err;
	struct cmd c;
	int argc = 1, code;
	ssize_t n;

	strcpy(copy, line);
	for (p = strtok(copy, " "); p != NULL; p = strtok(NULL, " "))
		argv[argc++] = p;
	assert_int_equal(cmd_parse(&c, &ctx, argc, argv, &err), 0);
	assert_int_equal(out_init(&r.out, memfd_create("out", MFD_CLOEXEC)), 0);
	memset(socks, 0, sizeof(socks));
	socks[0].kernel = socks[1].kernel = socks[2].kernel = k;
	assert_int_equal(nl_open_ops(&r.dump, &kernel_ops, &socks[0]), 0);
	assert_int_equal(nl_open_ops(&r.change, &kernel_ops, &socks[1]), 0);
	assert_int_equal(nl_open_ops(&r.look, &kernel_ops, &socks[2]), 0);
	code = c.op == CMD_LIST ? run_list(&r, &c) : c.op == CMD_DELETE ? run_delete(&r, &c, NULL) : run_update(&r, &c);
	out_flush(&r.out);
	n = pread(r.out.fd, text, 4095, 0);
	text[n > 0 ? n : 0] = '\0';
	close(r.out.fd);
	out_done(&r.out);
	nl_close(&r.dump);
	nl_close(&r.change);
	nl_close(&r.look);
	cmd_done(&c);
	return code;
}

static unsigned
lines(const char *text)
{
	unsigned n = 0;

	for (; *text != '\0'; text++)
		n += *text == '\n';
	return n;
}

/* The same result whether the kernel filters, ignores the filter or refuses it. */
static void
old_and_new_kernels(void **state)
{
	static const char *const line[] = {"-L -s 10.0.0.1", "-L -m 0", "-L -f ipv4 -p 50 -m 0",
					   "-L -p 50 -m 0/1 -s 10.0.0.0/24"};
	char text[4096];

	(void)state;
	for (size_t i = 0; i < NITEMS(line); i++)
		for (int kind = 0; kind < 3; kind++) {
			struct kernel k = {.knows_filters = kind > 0, .applies_filters = kind > 1};

			assert_int_equal(play(&k, line[i], text), 0);
			assert_int_equal(lines(text), 1);
			assert_non_null(strstr(text, "src=10.0.0.1 "));
		}
}

static void
broken_dumps(void **state)
{
	struct kernel k = {.knows_filters = true, .cuts_off = true};
	char text[4096];

	(void)state;
	assert_int_equal(play(&k, "-L", text), 1);
	assert_int_equal(lines(text), 2); /* what came before is shown */
	k = (struct kernel){.interruptions = 1};
	assert_int_equal(play(&k, "-L", text), 0);
	assert_int_equal(lines(text), FLOWS);
}

static void
deletes(void **state)
{
	struct kernel k = {.knows_filters = true};
	char text[4096];

	(void)state;
	assert_int_equal(play(&k, "-D -p 50", text), 0);
	assert_int_equal(lines(text), 2);
	assert_true(k.gone[0] && k.gone[1] && !k.gone[2]);
	assert_int_equal(play(&k, "-D -p 50", text), 1);
	assert_int_equal(lines(text), 0);
	/* an inconsistent dump is read again; what is gone by then is not shown twice */
	k = (struct kernel){.interruptions = 1};
	assert_int_equal(play(&k, "-D", text), 0);
	assert_int_equal(lines(text), FLOWS);
	assert_int_equal(k.dumps, 2);
}

static void
refused_deletes(void **state)
{
	struct kernel k = {.refuse = {0, ENOENT, 0}};
	char text[4096];

	(void)state;
	assert_int_equal(play(&k, "-D", text), 0);
	assert_int_equal(lines(text), 2); /* the one that vanished is passed over */
	assert_null(strstr(text, "src=10.0.0.2 "));
	k = (struct kernel){.refuse = {EBUSY, 0, 0}};
	assert_int_equal(play(&k, "-D", text), 1);
	assert_int_equal(lines(text), 0);
	assert_int_equal(k.deletes, 1); /* and nothing behind it is touched */
	/* a dump that breaks off: what is selected but not deleted is not shown */
	k = (struct kernel){.cuts_off = true, .knows_filters = true};
	assert_int_equal(play(&k, "-D", text), 1);
	assert_int_equal(lines(text), k.deletes);
}

static void
updates(void **state)
{
	struct kernel k = {.refuse = {0, ENOENT, 0}};
	char text[4096];

	(void)state;
	assert_int_equal(play(&k, "-U -m 2", text), 0);
	assert_int_equal(k.updates, 2); /* the third has that mark already */
	assert_int_equal(lines(text), 1);
	k = (struct kernel){.refuse = {EINVAL, 0, 0}};
	assert_int_equal(play(&k, "-U -f ipv4 -p 50 -m 9", text), 1);
	assert_int_equal(k.updates, 1); /* not taken for a kernel without filters, and done once */
}

#define ONE " -s 10.0.0.1 -d 2.2.2.2 -p 50"

/* A whole tuple is asked for, and the table not walked: only the beginning of a crowded one is read, once. */
static void
exact(void **state)
{
	struct kernel k = {.knows_filters = true, .crowd = 2000};
	char text[4096];

	(void)state;
	assert_int_equal(play(&k, "-D" ONE, text), 0);
	assert_int_equal(lines(text), 1);
	assert_true(k.gone[0] && k.gets == 1 && k.dumps == 1 && k.deletes == 1);
	k = (struct kernel){.knows_filters = true, .crowd = 2000};
	assert_int_equal(play(&k, "-U" ONE " -m 9", text), 0);
	assert_true(k.gets == 2 && k.dumps == 1 && k.updates == 1); /* the second one shows it */
	/* the rest of the command line must hold */
	k = (struct kernel){.knows_filters = true, .crowd = 2000};
	assert_int_equal(play(&k, "-D" ONE " -m 5", text), 1);
	assert_int_equal(play(&k, "-D" ONE " -u ASSURED", text), 1);
	assert_int_equal(play(&k, "-D" ONE " -n", text), 1);
	assert_int_equal(play(&k, "-D" ONE " -i 7", text), 1);
	assert_int_equal(k.deletes, 0);
	assert_int_equal(lines(text), 0);
	assert_int_equal(play(&k, "-D" ONE " -i 100 -m 0/1", text), 0);
	assert_int_equal(k.deletes, 1);
	/* what is not there in zone 0 may be elsewhere */
	k = (struct kernel){.knows_filters = true, .zone = 5};
	assert_int_equal(play(&k, "-D" ONE, text), 0);
	assert_true(k.gone[0] && k.gets == 0);
}

static void
exact_in_zones(void **state)
{
	struct kernel k = {.knows_filters = true, .zone = 5, .crowd = 2000};
	char text[4096];

	(void)state;
	assert_int_equal(play(&k, "-D" ONE " -w 6", text), 1);
	assert_int_equal(k.dumps, 0); /* the zone is named: it is not there */
	k = (struct kernel){.knows_filters = true, .crowd = 2};
	assert_int_equal(play(&k, "-D" ONE " -w 0", text), 0);
	assert_int_equal(k.dumps, 1);
	/* zones in use: the tuple may be there again, so the table is walked */
	k = (struct kernel){.knows_filters = true, .zone = 5};
	assert_int_equal(play(&k, "-D -s 10.0.0.2 -d 2.2.2.2 -p 50", text), 0);
	assert_true(k.gets == 1 && k.dumps == 2 && k.gone[1] && lines(text) == 1);
	/* a tuple that lacks something is none */
	k = (struct kernel){.knows_filters = true};
	assert_int_equal(play(&k, "-D -s 10.0.0.1 -p 50", text), 0);
	assert_int_equal(play(&k, "-D -s 10.0.0.0/30 -d 2.2.2.2 -p 50", text), 0);
	assert_int_equal(play(&k, "-D -s 10.0.0.3 -d 2.2.2.2 -p 51 --orig-zone 0", text), 0);
	assert_int_equal(k.gets, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(old_and_new_kernels), cmocka_unit_test(broken_dumps), cmocka_unit_test(deletes),
		cmocka_unit_test(refused_deletes),     cmocka_unit_test(updates),      cmocka_unit_test(exact),
		cmocka_unit_test(exact_in_zones),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

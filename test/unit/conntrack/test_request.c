/* Requests: what a new entry's tuples are, what an update sends, and that a delete can never become a flush. */
#include "opts.h"
#include "request.h"

#include "cmt.h"
#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <string.h>

static void
parse(const char *line, struct cmd *c)
{
	static char text[512], name[] = "conntrack";
	struct opt_ctx ctx = {0};
	char *argv[64] = {name}, *p;
	struct opt_error err;
	int argc = 1;

	strcpy(text, line);
	for (p = strtok(text, " "); p != NULL; p = strtok(NULL, " "))
		argv[argc++] = p;
	if (cmd_parse(c, &ctx, argc, argv, &err) < 0)
		fail_msg("%s: %s", line, err.text);
}

/* What the kernel would be told, seen through our own decoder. */
static struct ct_rec
created(const char *line, uint8_t *buf)
{
	struct ct_rec rec;
	struct cmd c;

	parse(line, &c);
	assert_non_null(request_create(buf, &c, NLM_F_CREATE));
	assert_int_equal(ct_rec_decode(&rec, (struct nlmsghdr *)(void *)buf), 0);
	cmd_done(&c);
	return rec;
}

static void
mirrors(void **state)
{
	uint8_t buf[NL_MSG_MAX];
	struct ct_rec rec = created("-I -s 1.1.1.1 -d 2.2.2.2 -p udp --sport 10 --dport 20 -t 5 -m 7 -w 3", buf);

	(void)state;
	assert_true(addr_equal(&rec.reply.src, &rec.orig.dst));
	assert_int_equal(rec.reply.sport, 20);
	assert_int_equal(rec.reply.dport, 10);
	assert_int_equal(rec.mark, 7);
	assert_int_equal(rec.zone, 3);
	assert_int_equal(rec.status, IPS_CONFIRMED);
	rec = created("-I -r 1.1.1.1 -q 2.2.2.2 -p udp --reply-port-src 10 --reply-port-dst 20 -t 5", buf);
	assert_int_equal(rec.orig.sport, 20);
	assert_int_equal(rec.orig.src.u.b[0], 2);
	rec = created("-I -s fe80::1 -d fe80::2 -p 58 --icmpv6-type 128 --icmpv6-code 0 --icmpv6-id 9 -t 5", buf);
	assert_int_equal(rec.reply.icmp_type, 129);
	assert_int_equal(rec.reply.icmp_id, 9);
	/* an address that nobody gave is the mirror's */
	rec = created("-I -s 1.1.1.1 -d 2.2.2.2 -r 3.3.3.3 -p 99 -t 5", buf);
	assert_int_equal(rec.reply.src.u.b[0], 3);
	assert_int_equal(rec.reply.dst.u.b[0], 1);
	/* ports that nobody gave are not sent, so the kernel refuses instead of using 0 */
	rec = created("-I -s 1.1.1.1 -d 2.2.2.2 -r 2.2.2.2 -q 1.1.1.1 -p udp --sport 10 --dport 20 -t 5", buf);
	assert_int_equal(rec.reply.has & (TUPLE_SPORT | TUPLE_DPORT), 0);
}

static void
unanswerable_icmp(void **state)
{
	uint8_t buf[NL_MSG_MAX];
	struct cmd c;

	(void)state;
	parse("-I -s 1.1.1.1 -d 2.2.2.2 -p icmp --icmp-type 3 --icmp-code 0 -t 5", &c);
	assert_null(request_create(buf, &c, 0));
	parse("-I -s ::1 -d ::2 -p icmp --icmp-type 8 --icmp-code 0 -t 5", &c);
	assert_null(request_create(buf, &c, 0));
}

static uint16_t
be16_of(const struct nlattr *a)
{
	uint16_t v;

	memcpy(&v, mnl_attr_get_payload(a), sizeof(v));
	return (uint16_t)(v << 8 | v >> 8);
}

/* The port a NAT attribute asks for; 0 without one. */
static unsigned
nat_port(const uint8_t *buf, uint16_t type)
{
	const struct nlmsghdr *nlh = (const struct nlmsghdr *)(const void *)buf;
	const struct nlattr *a, *n, *p;

	mnl_attr_for_each(a, nlh, sizeof(struct nfgenmsg))
	{
		if (mnl_attr_get_type(a) != type)
			continue;
		mnl_attr_for_each_nested(n, a)
		{
			if (mnl_attr_get_type(n) != CTA_NAT_PROTO)
				continue;
			mnl_attr_for_each_nested(p, n)
			{
				if (mnl_attr_get_type(p) == CTA_PROTONAT_PORT_MIN)
					return be16_of(p);
			}
		}
	}
	return 0;
}

static void
translations(void **state)
{
	uint8_t buf[NL_MSG_MAX];
	struct ct_rec rec = created("-A -t 9 -s 1.1.1.1 -d 2.2.2.2 -g 7.7.7.7 -n 5.5.5.5 -p udp --sport 1 --dport 2 "
				    "--reply-port-src 55 --reply-port-dst 33",
				    buf);

	(void)state;
	/* the tuple goes untranslated, the ports of the translation with it */
	assert_int_equal(rec.reply.sport, 2);
	assert_int_equal(rec.reply.dst.u.b[0], 1);
	assert_int_equal(nat_port(buf, CTA_NAT_SRC), 33);
	assert_int_equal(nat_port(buf, CTA_NAT_DST), 55);
	rec = created(
		"-A -t 9 -s 1.1.1.1 -d 2.2.2.2 -g 7.7.7.7 -q 1.1.1.1 -p tcp --sport 1 --dport 2 --reply-port-src 55 "
		"--reply-port-dst 1 --state ESTABLISHED",
		buf);
	assert_int_equal(rec.reply.src.u.b[0], 2);
	assert_int_equal(rec.reply.sport, 2);
	assert_int_equal(nat_port(buf, CTA_NAT_SRC), 0);
	assert_int_equal(nat_port(buf, CTA_NAT_DST), 55);
	created("-I -t 9 -s 1.1.1.1 -d 2.2.2.2 -n 5.5.5.5:77 -p icmp --icmp-type 8 --icmp-code 0 --icmp-id 5", buf);
	assert_int_equal(nat_port(buf, CTA_NAT_SRC), 77);
	created("-I -t 9 -s 1.1.1.1 -d 2.2.2.2 -n 5.5.5.5 -p udp --sport 1 --dport 2", buf);
	assert_int_equal(nat_port(buf, CTA_NAT_SRC), 0);
}

static void
updates(void **state)
{
	uint8_t made[NL_MSG_MAX], buf[NL_MSG_MAX];
	struct ct_rec
		old = created(
			"-I -s 1.1.1.1 -d 2.2.2.2 -p tcp --sport 1 --dport 2 -t 50 --state ESTABLISHED -m 42 -w 5",
			made),
		new;
	struct cmd c;

	(void)state;
	old.has |= REC_TIMEOUT;
	parse("-U -m 42", &c);
	assert_null(request_update(buf, &c, &old));
	parse("-U -m 0x100/0xf", &c);
	assert_non_null(request_update(buf, &c, &old));
	assert_int_equal(ct_rec_decode(&new, (struct nlmsghdr *)(void *)buf), 0);
	assert_int_equal(new.mark, 288);
	assert_int_equal(new.zone, 5);
	assert_int_equal(new.has &(REC_STATUS | REC_TIMEOUT | REC_STATE), 0);
	parse("-U -u ASSURED -t 60 -p tcp --state TIME_WAIT", &c);
	assert_non_null(request_update(buf, &c, &old));
	assert_int_equal(ct_rec_decode(&new, (struct nlmsghdr *)(void *)buf), 0);
	assert_int_equal(new.status, IPS_CONFIRMED | IPS_ASSURED);
	assert_int_equal(new.timeout, 60);
	assert_int_equal(new.state, 7);
}

static void
deletes(void **state)
{
	uint8_t made[NL_MSG_MAX], buf[NL_MSG_MAX];
	struct ct_rec rec = created("-I -s 1.1.1.1 -d 2.2.2.2 -p 99 -t 5 --orig-zone 9", made), back;

	(void)state;
	rec.has |= REC_ID;
	rec.id = 77;
	assert_non_null(request_delete(buf, &rec));
	assert_int_equal(ct_rec_decode(&back, (struct nlmsghdr *)(void *)buf), 0);
	assert_int_equal(back.id, 77);
	assert_int_equal(back.orig.zone, 9);
	assert_true(addr_equal(&back.orig.src, &rec.orig.src));
	rec.raw_orig = NULL;
	assert_null(request_delete(buf, &rec));
	assert_null(request_get_rec(buf, &rec));
	assert_null(request_update(buf, &(struct cmd){.given = OPT_BIT(OPT_MARK), .mark = 1}, &rec));
}

static bool
has_attr(const uint8_t *buf, uint16_t type)
{
	const struct nlmsghdr *nlh = (const struct nlmsghdr *)(const void *)buf;
	const struct nlattr *a;

	mnl_attr_for_each(a, nlh, sizeof(struct nfgenmsg)) if (mnl_attr_get_type(a) == type) return true;
	return false;
}

static void
narrowing(void **state)
{
	static const struct {
		const char *line;
		bool mark, status, zone, filter;
	} rows[] = {
		{"-L", false, false, false, false},
		{"-L -m 5", true, false, false, false},
		{"-L -u ASSURED", false, true, false, false},
		{"-L -u UNSET", false, false, false, false}, /* the kernel refuses an empty mask */
		{"-L -w 5", false, false, true, false},
		{"-L -w 0", false, false, false, false},
		{"-L -s 1.1.1.1", false, false, false, true},
		{"-L -s 1.1.1.0/24", false, false, false, false},
		{"-D -p tcp --dport 80 -m 1", true, false, false, true},
		{"-U -m 5 -u ASSURED", false, false, false, false},
		{"-U -d 1.1.1.1 -m 5", false, false, false, true},
		{"-L dying -m 5", false, false, false, false},
		{"-L -z", false, false, false, false},
	};
	uint8_t buf[NL_MSG_MAX];
	struct cmd c;

	(void)state;
	for (size_t i = 0; i < NITEMS(rows); i++) {
		parse(rows[i].line, &c);
		request_dump(buf, &c, c.family, true);
		if (has_attr(buf, CTA_MARK) != rows[i].mark || has_attr(buf, CTA_STATUS) != rows[i].status ||
		    has_attr(buf, CTA_ZONE) != rows[i].zone || has_attr(buf, CTA_FILTER) != rows[i].filter)
			fail_msg("%s", rows[i].line);
		assert_int_equal(request_narrows(&c), rows[i].mark || rows[i].status || rows[i].zone || rows[i].filter);
		request_dump(buf, &c, c.family, false);
		assert_false(has_attr(buf, CTA_MARK) || has_attr(buf, CTA_FILTER) || has_attr(buf, CTA_STATUS));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mirrors), cmocka_unit_test(unanswerable_icmp), cmocka_unit_test(translations),
		cmocka_unit_test(updates), cmocka_unit_test(deletes),           cmocka_unit_test(narrowing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Command lines: what is accepted and what it means; what is refused, with which words and which exit status. */
#include "opts.h"

#include "cmt.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static struct labelmap *map;

/* Splits at blanks; "" stands for an empty word. */
static int
parse(const char *line, struct cmd *c, struct opt_error *err, bool loading)
{
	struct opt_ctx ctx = {.map = map, .tried = true, .loading = loading};
	static char text[512], name[] = "conntrack";
	char *argv[64] = {name}, *p;
	int argc = 1;

	strcpy(text, line);
	for (p = strtok(text, " "); p != NULL; p = strtok(NULL, " "))
		argv[argc++] = strcmp(p, "''") == 0 ? p + 2 : p;
	memset(err, 0, sizeof(*err));
	return cmd_parse(c, &ctx, argc, argv, err);
}

static const struct {
	const char *line;
	int code;
	const char *text;
} refusals[] = {
	{"-s 1.1.1.1", 2, "Illegal option `--src' with this command"},
	{"--foo", 2, "unknown option `--foo'"},
	{"-L -y", 2, "unknown option `-y'"},
	{"-Ly", 2, "unknown option `-Ly'"},
	{"-L -L", 2, "Invalid commands combination"},
	{"-h -L", 2, "Invalid commands combination"},
	{"-L bogus", 2, "unknown type `bogus'"},
	{"-V foo", 2, "unknown type `foo'"},
	{"-L --src=", 2, "Invalid IP address `'"},
	{"-L -s", 2, "option `-s' requires an argument"},
	{"-L --id", 2, "option `--id' requires an argument"},
	{"-L -s 1.1.1.1/33", 2, "Invalid netmask"},
	{"-L -s 1.1.1.1/255.255.255.0", 2, "Invalid netmask"},
	{"-L -r 1.1.1.1/32", 2, "CIDR notation unavailable for `--reply-src'"},
	{"-L --mask-src 255.255.255.0", 2, "Can't use --mask-src without --src"},
	{"-L --mask-dst ::", 2, "Can't use --mask-dst without --dst"},
	{"-L -z -p tcp", 2, "Can't use -z with filtering parameters"},
	{"-L -z -w 0", 2, "Can't use -z with filtering parameters"},
	{"-L -f ipv6 -s 1.1.1.1", 2, "mismatched address family"},
	{"-D -f ipv4 -f ipv6", 2, "mismatched address family"},
	{"-L -s 1.1.1.1 -n fd00::1", 2, "mismatched address family"},
	{"-L -f ipx", 2, "`ipx' unsupported protocol"},
	{"-L -p 256", 2, "`256' unsupported protocol"},
	{"-L -p -1", 2, "`-1' unsupported protocol"},
	{"-L --sport 1 -p tcp", 2, "unknown option `--sport'"},
	{"-L -p tcp --state established", 2, "unknown TCP state `established'"},
	{"-L -p sctp --state FOO", 2, "unknown SCTP state `FOO'"},
	{"-L -p dccp --state FOO", 2, "Unknown DCCP state `FOO'"},
	{"-I -p dccp --role x", 2, "Unknown DCCP role `x'"},
	{"-D --id abc", 2, "unexpected value 'abc' with -i option"},
	{"-L -m abc", 2, "unexpected value 'abc' with -m option"},
	{"-L -m 1/zz", 2, "unexpected value '1/zz' with -m option"},
	{"-L -m 5000000000", 2, "unexpected value '5000000000' with -m option"},
	{"-L -w 70000", 2, "unexpected value '70000' with -w option"},
	{"-L --orig-zone x", 2, "unexpected value 'x' with -( option"},
	{"-D -t -1", 2, "unexpected value '-1' with -t option"},
	{"-L -p tcp --sport 70000", 2, "unexpected value '70000' with --sport option"},
	{"-L -p tcp --sport abc", 2, "unexpected value 'abc' with --sport option"},
	{"-L -p gre --srckey abc", 2, "unexpected value 'abc' with --srckey option"},
	{"-L -p icmp --icmp-type 256", 2, "unexpected value '256' with --icmp-type option"},
	{"-L -u unreplied", 2, "Bad parameter `unreplied'"},
	{"-L -u ASSURED,", 2, "Bad parameter `'"},
	{"-L -u ASSURED,foo,bar", 2, "Bad parameter `foo,bar'"},
	{"-L -o s,xml", 2, "cannot combine save output with any other output type, use -o save only"},
	{"-L -o json,xml", 2, "cannot combine json output with xml output"},
	{"-L -n -j", 2, "cannot specify `--src-nat' or `--dst-nat' with `--any-nat'"},
	{"-L -n 1.1.1.1:", 2, "No port specified after `:'"},
	{"-L -n 1.1.1.1:99999", 2, "Invalid port `99999'"},
	{"-L -n []:1", 2, "No IPv6 address specified"},
	{"-L -n [::1:1", 2, "No closing ']' around IPv6 address"},
	{"-I", 2, "You need to supply the `--protonum' option for this command"},
	{"-I -p udp -t 5", 2, "you have to specify `--src' and `--dst'"},
	{"-I -p udp -t 5 -r 1.1.1.1", 2, "you have to specify `--reply-src' and `--reply-dst'"},
	{"-I -s 1.1.1.1 -d 2.2.2.2 -p tcp -t 5", 2, "You need to supply the `--state' option for this command"},
	{"-I -s 1.1.1.1 -d 2.2.2.2 -p udp -t 5 --sport 1", 2, "you have to specify `--sport' and `--dport'"},
	{"-I -s 1.1.1.1 -d 2.2.2.2 -p udp -t 5 --reply-port-src 1 --reply-port-dst 3", 2,
	 "you have to specify `--sport' and `--dport'"},
	{"-I -s 1.1.1.1 -d 2.2.2.2 -p udp -t 5 --reply-port-src 1", 2,
	 "you have to specify `--reply-src-port' and `--reply-dst-port'"},
	{"-I -r 1.1.1.1 -q 2.2.2.2 -p udp -t 5 --sport 1 --dport 3", 2,
	 "you have to specify `--reply-src-port' and `--reply-dst-port'"},
	{"-I -s 1.1.1.1 -d 2.2.2.2 -p gre -t 5", 2, "you have to specify `--srckey' and `--dstkey'"},
	{"-I -f ipv4", 2, "You need to supply the `--protonum' option for this command"},
	{"-G -s 1.1.1.1 -d 2.2.2.2 -p tcp -w 5", 2, "Illegal option `--zone' with this command"},
	{"-L expect -p tcp", 2, "Illegal option `--protonum' with this command"},
	{"-E expect -e NEW", 2, "Illegal option `--event-mask' with this command"},
	{"-F expect -f ipv6", 2, "Illegal option `--family' with this command"},
	{"-C -o xml", 2, "Illegal option `--output' with this command"},
	{"-U expect", 2, "Can't do --update on expectations"},
	{"-A expect", 2, "Can't do --add on expectations"},
	{"-D dying", 2, "Can't do that command with tables `dying' and `unconfirmed'"},
	{"-L -u ASSURED --stat x", 2, "unknown option `--stat'"},
	{"-L -l nolabel", 2, "unknown label 'nolabel'"},
	{"-L -l web,none", 2, "unknown label 'none'"},
	{"-U --label-add web --label-del", 2, "cannot use --label-add and --label-del at the same time"},
	{"-L -M a -M b", 2, "option `--labelmap' can only be specified once"},
	{"-L --zero=5", 2, "unknown option `--zero=5'"},
	{"-R", 2, "unknown option `-R'"},
	{"-L -c 1 -R -", 2, "unknown option `-R'"},
};

static void
refused(void **state)
{
	struct opt_error err;
	struct cmd c;

	(void)state;
	for (size_t i = 0; i < NITEMS(refusals); i++) {
		if (parse(refusals[i].line, &c, &err, false) != -1)
			fail_msg("%s is taken", refusals[i].line);
		assert_string_equal(err.text, refusals[i].text);
		assert_int_equal(err.code, refusals[i].code);
		cmd_done(&c);
	}
}

static void
good(const char *line, struct cmd *c)
{
	struct opt_error err;

	if (parse(line, c, &err, false) < 0)
		fail_msg("%s: %s", line, err.text);
	cmd_done(c);
}

static void
commands(void **state)
{
	struct cmd c;

	(void)state;
	good("", &c);
	assert_int_equal(c.op, CMD_NONE);
	good("foo bar", &c);
	assert_int_equal(c.op, CMD_NONE);
	good("-Lo extended", &c);
	assert_int_equal(c.op, CMD_LIST);
	assert_int_equal(c.output, OUT_EXTENDED);
	good("-L ''", &c);
	assert_int_equal(c.table, TABLE_EXPECT);
	good("-L -f ipv6 expect", &c);
	assert_int_equal(c.table, TABLE_CT);
	good("--dump=expect", &c);
	assert_int_equal(c.table, TABLE_CT);
	good("-Cexpect", &c);
	assert_int_equal(c.op, CMD_COUNT);
	assert_int_equal(c.table, TABLE_CT);
	good("-L unc", &c);
	assert_int_equal(c.table, TABLE_UNCONFIRMED);
	good("--count", &c);
	assert_int_equal(c.op, CMD_COUNT);
	good("-s 1.1.1.1 -L -- -y", &c);
	assert_int_equal(c.op, CMD_LIST);
	good("-C -o json", &c);
	good("-S --json", &c);
	assert_int_equal(c.output, OUT_JSON);
}

static void
addresses(void **state)
{
	struct cmd c;

	(void)state;
	good("-L -s 10.0.0.0/8 --orig-d 1.1.1.1/32", &c);
	assert_true(cmd_has(&c, OPT_MASK_SRC));
	assert_false(cmd_has(&c, OPT_MASK_DST));
	assert_int_equal(c.family, AF_INET);
	assert_memory_equal(c.mask_src.u.b, "\xff\0\0\0", 4);
	good("-I expect -s 1.1.1.1 -d 2.2.2.2 -p udp --sport 1 --dport 2 -t 5 --tuple-src 3.3.3.0/24 --tuple-dst "
	     "4.4.4.0/24 "
	     "--mask-port-src 0 --mask-port-dst 0 --tuple-port-src 0 --tuple-port-dst 0",
	     &c);
	assert_memory_equal(c.mask_src.u.b, "\xff\xff\xff\0", 4);
	good("-L -n 1.2.3.4:80 -g", &c);
	assert_int_equal(c.nat[NAT_SRC].port, 80);
	assert_int_equal(c.nat[NAT_DST].addr.family, 0);
	good("-L -n1.2.3.4", &c);
	assert_int_equal(c.nat[NAT_SRC].addr.family, AF_INET);
	good("-L --src-nat=1.2.3.4", &c);
	assert_int_equal(c.nat[NAT_SRC].addr.family, AF_INET);
	good("-L -j -p tcp", &c);
	assert_true(cmd_has(&c, OPT_ANYNAT));
	assert_int_equal(c.nat[NAT_ANY].addr.family, 0);
	good("-L -j", &c); /* never JSON */
	assert_int_equal(c.output, 0);
}

static void
values(void **state)
{
	struct cmd c;

	(void)state;
	good("-L -m 0x100/0xf -c 5 -w 65535 -u !ASSURED,SEEN,UNREPLIED -p 0x6 --sport 0 -o userspace", &c);
	assert_int_equal(c.mark, 0x100);
	assert_int_equal(c.mark_mask, 0xf);
	assert_int_equal(c.zone, 65535);
	assert_int_equal(c.status_set, IPS_SEEN_REPLY);
	assert_int_equal(c.status_clear, IPS_ASSURED | IPS_SEEN_REPLY);
	assert_int_equal(c.orig.proto, 6);
	assert_true(cmd_has_proto(&c, FIELD_SPORT));
	good("-E -e new -e DESTROY -b 100000", &c);
	assert_int_equal(c.events, EVENT_NEW | EVENT_DESTROY);
	assert_int_equal(c.buffer, 100000);
	good("-E -e D", &c);
	assert_int_equal(c.events, EVENT_DESTROY);
	assert_int_equal(c.warnings, 0);
	good("-L -o SRC_NAT", &c);
	assert_int_equal(c.warnings, WARN_SRC_NAT);
	good("-L -a x", &c);
	assert_int_equal(c.warnings, WARN_NAT_RANGE);
	good("-L -p TCP --state LISTEN", &c);
	assert_int_equal(c.state, 9);
	good("-L -p sctp --state HEARTBEAT_SENT", &c);
	assert_int_equal(c.state, 8);
	good("-D -t 4294967295 -p gre --srckey 0xffff", &c);
	assert_int_equal(c.timeout, UINT32_MAX);
	assert_int_equal(c.orig.sport, 0xffff);
	good("-I -s 1.1.1.1 -d 2.2.2.2 -p dccp --state OPEN --role SER -t 1 --sport 1 --dport 2", &c);
	assert_int_equal(c.role, 1);
}

static void
labels(void **state)
{
	struct cmd c;

	(void)state;
	good("-L -l web,five -l zero", &c);
	assert_int_equal(c.want.word[0], 1u << 1 | 1u << 5 | 1u);
	good("-U --label-del web", &c);
	assert_int_equal(c.del.word[0], 1u << 1);
	good("-U --label-del=web", &c);
	assert_int_equal(c.del.word[0], 1u << 1);
	good("-U --label-del -p tcp", &c);
	assert_int_equal(c.del.word[3], UINT32_MAX);
}

/* What the save format writes beyond options is read from files only. */
static void
saved_words(void **state)
{
	const char *line = "-A -t 9 -u EXPECTED,ASSURED -c 4 -s 1.1.1.1 -d 2.2.2.2 -p 99 labels=0x5,0x0 helper=ftp "
			   "master=6,1.1.1.1,5,2.2.2.2,21";
	struct opt_error err;
	struct cmd c;

	(void)state;
	assert_int_equal(parse(line, &c, &err, true), 0);
	assert_int_equal(c.status_set, IPS_ASSURED);
	assert_string_equal(c.helper, "ftp");
	assert_int_equal(c.master.dport, 21);
	assert_int_equal(c.add.word[0], 5);
	cmd_done(&c);
	assert_int_equal(parse(line, &c, &err, false), -1);
	assert_string_equal(err.text, "Illegal option `--secmark' with this command");
	cmd_done(&c);
	for (const char *const *bad =
		     (const char *const[]){"-A -t 1 master=6,1.1.1.1", "-A -t 1 master=6,1.1.1.1,99999,2.2.2.2,21",
					   "-A -t 1 master=6,1.1.1.1,1,::1,21", "-A -t 1 labels=0x100000000",
					   "-A -t 1 helper=", NULL};
	     *bad; bad++) {
		assert_int_equal(parse(*bad, &c, &err, true), -1);
		assert_non_null(strstr(err.text, "Invalid"));
		cmd_done(&c);
	}
}

/* Long names are found by bisection: every one of them must be reachable. */
static void
all_long_names(void **state)
{
	static const char *const names[] = {
		"add",        "any-nat",   "buffer-size", "counter", "ct-helper", "ct-master",  "create",
		"delete",     "dst",       "dst-nat",     "dump",    "event",     "event-mask", "family",
		"flush",      "from-file", "get",         "help",    "id",        "json",       "label",
		"label-add",  "label-del", "labelmap",    "mark",    "mask-dst",  "mask-src",   "nat-range",
		"orig-dst",   "orig-src",  "orig-zone",   "output",  "protonum",  "reply-dst",  "reply-src",
		"reply-zone", "secmark",   "src",         "src-nat", "stats",     "status",     "timeout",
		"tuple-dst",  "tuple-src", "update",      "version", "zero",      "zone",
	};
	struct opt_error err;
	char line[64];
	struct cmd c;

	(void)state;
	for (size_t i = 0; i < NITEMS(names); i++) {
		snprintf(line, sizeof(line), "--%s", names[i]);
		(void)parse(line, &c, &err, false);
		assert_null(strstr(err.text, "unknown option"));
		cmd_done(&c);
	}
}

static int
setup(void **state)
{
	static char text[] = "0 zero\n1 web\n5 five\n";
	FILE *f = fmemopen(text, sizeof(text) - 1, "r");

	(void)state;
	map = labelmap_read(f);
	fclose(f);
	return map == NULL;
}

static int
teardown(void **state)
{
	(void)state;
	labelmap_free(map);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refused),        cmocka_unit_test(commands), cmocka_unit_test(addresses),
		cmocka_unit_test(values),         cmocka_unit_test(labels),   cmocka_unit_test(saved_words),
		cmocka_unit_test(all_long_names),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}

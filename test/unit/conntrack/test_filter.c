/* Which entries a command line selects, alone and in a file of many selections. */
#include "filter.h"
#include "opts.h"
#include "select.h"

#include "cmt.h"
#include <stdlib.h>
#include <string.h>

static const uint32_t words[4] = {1u << 1, 0, 0, 0};

static struct ct_rec
entry(void)
{
	return (struct ct_rec){
		.family = AF_INET,
		.has = REC_STATUS | REC_TIMEOUT | REC_STATE | REC_MARK | REC_ID | REC_ZONE,
		.orig = {.src = {AF_INET, {{10, 0, 0, 1}}},
			 .dst = {AF_INET, {{2, 2, 2, 2}}},
			 .sport = 10,
			 .dport = 20,
			 .proto = 6},
		.reply = {.src = {AF_INET, {{2, 2, 2, 2}}},
			  .dst = {AF_INET, {{9, 9, 9, 9}}},
			  .sport = 20,
			  .dport = 99,
			  .proto = 6},
		.status = IPS_SEEN_REPLY | IPS_SRC_NAT_DONE | IPS_DST_NAT_DONE | IPS_SRC_NAT,
		.timeout = 50,
		.mark = 0x1f,
		.state = 3,
		.id = 7,
		.zone = 5,
		.labels = (const uint8_t *)words,
		.label_words = 4,
	};
}

static int
parse(const char *line, struct cmd *c)
{
	static char text[256], name[] = "conntrack", map_text[] = "1 web\n2 mail\n";
	FILE *f = fmemopen(map_text, sizeof(map_text) - 1, "r");
	struct opt_ctx ctx = {.tried = true, .map = labelmap_read(f)};
	char *argv[32] = {name}, *p;
	struct opt_error err;
	int argc = 1, r;

	fclose(f);
	strcpy(text, line);
	for (p = strtok(text, " "); p != NULL; p = strtok(NULL, " "))
		argv[argc++] = p;
	r = cmd_parse(c, &ctx, argc, argv, &err);
	if (r < 0)
		fail_msg("%s: %s", line, err.text);
	labelmap_free(ctx.map);
	return r;
}

static const struct {
	const char *line;
	bool match;
} rows[] = {
	{"-L", true},
	{"-L -f ipv4", true},
	{"-L -f ipv6", false},
	{"-L -s 10.0.0.1", true},
	{"-L -s 10.0.0.2", false},
	{"-L -s 10.0.0.0/24", true},
	{"-L -s 10.0.1.0/24", false},
	{"-L -d 2.2.2.2 --mask-dst 255.0.0.0", true},
	{"-L -d 0.0.0.0/0", true},
	{"-L -s ::/0", false},
	{"-L -r 2.2.2.2 -q 9.9.9.9", true},
	{"-L -q 10.0.0.1", false},
	{"-L -p tcp --sport 10 --reply-port-dst 99", true},
	{"-L -p tcp --dport 21", false},
	{"-L -p udp", false},
	{"-L -p tcp --state ESTABLISHED", true},
	{"-L -p tcp --state SYN_SENT", false},
	{"-L -m 0x1f", true},
	{"-L -m 0x10/0xf0", true},
	{"-L -m 0x110/0x10", false},
	{"-L -u SEEN_REPLY", true},
	{"-L -u SEEN_REPLY,!ASSURED", true},
	{"-L -u UNREPLIED", false},
	{"-L -w 5", true},
	{"-L -w 0", false},
	{"-L --orig-zone 0", true},
	{"-L --orig-zone 1", false},
	{"-L -c 0", true},
	{"-L -c 1", false},
	{"-L -l web", true},
	{"-L -l web,mail", false},
	{"-L -n", true},
	{"-L -g", false},
	{"-L -j", true},
	{"-L -n 9.9.9.9", true},
	{"-L -n 9.9.9.9:99", true},
	{"-L -n 9.9.9.9:98", false},
	{"-L -n fd00::9", false},
	{"-L -n 9.9.9.9 -g", false},
	{"-L -g 2.2.2.2", false}, /* where it goes untranslated */
	{"-D -g 2.2.2.2:20", false},
	{"-L -j 2.2.2.2", false},
	{"-U -g 2.2.2.2", false},
	{"-E -n 10.0.0.1", false},
	{"-L -p tcp -j 9.9.9.9", true},
	{"-D -t 50", true},
	{"-D -t 51", false},
	{"-D -i 7", true},
	{"-D -i 8", false},
	{"-D -u !SEEN_REPLY", false},
	{"-D -u ASSURED", false},
	{"-D -p gre --srckey 10", false},
	/* -U: these are new values, not selections */
	{"-U -m 99 -t 1 -u ASSURED", true},
	{"-U -p tcp --state SYN_SENT", true},
	{"-U -p tcp --sport 11", false},
	{"-U -i 8", false},
};

static void
table(void **state)
{
	struct ct_rec rec = entry();

	(void)state;
	for (size_t i = 0; i < NITEMS(rows); i++) {
		struct filter f;
		struct cmd c;

		parse(rows[i].line, &c);
		filter_init(&f, &c);
		if (filter_match(&f, &rec) != rows[i].match)
			fail_msg("%s", rows[i].line);
		cmd_done(&c);
	}
}

static void
icmp_and_keys(void **state)
{
	struct ct_rec rec = entry();
	struct filter f;
	struct cmd c;

	(void)state;
	rec.orig.proto = 1;
	rec.orig.icmp_type = 8;
	rec.orig.icmp_id = 77;
	parse("-L -p icmp --icmp-type 8 --icmp-id 77", &c);
	filter_init(&f, &c);
	assert_true(filter_match(&f, &rec));
	rec.orig.icmp_id = 78;
	assert_false(filter_match(&f, &rec));
	cmd_done(&c);
	rec.orig.proto = 47;
	parse("-D -p gre --srckey 0xa", &c);
	filter_init(&f, &c);
	assert_true(filter_match(&f, &rec));
	rec.orig.sport = 11;
	assert_false(filter_match(&f, &rec));
	cmd_done(&c);
}

/* A message without mark is about mark 0; one without timeout has none to compare. */
static void
absent(void **state)
{
	struct ct_rec rec = {.family = AF_INET};
	struct filter f;
	struct cmd c;

	(void)state;
	parse("-E -m 0", &c);
	filter_init(&f, &c);
	assert_true(filter_match(&f, &rec));
	cmd_done(&c);
	parse("-D -t 0", &c);
	filter_init(&f, &c);
	assert_false(filter_match(&f, &rec));
	cmd_done(&c);
	parse("-L -l web", &c);
	filter_init(&f, &c);
	assert_false(filter_match(&f, &rec));
	cmd_done(&c);
}

/* The same answer as asking one by one. */
static void
many(void **state)
{
	enum { N = 500 };
	static struct cmd c[N];
	const struct cmd *p[N];
	struct selection *s;
	char line[64];

	(void)state;
	srand(3);
	for (int i = 0; i < N; i++) {
		static const char *const form[] = {"-D -s 10.0.%d.%d", "-D -d 10.0.%d.%d", "-D -s 10.%d.%d.0/24",
						   "-D -q 10.0.%d.%d"};

		snprintf(line, sizeof(line), form[i % 4], rand() % 8, rand() % 8);
		parse(line, &c[i]);
		p[i] = &c[i];
	}
	s = selection_new(p, N);
	assert_non_null(s);
	for (int k = 0; k < 20000; k++) {
		struct ct_rec rec = entry();
		bool want = false;

		rec.orig.src.u.b[2] = (uint8_t)(rand() % 12);
		rec.orig.src.u.b[3] = (uint8_t)(rand() % 12);
		rec.orig.dst = rec.orig.src;
		rec.orig.dst.u.b[3] ^= 3;
		for (int i = 0; i < N && !want; i++) {
			struct filter f;

			filter_init(&f, &c[i]);
			want = filter_match(&f, &rec);
		}
		assert_int_equal(selection_match(s, &rec), want);
	}
	selection_free(s);
	s = selection_new(NULL, 0);
	assert_non_null(s);
	assert_false(selection_match(s, &(struct ct_rec){0}));
	selection_free(s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(table), cmocka_unit_test(icmp_and_keys),
					   cmocka_unit_test(absent), cmocka_unit_test(many)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

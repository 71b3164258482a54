/*
 * Every packet of test/vectors/helpers through packet_read(), its parser and the policy of ctd-queue, as in the daemon:
 * what the parser proposes is what the vector wants, or may be, and the policy has nothing against it. The directory is
 * the argument.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <dirent.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink_queue.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "inspect.h"
#include "memory.h"
#include "rig.h"

#define OUTCOMES 16
#define TEXT_MAX 4096

static const char *vectors;
static const struct parser *const parsers[HELPER_KINDS] = {
	[HELPER_AMANDA] = &parser_amanda, [HELPER_DHCPV6] = &parser_dhcpv6, [HELPER_FTP] = &parser_ftp,
	[HELPER_MDNS] = &parser_mdns,     [HELPER_RPC] = &parser_rpc,       [HELPER_SANE] = &parser_sane,
	[HELPER_SLP] = &parser_slp,       [HELPER_SSDP] = &parser_ssdp,     [HELPER_TFTP] = &parser_tftp,
	[HELPER_TNS] = &parser_tns,
};

struct outcomes {
	unsigned int n;
	char text[OUTCOMES][TEXT_MAX];
};

struct vector {
	char name[64];
	struct queue_conf conf;
	struct rig_flow flow;
	struct memory *memory;
	uint8_t priv[32];
	unsigned int number, packets;
	struct outcomes got[8], want[8], may[8]; /* by packet */
};

static void
add(struct outcomes *o, const char *text)
{
	assert_true(o->n < OUTCOMES);
	snprintf(o->text[o->n], TEXT_MAX, "%s", text);
	o->text[o->n][strcspn(o->text[o->n], "\n")] = '\0';
	o->n++;
}

static bool
has(const struct outcomes *o, const char *text)
{
	for (unsigned int i = 0; i < o->n; i++)
		if (strcmp(o->text[i], text) == 0)
			return true;
	return false;
}

static const char *
end_text(const struct packet *p, uint8_t ref, char *text)
{
	const struct msg_tuple *o = &p->facts.orig, *r = &p->facts.reply;
	const uint8_t *const of[REF_MAX] = {NULL, o->src, o->dst, r->src, r->dst, NULL};

	if (of[ref] == NULL)
		return "*";
	assert_non_null(inet_ntop(p->facts.family, of[ref], text, INET6_ADDRSTRLEN));
	return text;
}

/* In the words of the vectors. */
static void
describe_expect(const struct vector *v, const struct packet *p, const struct msg_expect *e, struct outcomes *to)
{
	char text[512], src[INET6_ADDRSTRLEN], dst[INET6_ADDRSTRLEN], sport[8] = "*";
	int direction = policy_nat_direction(&v->conf, p, e), at;

	if (e->sport != 0)
		snprintf(sport, sizeof(sport), "%u", e->sport);
	at = snprintf(text, sizeof(text), "expect class=%u flags=%u %s src=%s sport=%s dst=%s dport=%u", e->class,
		      e->permanent, e->proto == IPPROTO_TCP ? "tcp" : "udp", end_text(p, e->src, src), sport,
		      end_text(p, e->dst, dst), e->dport);
	if (direction >= 0)
		at += snprintf(text + at, sizeof(text) - (size_t)at, " nat=%s:%u", direction == 0 ? "orig" : "reply",
			       e->nat_port);
	if (e->follow)
		snprintf(text + at, sizeof(text) - (size_t)at, " helper=%s", helper_name(v->conf.kind));
	add(to, text);
}

/* What the kernel would get: with lengths, from behind the TCP or UDP header on. */
static void
describe_payload(const struct vector *v, const struct packet *p, const struct msg_verdict *a, struct outcomes *to)
{
	static struct out out;
	char text[TEXT_MAX] = "payload ";
	const struct nlattr *attr;
	size_t at = strlen(text);

	verdict_full(&out, &v->conf, p, a);
	assert_false(out.bad);
	mnl_attr_for_each(attr, (const struct nlmsghdr *)(const void *)out.bytes, sizeof(struct nfgenmsg))
	{
		const uint8_t *bytes = mnl_attr_get_payload(attr);

		if (mnl_attr_get_type(attr) != NFQA_PAYLOAD)
			continue;
		for (size_t i = p->facts.payload; i < mnl_attr_get_payload_len(attr) && at + 3 < sizeof(text); i++)
			at += (size_t)snprintf(text + at, sizeof(text) - at, "%02x", bytes[i]);
	}
	add(to, text);
}

static void
describe(const struct vector *v, const struct packet *p, const struct msg_verdict *a, struct outcomes *to)
{
	char text[32];

	if (!a->accept)
		add(to, "drop");
	for (unsigned int i = 0; i < a->n_expect; i++)
		describe_expect(v, p, &a->expect[i], to);
	if (a->n_edits > 0)
		describe_payload(v, p, a, to);
	if (a->timeout != 0) {
		snprintf(text, sizeof(text), "timeout %u", a->timeout);
		add(to, text);
	}
}

static void
one_packet(struct vector *v, const uint8_t *bytes, size_t len)
{
	static const struct inspect_options options = {.min_port = 1};
	static uint8_t msg[1 << 17];
	struct msg_verdict a;
	struct packet p;
	enum count breach, seen;

	v->flow.priv = (const char *)v->priv;
	v->flow.priv_len = v->conf.priv_len;
	seen = rig_read(msg, rig_message(msg, ++v->packets, &v->flow, bytes, len), &p);
	assert_true(v->number < 8);
	if (seen != OK && seen != WHY_EMPTY) /* accepted before a parser sees it */
		return;
	inspect_packet(parsers[v->conf.kind], &options, v->memory, &p.facts, p.data, p.facts.len, 1, &a);
	if ((breach = policy_judge(&v->conf, &p, &a)) != OK)
		fail_msg("%s: the policy refuses the answer to packet %u: %d", v->name, v->number, breach);
	describe(v, &p, &a, &v->got[v->number]);
	memcpy(v->priv, a.priv, sizeof(v->priv));
}

static unsigned int
end_of_case(struct vector *v)
{
	unsigned int wrong = 0;

	for (unsigned int i = 0; i < 8; i++) {
		for (unsigned int k = 0; k < v->got[i].n; k++)
			if (!has(&v->want[i], v->got[i].text[k]) && !has(&v->may[i], v->got[i].text[k])) {
				print_error("%s: packet %u gave %s\n", v->name, i, v->got[i].text[k]);
				wrong++;
			}
		for (unsigned int k = 0; k < v->want[i].n; k++)
			if (!has(&v->got[i], v->want[i].text[k])) {
				print_error("%s: packet %u lacks %s\n", v->name, i, v->want[i].text[k]);
				wrong++;
			}
	}
	memory_free(v->memory);
	v->memory = NULL;
	return wrong;
}

static void
set_helper(struct vector *v, const char *line)
{
	char name[16], family[8], proto[8];

	assert_int_equal(sscanf(line, "helper %15s %7s %7s", name, family, proto), 3);
	for (v->conf.kind = 0; strcmp(parsers[v->conf.kind]->name, name) != 0;)
		assert_true(++v->conf.kind < HELPER_KINDS);
	v->conf.family = strcmp(family, "inet") == 0 ? AF_INET : AF_INET6;
	v->conf.proto = strcmp(proto, "tcp") == 0 ? IPPROTO_TCP : IPPROTO_UDP;
	v->conf.min_port = 1;
	v->conf.priv_len = 32;
	v->flow.family = v->conf.family;
	v->flow.proto = v->conf.proto;
	v->flow.helper = parsers[v->conf.kind]->name;
	if (parsers[v->conf.kind]->memory > 0)
		v->memory = memory_new(parsers[v->conf.kind]->memory);
}

static void
read_tuple(const char *line, struct rig_flow *f, struct msg_tuple *t)
{
	char src[64], dst[64];
	unsigned int sport, dport;

	assert_int_equal(sscanf(line, "%*s %*s %63s %u %63s %u", src, &sport, dst, &dport), 4);
	rig_tuple(t, f->family, f->proto, src, (uint16_t)sport, dst, (uint16_t)dport);
}

static size_t
from_hex(const char *hex, uint8_t *bytes)
{
	unsigned int byte;
	size_t n = 0;

	for (; sscanf(hex, "%2x", &byte) == 1; hex += 2)
		bytes[n++] = (uint8_t)byte;
	return n;
}

static void
one_line(struct vector *v, const char *line)
{
	static uint8_t bytes[1 << 16];
	char dir[16], state[16];
	unsigned int n;
	int at = 0;

	if (strncmp(line, "helper ", 7) == 0)
		set_helper(v, line);
	else if (strncmp(line, "orig ", 5) == 0)
		read_tuple(line, &v->flow, &v->flow.orig);
	else if (strncmp(line, "reply ", 6) == 0)
		read_tuple(line, &v->flow, &v->flow.reply);
	else if (strncmp(line, "master ", 7) == 0)
		v->flow.has_master = 1;
	else if (strncmp(line, "nat ", 4) == 0)
		v->flow.status = (strstr(line, "src") != NULL ? 0x10U : 0) | (strstr(line, "dst") != NULL ? 0x20U : 0);
	else if (sscanf(line, "pkt %u %15s %15s", &v->number, dir, state) == 3)
		v->flow.ct_info = (strcmp(state, "new") == 0 ? 2U : strcmp(state, "related") == 0) +
				  (strcmp(dir, "reply") == 0 ? 3U : 0);
	else if (strncmp(line, "hex", 3) == 0)
		one_packet(v, bytes, from_hex(line + 4, bytes));
	else if (sscanf(line, "want %u %n", &n, &at) == 1 && at > 0)
		add(&v->want[n], line + at);
	else if (sscanf(line, "may %u %n", &n, &at) == 1 && at > 0)
		add(&v->may[n], line + at);
}

static unsigned int
one_file(FILE *f, unsigned int *wrong)
{
	static char line[1 << 17];
	static struct vector v;
	unsigned int cases = 0;

	while (fgets(line, sizeof(line), f) != NULL) {
		if (strncmp(line, "case ", 5) == 0) {
			memset(&v, 0, sizeof(v));
			v.flow.ct_id = 9;
			assert_int_equal(sscanf(line, "case %63s", v.name), 1);
		} else if (strncmp(line, "end", 3) == 0) {
			*wrong += end_of_case(&v);
			cases++;
		} else
			one_line(&v, line);
	}
	return cases;
}

static void
all_vectors(void **state)
{
	DIR *d = opendir(vectors);
	unsigned int cases = 0, wrong = 0;
	char path[4096];

	(void)state;
	assert_non_null(d);
	for (struct dirent *e; (e = readdir(d)) != NULL;) {
		FILE *f;

		if (strstr(e->d_name, ".vec") == NULL)
			continue;
		snprintf(path, sizeof(path), "%s/%s", vectors, e->d_name);
		assert_non_null(f = fopen(path, "r"));
		cases += one_file(f, &wrong);
		fclose(f);
	}
	closedir(d);
	assert_int_equal(cases, 252);
	assert_int_equal(wrong, 0);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(all_vectors)};

	if (argc != 2)
		return 2;
	vectors = argv[1];
	return cmocka_run_group_tests(tests, NULL, NULL);
}

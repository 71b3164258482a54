/*
 * What the kernel queues is read right, and what is damaged is told from it. The packets are those of
 * test/vectors/helpers, whose directory is the argument.
 */
#include <arpa/inet.h>
#include <dirent.h>
#include <linux/netfilter/nfnetlink_queue.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

#include "rig.h"

static const char *vectors;
static uint8_t msg[1 << 17], pkt[1 << 16];

/* What becomes of the last packet of each case of generic.vec. */
static const struct {
	const char *name;
	enum count why;
} generic[] = {
	{"generic/len0", WHY_HEADERS},
	{"generic/ip4-16-bytes", WHY_HEADERS},
	{"generic/ip4-20-bytes", WHY_HEADERS},
	{"generic/ip4-ihl4", WHY_HEADERS},
	{"generic/ip4-ihl15", WHY_HEADERS},
	{"generic/version5", WHY_HEADERS},
	{"generic/udp-7-bytes", WHY_HEADERS},
	{"generic/udp-no-payload", WHY_EMPTY},
	{"generic/udp-len-short", WHY_EMPTY},
	{"generic/udp-len-long", WHY_HEADERS},
	{"generic/ip4-options", OK},
	{"generic/ip4-fragment", WHY_FRAGMENT},
	{"generic/ip4-proto47", WHY_HEADERS},
	{"generic/ip6-20-bytes", WHY_HEADERS},
	{"generic/ip6-40-bytes", WHY_HEADERS},
	{"generic/ip6-destopt", WHY_HEADERS},
	{"generic/ip6-exthdr-too-long", WHY_HEADERS},
	{"generic/ip6-exthdr-loop", WHY_HEADERS},
	{"generic/tcp-doff4", WHY_HEADERS},
	{"generic/tcp-doff15", WHY_HEADERS},
	{"generic/tcp-10-bytes", WHY_HEADERS},
	{"generic/tcp-no-payload", WHY_EMPTY},
};

struct vector {
	char name[64];
	struct rig_flow flow;
	size_t len;
	unsigned int packets;
	enum count last;
};

static void
read_tuple(const char *line, struct rig_flow *f, struct msg_tuple *t)
{
	char proto[8], src[64], dst[64];
	unsigned int sport, dport;

	assert_int_equal(sscanf(line, "%*s %7s %63s %u %63s %u", proto, src, &sport, dst, &dport), 5);
	f->family = strchr(src, ':') != NULL ? AF_INET6 : AF_INET;
	f->proto = strcmp(proto, "tcp") == 0 ? IPPROTO_TCP : IPPROTO_UDP;
	rig_tuple(t, f->family, f->proto, src, (uint16_t)sport, dst, (uint16_t)dport);
}

static size_t
from_hex(const char *hex)
{
	unsigned int byte;
	size_t n = 0;

	for (; sscanf(hex, "%2x", &byte) == 1; hex += 2)
		pkt[n++] = (uint8_t)byte;
	return n;
}

/* The payload as the headers say it, computed in another way: from the end. */
static void
check_payload(const struct packet *p, const struct vector *v)
{
	size_t head = v->flow.family == AF_INET ? (pkt[0] & 15U) * 4 : 40;
	size_t l4 = v->flow.proto == IPPROTO_TCP ? (pkt[head + 12] >> 4) * 4U : 8;

	assert_int_equal(p->l4, head);
	assert_int_equal(p->facts.payload, head + l4);
	assert_int_equal(p->facts.payload + p->facts.payload_len, p->facts.len);
	assert_int_equal(p->facts.len, v->len);
	assert_memory_equal(p->data, pkt, v->len);
}

static void
one_packet(struct vector *v)
{
	struct packet p;
	size_t n = rig_message(msg, ++v->packets, &v->flow, pkt, v->len);

	v->last = rig_read(msg, n, &p);
	assert_true(p.has_id);
	assert_int_equal(p.id, v->packets);
	if (v->last == OK)
		check_payload(&p, v);
	assert_int_equal(p.facts.family, v->flow.family);
	assert_memory_equal(&p.facts.orig, &v->flow.orig, sizeof(p.facts.orig));
	assert_memory_equal(&p.facts.reply, &v->flow.reply, sizeof(p.facts.reply));
	assert_int_equal(p.facts.ct_id, v->flow.ct_id);
	assert_int_equal(p.facts.status, v->flow.status);
	assert_int_equal(p.facts.ct_info, v->flow.ct_info);
	assert_int_equal(p.facts.has_master, v->flow.has_master);
}

/* generic: the table's; all others are whole. */
static void
end_of_case(const struct vector *v)
{
	for (size_t i = 0; i < sizeof(generic) / sizeof(generic[0]); i++)
		if (strcmp(generic[i].name, v->name) == 0) {
			if (v->last != generic[i].why)
				fail_msg("%s: %d, not %d", v->name, v->last, generic[i].why);
			return;
		}
	assert_true(strncmp(v->name, "generic/", 8) != 0);
	if (v->last != OK && v->last != WHY_EMPTY)
		fail_msg("%s: %d", v->name, v->last);
}

static unsigned int
one_file(FILE *f)
{
	static char line[1 << 17];
	struct vector v = {0};
	unsigned int cases = 0;
	char dir[16], state[16];

	while (fgets(line, sizeof(line), f) != NULL) {
		if (strncmp(line, "case ", 5) == 0) {
			v = (struct vector){.flow = {.ct_id = 9}};
			assert_int_equal(sscanf(line, "case %63s", v.name), 1);
		} else if (strncmp(line, "orig ", 5) == 0)
			read_tuple(line, &v.flow, &v.flow.orig);
		else if (strncmp(line, "reply ", 6) == 0)
			read_tuple(line, &v.flow, &v.flow.reply);
		else if (strncmp(line, "master ", 7) == 0)
			v.flow.has_master = 1;
		else if (strncmp(line, "nat ", 4) == 0)
			v.flow.status = strstr(line, "src") != NULL ? 0x10 : strstr(line, "dst") != NULL ? 0x20 : 0;
		else if (sscanf(line, "pkt %*u %15s %15s", dir, state) == 2)
			v.flow.ct_info = (strcmp(state, "new") == 0 ? 2U : strcmp(state, "related") == 0) +
					 (strcmp(dir, "reply") == 0 ? 3U : 0);
		else if (strncmp(line, "hex", 3) == 0) {
			v.len = from_hex(line + 4);
			one_packet(&v);
		} else if (strncmp(line, "end", 3) == 0) {
			end_of_case(&v);
			cases++;
		}
	}
	return cases;
}

static void
all_vectors(void **state)
{
	DIR *d = opendir(vectors);
	unsigned int cases = 0;
	char path[4096];

	(void)state;
	assert_non_null(d);
	for (struct dirent *e; (e = readdir(d)) != NULL;) {
		FILE *f;

		if (strstr(e->d_name, ".vec") == NULL)
			continue;
		snprintf(path, sizeof(path), "%s/%s", vectors, e->d_name);
		assert_non_null(f = fopen(path, "r"));
		cases += one_file(f);
		fclose(f);
	}
	closedir(d);
	assert_int_equal(cases, 252);
}

static struct rig_flow
whole_flow(void)
{
	struct rig_flow f = rig_flow(AF_INET, IPPROTO_TCP, 21, true);

	f.helper = "ftp";
	f.priv = "0123456789abcdefghijklmn";
	f.priv_len = 24;
	f.zone = 4;
	f.has_master = 1;
	return f;
}

static void
every_fact(void **state)
{
	struct rig_flow f = whole_flow();
	size_t len = rig_packet(pkt, &f, "PORT", 4), n = rig_message(msg, 0x01020304, &f, pkt, len);
	struct packet p;

	(void)state;
	assert_int_equal(rig_read(msg, n, &p), OK);
	assert_int_equal(p.id, 0x01020304);
	assert_int_equal(p.zone, htons(4));
	assert_int_equal(p.facts.hook, 4);
	assert_int_equal(p.facts.has_master, 1);
	assert_string_equal(p.helper, "ftp");
	assert_int_equal(p.facts.priv_len, 24);
	assert_memory_equal(p.facts.priv, f.priv, 24);
	assert_int_equal(p.facts.payload_len, 4);
	assert_memory_equal(p.data + p.facts.payload, "PORT", 4);
}

/* However short the message or the packet in it becomes, nothing is read behind it (the sanitizer looks), and it is
 * never taken for whole. */
static void
every_length(void **state)
{
	struct rig_flow f = whole_flow();
	size_t len = rig_packet(pkt, &f, "PORT 1", 6), n = rig_message(msg, 7, &f, pkt, len), head = 20;
	struct packet p;

	(void)state;
	for (size_t cut = head; cut <= n; cut++) {
		uint8_t *copy = malloc(cut - head + 1);

		assert_non_null(copy);
		memcpy(copy, msg + head, cut - head);
		if (n - cut > 2) /* as many octets pad the last attribute */
			assert_int_not_equal(packet_read(rd_init(copy, cut - head), AF_INET, &p), OK);
		free(copy);
	}
	for (size_t cut = 0; cut < len; cut++) {
		n = rig_message(msg, 7, &f, pkt, cut);
		assert_int_equal(rig_read(msg, n, &p), WHY_HEADERS);
		assert_int_equal(p.id, 7);
	}
	memset(pkt + len, 0xff, 100); /* more than IP says is not of the packet */
	n = rig_message(msg, 7, &f, pkt, len + 100);
	assert_int_equal(rig_read(msg, n, &p), OK);
	assert_int_equal(p.facts.len, len);
	assert_int_equal(p.facts.payload_len, 6);
}

/* One attribute of the message at a time is of another type, as if it were not there. */
static void
missing_attributes(void **state)
{
	static const struct {
		uint16_t type;
		enum count why;
	} want[] = {{NFQA_PACKET_HDR, WHY_MESSAGE},
		    {NFQA_IFINDEX_INDEV, OK},
		    {NFQA_CT, WHY_NO_FLOW},
		    {NFQA_CT_INFO, WHY_NO_FLOW},
		    {NFQA_PAYLOAD, WHY_NO_FLOW}};
	struct rig_flow f = whole_flow();
	size_t len = rig_packet(pkt, &f, "PORT 1", 6);
	struct packet p;

	(void)state;
	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		size_t n = rig_message(msg, 7, &f, pkt, len);

		for (size_t at = 20; at + 4 <= n;) {
			uint16_t a[2];

			memcpy(a, msg + at, sizeof(a));
			if ((a[1] & 0x3fff) == want[i].type)
				msg[at + 2] = 60;
			at += (a[0] + 3U) & ~3U;
		}
		assert_int_equal(rig_read(msg, n, &p), want[i].why);
		assert_int_equal(p.has_id, want[i].type != NFQA_PACKET_HDR);
	}
}

/* The first of several fragments has ports, but not the whole payload. */
static void
fragments(void **state)
{
	static const uint8_t bits[][2] = {{0x20, 0}, {0, 1}, {0x1f, 0xff}, {0x20, 1}, {0x60, 0}};
	struct rig_flow f = whole_flow();
	size_t len = rig_packet(pkt, &f, "PORT 1", 6);
	struct packet p;

	(void)state;
	for (size_t i = 0; i < sizeof(bits) / sizeof(bits[0]); i++) {
		memcpy(pkt + 6, bits[i], 2);
		assert_int_equal(rig_read(msg, rig_message(msg, 7, &f, pkt, len), &p), WHY_FRAGMENT);
	}
	memcpy(pkt + 6, "\x40", 2); /* must not be one */
	assert_int_equal(rig_read(msg, rig_message(msg, 7, &f, pkt, len), &p), OK);
}

static void
damaged_flows(void **state)
{
	struct packet p;
	struct rig_flow f = whole_flow();
	size_t len = rig_packet(pkt, &f, "PORT 1", 6);

	(void)state;
	f.ct_info = 5;
	assert_int_equal(rig_read(msg, rig_message(msg, 7, &f, pkt, len), &p), WHY_NO_FLOW);
	f = whole_flow();
	f.reply.proto = IPPROTO_UDP;
	assert_int_equal(rig_read(msg, rig_message(msg, 7, &f, pkt, len), &p), WHY_NO_FLOW);
	f = whole_flow();
	f.helper = "a-name-of-16-octets";
	assert_int_equal(rig_read(msg, rig_message(msg, 7, &f, pkt, len), &p), WHY_NO_FLOW);
	f = whole_flow();
	f.priv = "0123456789012345678901234567890123456789";
	f.priv_len = 33;
	assert_int_equal(rig_read(msg, rig_message(msg, 7, &f, pkt, len), &p), WHY_NO_FLOW);
	f = whole_flow();
	f.orig.proto = f.reply.proto = IPPROTO_SCTP;
	assert_int_equal(rig_read(msg, rig_message(msg, 7, &f, pkt, len), &p), WHY_NOT_OURS);
	f = whole_flow();
	f.family = AF_UNIX;
	assert_int_equal(rig_read(msg, rig_message(msg, 7, &f, pkt, len), &p), WHY_MESSAGE);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_vectors),        cmocka_unit_test(every_fact),    cmocka_unit_test(every_length),
		cmocka_unit_test(missing_attributes), cmocka_unit_test(damaged_flows), cmocka_unit_test(fragments),
	};

	vectors = argc > 1 ? argv[1] : ".";
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * Every captured datagram of test/vectors: decodes to what its listing says, encodes back to the same octets. Argument:
 * the folder of the vectors.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "hex.h"
#include "text.h"

static const char *dir;

/* One message of any kind: its text, and its octets made anew. */
static void
check_message(FILE *out, const struct wire_head *h, const uint8_t *body, size_t len, const uint8_t *msg)
{
	const struct wire_enc_opts o = {.wscale = true};
	uint8_t again[WIRE_MSG_MAX];
	struct flow_side side;
	unsigned int unknown = 0;
	struct expect e;
	struct flow f;
	int n;

	text_head(out, h);
	if (wire_is_control(h)) {
		n = wire_enc_ctl(h->flags, h->seq, h->from, h->to, again, sizeof(again));
	} else if (h->type <= WIRE_CT_DEL) {
		assert_int_equal(wire_dec_flow(body, len, &f, &side, &unknown), WIRE_OK);
		text_flow(out, &f);
		n = wire_enc_flow(&f, h->type, h->flags, h->seq, &o, again, sizeof(again));
	} else {
		assert_int_equal(wire_dec_expect(body, len, &e, &unknown), WIRE_OK);
		text_expect(out, &e);
		n = wire_enc_expect(&e, h->type, h->flags, h->seq, &o, again, sizeof(again));
	}
	assert_int_equal(unknown, 0);
	assert_int_equal(n, h->len);
	assert_memory_equal(again, msg, h->len);
}

static void
check_datagram(const uint8_t *data, size_t left, const char *expected)
{
	const uint8_t *body, *msg = data;
	struct wire_head h;
	size_t len, size;
	char *text;
	FILE *out = open_memstream(&text, &size);

	while (left > 0) {
		assert_int_equal(wire_next(&data, &left, &h, &body, &len, NULL), WIRE_OK);
		assert_true(wire_is_state(&h) || wire_is_control(&h));
		check_message(out, &h, body, len, msg);
		msg = data;
		if (left > 0)
			fputs(" ; ", out);
	}
	fclose(out);
	assert_string_equal(text, expected);
	free(text);
}

static char *
column(char *line, int n)
{
	while (n-- > 0 && line != NULL)
		line = strchr(line, '\t') != NULL ? strchr(line, '\t') + 1 : NULL;
	return line;
}

static void
all_listed(void **state)
{
	static uint8_t data[65536];
	char path[512], *line = NULL, *text;
	size_t size = 0;
	int files = 0, len;
	FILE *tsv;

	(void)state;
	snprintf(path, sizeof(path), "%s/vectors.tsv", dir);
	tsv = fopen(path, "r");
	assert_non_null(tsv);
	while (getline(&line, &size, tsv) > 0) {
		if (line[0] == '#')
			continue;
		line[strcspn(line, "\n")] = '\0';
		text = column(line, 5);
		assert_non_null(text);
		line[strcspn(line, "\t")] = '\0';
		if ((len = hex_read(dir, line, data, sizeof(data))) < 0)
			fail_msg("cannot read %s", line);
		print_message("%s\n", line);
		check_datagram(data, (size_t)len, text);
		files++;
	}
	fclose(tsv);
	free(line);
	assert_int_equal(files, 104);
}

/* What a kernel without the tracker of a protocol reports has no ports: zeros are sent, not what the buffer held. */
static void
no_stale_ports(void **state)
{
	const struct wire_enc_opts o = {.wscale = false};
	struct flow f = {.l3 = 2, .l4 = 33, .have = FLOW_STATUS | FLOW_TIMEOUT, .status = 0x188, .timeout = 600};
	uint8_t listed[128], ours[128];
	int len = hex_read(dir, "dccp4-new-stale-port.hex", listed, sizeof(listed));

	(void)state;
	memset(ours, 0xee, sizeof(ours));
	memcpy(f.addr, listed + 12, 8);
	assert_int_equal(wire_enc_flow(&f, WIRE_CT_NEW, 0, 1795221769, &o, ours, sizeof(ours)), len);
	memset(listed + 40, 0, 4); /* the ports */
	assert_memory_equal(ours, listed, (size_t)len);
}

static size_t
add_ip6_payload(uint8_t *to, const char *name)
{
	const size_t heads = 40 + 8; /* IPv6 and fragment header */
	uint8_t packet[2048];
	int len = hex_read(dir, name, packet, sizeof(packet));

	assert_true(len > (int)heads);
	memcpy(to, packet + heads, (size_t)len - heads);
	return (size_t)len - heads;
}

/* Datagrams inside whole packets; the fragmented one in two pieces. */
static void
whole_packets(void **state)
{
	static const struct {
		const char *name;
		size_t heads;
	} plain[] = {
		{"ip/udp4-checksum-on.hex", 28},
		{"ip/udp4-checksum-off.hex", 28},
		{"ip/mcast4.hex", 28},
		{"ip/mcast6.hex", 48},
		{"ip/udp6-checksum-off-has-checksum.hex", 48},
	};
	uint8_t data[4096];
	size_t at;

	(void)state;
	for (size_t i = 0; i <= sizeof(plain) / sizeof(plain[0]); i++) {
		const bool fragments = i == sizeof(plain) / sizeof(plain[0]);
		const uint8_t *p = data + (fragments ? 8 : plain[i < 5 ? i : 0].heads), *body, *msg = p;
		struct wire_head h;
		size_t left, len;
		FILE *null = fopen("/dev/null", "w");

		if (fragments) {
			at = add_ip6_payload(data, "ip/udp6-fragment-1.hex");
			at += add_ip6_payload(data + at, "ip/udp6-fragment-2.hex");
			assert_int_equal(at - 8, 28 * 52);
		} else {
			at = (size_t)hex_read(dir, plain[i].name, data, sizeof(data));
		}
		left = at - (size_t)(p - data);
		while (left > 0) {
			assert_int_equal(wire_next(&p, &left, &h, &body, &len, NULL), WIRE_OK);
			check_message(null, &h, body, len, msg);
			msg = p;
		}
		fclose(null);
	}
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_listed),
		cmocka_unit_test(no_stale_ports),
		cmocka_unit_test(whole_packets),
	};

	if (argc != 2)
		return 2;
	dir = argv[1];
	return cmocka_run_group_tests(tests, NULL, NULL);
}

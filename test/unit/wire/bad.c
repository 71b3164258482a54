/*
 * The malformed and odd inputs of test/vectors/bad: the counters that the 1.4.7 receiver shows (bad.tsv, FTFW column)
 * and the entries it ends with, except where we do better on purpose: those are listed here with the reason. Argument:
 * the folder of the vectors.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "cache.h"
#include "hex.h"
#include "wire.h"

static const char *dir;

static const struct {
	const char *file, *counters; /* NULL: as listed */
	int entries;                 /* -1: as listed */
	const char *why;
} ours[] = {
	{"attr-33.hex", "-", 1, "unknown attribute types are skipped: a newer peer's flow is not lost"},
	{"exp-attr-21.hex", "malformed+1,payload+1", 0, "the unknown type is skipped, but the tuples are missing"},
	{"empty-data.hex", "malformed+1,payload+1", 0, "a flow without addresses is nothing"},
	{"only-ip.hex", "malformed+1,payload+1", 0, "nor is one without protocol"},
	{"no-l3.hex", "malformed+1,payload+1", 0, "no addresses"},
	{"no-l4.hex", "malformed+1,payload+1", 0, "no protocol"},
	{"exp-empty.hex", "malformed+1,payload+1", 0, "no master, tuple and mask"},
	{"exp-fn-27chars.hex", "malformed+1,payload+1", 0, "an expectation of a name alone is nothing"},
	{"ack-to-before-from.hex", "-", -1, "ranges are judged by the FTFW mode"},
	{"seq-before.hex", "-", 1, "sequence numbers are judged by the modes"},
	{"seq-gap-10.hex", "-", -1, "sequence numbers are judged by the modes"},
};

static const char *const names[WIRE_ERRORS] = {
	[WIRE_BAD_VERSION] = "version", [WIRE_BAD_HEADER] = "header",   [WIRE_BAD_PAYLOAD] = "payload",
	[WIRE_BAD_TYPE] = "type",       [WIRE_TRUNCATED] = "truncated", [WIRE_BAD_SIZE] = "size",
};

static enum wire_error
apply_flow(struct cache *c, const struct wire_head *h, const uint8_t *body, size_t len)
{
	struct flow_side side;
	struct flow f;
	enum wire_error e = wire_dec_flow(body, len, &f, &side, NULL);
	uint32_t slot;

	if (e != WIRE_OK)
		return e;
	slot = cache_find(c, &f);
	if (h->type == WIRE_CT_DEL && slot != SLOT_NONE)
		cache_drop(c, slot);
	else if (h->type != WIRE_CT_DEL && slot == SLOT_NONE)
		assert_int_equal(cache_insert(c, &f, 0, &slot), 0);
	return WIRE_OK;
}

static enum wire_error
apply(struct cache *c, const struct wire_head *h, const uint8_t *body, size_t len)
{
	struct expect e;

	if (wire_is_control(h))
		return WIRE_OK;
	if (!wire_is_state(h))
		return WIRE_BAD_HEADER;
	return h->type <= WIRE_CT_DEL ? apply_flow(c, h, body, len) : wire_dec_expect(body, len, &e, NULL);
}

static void
receive(const uint8_t *data, size_t left, struct cache *c, unsigned int count[WIRE_ERRORS])
{
	const uint8_t *body;
	struct wire_head h;
	enum wire_error e;
	size_t len;

	while (left > 0) {
		e = wire_next(&data, &left, &h, &body, &len, NULL);
		if (e == WIRE_OK)
			e = apply(c, &h, body, len);
		count[e]++;
		if (e == WIRE_TRUNCATED || e == WIRE_BAD_SIZE)
			return;
	}
}

static void
print_counts(char *text, size_t size, const unsigned int count[WIRE_ERRORS])
{
	unsigned int sum = 0;
	size_t at;

	for (int e = 1; e < WIRE_ERRORS; e++)
		sum += count[e];
	at = (size_t)snprintf(text, size, sum > 0 ? "malformed+%u" : "-", sum);
	for (int e = 1; e < WIRE_ERRORS; e++)
		if (count[e] > 0)
			at += (size_t)snprintf(text + at, size - at, ",%s+%u", names[e], count[e]);
}

static void
check_file(const char *file, const char *counters, int entries)
{
	static uint8_t data[65536];
	unsigned int count[WIRE_ERRORS] = {0};
	struct cache *c = cache_new(SLOT_FLOW, 100);
	char path[256], text[256];
	int len;

	for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
		if (strcmp(ours[i].file, file) == 0) {
			counters = ours[i].counters;
			entries = ours[i].entries >= 0 ? ours[i].entries : entries;
			print_message("%s: %s\n", file, ours[i].why);
		}
	snprintf(path, sizeof(path), "bad/%s", file);
	len = hex_read(dir, path, data, sizeof(data));
	assert_true(len > 0);
	receive(data, (size_t)len, c, count);
	print_counts(text, sizeof(text), count);
	if (strcmp(text, counters) != 0 || cache_stats(c)->active != (uint64_t)entries)
		fail_msg("%s: %s, %d entries; expected %s, %d", file, text, (int)cache_stats(c)->active, counters,
			 entries);
	cache_free(c);
}

static void
all_bad(void **state)
{
	char path[512], *line = NULL, *col[4], *rest;
	size_t size = 0;
	int files = 0;
	FILE *tsv;

	(void)state;
	snprintf(path, sizeof(path), "%s/bad/bad.tsv", dir);
	tsv = fopen(path, "r");
	assert_non_null(tsv);
	while (getline(&line, &size, tsv) > 0) {
		if (line[0] == '#')
			continue;
		rest = line;
		for (int i = 0; i < 4; i++)
			col[i] = strsep(&rest, "\t");
		check_file(col[0], col[1], atoi(strsep(&rest, "\t")));
		files++;
	}
	free(line);
	fclose(tsv);
	assert_int_equal(files, 55);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(all_bad)};

	if (argc != 2)
		return 2;
	dir = argv[1];
	return cmocka_run_group_tests(tests, NULL, NULL);
}

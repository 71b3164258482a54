/*
 * The table of settings, row by row: each keyword sets its field in each block that knows it, and the value survives
 * printing, the sealed memory and, where the row says so, the way to the parent.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "blob.h"
#include "fields.h"
#include "kinds.h"
#include "parse.h"
#include "print.h"

/* Texts with a hole in each block. A link stands behind the one under test when that is of another kind. */
static const char *const around[BLOCKS] = {
	[IN_FILE] = "%s",
	[IN_GENERAL] = "General { NetlinkBufferSizeMaxGrowth 99 %s }",
	[IN_UNIX] = "General { UNIX { %s } }",
	[IN_SCHEDULER] = "General { Scheduler { Type RR Priority 4 %s } }",
	[IN_FILTER] = "General { Filter { %s } }",
	[IN_SYNC] = "Sync { Mode ALARM { } UDP { IPv4_address 10.0.0.1 IPv4_Destination_Address 10.0.0.2 Port 1 "
		    "Interface a } %s }",
	[IN_FTFW] = "Sync { UDP { IPv4_address 10.0.0.1 IPv4_Destination_Address 10.0.0.2 Port 1 Interface a } "
		    "Mode FTFW { %s } }",
	[IN_ALARM] = "Sync { UDP { IPv4_address 10.0.0.1 IPv4_Destination_Address 10.0.0.2 Port 1 Interface a } "
		     "Mode ALARM { %s } }",
	[IN_NOTRACK] = "Sync { UDP { IPv4_address 10.0.0.1 IPv4_Destination_Address 10.0.0.2 Port 1 Interface a } "
		       "Mode NOTRACK { %s } }",
	[IN_UDP] = "Sync { Mode FTFW { } UDP { IPv4_address 10.0.0.1 IPv4_Destination_Address 10.0.0.2 Port 1 "
		   "Interface a %s } }",
	[IN_MCAST] = "Sync { Mode FTFW { } Multicast { IPv4_address 225.0.0.1 Group 1 Interface a %s } }",
	[IN_TCP] = "Sync { Mode FTFW { } TCP { IPv4_address 10.0.0.1 IPv4_Destination_Address 10.0.0.2 Port 1 "
		   "Interface a %s } }",
	[IN_OPTIONS] = "Sync { Mode FTFW { } UDP { IPv4_address 10.0.0.1 IPv4_Destination_Address 10.0.0.2 Port 1 "
		       "Interface a } Options { %s } }",
	[IN_STATS] = "Stats { %s }",
	[IN_HELPER] = "Helper { %s Type ftp inet tcp { } }",
	[IN_TYPE] = "Helper { Type ftp inet tcp { %s } }",
	[IN_POLICY] = "Helper { Type ftp inet tcp { Policy ftp { %s } } }",
};

/* A value that is not the default, and what it is in the field; NULL: the row is tested elsewhere. */
static const char *
value_for(const struct field *k, uint32_t *v)
{
	*v = 1;
	if (k->kind == &kind_num || k->kind == &kind_seconds)
		return *v = 7, "7";
	if (k->kind == &kind_switch)
		return *v = k->def == 0, *v != 0 ? "on" : "off";
	if (k->kind == &kind_unswitch)
		return "off";
	if (k->kind == &kind_word)
		return *v = k->words[1].value, k->words[1].name;
	if (k->kind == &kind_facility)
		return *v = 17 << 3, "local1";
	if (k->kind == &kind_path || k->kind == &kind_logfile)
		return "/run/x";
	return k->kind == &kind_name || k->kind == &kind_device ? "x" : NULL;
}

static const void *
base_of(const struct conf *c, enum record_id rec, struct conf_link *link)
{
	*link = conf_link_get(c, 0);
	return rec == REC_LINK ? (const void *)link : rec == REC_HELPER ? (const void *)&c->helper[0] : (const void *)c;
}

static bool
is_text(const struct field *k)
{
	return k->size > sizeof(uint32_t);
}

static void
assert_holds(const struct conf *c, enum record_id rec, const struct field *k, const char *word, uint32_t v)
{
	struct conf_link link;
	const void *base = base_of(c, rec, &link);

	if (is_text(k))
		assert_string_equal((const char *)base + k->off, word);
	else
		assert_int_equal(field_get(k, base), v);
}

static void
through_text_and_blob(const struct conf *c, enum record_id rec, const struct field *k, const char *word, uint32_t v)
{
	struct conf_source src = {0};
	struct conf again;
	size_t n = blob_size(c);
	char *text = conf_print(c, NULL, &src.len);
	void *mem = malloc(n);

	src.text = text;
	assert_int_equal(conf_parse(&again, &src), 0);
	assert_holds(&again, rec, k, word, v);
	assert_int_equal(blob_write(c, mem, n), n);
	assert_int_equal(blob_read(&again, mem, n), 0);
	assert_holds(&again, rec, k, word, v);
	free(mem);
	free(text);
}

static void
through_setup(const struct conf *c, const struct field *k, const char *word, uint32_t v)
{
	const struct field there = {.off = k->setup, .size = k->setup_size};
	struct msg_setup s;

	conf_to_setup(c, &s);
	if (is_text(&there))
		assert_string_equal((const char *)&s + there.off, word);
	else if (there.size != 0)
		assert_int_equal(field_get(&there, &s), v);
}

static void
try_in(enum block_id b, enum record_id rec, const struct field *k)
{
	char statement[200], text[600];
	struct conf_source src = {.text = text};
	struct conf c;
	uint32_t v;
	const char *word = value_for(k, &v);

	if (word == NULL)
		return;
	assert_non_null(around[b]);
	snprintf(statement, sizeof(statement), "%s %s", k->name, word);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	src.len = (size_t)snprintf(text, sizeof(text), around[b], statement);
#pragma GCC diagnostic pop
	if (conf_parse(&c, &src) != 0)
		fail_msg("refused: %s", text);
	assert_holds(&c, rec, k, word, v);
	through_text_and_blob(&c, rec, k, word, v);
	if (rec == REC_CONF)
		through_setup(&c, k, word, v);
}

static void
every_keyword_reaches_everybody(void **state)
{
	unsigned int tried = 0;

	(void)state;
	for (int rec = 0; rec < RECORDS; rec++)
		for (size_t i = 0; i < conf_fields.record[rec].n; i++) {
			const struct field *k = &conf_fields.record[rec].field[i];

			for (int b = 0; b < BLOCKS; b++)
				if ((k->in & BIT(b)) != 0 && k->size != 0) {
					try_in((enum block_id)b, (enum record_id)rec, k);
					tried++;
				}
		}
	assert_true(tried > 80);
}

static bool
overlap(const struct field *a, const struct field *b)
{
	return a->off < b->off + b->size && b->off < a->off + a->size;
}

/* A field has one row of its own; every other that names it stands behind and says so. */
static void
rows_are_disjoint(void **state)
{
	(void)state;
	for (int rec = 0; rec < RECORDS; rec++) {
		const struct record *r = &conf_fields.record[rec];

		for (size_t i = 0; i < r->n; i++) {
			const struct field *k = &r->field[i];
			unsigned int first = 0;

			for (size_t j = 0; j < i; j++)
				first += overlap(k, &r->field[j]) && !(r->field[j].flags & SAME);
			if (first != (k->size != 0 && (k->flags & SAME) != 0))
				fail_msg("record %d, row %zu (%s)", rec, i, k->name != NULL ? k->name : "no keyword");
		}
	}
}

static void
rows_make_sense(void **state)
{
	(void)state;
	for (int rec = 0; rec < RECORDS; rec++)
		for (size_t i = 0; i < conf_fields.record[rec].n; i++) {
			const struct field *k = &conf_fields.record[rec].field[i];

			assert_int_equal(k->name == NULL, k->in == 0);
			assert_true(k->name == NULL || k->kind->read != NULL);
			assert_false(k->setup_size != 0 && (k->flags & LIVE) != 0); /* the parent reads it once */
			if (k->flags & ZERO_IS_DEF)
				assert_true(k->def >= k->min && k->def <= k->max);
		}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_keyword_reaches_everybody),
		cmocka_unit_test(rows_are_disjoint),
		cmocka_unit_test(rows_make_sense),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

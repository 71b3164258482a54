/*
 * Plain values: numbers, switches, words, paths, names.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>

#include "kinds.h"
#include "printer.h"
#include "reader.h"
#include "value.h"

#define LIST_MAX 80 /* of the words that are offered */

static const char *
text_of(const struct field *k, const void *base)
{
	return (const char *)base + k->off;
}

/* The parsed word becomes the field's value. */
static int
take(struct reader *p, const struct field *k, void *base, uint32_t v)
{
	field_set(k, base, v);
	reader_next(p);
	return 0;
}

static int
read_num(struct reader *p, const struct field *k, void *base)
{
	uint32_t v, min = k->flags & ZERO_IS_DEF ? 0 : k->min;
	int r;

	if ((r = reader_word(p, "a number")) != 0)
		return r;
	r = word_num(&p->tok, k->max, &v);
	if (r == -EINVAL)
		return reader_fail(p, &p->tok, "expected a number after `%s'", k->name);
	if (r == -ERANGE || v < min)
		return reader_fail(p, &p->tok, "`%s' must be from %u to %u", k->name, min, k->max);
	return take(p, k, base, v == 0 && k->flags & ZERO_IS_DEF ? k->def : v);
}

static void
print_num(struct printer *p, const struct field *k, const void *base)
{
	uint32_t v = field_get(k, base);

	if (v != 0 || !(k->flags & HIDE_ZERO))
		printer_line(p, "%s %u", k->name, v);
}

static bool
num_ok(const struct field *k, const uint8_t *bytes)
{
	uint32_t v = field_load(k, bytes);

	return (v >= k->min && v <= k->max) || v == k->def;
}

const struct kind kind_num = {read_num, print_num, num_ok};

static int
read_seconds(struct reader *p, const struct field *k, void *base)
{
	int v = word_bool(&p->tok);

	return v < 0 ? read_num(p, k, base) : take(p, k, base, v ? k->def : 0);
}

static void
print_seconds(struct printer *p, const struct field *k, const void *base)
{
	if (field_get(k, base) == 0)
		printer_line(p, "%s off", k->name);
	else
		print_num(p, k, base);
}

const struct kind kind_seconds = {read_seconds, print_seconds, num_ok};

/* 1, 0, or -EINVAL, said. */
static int
on_or_off(struct reader *p, const struct field *k)
{
	int v = word_bool(&p->tok);

	return v < 0 ? reader_fail(p, &p->tok, "expected `on' or `off' after `%s'", k->name) : v;
}

static int
read_switch(struct reader *p, const struct field *k, void *base)
{
	int v = on_or_off(p, k);

	return v < 0 ? v : take(p, k, base, (uint32_t)v);
}

static void
print_switch(struct printer *p, const struct field *k, const void *base)
{
	printer_line(p, "%s %s", k->name, field_get(k, base) != 0 ? "on" : "off");
}

static bool
switch_ok(const struct field *k, const uint8_t *bytes)
{
	return field_load(k, bytes) <= 1;
}

const struct kind kind_switch = {read_switch, print_switch, switch_ok};

static int
read_unswitch(struct reader *p, const struct field *k, void *base)
{
	int v = on_or_off(p, k);

	return v < 0 ? v : take(p, k, base, !v);
}

static void
print_unswitch(struct printer *p, const struct field *k, const void *base)
{
	printer_line(p, "%s %s", k->name, field_get(k, base) == 0 ? "on" : "off");
}

const struct kind kind_unswitch = {read_unswitch, print_unswitch, switch_ok};

static int
read_word(struct reader *p, const struct field *k, void *base)
{
	char offered[LIST_MAX] = "";

	for (const struct word *w = k->words; w->name != NULL; w++) {
		size_t n = strlen(offered);

		if (tok_is_nocase(&p->tok, w->name))
			return take(p, k, base, w->value);
		if (strstr(offered, w->name) == NULL) /* one name may stand for two values, when they are printed */
			snprintf(offered + n, sizeof(offered) - n, "%s`%s'", n != 0 ? " or " : "", w->name);
	}
	return reader_fail(p, &p->tok, "expected %s after `%s'", offered, k->name);
}

static const struct word *
word_of(const struct field *k, uint32_t v)
{
	const struct word *w = k->words;

	while (w->name != NULL && w->value != v)
		w++;
	return w;
}

static void
print_word(struct printer *p, const struct field *k, const void *base)
{
	const struct word *w = word_of(k, field_get(k, base));

	if (k->name != NULL && w->name != NULL)
		printer_line(p, "%s %s", k->name, w->name);
}

static bool
word_ok(const struct field *k, const uint8_t *bytes)
{
	uint32_t v = field_load(k, bytes);

	return word_of(k, v)->name != NULL || v == k->def;
}

const struct kind kind_word = {read_word, print_word, word_ok};

/* Printable text, a terminator, and nothing but zero bytes behind it. */
static bool
text_ok(const struct field *k, const uint8_t *bytes, char banned)
{
	size_t n = strnlen((const char *)bytes, k->size);

	if (n == k->size)
		return false;
	for (size_t i = 0; i < k->size; i++)
		if (i < n ? bytes[i] <= ' ' || bytes[i] >= 0x7f || bytes[i] == banned : bytes[i] != 0)
			return false;
	return true;
}

static int
read_path(struct reader *p, const struct field *k, void *base)
{
	if (p->tok.kind != TOK_WORD || p->tok.s[0] != '/')
		return reader_fail(p, &p->tok, "expected a path that begins with `/' after `%s'", k->name);
	if (!tok_copy(&p->tok, (char *)base + k->off, k->size))
		return reader_fail(p, &p->tok, "%s is longer than %zu characters", k->what, k->size - 1);
	reader_next(p);
	return 0;
}

static void
print_text(struct printer *p, const struct field *k, const void *base)
{
	if (k->name != NULL && (*text_of(k, base) != '\0' || !(k->flags & HIDE_ZERO)))
		printer_line(p, "%s %s", k->name, text_of(k, base));
}

static bool
path_ok(const struct field *k, const uint8_t *bytes)
{
	return text_ok(k, bytes, '\0') && (bytes[0] == '\0' || bytes[0] == '/');
}

const struct kind kind_path = {read_path, print_text, path_ok};

static int
read_logfile(struct reader *p, const struct field *k, void *base)
{
	int v = word_bool(&p->tok);

	if (v < 0 && p->tok.kind == TOK_WORD && p->tok.s[0] == '/')
		return read_path(p, k, base);
	if (v < 0)
		return reader_fail(p, &p->tok, "expected `on', `off' or a path after `%s'", k->name);
	strncpy((char *)base + k->off, v ? k->on : "", k->size);
	reader_next(p);
	return 0;
}

static void
print_logfile(struct printer *p, const struct field *k, const void *base)
{
	printer_line(p, "%s %s", k->name, *text_of(k, base) != '\0' ? text_of(k, base) : "off");
}

const struct kind kind_logfile = {read_logfile, print_logfile, path_ok};

static int
read_facility(struct reader *p, const struct field *k, void *base)
{
	const struct token *t = &p->tok;
	int v = word_bool(t), r;

	if ((r = reader_word(p, "`on', `off' or a syslog facility")) != 0)
		return r;
	if (t->s[0] >= '0' && t->s[0] <= '9')
		return reader_fail(p, t, "expected `on', `off' or a syslog facility after `%s'", k->name);
	if (v >= 0 || tok_is(t, "daemon"))
		field_set(k, base, v != 0 ? LOG_DAEMON : 0);
	else if (t->len == 6 && memcmp(t->s, "local", 5) == 0 && t->s[5] >= '0' && t->s[5] <= '7')
		field_set(k, base, LOG_LOCAL0 + ((uint32_t)(t->s[5] - '0') << 3));
	else
		reader_warn(p, t, "'%.*s' is not a known syslog facility, ignoring",
			    (int)(t->len < WORD_SHOWN ? t->len : WORD_SHOWN), t->s);
	if (v < 0 && p->c->syslog_facility != 0 && p->c->stats_syslog_facility != 0 &&
	    p->c->syslog_facility != p->c->stats_syslog_facility)
		reader_warn(p, &p->key, "conflicting Syslog facility values, defaulting to General");
	reader_next(p);
	return 0;
}

static void
print_facility(struct printer *p, const struct field *k, const void *base)
{
	uint32_t v = field_get(k, base);

	if (v == 0 || v == LOG_DAEMON)
		printer_line(p, "%s %s", k->name, v == 0 ? "off" : "daemon");
	else
		printer_line(p, "%s local%u", k->name, (v - LOG_LOCAL0) >> 3);
}

static bool
facility_ok(const struct field *k, const uint8_t *bytes)
{
	uint32_t v = field_load(k, bytes);

	return v == 0 || v == LOG_DAEMON || (v >= LOG_LOCAL0 && v <= LOG_LOCAL7 && v % 8 == 0);
}

const struct kind kind_facility = {read_facility, print_facility, facility_ok};

static int
read_name(struct reader *p, const struct field *k, void *base)
{
	int r;

	if ((r = reader_word(p, "a name")) != 0)
		return r;
	if (!word_is_name(&p->tok))
		return reader_fail(p, &p->tok, "expected a name after `%s'", k->name);
	if (!tok_copy(&p->tok, (char *)base + k->off, k->size))
		return reader_fail(p, &p->tok, "the name after `%s' is longer than %zu characters", k->name,
				   k->size - 1);
	reader_next(p);
	return 0;
}

static bool
name_ok(const struct field *k, const uint8_t *bytes)
{
	return text_ok(k, bytes, '/');
}

const struct kind kind_name = {read_name, print_text, name_ok};

const struct kind kind_bytes = {NULL, NULL, NULL};

static int
skip(struct reader *p, const struct field *k, void *base)
{
	(void)p, (void)k, (void)base;
	return 0;
}

static int
skip_num(struct reader *p, const struct field *k, void *base)
{
	uint32_t v;

	(void)base;
	if (word_num(&p->tok, UINT32_MAX, &v) == -EINVAL)
		return reader_fail(p, &p->tok, "expected a number after `%s'", k->name);
	reader_next(p);
	return 0;
}

static int
skip_snum(struct reader *p, const struct field *k, void *base)
{
	if (p->tok.kind == TOK_WORD && p->tok.len > 1 && (p->tok.s[0] == '-' || p->tok.s[0] == '+')) {
		p->tok.s++;
		p->tok.len--;
	}
	return skip_num(p, k, base);
}

static int
skip_bool(struct reader *p, const struct field *k, void *base)
{
	int v = on_or_off(p, k);

	(void)base;
	if (v >= 0)
		reader_next(p);
	return v < 0 ? v : 0;
}

static int
skip_word(struct reader *p, const struct field *k, void *base)
{
	int r = reader_word(p, k->what);

	(void)base;
	if (r == 0)
		reader_next(p);
	return r;
}

const struct kind kind_skip = {skip, NULL, NULL}, kind_skip_num = {skip_num, NULL, NULL},
		  kind_skip_snum = {skip_snum, NULL, NULL}, kind_skip_bool = {skip_bool, NULL, NULL},
		  kind_skip_word = {skip_word, NULL, NULL};

static int
read_block(struct reader *p, const struct field *k, void *base)
{
	(void)base;
	return reader_block(p, k->block);
}

static void
print_block(struct printer *p, const struct field *k, const void *base)
{
	if (k->shown == NULL || k->shown(base))
		printer_block(p, k->block, k->name);
}

const struct kind kind_block = {read_block, print_block, NULL};

static int
read_section(struct reader *p, const struct field *k, void *base)
{
	field_set(k, base, true);
	return reader_block(p, k->block);
}

static void
print_section(struct printer *p, const struct field *k, const void *base)
{
	if (field_get(k, base) != 0)
		printer_block(p, k->block, k->name);
}

const struct kind kind_section = {read_section, print_section, switch_ok};

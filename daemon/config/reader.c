/*
 * Blocks nest as deep as the table does (four levels); no input makes it deeper.
 */
#include "reader.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "near.h"

struct reader
reader_init(const struct field_table *table, const char *text, size_t len)
{
	return (struct reader){.lex = lex_init(text, len), .table = table, .sync_checksum = -1};
}

static void
describe(const struct token *t, char *buf, size_t size)
{
	bool cut = t->len > WORD_SHOWN;

	if (t->kind == TOK_END)
		snprintf(buf, size, "end of file");
	else if (t->kind == TOK_BAD && !isprint((unsigned char)*t->s))
		snprintf(buf, size, "byte 0x%02x", (unsigned char)*t->s);
	else
		snprintf(buf, size, "`%.*s%s'", cut ? WORD_SHOWN : (int)t->len, t->s, cut ? "..." : "");
}

void
reader_next(struct reader *p)
{
	p->tok = lex_next(&p->lex);
}

int
reader_fail(struct reader *p, const struct token *t, const char *fmt, ...)
{
	char at[WORD_SHOWN + 16], why[400];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	describe(t, at, sizeof(at));
	if (t->kind == TOK_BAD)
		diag_at(p->d, LV_ERROR, t->at, "syntax error: %s has no place here; %s", at, why);
	else
		diag_at(p->d, LV_ERROR, t->at, "syntax error at %s: %s", at, why);
	return -EINVAL;
}

void
reader_warn(struct reader *p, const struct token *t, const char *fmt, ...)
{
	char text[400];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	diag_at(p->d, LV_WARNING, t->at, "%s", text);
}

int
reader_word(struct reader *p, const char *expected)
{
	if (p->tok.kind == TOK_WORD)
		return 0;
	return reader_fail(p, &p->tok, "expected %s after `%.*s'", expected, (int)p->key.len, p->key.s);
}

/* The row for a word in any of these blocks, and its record. */
static const struct field *
find(const struct field_table *table, uint32_t in, const struct token *t, enum record_id *rec)
{
	for (*rec = 0; *rec < RECORDS; ++*rec)
		for (size_t i = 0; i < table->record[*rec].n; i++) {
			const struct field *k = &table->record[*rec].field[i];

			if ((k->in & in) != 0 && tok_is(t, k->name))
				return k;
		}
	return NULL;
}

static const char *
nearest(const struct field_table *table, enum block_id b, const struct token *t)
{
	struct near n = near_to(t->s, t->len);

	for (int rec = 0; rec < RECORDS; rec++)
		for (size_t i = 0; i < table->record[rec].n; i++) {
			const struct field *k = &table->record[rec].field[i];

			if ((k->in & BIT(b)) != 0 && k->note == NULL)
				near_try(&n, k->name);
		}
	return n.name;
}

/* A block that knows the word: one around b before one beside it, before any other. */
static const struct field *
elsewhere(const struct field_table *table, enum block_id b, const struct token *t, enum record_id *rec)
{
	uint32_t around = 0, beside = 0;
	const struct field *k;

	for (enum block_id i = table->block[b].parent; i != BLOCKS; i = table->block[i].parent)
		around |= BIT(i);
	for (int i = 0; i < BLOCKS; i++)
		if (table->block[i].parent == table->block[b].parent)
			beside |= BIT(i);
	if ((k = find(table, around, t, rec)) == NULL && (k = find(table, beside, t, rec)) == NULL)
		k = find(table, UINT32_MAX, t, rec);
	return k;
}

static const char *
block_name(const struct field_table *table, uint32_t in)
{
	int b = 0;

	while ((in & BIT(b)) == 0)
		b++;
	return table->block[b].name;
}

/* What the field is called in block b, or NULL. */
static const char *
name_in(const struct record *r, enum block_id b, const struct field *k)
{
	for (size_t i = 0; k->size != 0 && i < r->n; i++)
		if (r->field[i].off == k->off && (r->field[i].in & BIT(b)) != 0)
			return r->field[i].name;
	return NULL;
}

static int
unknown_keyword(struct reader *p, enum block_id b)
{
	const char *here = p->table->block[b].name, *meant = nearest(p->table, b, &p->tok), *name;
	enum record_id rec;
	const struct field *k = elsewhere(p->table, b, &p->tok, &rec);

	if (k != NULL && (k->in & BIT(IN_FILE)) != 0)
		return reader_fail(p, &p->tok, "not a keyword of %s; is a `}' missing before it?", here);
	if (k != NULL && (name = name_in(&p->table->record[rec], b, k)) != NULL)
		return reader_fail(p, &p->tok, "not a keyword of %s; it belongs in %s, here it is called `%s'", here,
				   block_name(p->table, k->in), name);
	if (k != NULL)
		return reader_fail(p, &p->tok, "not a keyword of %s; it belongs in %s", here,
				   block_name(p->table, k->in));
	if (meant != NULL)
		return reader_fail(p, &p->tok, "not a keyword of %s; did you mean `%s'?", here, meant);
	return reader_fail(p, &p->tok, "not a keyword of %s", here);
}

/* The row that stands first for the field at off. */
static size_t
row_of(const struct reader *p, enum record_id rec, size_t off)
{
	const struct record *r = &p->table->record[rec];
	size_t i = 0;

	while (i + 1 < r->n && (r->field[i].size == 0 || r->field[i].off != off))
		i++;
	return i;
}

struct place
reader_at(const struct reader *p, enum record_id rec, size_t off)
{
	return p->at[rec][row_of(p, rec, off)];
}

void
reader_forget(struct reader *p, enum record_id rec)
{
	memset(p->at[rec], 0, sizeof(p->at[rec]));
}

static int
statement(struct reader *p, enum block_id b)
{
	enum record_id rec;
	const struct field *k;

	if (p->tok.kind != TOK_WORD)
		return reader_fail(p, &p->tok, "expected a keyword of %s", p->table->block[b].name);
	if ((k = find(p->table, BIT(b), &p->tok, &rec)) == NULL)
		return unknown_keyword(p, b);
	if (k->note != NULL)
		reader_warn(p, &p->tok, "%s", k->note);
	if (k->size != 0)
		p->at[rec][row_of(p, rec, k->off)] = p->tok.at;
	p->key = p->tok;
	reader_next(p);
	return k->kind->read(p, k, p->rec[rec]);
}

static int
open_block(struct reader *p, const char *name)
{
	if (p->tok.kind != TOK_OPEN)
		return reader_fail(p, &p->tok, "expected `{' after %s", name);
	reader_next(p);
	return 0;
}

static int
not_closed(struct reader *p, const char *name, struct place at)
{
	return reader_fail(p, &p->tok, "%s of line %u is not closed by `}'", name, at.line);
}

int
reader_block(struct reader *p, enum block_id b)
{
	const char *name = p->table->block[b].name;
	struct place at = p->key.at;
	int r = open_block(p, name);

	while (r == 0 && p->tok.kind != TOK_CLOSE)
		r = p->tok.kind == TOK_END ? not_closed(p, name, at) : statement(p, b);
	if (r == 0)
		reader_next(p);
	return r;
}

int
reader_list(struct reader *p, int (*item)(struct reader *p))
{
	struct token key = p->key;
	char name[WORD_SHOWN + 3];
	int r;

	snprintf(name, sizeof(name), "`%.*s'", (int)(key.len < WORD_SHOWN ? key.len : WORD_SHOWN), key.s);
	r = open_block(p, name);
	while (r == 0 && p->tok.kind != TOK_CLOSE) {
		if (p->tok.kind == TOK_END)
			r = not_closed(p, name, key.at);
		else if ((r = reader_word(p, "a word or `}'")) == 0)
			r = item(p);
	}
	if (r == 0)
		reader_next(p);
	return r;
}

int
reader_run(struct reader *p)
{
	int r = 0;

	reader_next(p);
	while (r == 0 && p->tok.kind != TOK_END)
		r = statement(p, IN_FILE);
	return r;
}

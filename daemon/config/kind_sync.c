/*
 * Modes, and the list of helpers whose expectations are replicated.
 */
#include <stdio.h>
#include <string.h>

#include "kinds.h"
#include "printer.h"
#include "reader.h"
#include "value.h"

static const struct {
	const char *name, *note;
	enum conf_mode mode;
	enum block_id block;
} modes[] = {
	{"FTFW", NULL, MODE_FTFW, IN_FTFW},
	{"ALARM", NULL, MODE_ALARM, IN_ALARM},
	{"NOTRACK", NULL, MODE_NOTRACK, IN_NOTRACK},
	{"NACK", "Now `nack' mode is called `ftfw'. Please, update your conntrackd.conf file.", MODE_FTFW, IN_FTFW},
	{"PERSISTENT", "Now `persistent' mode is called `alarm'. Please, update your conntrackd.conf file.", MODE_ALARM,
	 IN_ALARM},
};

static const char *
mode_name(enum conf_mode mode)
{
	size_t i = 0;

	while (modes[i].mode != mode)
		i++;
	return modes[i].name;
}

/* Of several 1.4.x takes FTFW before ALARM before NOTRACK, with what all of them say. */
static void
take_mode(struct reader *p, enum conf_mode mode)
{
	enum conf_mode before = p->c->mode;

	if (before == MODE_NONE || mode < before)
		p->c->mode = mode;
	if (before != MODE_NONE && before != mode)
		reader_warn(p, &p->tok, "a second kind of `Mode': `%s' is used", mode_name(p->c->mode));
}

static int
read_mode(struct reader *p, const struct field *k, void *base)
{
	(void)k, (void)base;
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		if (!tok_is_nocase(&p->tok, modes[i].name))
			continue;
		if (modes[i].note != NULL)
			reader_warn(p, &p->tok, "%s", modes[i].note);
		take_mode(p, modes[i].mode);
		reader_next(p);
		return reader_block(p, modes[i].block);
	}
	return reader_fail(p, &p->tok, "expected `FTFW', `ALARM' or `NOTRACK' after `Mode'");
}

static void
print_mode(struct printer *p, const struct field *k, const void *base)
{
	char head[32];
	size_t i = 0;

	while (modes[i].mode != field_get(k, base))
		i++;
	snprintf(head, sizeof(head), "%s %s", k->name, modes[i].name);
	printer_block(p, modes[i].block, head);
}

static bool
mode_ok(const struct field *k, const uint8_t *bytes)
{
	return field_load(k, bytes) <= MODE_NOTRACK;
}

const struct kind kind_mode = {read_mode, print_mode, mode_ok};

static int
expect_item(struct reader *p)
{
	struct conf *c = p->c;
	size_t room = sizeof(c->expect_helper[0]);
	struct token t = p->tok;

	if (c->n_expect_helpers == sizeof(c->expect_helper) / room)
		return reader_fail(p, &t, "more than %zu helpers in `ExpectationSync'",
				   sizeof(c->expect_helper) / room);
	if (!word_is_name(&t))
		return reader_fail(p, &t, "not a name of a helper");
	if (t.len >= room) {
		reader_warn(p, &t, "the name of a helper is cut at %zu characters", room - 1);
		t.len = room - 1;
	}
	tok_copy(&t, c->expect_helper[c->n_expect_helpers++], room);
	reader_next(p);
	return 0;
}

static int
read_expect(struct reader *p, const struct field *k, void *base)
{
	struct conf *c = base;
	int v = word_bool(&p->tok);

	if (p->tok.kind == TOK_OPEN) {
		c->expect_sync = true;
		return reader_list(p, expect_item);
	}
	if (v < 0)
		return reader_fail(p, &p->tok, "expected `on', `off' or a list of helpers in braces after `%s'",
				   k->name);
	c->expect_sync = v;
	reader_next(p);
	if (!c->expect_sync) {
		memset(c->expect_helper, 0, sizeof(c->expect_helper));
		c->n_expect_helpers = 0;
	}
	return 0;
}

static void
print_expect(struct printer *p, const struct field *k, const void *base)
{
	const struct conf *c = base;

	if (c->n_expect_helpers == 0) {
		kind_switch.print(p, k, base);
		return;
	}
	printer_line(p, "%s {", k->name);
	p->depth++;
	for (uint32_t i = 0; i < c->n_expect_helpers; i++)
		printer_line(p, "%s", c->expect_helper[i]);
	p->depth--;
	printer_line(p, "}");
}

static bool
expect_ok(const struct field *k, const uint8_t *bytes)
{
	return kind_switch.ok(k, bytes);
}

const struct kind kind_expect = {read_expect, print_expect, expect_ok};

/* What a second kind of Mode has brought in. */
static void
drop_foreign_options(struct reader *p)
{
	struct conf *c = p->c;

	if (c->disable_internal_cache && c->mode != MODE_NOTRACK) {
		diag_at(p->d, LV_WARNING, reader_at(p, REC_CONF, offsetof(struct conf, disable_internal_cache)),
			"`DisableInternalCache' works in `Mode NOTRACK' only, ignoring");
		c->disable_internal_cache = false;
	}
	if (c->disable_external_cache && c->mode == MODE_ALARM) {
		diag_at(p->d, LV_WARNING, reader_at(p, REC_CONF, offsetof(struct conf, disable_external_cache)),
			"`DisableExternalCache' does not work in `Mode ALARM', ignoring");
		c->disable_external_cache = false;
	}
}

void
sync_finish(struct reader *p)
{
	struct conf *c = p->c;
	struct place sync = reader_at(p, REC_CONF, offsetof(struct conf, sync));

	if (!c->sync)
		return;
	if (c->mode == MODE_NONE) {
		diag_at(p->d, LV_WARNING, sync, "No synchronization mode specified. Defaulting to FT-FW mode.");
		c->mode = MODE_FTFW;
	}
	drop_foreign_options(p);
	if (c->disable_external_cache && c->commit_timeout != 0) {
		diag_at(p->d, LV_WARNING, reader_at(p, REC_CONF, offsetof(struct conf, commit_timeout)),
			"`CommitTimeout' can't be combined with `DisableExternalCache', ignoring this option. "
			"Fix your configuration file.");
		c->commit_timeout = 0;
	}
}

/*
 * Words, braces and places of any bytes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lex.h"

static void
expect(struct lex *l, enum tok_kind kind, const char *text, uint32_t line, uint32_t col)
{
	struct token t = lex_next(l);

	assert_int_equal(t.kind, kind);
	assert_int_equal(t.at.line, line);
	assert_int_equal(t.at.col, col);
	assert_int_equal(t.len, strlen(text));
	assert_memory_equal(t.s, text, t.len);
}

static struct lex
lex_of(const char *text)
{
	return lex_init(text, strlen(text));
}

static void
words_and_places(void **state)
{
	struct lex l = lex_of("General{ HashSize\t5 # five }\r\n}\n\n  x");

	(void)state;
	expect(&l, TOK_WORD, "General", 1, 1);
	expect(&l, TOK_OPEN, "{", 1, 8);
	expect(&l, TOK_WORD, "HashSize", 1, 10);
	expect(&l, TOK_WORD, "5", 1, 19);
	expect(&l, TOK_CLOSE, "}", 2, 1);
	expect(&l, TOK_WORD, "x", 4, 3);
	expect(&l, TOK_END, "", 4, 4);
	expect(&l, TOK_END, "", 4, 4);
}

static void
paths_keep_more(void **state)
{
	struct lex l = lex_of("/a#b;c=d,e f#g\n/x}/y\"");

	(void)state;
	expect(&l, TOK_WORD, "/a#b;c=d,e", 1, 1);
	expect(&l, TOK_WORD, "f", 1, 12);
	expect(&l, TOK_WORD, "/x", 2, 1);
	expect(&l, TOK_CLOSE, "}", 2, 3);
	expect(&l, TOK_WORD, "/y", 2, 4);
	expect(&l, TOK_BAD, "\"", 2, 6);
}

static void
strange_bytes(void **state)
{
	const char text[] = {'a', 0, (char)0xc3, 0x7f, '=', 1, '#', (char)0xff, 0};
	struct lex l = lex_init(text, sizeof(text));

	(void)state;
	expect(&l, TOK_WORD, "a", 1, 1);
	for (int i = 0; i < 5; i++)
		assert_int_equal(lex_next(&l).kind, TOK_BAD);
	assert_int_equal(lex_next(&l).kind, TOK_END); /* a comment takes any byte and needs no line feed */
}

static void
no_text(void **state)
{
	struct lex l = lex_init(NULL, 0);

	(void)state;
	assert_int_equal(lex_next(&l).kind, TOK_END);
}

static void
comparing_and_copying(void **state)
{
	struct lex l = lex_of("FtFw");
	struct token t = lex_next(&l);
	char buf[5] = "xxxx";

	(void)state;
	assert_true(tok_is(&t, "FtFw"));
	assert_false(tok_is(&t, "FtF"));
	assert_false(tok_is(&t, "FtFwx"));
	assert_false(tok_is(&t, "FTFW"));
	assert_true(tok_is_nocase(&t, "FTFW"));
	assert_false(tok_copy(&t, buf, 4));
	assert_string_equal(buf, "xxxx");
	assert_true(tok_copy(&t, buf, 5));
	assert_string_equal(buf, "FtFw");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_and_places),      cmocka_unit_test(paths_keep_more),
		cmocka_unit_test(strange_bytes),         cmocka_unit_test(no_text),
		cmocka_unit_test(comparing_and_copying),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

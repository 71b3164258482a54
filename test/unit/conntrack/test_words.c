/* Words of a line of a -R file. */
#include "words.h"

#include "cmt.h"
#include <stdlib.h>
#include <string.h>

static int
split(const char *text, char **argv, char *buf, size_t size)
{
	assert_true(strlen(text) < size);
	strcpy(buf, text);
	return words_split(buf, argv);
}

static void
plain_and_quoted(void **state)
{
	static const struct {
		const char *line, *word[4];
	} rows[] = {
		{"-I  -s\t1.1.1.1\r\n", {"-I", "-s", "1.1.1.1"}},
		{"a \"b c\" d", {"a", "b c", "d"}},
		{"a\"b c\"d e", {"ab cd", "e"}},
		{"\"q\\\"x\\\\\" '\"y\"'", {"q\"x\\", "'y'"}},
		{"a\\b \"\"", {"a\\b", ""}},
		{"   ", {NULL}},
	};
	char *argv[WORDS_MAX + 2], buf[128];

	(void)state;
	for (size_t i = 0; i < NITEMS(rows); i++) {
		int argc = split(rows[i].line, argv, buf, sizeof(buf)), n = 0;

		for (; n < 4 && rows[i].word[n] != NULL; n++)
			assert_string_equal(argv[n + 1], rows[i].word[n]);
		assert_int_equal(argc, n + 1);
		assert_null(argv[argc]);
	}
}

static void
limits(void **state)
{
	char *argv[WORDS_MAX + 2], *line = malloc(5000);

	(void)state;
	memset(line, 0, 5000);
	for (int i = 0; i < WORDS_MAX; i++)
		strcat(line, "x ");
	assert_int_equal(words_split(line, argv), WORDS_MAX + 1);
	memset(line, 0, 5000);
	for (int i = 0; i <= WORDS_MAX; i++)
		strcat(line, "x ");
	assert_int_equal(words_split(line, argv), WORDS_TOO_MANY);
	memset(line, 0, 5000);
	memset(line, 'y', WORD_LEN_MAX);
	assert_int_equal(words_split(line, argv), 2);
	memset(line, 'y', WORD_LEN_MAX + 1);
	assert_int_equal(words_split(line, argv), WORDS_TOO_LONG);
	strcpy(line, "a \"b");
	assert_int_equal(words_split(line, argv), WORDS_UNFINISHED);
	free(line);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(plain_and_quoted), cmocka_unit_test(limits)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

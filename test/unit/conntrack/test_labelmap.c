/* The label file: bad lines are passed over, first uses win. */
#include "labelmap.h"

#include "cmt.h"
#include <errno.h>
#include <string.h>

static struct labelmap *
read_text(const char *text)
{
	FILE *f = fmemopen((void *)(uintptr_t)text, strlen(text), "r");
	struct labelmap *m;

	assert_non_null(f);
	m = labelmap_read(f);
	fclose(f);
	return m;
}

static void
good_and_bad_lines(void **state)
{
	struct labelmap *m = read_text("# comment\n"
				       "0 zero\n"
				       "0x5\tfive \n"
				       "1023 the last-one\n"
				       "1024 beyond\n"
				       "-1 negative\n"
				       "7 und_er\n"
				       "8\n"
				       "9 \n"
				       "x ten\n"
				       "5 again\n"
				       "6 five\n"
				       "  11 indented");

	(void)state;
	assert_non_null(m);
	assert_string_equal(labelmap_name(m, 0), "zero");
	assert_string_equal(labelmap_name(m, 5), "five");
	assert_string_equal(labelmap_name(m, 1023), "the last-one");
	assert_string_equal(labelmap_name(m, 11), "indented");
	for (unsigned i = 6; i < 11; i++)
		assert_null(labelmap_name(m, i));
	assert_null(labelmap_name(m, 100000));
	assert_int_equal(labelmap_bit(m, "five"), 5);
	assert_int_equal(labelmap_bit(m, "again"), -1);
	assert_int_equal(labelmap_bit(m, ""), -1);
	labelmap_free(m);
}

static void
nothing_valid(void **state)
{
	(void)state;
	errno = 5;
	assert_null(read_text("# only\nrubbish\n"));
	assert_int_equal(errno, 0);
	assert_null(labelmap_load("/nonexistent/labels"));
	assert_int_equal(errno, ENOENT);
	labelmap_free(NULL);
}

/* What has no end, or none within reason, is not read on. */
static void
endless(void **state)
{
	static char text[(1 << 20) + 2];
	struct labelmap *m;

	(void)state;
	assert_null(labelmap_load("/dev/zero"));
	assert_int_equal(errno, EFBIG);
	assert_null(labelmap_load("/dev/urandom"));
	assert_int_equal(errno, EFBIG);
	memset(text, '#', 1 << 20);
	memcpy(text + (1 << 20) - 6, "\n1 web", 6);
	m = read_text(text);
	assert_non_null(m);
	assert_int_equal(labelmap_bit(m, "web"), 1);
	labelmap_free(m);
	strcat(text, "s");
	assert_null(read_text(text));
	assert_int_equal(errno, EFBIG);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(good_and_bad_lines), cmocka_unit_test(nothing_valid),
					   cmocka_unit_test(endless)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

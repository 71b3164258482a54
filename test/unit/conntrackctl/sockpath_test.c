/* Finding UNIX { Path } in configuration text, and that the daemon's full parser finds the same. */
#include "sockpath.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

static void
test_rows(void **state)
{
	static const struct {
		const char *text, *path;
	} row[] = {
		{"General { UNIX { Path /run/a.ctl } }", "/run/a.ctl"},
		{"General\n{\nUNIX\n{\n\tPath\t/run/a\n\tBacklog 20\n}\n}\n", "/run/a"},
		{"General{UNIX{Path /run/a}}", "/run/a"},
		{"# General { UNIX { Path /no } }\nSync { Mode FTFW { } } General { UNIX { Path /yes } }", "/yes"},
		{"General { Filter { Address Ignore { IPv4_address 127.0.0.1 } } UNIX { Path /run/a } LogFile /x }",
		 "/run/a"},
		{"General { UNIX { Path /a } } General { UNIX { Path /b } }", "/b"},
		{"General { UNIX { Group adm Path /a } }", "/a"},
		{"General { UNIX { Path } }", NULL},
		{"General { Path /a }", NULL},
		{"Sync { UNIX { Path /a } }", NULL},
		{"General { Foo { UNIX { Path /a } } }", NULL},
		{"General { UNIX { Foo { Path /a } } }", NULL},
		{"} } General { UNIX { Path /a", "/a"}, /* broken elsewhere: still found */
		{"General { UNIX { Path relative } }", NULL},
		{"", NULL},
		{"# nothing but a remark", NULL},
		{"Sync { Mode FTFW { } }", NULL},
		{"Stats { LogFile on }", NULL},
		{"\xef\xbb\xbfGeneral { UNIX { Path /a } }", "/a"},
	};
	char path[SOCKPATH_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(row) / sizeof(row[0]); i++) {
		print_message("%s\n", row[i].text);
		assert_int_equal(sockpath_find(row[i].text, strlen(row[i].text), path), row[i].path ? 0 : -ENOENT);
		if (row[i].path != NULL)
			assert_string_equal(path, row[i].path);
	}
}

/* Not the same as one that names no socket: there is nothing to ask for at all. */
static void
test_no_configuration(void **state)
{
	static const char *const text[] = {
		"UNIX { Path /a }",
		"Other { General { UNIX { Path /a } } }",
		"General } UNIX { Path /a",
		"global_defs { script_user root }",
		"root:x:0:0:root:/root:/bin/bash",
		"{ \"General\": { } }",
		"\177ELF",
	};
	char path[SOCKPATH_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(text) / sizeof(text[0]); i++)
		assert_int_equal(sockpath_find(text[i], strlen(text[i]), path), -EINVAL);
}

static void
test_long(void **state)
{
	char text[512], name[SOCKPATH_MAX + 1], path[SOCKPATH_MAX];

	(void)state;
	memset(name, 'a', sizeof(name));
	name[0] = '/';
	for (size_t len = SOCKPATH_MAX - 1; len <= SOCKPATH_MAX; len++) {
		int n = snprintf(text, sizeof(text), "General { UNIX { Path %.*s } }", (int)len, name);

		assert_int_equal(sockpath_find(text, (size_t)n, path), len < SOCKPATH_MAX ? 0 : -ENAMETOOLONG);
	}
}

static void
test_files(void **state)
{
	char name[] = "/tmp/sockpathXXXXXX", path[SOCKPATH_MAX];
	int fd = mkstemp(name);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(sockpath_read(name, path), -ENOENT);
	assert_int_equal(write(fd, "General{UNIX{Path /x}}", 22), 22);
	assert_int_equal(sockpath_read(name, path), 0);
	assert_string_equal(path, "/x");
	assert_int_equal(ftruncate(fd, 17 << 20), 0);
	assert_int_equal(sockpath_read(name, path), -EFBIG);
	close(fd);
	unlink(name);
	assert_int_equal(sockpath_read(name, path), -ENOENT);
	assert_int_equal(sockpath_read("/tmp", path), -EISDIR);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_no_configuration),
		cmocka_unit_test(test_long),
		cmocka_unit_test(test_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

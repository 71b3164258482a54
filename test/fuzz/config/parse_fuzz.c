/*
 * Any text: refused, or its settings survive being printed and read again, and being sealed and read again.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "blob.h"
#include "parse.h"
#include "print.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool ok)
{
	if (!ok)
		abort();
}

static uint8_t *
blob_of(const struct conf *c, size_t *size)
{
	uint8_t *mem;

	*size = blob_size(c);
	must((mem = malloc(*size)) != NULL);
	must(blob_write(c, mem, *size) == (int)*size);
	return mem;
}

static void
must_equal(const struct conf *a, const struct conf *b)
{
	size_t n, m;
	uint8_t *x = blob_of(a, &n), *y = blob_of(b, &m);

	must(n == m && memcmp(x, y, n) == 0);
	free(x);
	free(y);
}

static void
through_text(const struct conf *c)
{
	struct conf_source src = {0};
	struct conf again;
	char *text = conf_print(c, NULL, &src.len);

	must(text != NULL);
	src.text = text;
	must(conf_parse(&again, &src) == 0);
	must_equal(c, &again);
	conf_clear(&again);
	free(text);
}

static void
through_blob(const struct conf *c)
{
	size_t size;
	uint8_t *mem = blob_of(c, &size);
	struct conf again;

	must(blob_read(&again, mem, size) == 0);
	must_equal(c, &again);
	conf_clear(&again);
	free(mem);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1); /* exact, so that sanitizers see a read behind the end */
	struct conf_source src = {.text = text, .len = size};
	struct conf c;

	must(text != NULL);
	memcpy(text, data, size);
	if (conf_parse(&c, &src) == 0) {
		through_text(&c);
		through_blob(&c);
		conf_clear(&c);
	}
	free(text);
	return 0;
}

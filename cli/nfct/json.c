/*
 * A thin layer over yajl for timeout.c and helper.c. Names come from the kernel and may hold any byte: those that
 * are no text are replaced, so that every line stays valid JSON.
 */
#include "json.h"

#include <errno.h>
#include <string.h>

static void
put(yajl_gen g, const char *text)
{
	char clean[256];
	size_t n = strnlen(text, sizeof(clean));

	if (yajl_gen_string(g, (const unsigned char *)text, n) == yajl_gen_status_ok)
		return;
	for (size_t i = 0; i < n; i++)
		clean[i] = (unsigned char)text[i] < 0x80 ? text[i] : '?';
	(void)yajl_gen_string(g, (const unsigned char *)clean, n);
}

yajl_gen
json_begin(void)
{
	yajl_gen g = yajl_gen_alloc(NULL);

	if (g == NULL)
		return NULL;
	yajl_gen_config(g, yajl_gen_validate_utf8, 1);
	yajl_gen_map_open(g);
	return g;
}

void
json_text(yajl_gen g, const char *key, const char *value)
{
	put(g, key);
	put(g, value);
}

void
json_number(yajl_gen g, const char *key, uint32_t value)
{
	put(g, key);
	yajl_gen_integer(g, value);
}

void
json_nest(yajl_gen g, const char *key)
{
	put(g, key);
	yajl_gen_map_open(g);
}

int
json_end(yajl_gen g, FILE *out)
{
	const unsigned char *text = NULL;
	size_t len = 0;
	int r = -ENOMEM;

	if (yajl_gen_map_close(g) == yajl_gen_status_ok && yajl_gen_get_buf(g, &text, &len) == yajl_gen_status_ok)
		r = 0;
	if (r == 0 && (fwrite(text, 1, len, out) != len || fputc('\n', out) == EOF))
		r = -EIO;
	yajl_gen_free(g);
	return r;
}

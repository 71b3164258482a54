/*
 * yajl with the few calls that statistics need. Text that is not UTF-8 (a device name may be anything) becomes "?".
 */
#include "json.h"

#include <inttypes.h>
#include <string.h>

static void
put(void *ctx, const char *text, size_t len)
{
	fwrite(text, 1, len, ctx);
}

yajl_gen
json_begin(FILE *to)
{
	yajl_gen g = yajl_gen_alloc(NULL);

	if (g == NULL)
		return NULL;
	yajl_gen_config(g, yajl_gen_print_callback, put, to);
	yajl_gen_config(g, yajl_gen_validate_utf8, 1);
	yajl_gen_map_open(g);
	return g;
}

void
json_end(yajl_gen g, FILE *to)
{
	yajl_gen_map_close(g);
	yajl_gen_free(g);
	putc('\n', to);
}

static void
json_key(yajl_gen g, const char *key)
{
	if (key != NULL)
		yajl_gen_string(g, (const unsigned char *)key, strlen(key));
}

void
json_map(yajl_gen g, const char *key)
{
	json_key(g, key);
	yajl_gen_map_open(g);
}

void
json_array(yajl_gen g, const char *key)
{
	json_key(g, key);
	yajl_gen_array_open(g);
}

void
json_number(yajl_gen g, const char *key, uint64_t v)
{
	char text[24];
	int n = snprintf(text, sizeof(text), "%" PRIu64, v);

	json_key(g, key);
	yajl_gen_number(g, text, (size_t)n);
}

void
json_text(yajl_gen g, const char *key, const char *v)
{
	json_key(g, key);
	if (yajl_gen_string(g, (const unsigned char *)v, strlen(v)) != yajl_gen_status_ok)
		yajl_gen_string(g, (const unsigned char *)"?", 1);
}

void
json_bool(yajl_gen g, const char *key, bool v)
{
	json_key(g, key);
	yajl_gen_bool(g, v);
}

/* One JSON object a line: what list, get and default-get print with --json. */
#ifndef JSON_H
#define JSON_H

#include <stdint.h>
#include <stdio.h>
#include <yajl/yajl_gen.h>

/* An object is open. NULL when memory is short. */
yajl_gen json_begin(void);
void json_text(yajl_gen g, const char *key, const char *value);
void json_number(yajl_gen g, const char *key, uint32_t value);
void json_nest(yajl_gen g, const char *key);
/* Closes the object, writes it with a newline and frees g. -ENOMEM, -EIO. */
int json_end(yajl_gen g, FILE *out);

#endif

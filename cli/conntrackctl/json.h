/*
 * A JSON document on a stdio stream, encoded by yajl.
 */
#ifndef JSON_H
#define JSON_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <yajl/yajl_gen.h>

/* NULL: no memory. */
yajl_gen json_begin(FILE *to);
/* Ends the document with a line feed. */
void json_end(yajl_gen g, FILE *to);

/* key NULL: an element of an array. */
void json_map(yajl_gen g, const char *key);
void json_array(yajl_gen g, const char *key);
void json_number(yajl_gen g, const char *key, uint64_t v);
void json_text(yajl_gen g, const char *key, const char *v);
void json_bool(yajl_gen g, const char *key, bool v);

#endif

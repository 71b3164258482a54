/*
 * The table of settings. A new keyword is a field in conf.h, a row in fields.c and a paragraph in the manual page.
 */
#ifndef FIELDS_H
#define FIELDS_H

#include "field.h"

extern const struct field_table conf_fields;

#endif

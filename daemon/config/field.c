/*
 * Numbers of any width in their place.
 */
#include "field.h"

#include <string.h>

uint32_t
field_load(const struct field *k, const uint8_t *bytes)
{
	uint16_t v16;
	uint32_t v32;

	if (k->size == 1)
		return *bytes;
	if (k->size == 2) {
		memcpy(&v16, bytes, 2);
		return v16;
	}
	memcpy(&v32, bytes, 4);
	return v32;
}

uint32_t
field_get(const struct field *k, const void *base)
{
	return field_load(k, (const uint8_t *)base + k->off);
}

void
field_set(const struct field *k, void *base, uint32_t v)
{
	uint8_t *to = (uint8_t *)base + k->off;
	uint16_t v16 = (uint16_t)v;

	if (k->size == 1)
		*to = (uint8_t)v;
	else if (k->size == 2)
		memcpy(to, &v16, 2);
	else
		memcpy(to, &v, 4);
}

/* Hexadecimal digits, split over lines as one likes. */
#include "hex.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

static int
digit(int c)
{
	const char *digits = "0123456789abcdef", *at = strchr(digits, tolower(c));

	return c != '\0' && at != NULL ? (int)(at - digits) : -1;
}

int
hex_read(const char *dir, const char *name, uint8_t *buf, size_t size)
{
	char path[512];
	size_t n = 0;
	FILE *f;
	int c;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	if ((f = fopen(path, "r")) == NULL)
		return -1;
	while ((c = fgetc(f)) != EOF) {
		if (isspace(c))
			continue;
		if (digit(c) < 0 || n >= 2 * size) {
			n = 1;
			break;
		}
		buf[n / 2] = (uint8_t)(n % 2 == 0 ? digit(c) << 4 : buf[n / 2] | digit(c));
		n++;
	}
	fclose(f);
	return n % 2 == 0 ? (int)(n / 2) : -1;
}

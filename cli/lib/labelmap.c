/*
 * Reads the label file. Its lines are not trusted: anything that is not "BIT NAME" is passed over.
 */
#include "labelmap.h"
#include "args.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FILE_MAX (1 << 20) /* octets of a label file: 1 KiB for each bit */

struct labelmap {
	unsigned used;
	char *name[LABELMAP_BITS];
};

const char *
labelmap_name(const struct labelmap *m, unsigned bit)
{
	return bit < LABELMAP_BITS ? m->name[bit] : NULL;
}

int
labelmap_bit(const struct labelmap *m, const char *name)
{
	for (int i = 0; i < LABELMAP_BITS; i++)
		if (m->name[i] != NULL && strcmp(m->name[i], name) == 0)
			return i;
	return -1;
}

void
labelmap_free(struct labelmap *m)
{
	for (int i = 0; m != NULL && i < LABELMAP_BITS; i++)
		free(m->name[i]);
	free(m);
}

/* Cuts blanks off both ends; NULL unless a name of the allowed characters is left. */
static char *
trim_name(char *s)
{
	char *end;

	while (isspace((unsigned char)*s))
		s++;
	end = s + strlen(s);
	while (end > s && isspace((unsigned char)end[-1]))
		end--;
	*end = '\0';
	for (const char *p = s; *p != '\0'; p++)
		if (!isalnum((unsigned char)*p) && *p != ' ' && *p != '-')
			return NULL;
	return *s != '\0' ? s : NULL;
}

static void
add_line(struct labelmap *m, char *line)
{
	char *number = line + strspn(line, " \t"), *name;
	uint64_t bit;

	if (*number == '#')
		return;
	name = number + strcspn(number, " \t");
	if (*name == '\0')
		return;
	*name++ = '\0';
	if (arg_number(number, LABELMAP_BITS - 1, &bit) < 0 || (name = trim_name(name)) == NULL)
		return;
	if (m->name[bit] != NULL || labelmap_bit(m, name) >= 0)
		return;
	m->name[bit] = strdup(name);
	m->used += m->name[bit] != NULL;
}

/* The whole file, ended by a zero byte; NULL with errno EFBIG when it does not end. */
static char *
read_all(FILE *f)
{
	char *text = malloc(FILE_MAX + 1);
	size_t n = text != NULL ? fread(text, 1, FILE_MAX + 1, f) : 0;

	if (n > FILE_MAX) {
		free(text);
		errno = EFBIG;
		return NULL;
	}
	for (size_t i = 0; i < n; i++)
		if (text[i] == '\0') /* ends its line only */
			text[i] = '\n';
	if (text != NULL)
		text[n] = '\0';
	return text;
}

struct labelmap *
labelmap_read(FILE *f)
{
	struct labelmap *m = calloc(1, sizeof(*m));
	char *text = m != NULL ? read_all(f) : NULL, *rest = text, *line;

	if (text == NULL) {
		free(m);
		return NULL;
	}
	while ((line = strsep(&rest, "\n")) != NULL)
		add_line(m, line);
	free(text);
	if (m->used > 0)
		return m;
	labelmap_free(m);
	errno = 0;
	return NULL;
}

struct labelmap *
labelmap_load(const char *path)
{
	struct labelmap *m;
	FILE *f = fopen(path, "re");
	int saved;

	if (f == NULL)
		return NULL;
	m = labelmap_read(f);
	saved = errno;
	fclose(f);
	errno = saved;
	return m;
}

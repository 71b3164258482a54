/*
 * How near a word is to a name: the edits between them, or whether it abbreviates it. Called with words of any length.
 */
#include "near.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#define LEN_MAX 40

static bool
same(char a, char b)
{
	return tolower((unsigned char)a) == tolower((unsigned char)b);
}

/* Edits (insert, drop, change, swap neighbours) that make a of b, case aside; row by row, both at most LEN_MAX long. */
static unsigned int
distance(const char *a, size_t na, const char *b, size_t nb)
{
	unsigned int d[3][LEN_MAX + 2];

	for (size_t i = 0; i <= na; i++)
		for (size_t j = 0; j <= nb; j++) {
			unsigned int *row = d[i % 3], *up = d[(i + 2) % 3], *up2 = d[(i + 1) % 3], best;

			if (i == 0 || j == 0) {
				row[j] = (unsigned int)(i + j);
				continue;
			}
			best = up[j - 1] + !same(a[i - 1], b[j - 1]);
			if (up[j] + 1 < best)
				best = up[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			if (i > 1 && j > 1 && same(a[i - 1], b[j - 2]) && same(a[i - 2], b[j - 1]) &&
			    up2[j - 2] + 1 < best)
				best = up2[j - 2] + 1;
			row[j] = best;
		}
	return d[na % 3][nb];
}

static size_t
part_len(const char *s, size_t left)
{
	const char *end = memchr(s, '_', left);

	return end != NULL ? (size_t)(end - s) : left;
}

/* IPv4_Dest_Address of IPv4_Destination_Address: part by part the beginning of it. */
static bool
abbreviates(const char *a, size_t na, const char *b, size_t nb)
{
	for (;;) {
		size_t pa = part_len(a, na), pb = part_len(b, nb);

		if (pa == 0 || pa > pb || strncasecmp(a, b, pa) != 0)
			return false;
		if (pa == na || pb == nb)
			return pa == na && pb == nb;
		a += pa + 1;
		na -= pa + 1;
		b += pb + 1;
		nb -= pb + 1;
	}
}

struct near
near_to(const char *word, size_t len)
{
	return (struct near){.word = word, .len = len, .score = len > LEN_MAX ? 0 : (unsigned int)len / 3 + 1};
}

void
near_try(struct near *n, const char *name)
{
	size_t len = strlen(name);
	unsigned int score;

	if (n->score == 0 || len > LEN_MAX)
		return;
	score = memchr(n->word, '_', n->len) != NULL && abbreviates(n->word, n->len, name, len)
			? 0
			: distance(n->word, n->len, name, len);
	if (score < n->score) {
		n->score = score;
		n->name = name;
	}
}

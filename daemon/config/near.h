/*
 * The name that was meant by a word which is none. Used in messages of the parser and of the client.
 */
#ifndef NEAR_H
#define NEAR_H

#include <stddef.h>

/* name: the nearest of those tried, NULL when none is near enough */
struct near {
	const char *word, *name;
	size_t len;
	unsigned int score;
};

struct near near_to(const char *word, size_t len);
/* name must live as long as n. Case does not count. */
void near_try(struct near *n, const char *name);

#endif

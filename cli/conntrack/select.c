/*
 * Filters in chains by the address they compare: a table by original source, one by original destination, and a
 * chain for the rest.
 */
#include "select.h"

#include <stdlib.h>
#include <string.h>

enum { BY_SRC, BY_DST, TABLES };
#define NONE UINT32_MAX

struct selection {
	size_t n, buckets; /* buckets is a power of two */
	struct filter *filter;
	uint32_t *next; /* chain of each filter */
	uint32_t *head[TABLES];
	uint32_t rest;
};

static size_t
bucket_of(const struct selection *s, const struct addr *a)
{
	uint32_t h = 2166136261u;

	for (size_t i = 0; i < addr_size(a); i++)
		h = (h ^ a->u.b[i]) * 16777619u;
	return (h ^ h >> 15) & (s->buckets - 1);
}

static uint32_t *
chain_for(struct selection *s, const struct cmd *c)
{
	if (cmd_has(c, OPT_SRC) && !cmd_has(c, OPT_MASK_SRC))
		return &s->head[BY_SRC][bucket_of(s, &c->orig.src)];
	if (cmd_has(c, OPT_DST) && !cmd_has(c, OPT_MASK_DST))
		return &s->head[BY_DST][bucket_of(s, &c->orig.dst)];
	return &s->rest;
}

static bool
allocate(struct selection *s)
{
	s->filter = calloc(s->n, sizeof(*s->filter));
	s->next = calloc(s->n, sizeof(*s->next));
	if (s->filter == NULL || s->next == NULL)
		return false;
	for (int t = 0; t < TABLES; t++) {
		if ((s->head[t] = malloc(s->buckets * sizeof(uint32_t))) == NULL)
			return false;
		memset(s->head[t], 0xff, s->buckets * sizeof(uint32_t));
	}
	return true;
}

struct selection *
selection_new(const struct cmd *const *c, size_t n)
{
	struct selection *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	s->n = n > 0 ? n : 1;
	for (s->buckets = 16; s->buckets < n;)
		s->buckets *= 2;
	s->rest = NONE;
	if (!allocate(s)) {
		selection_free(s);
		return NULL;
	}
	for (size_t i = 0; i < n; i++) {
		uint32_t *chain = chain_for(s, c[i]);

		filter_init(&s->filter[i], c[i]);
		s->next[i] = *chain;
		*chain = (uint32_t)i;
	}
	return s;
}

void
selection_free(struct selection *s)
{
	if (s == NULL)
		return;
	free(s->filter);
	free(s->next);
	for (int t = 0; t < TABLES; t++)
		free(s->head[t]);
	free(s);
}

static bool
chain_match(const struct selection *s, uint32_t i, const struct ct_rec *rec)
{
	for (; i != NONE; i = s->next[i])
		if (filter_match(&s->filter[i], rec))
			return true;
	return false;
}

bool
selection_match(const struct selection *s, const struct ct_rec *rec)
{
	return chain_match(s, s->head[BY_SRC][bucket_of(s, &rec->orig.src)], rec) ||
	       chain_match(s, s->head[BY_DST][bucket_of(s, &rec->orig.dst)], rec) || chain_match(s, s->rest, rec);
}

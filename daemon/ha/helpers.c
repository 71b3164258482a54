/*
 * A short table of names. Called by commit.c and inject.c; names are peers' and only compared.
 */
#include "helpers.h"

#include <string.h>

static bool
key(struct helper_key *k, const char *name, uint8_t l3, uint8_t l4)
{
	*k = (struct helper_key){.l3 = l3, .l4 = l4};
	memcpy(k->name, name, strnlen(name, sizeof(k->name) - 1));
	return k->name[0] != '\0';
}

bool
helper_of_flow(const struct flow *f, struct helper_key *k)
{
	return f->have & FLOW_HELPER && key(k, f->side->helper, f->l3, f->l4);
}

bool
helper_of_expect(const struct expect *e, struct helper_key *k)
{
	return e->have & EXPECT_HELPER && key(k, e->helper, e->l3, e->master.l4);
}

static const struct helper_row *
find(const struct helpers *h, const struct helper_key *k)
{
	for (unsigned int i = 0; i < h->n; i++)
		if (memcmp(&h->row[i].key, k, sizeof(*k)) == 0)
			return &h->row[i];
	return NULL;
}

enum helper_verdict
helpers_judge(const struct helpers *h, const struct helper_key *k)
{
	const struct helper_row *r = find(h, k);

	if (r == NULL)
		return h->n < HELPER_ROWS ? HELPER_UNTRIED : HELPER_MISSING;
	return r->there ? HELPER_THERE : r->refused >= HELPER_REFUSALS ? HELPER_MISSING : HELPER_UNTRIED;
}

bool
helpers_note(struct helpers *h, const struct helper_key *k, bool done)
{
	struct helper_row *r = (struct helper_row *)(uintptr_t)find(h, k);

	if (r == NULL && h->n < HELPER_ROWS) {
		r = &h->row[h->n++];
		*r = (struct helper_row){.key = *k};
	}
	if (r == NULL)
		return false;
	r->there = r->there || done;
	return !done && !r->there && ++r->refused == HELPER_REFUSALS;
}

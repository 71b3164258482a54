/*
 * A short table of names. Names are peers' and only compared.
 */
#include "helpers.h"

#include <netinet/in.h>
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

/* Those of the Linux kernel, by the names that they register. */
static bool
known(const struct helper_key *k)
{
	static const char *const names[] = {"amanda", "ftp", "H.245", "irc", "netbios-ns", "pptp",
					    "Q.931",  "RAS", "sane",  "sip", "snmp",       "tftp"};

	if (k->l4 != IPPROTO_TCP && k->l4 != IPPROTO_UDP)
		return false;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(k->name, names[i]) == 0)
			return true;
	return false;
}

/* Of the rows that are not for known names: how many a peer has, and how many are its share. */
static unsigned int
held(const struct helpers *h, unsigned int source)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < h->n; i++)
		n += !h->row[i].known && h->row[i].source == source;
	return n;
}

static unsigned int
share(const struct helpers *h, unsigned int source)
{
	unsigned int n = 1;

	for (unsigned int i = 0; i < APPLY_SOURCES; i++)
		n += i != source && held(h, i) > 0;
	return HELPER_OTHERS / n;
}

enum helper_verdict
helpers_judge(const struct helpers *h, const struct helper_key *k, unsigned int source)
{
	const struct helper_row *r = find(h, k);

	if (r == NULL)
		return known(k) || held(h, source) < share(h, source) ? HELPER_UNTRIED : HELPER_MISSING;
	return r->there ? HELPER_THERE : r->refused >= HELPER_REFUSALS ? HELPER_MISSING : HELPER_UNTRIED;
}

/* A row for a new name; one of a peer with more than its share, when there is none left. NULL: it is not to have one.
 */
static struct helper_row *
row_for(struct helpers *h, const struct helper_key *k, unsigned int source)
{
	const unsigned int equal = share(h, source);
	unsigned int others = 0;

	for (unsigned int i = 0; i < h->n; i++)
		others += !h->row[i].known;
	if (known(k) || (others < HELPER_OTHERS && held(h, source) < equal))
		return h->n < HELPER_ROWS ? &h->row[h->n++] : NULL;
	for (unsigned int i = 0; held(h, source) < equal && i < h->n; i++)
		if (!h->row[i].known && held(h, h->row[i].source) > equal)
			return &h->row[i];
	return NULL;
}

bool
helpers_note(struct helpers *h, const struct helper_key *k, unsigned int source, bool done)
{
	struct helper_row *r = (struct helper_row *)(uintptr_t)find(h, k);

	if (r == NULL) {
		if ((r = row_for(h, k, source)) == NULL)
			return false;
		*r = (struct helper_row){.key = *k, .source = (uint8_t)source, .known = known(k)};
	}
	r->there = r->there || done;
	return !done && !r->there && ++r->refused == HELPER_REFUSALS;
}

/*
 * One row for each setting that is read and does nothing yet, and what the daemon cannot start with.
 */
#include "later.h"

static bool
kernelspace(const struct conf *c)
{
	return c->filter.kernelspace;
}

static bool
helpers(const struct conf *c)
{
	return c->n_helpers != 0;
}

static const struct {
	const char *what;
	bool (*used)(const struct conf *c);
} rows[] = {
	{"`From Kernelspace' of `Filter' (it works in user space, with the same meaning)", kernelspace},
	{"`Helper'", helpers},
};

/* Without what is missing there is nothing to start. NULL: nothing. */
static const char *
not_there(const struct conf *c)
{
	if (!c->sync && !c->stats)
		return "a `Sync' or a `Stats' block is needed";
	if (c->n_links != 0 && c->link[0].kind == LINK_TCP)
		return "there are no `TCP' links yet, use `UDP' or `Multicast'";
	return NULL;
}

const char *
conf_later(const struct conf *c, unsigned int i)
{
	for (size_t row = 0; row < sizeof(rows) / sizeof(rows[0]); row++)
		if (rows[row].used(c) && i-- == 0)
			return rows[row].what;
	return NULL;
}

bool
conf_starts(const struct conf *c, const struct diag *d, enum log_level level)
{
	const char *missing = not_there(c);

	if (missing != NULL)
		diag_at(d, level, (struct place){0, 0}, "this version does not start with it: %s", missing);
	return missing == NULL;
}

/*
 * The table behind conf_say_later(), called by the config worker once the text is known to be good.
 */
#include "later.h"

static bool
tcp(const struct conf *c)
{
	return c->n_links != 0 && c->link[0].kind == LINK_TCP;
}

static bool
kernelspace(const struct conf *c)
{
	return c->filter.kernelspace;
}

static bool
statistics(const struct conf *c)
{
	return c->stats;
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
	{"`Stats'", statistics},
	{"`Helper'", helpers},
};

bool
conf_say_later(const struct conf *c, const struct diag *d)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].used(c))
			diag_at(d, LV_NOTICE, (struct place){0, 0}, "%s is read but not acted upon in this version",
				rows[i].what);
	if (tcp(c))
		diag_at(d, LV_ERROR, (struct place){0, 0},
			"`TCP' links are not in this version; use `UDP' or `Multicast'");
	return !tcp(c);
}

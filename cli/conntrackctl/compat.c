/*
 * The argument scanner of the old client. The rules are those of the program it replaces, oddities included: only
 * the second character of an argument counts, words match by any prefix, and the last request wins.
 */
#include "compat.h"
#include "facts.h"

#include <string.h>

#define NITEMS(a) (sizeof(a) / sizeof((a)[0]))
#define BOTH      (CTL_TABLE_CT | CTL_TABLE_EXP)
#define CACHES    (CTL_INTERNAL | CTL_EXTERNAL)

struct word {
	const char *name;
	struct request request;
};

struct option {
	char letter;
	bool strict; /* a word that does not match is an error, not the next option */
	struct request plain;
	struct word word[11];
};

/* One table with a word, else those of all. The numbers are those of conntrack-tools: of all, ct, expect. */
#define BY_TABLE(letter, v, c, all, n_all, n_ct, n_exp)                                                           \
	{                                                                                                         \
		letter, false, {.verb = v, .caches = c, .tables = all, .old = OLD(n_all)},                        \
		{                                                                                                 \
			{"ct", {.verb = v, .caches = c, .tables = CTL_TABLE_CT, .old = OLD(n_ct)}},               \
				{"expect", {.verb = v, .caches = c, .tables = CTL_TABLE_EXP, .old = OLD(n_exp)}}, \
		}                                                                                                 \
	}
#define STATS(v, number)                                         \
	{                                                        \
		.verb = CTL_STATS, .view = v, .old = OLD(number) \
	}
static const struct option options[] = {
	BY_TABLE('c', CTL_COMMIT, 0, BOTH, 46, 18, 42),
	BY_TABLE('i', CTL_DUMP, CTL_INTERNAL, CTL_TABLE_CT, 16, 16, 40),
	BY_TABLE('e', CTL_DUMP, CTL_EXTERNAL, CTL_TABLE_CT, 17, 17, 41),
	BY_TABLE('F', CTL_FLUSH_KERNEL, 0, BOTH, 43, 0, 38),
	BY_TABLE('R', CTL_RESYNC_KERNEL, 0, BOTH, 44, 1, 39),
	{'f',
	 true,
	 {.verb = CTL_FLUSH, .caches = CACHES, .tables = BOTH, .old = OLD(45)},
	 {
		 {"internal", {.verb = CTL_FLUSH, .caches = CTL_INTERNAL, .tables = CTL_TABLE_CT, .old = OLD(33)}},
		 {"external", {.verb = CTL_FLUSH, .caches = CTL_EXTERNAL, .tables = CTL_TABLE_CT, .old = OLD(34)}},
	 }},
	{'s',
	 true,
	 STATS(VIEW_GENERAL, 21),
	 {
		 {"network", STATS(VIEW_NETWORK, 28)},
		 {"cache", STATS(VIEW_CACHE, 29)},
		 {"runtime", STATS(VIEW_RUNTIME, 30)},
		 {"multicast", STATS(VIEW_LINK, 31)},
		 {"link", STATS(VIEW_LINK, 31)},
		 {"rsqueue", {.verb = CTL_RSQUEUE, .view = VIEW_RSQUEUE, .old = OLD(32)}},
		 {"process", STATS(VIEW_PROCESS, 35)},
		 {"queue", STATS(VIEW_QUEUE, 36)},
		 {"ct", STATS(VIEW_GENERAL, 21)},
		 {"expect", STATS(VIEW_EXPECT, 37)},
	 }},
	{'B', false, {.verb = CTL_SEND, .old = OLD(22)}, {{NULL, {.verb = CTL_NONE}}}},
	{'n', false, {.verb = CTL_RESYNC_PEERS, .old = OLD(23)}, {{NULL, {.verb = CTL_NONE}}}},
	{'t', false, {.verb = CTL_PURGE, .old = OLD(26)}, {{NULL, {.verb = CTL_NONE}}}},
	{'k', false, {.verb = CTL_STOP, .old = OLD(OLD_STOP)}, {{NULL, {.verb = CTL_NONE}}}},
};

static const struct option *
option_find(char letter)
{
	for (size_t i = 0; i < NITEMS(options); i++)
		if (options[i].letter == letter)
			return &options[i];
	return NULL;
}

static const struct word *
word_find(const struct option *o, const char *text)
{
	for (const struct word *w = o->word; w->name != NULL; w++)
		if (strncmp(w->name, text, strlen(text)) == 0)
			return w;
	return NULL;
}

/* Takes an option that is a request, and its word if there is one. Returns how many arguments were used. */
static int
take_request(struct compat *c, const struct option *o, const char *next)
{
	const struct word *w = NULL;

	c->request = o->plain;
	if (o->word[0].name == NULL || next == NULL || next[0] == '-')
		return 1;
	if ((w = word_find(o, next)) == NULL && o->strict) {
		c->kind = COMPAT_BAD_WORD;
		c->bad = next;
		c->option = o->letter;
	} else if (w == NULL && next[1] == 'x') /* no word of a dump that -x could modify */
		c->kind = COMPAT_INVALID;
	if (w == NULL)
		return 1;
	c->request = w->request;
	c->multicast |= strcmp(w->name, "multicast") == 0;
	return 2;
}

static int
take_config(struct compat *c, const char *next)
{
	c->config = next;
	if (next == NULL)
		c->kind = COMPAT_NO_CONFIG;
	return 2;
}

static uint8_t
old_xml(const struct request *q)
{
	bool exp = q->tables == CTL_TABLE_EXP;

	return q->caches == CTL_INTERNAL ? (exp ? OLD(47) : OLD(24)) : (exp ? OLD(48) : OLD(25));
}

/* -x modifies a dump named before it, once. */
static int
take_xml(struct compat *c)
{
	if (c->request.verb != CTL_DUMP || c->request.format == FORMAT_XML)
		c->kind = COMPAT_INVALID;
	c->request.format = FORMAT_XML;
	c->request.old = old_xml(&c->request);
	return 1;
}

static int
take(struct compat *c, const char *arg, const char *next)
{
	char letter = arg[0] != '\0' ? arg[1] : '\0';
	const struct option *o = letter != '\0' ? option_find(letter) : NULL;

	if (o != NULL)
		return take_request(c, o, next);
	if (letter == 'C')
		return take_config(c, next);
	if (letter == 'x')
		return take_xml(c);
	if (letter == 'd') {
		c->daemonize = true;
	} else {
		c->kind = letter == 'v' ? COMPAT_VERSION : letter == 'h' ? COMPAT_HELP : COMPAT_UNKNOWN;
		c->bad = arg;
	}
	return 1;
}

struct compat
compat_scan(int argc, char *const argv[])
{
	struct compat c = {.kind = COMPAT_DAEMON, .config = PATH_CONF};

	for (int i = 0; i < argc && c.kind == COMPAT_DAEMON;) {
		i += take(&c, argv[i], i + 1 < argc ? argv[i + 1] : NULL);
		if (c.kind == COMPAT_DAEMON && c.daemonize && c.request.verb != CTL_NONE)
			c.kind = COMPAT_INVALID;
	}
	if (c.kind == COMPAT_DAEMON && c.request.verb != CTL_NONE)
		c.kind = COMPAT_REQUEST;
	return c;
}

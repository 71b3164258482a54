/*
 * Scans conntrackctl's command line by a table of verbs and the words each takes.
 */
#include "opts.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "compat.h"
#include "facts.h"
#include "near.h"

#define NITEMS(a)       (sizeof(a) / sizeof((a)[0]))
#define BOTH            (CTL_TABLE_CT | CTL_TABLE_EXP)
#define SILENCE_DEFAULT 60000
#define SILENCE_MAX     86400

/* A word of a verb; what it sets replaces what the verb had. */
struct choice {
	const char *word;
	struct request set;
};

enum prints { PRINTS_JSON = 1, PRINTS_XML = 2 };

struct verb {
	const char *name, *words, *help;
	struct request plain;
	const struct choice *choice; /* first word; ends with a NULL word */
	bool needed, tables;         /* the first word must be there; [ct|expect] may follow */
	unsigned int prints;
};

static const struct choice stats_words[] = {
	{"general", {.view = VIEW_GENERAL}}, {"expect", {.view = VIEW_EXPECT}},
	{"network", {.view = VIEW_NETWORK}}, {"cache", {.view = VIEW_CACHE}},
	{"runtime", {.view = VIEW_RUNTIME}}, {"link", {.view = VIEW_LINK}},
	{"queue", {.view = VIEW_QUEUE}},     {"rsqueue", {.view = VIEW_RSQUEUE, .verb = CTL_RSQUEUE}},
	{"process", {.view = VIEW_PROCESS}}, {"all", {.view = VIEW_ALL}},
	{NULL, {.view = VIEW_GENERAL}},
};
static const struct choice dump_words[] = {
	{"internal", {.caches = CTL_INTERNAL}},
	{"external", {.caches = CTL_EXTERNAL}},
	{NULL, {.caches = 0}},
};
static const struct choice flush_words[] = {
	{"internal", {.caches = CTL_INTERNAL}},
	{"external", {.caches = CTL_EXTERNAL}},
	{"kernel", {.verb = CTL_FLUSH_KERNEL}},
	{NULL, {.caches = 0}},
};
static const struct choice resync_words[] = {
	{"kernel", {.verb = CTL_RESYNC_KERNEL}},
	{"peers", {.verb = CTL_RESYNC_PEERS}},
	{NULL, {.caches = 0}},
};
static const struct choice role_words[] = {
	{"primary", {.role = CTL_ROLE_PRIMARY}},
	{"backup", {.role = CTL_ROLE_BACKUP}},
	{"fault", {.role = CTL_ROLE_FAULT}},
	{NULL, {.role = CTL_ROLE_NONE}},
};

static const struct verb verbs[] = {
	{"status",
	 "",
	 "What an operator wants to know first: role, peer, links, flows, last commit, warnings.",
	 {.verb = CTL_STATS, .view = VIEW_STATUS},
	 .prints = PRINTS_JSON},
	{"stats",
	 "[general|expect|network|cache|runtime|link|queue|rsqueue|process|all]",
	 "Counters, as conntrackd -s prints them, or all by name; with --json everything at once or the part named.",
	 {.verb = CTL_STATS, .view = VIEW_GENERAL},
	 .choice = stats_words,
	 .prints = PRINTS_JSON},
	{"dump",
	 "internal|external [ct|expect]",
	 "Lists a cache: one flow (or expectation) a line.",
	 {.verb = CTL_DUMP, .tables = CTL_TABLE_CT},
	 .choice = dump_words,
	 .needed = true,
	 .tables = true,
	 .prints = PRINTS_JSON | PRINTS_XML},
	{"commit",
	 "[ct|expect]",
	 "Writes the peers' states into the kernel; returns when they are there.",
	 {.verb = CTL_COMMIT, .tables = BOTH},
	 .tables = true,
	 .prints = PRINTS_JSON},
	{"flush",
	 "internal|external|kernel [ct|expect]",
	 "Empties a cache, or the kernel's table.",
	 {.verb = CTL_FLUSH, .tables = BOTH},
	 .choice = flush_words,
	 .needed = true,
	 .tables = true,
	 .prints = PRINTS_JSON},
	{"resync",
	 "kernel|peers [ct|expect]",
	 "Reads the kernel's table into the internal cache, or asks the peers for their states.",
	 {.verb = CTL_RESYNC_KERNEL, .tables = BOTH},
	 .choice = resync_words,
	 .needed = true,
	 .tables = true,
	 .prints = PRINTS_JSON},
	{"send", "", "Sends the whole internal cache to the peers.", {.verb = CTL_SEND}, .prints = PRINTS_JSON},
	{"purge",
	 "",
	 "Flushes the kernel's table after PurgeTimeout, unless a commit comes first.",
	 {.verb = CTL_PURGE},
	 .prints = PRINTS_JSON},
	{"role",
	 "primary|backup|fault",
	 "Tells the daemon its role; returns when what the role needs is done.",
	 {.verb = CTL_ROLE, .tables = BOTH},
	 .choice = role_words,
	 .needed = true,
	 .prints = PRINTS_JSON},
	{"stop",
	 "",
	 "Ends the daemon; returns when it is gone.",
	 {.verb = CTL_STOP, .old = OLD(OLD_STOP)},
	 .prints = PRINTS_JSON},
	{"check", "", "Would the daemon take the configuration file? Starts nothing.", {.verb = CTL_NONE}, .prints = 0},
};

static const struct choice table_words[] = {
	{"ct", {.tables = CTL_TABLE_CT}},
	{"expect", {.tables = CTL_TABLE_EXP}},
	{NULL, {.tables = 0}},
};

static const struct option long_options[] = {
	{"config", required_argument, NULL, 'C'},  {"socket", required_argument, NULL, 'S'},
	{"timeout", required_argument, NULL, 't'}, {"json", no_argument, NULL, 'j'},
	{"xml", no_argument, NULL, 'x'},           {"help", no_argument, NULL, 'h'},
	{"version", no_argument, NULL, 'V'},       {NULL, 0, NULL, 0},
};

__attribute__((format(printf, 2, 3))) static bool
fail(struct opts *o, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(o->error, sizeof(o->error), fmt, ap);
	va_end(ap);
	o->kind = OPTS_ERROR;
	return false;
}

static const struct verb *
verb_find(const char *name)
{
	for (size_t i = 0; i < NITEMS(verbs); i++)
		if (strcmp(verbs[i].name, name) == 0)
			return &verbs[i];
	return NULL;
}

const char *
verb_name(const struct verb *v)
{
	return v->name;
}

static bool
set_timeout(struct opts *o, const char *text)
{
	char *end;
	unsigned long v;

	errno = 0;
	v = strtoul(text, &end, 10);
	if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0 || v > SILENCE_MAX)
		return fail(o, "--timeout takes seconds, 0 to %d, not '%s'", SILENCE_MAX, text);
	o->silence = v == 0 ? -1 : (int)v * 1000;
	return true;
}

static bool
set_format(struct opts *o, enum format f)
{
	if (o->request.format != FORMAT_TEXT && o->request.format != f)
		return fail(o, "--json and --xml exclude each other");
	o->request.format = f;
	return true;
}

static bool
set_option(struct opts *o, int letter, const char *value, const char *arg)
{
	switch (letter) {
	case 'C':
		o->config = value;
		return true;
	case 'S':
		o->socket = value;
		return value[0] != '\0' || fail(o, "--socket needs a path");
	case 't':
		return set_timeout(o, value);
	case 'j':
		return set_format(o, FORMAT_JSON);
	case 'x':
		return set_format(o, FORMAT_XML);
	case 'h':
		o->kind = OPTS_HELP;
		return true;
	case 'V':
		o->kind = OPTS_VERSION;
		return true;
	case ':':
		return fail(o, "%s needs a value", arg);
	default:
		return fail(o, "unknown option %s", arg);
	}
}

static bool
choose(const struct choice *c, const char *word, struct request *r)
{
	for (; c->word != NULL; c++) {
		if (strcmp(c->word, word) != 0)
			continue;
		r->verb = c->set.verb != CTL_NONE ? c->set.verb : r->verb;
		r->caches = c->set.caches != 0 ? c->set.caches : r->caches;
		r->tables = c->set.tables != 0 ? c->set.tables : r->tables;
		r->role = c->set.role != 0 ? c->set.role : r->role;
		r->view = c->set.view != VIEW_GENERAL ? c->set.view : r->view;
		return true;
	}
	return false;
}

static void
try_all(struct near *n, const struct choice *c)
{
	for (; c != NULL && c->word != NULL; c++)
		near_try(n, c->word);
}

/* first, tables: the words that may stand here; NULL: none of that kind */
static bool
fail_word(struct opts *o, const char *word, const struct choice *first, const struct choice *tables)
{
	const struct verb *v = o->verb;
	struct near n = near_to(word, strlen(word));

	try_all(&n, first);
	try_all(&n, tables);
	if (n.name != NULL)
		return fail(o, "%s does not take '%s'; did you mean '%s'?", v->name, word, n.name);
	if (first != NULL && v->needed)
		return fail(o, "%s needs one of %s, not '%s'", v->name, v->words, word);
	return fail(o, "%s does not take '%s'", v->name, word);
}

/* The words behind the verb. */
static bool
set_words(struct opts *o, char *const word[], int n)
{
	const struct verb *v = o->verb;
	const struct choice *first = v->choice, *tables;
	int i = 0;

	if (first != NULL && i < n && choose(first, word[i], &o->request)) {
		first = NULL;
		i++;
	} else if (v->needed && n == 0) {
		return fail(o, "%s needs one of %s", v->name, v->words);
	} else if (v->needed) {
		return fail_word(o, word[i], first, NULL);
	}
	tables = v->tables && o->request.verb != CTL_RESYNC_PEERS ? table_words : NULL;
	if (tables != NULL && i < n && choose(tables, word[i], &o->request)) {
		tables = NULL;
		i++;
	}
	return i == n || fail_word(o, word[i], first, tables);
}

static bool
fail_verb(struct opts *o, const char *word)
{
	struct near n = near_to(word, strlen(word));

	for (size_t i = 0; i < NITEMS(verbs); i++)
		near_try(&n, verbs[i].name);
	if (n.name != NULL)
		return fail(o, "unknown verb '%s'; did you mean '%s'? conntrackctl --help lists all", word, n.name);
	return fail(o, "unknown verb '%s'; conntrackctl --help lists them", word);
}

static bool
set_verb(struct opts *o, char *const word[], int n)
{
	enum format f = o->request.format;

	if (n == 0)
		return o->kind != OPTS_ASK || fail(o, "a verb is missing; conntrackctl --help lists them");
	if ((o->verb = verb_find(word[0])) == NULL)
		return fail_verb(o, word[0]);
	if (o->kind != OPTS_ASK)
		return true;
	o->request = o->verb->plain;
	o->request.format = f;
	if ((f == FORMAT_JSON && !(o->verb->prints & PRINTS_JSON)) ||
	    (f == FORMAT_XML && !(o->verb->prints & PRINTS_XML)))
		return fail(o, "%s has no %s output", o->verb->name, f == FORMAT_JSON ? "JSON" : "XML");
	if (o->request.verb == CTL_NONE)
		o->kind = OPTS_CHECK;
	return set_words(o, word + 1, n - 1);
}

struct opts
opts_scan(int argc, char *argv[])
{
	struct opts o = {.kind = OPTS_ASK, .config = PATH_CONF, .silence = SILENCE_DEFAULT};
	int letter;

	optind = 0; /* glibc: start anew */
	opterr = 0;
	while ((letter = getopt_long(argc, argv, ":C:hV", long_options, NULL)) != -1)
		if (!set_option(&o, letter, optarg, argv[optind - 1]))
			return o;
	set_verb(&o, argv + optind, argc - optind);
	return o;
}

static void
help_options(FILE *to)
{
	fputs("\nOptions:\n"
	      "  -C, --config FILE   configuration file, which names the daemon's socket\n"
	      "                      (" PATH_CONF ")\n"
	      "      --socket PATH   the socket itself; no file is read\n"
	      "      --timeout SECS  longest silence of the daemon (60; 0: any)\n"
	      "      --json          output for programs\n"
	      "      --xml           dump: XML as conntrackd -x prints it\n"
	      "  -h, --help          this, or the help of a verb\n"
	      "  -V, --version\n"
	      "\nExit status: 0 done, 1 failed or not reachable, 2 usage, 3 permission denied,\n"
	      "4 not supported in this mode, 5 busy, 6 another role was set meanwhile.\n",
	      to);
}

void
opts_help(FILE *to, const struct verb *v)
{
	if (v != NULL) {
		fprintf(to, "Usage: conntrackctl [options] %s %s\n\n%s\n", v->name, v->words, v->help);
	} else {
		fputs("Usage: conntrackctl [options] VERB [words]\n\nVerbs:\n", to);
		for (size_t i = 0; i < NITEMS(verbs); i++)
			fprintf(to, "  %s%s%s\n      %s\n", verbs[i].name, verbs[i].words[0] != '\0' ? " " : "",
				verbs[i].words, verbs[i].help);
	}
	help_options(to);
}

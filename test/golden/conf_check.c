/*
 * Reads a configuration file as the config worker would and prints what it means, or what is wrong with it. What is
 * good is shown to the privileged start as well, which must not refuse it.
 * Usage: conf_check [-q] FILE. Exit 0, 1 for a wrong file; -q prints no settings. "-" is standard input.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "blob.h"
#include "facts.h"
#include "parse.h"
#include "log_text.h"
#include "print.h"
#include "start.h"

static void
put(void *arg, enum log_level level, const char *text)
{
	fprintf(arg, "[%s] %s\n", log_level_name(level), text);
}

/* NULL: the start takes these settings, with the text they are from. */
static const char *
start_refuses(const struct conf *c, const struct conf_source *src)
{
	static const char preset[] = PATH_LOCK " " PATH_LOG " " PATH_STATS_LOG;
	int fd = blob_memfd();
	const char *const name[] = {c->lockfile, c->logfile, c->stats_logfile, c->ctl_path};
	const char *why = "no memory";
	struct msg_setup setup;

	conf_to_setup(c, &setup);
	if (fd >= 0 && blob_store(c, fd) == 0)
		why = setup_check(&setup, fd);
	close(fd);
	for (size_t i = 0; why == NULL && i < sizeof(name) / sizeof(name[0]); i++)
		if (!name_written(src->text, src->len, name[i]) && !name_written(preset, sizeof(preset) - 1, name[i]))
			why = name[i];
	return why;
}

static char *
read_file(FILE *f, size_t *len)
{
	char *text = malloc(CONF_TEXT_MAX);

	if (text != NULL)
		*len = fread(text, 1, CONF_TEXT_MAX, f);
	return text;
}

static int
check(const char *name, FILE *f, int quiet)
{
	struct diag d = {put, stderr, name};
	struct conf_source src = {.diag = &d};
	struct protos protos;
	struct conf c;
	const char *why;
	char *text, *shown = NULL;
	size_t n;
	int r;

	if (protos_load(&protos, protos_open()) != 0 || (text = read_file(f, &src.len)) == NULL)
		return 70;
	src.text = text;
	src.protos = &protos;
	if ((r = conf_parse(&c, &src)) == 0 && (shown = conf_print(&c, &protos, &n)) != NULL) {
		if (!quiet)
			fwrite(shown, 1, n, stdout);
		if ((why = start_refuses(&c, &src)) != NULL) {
			fprintf(stderr, "%s: the start refuses these settings: %s\n", name, why);
			r = -EPROTO;
		}
		conf_clear(&c);
	}
	free(shown);
	free(text);
	protos_free(&protos);
	return r == 0 ? 0 : r == -EPROTO ? 3 : 1;
}

int
main(int argc, char **argv)
{
	int quiet = argc > 1 && strcmp(argv[1], "-q") == 0, r;
	const char *name = argc == 2 + quiet ? argv[1 + quiet] : "-";
	FILE *f = strcmp(name, "-") == 0 ? stdin : fopen(name, "rb");

	if (f == NULL) {
		perror(name);
		return 1;
	}
	r = check(name, f, quiet);
	fclose(f);
	return r;
}

/*
 * nfct: timeout policies and user space helpers of connection tracking. Reads the words in either order, makes one
 * netlink request of them, sends it and shows the answer. Nothing but the netlink socket is open when it talks.
 */
#include "confine.h"
#include "helper.h"
#include "timeout.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define PREFIX "nfct v" CT_COMPAT_VERSION ": "

enum subsys { SUB_TIMEOUT, SUB_HELPER, SUB_VERSION, SUB_HELP, SUB_MAX };

/* Prefixes find the first match, so the order counts. */
static const char *const commands[CMD_MAX] = {
	[CMD_LIST] = "list",
	[CMD_ADD] = "add",
	[CMD_DELETE] = "delete",
	[CMD_GET] = "get",
	[CMD_FLUSH] = "flush",
	[CMD_DISABLE] = "disable",
	[CMD_DEFAULT_SET] = "default-set",
	[CMD_DEFAULT_GET] = "default-get",
};
static const char *const subsystems[SUB_MAX] = {"timeout", "helper", "version", "help"};

static const char help[] =
	"Commands for timeout policies:\n"
	"  list timeout\n"
	"  add timeout NAME inet|inet6 PROTOCOL STATE SECONDS [STATE SECONDS]...\n"
	"  get timeout NAME\n"
	"  delete timeout NAME\n"
	"  flush timeout\n"
	"  default-set timeout inet|inet6 PROTOCOL STATE SECONDS [STATE SECONDS]...\n"
	"  default-get timeout inet|inet6 PROTOCOL\n"
	"Commands for user space helpers:\n"
	"  list helper\n"
	"  add helper NAME inet|inet6 tcp|udp\n"
	"  disable helper NAME inet|inet6 tcp|udp\n"
	"  get helper NAME [inet|inet6 [tcp|udp]]\n"
	"  delete helper NAME [inet|inet6 [tcp|udp]]\n"
	"  flush helper\n"
	"Others: version, help. Option: -j, --json prints one JSON object a line (list, get, default-get).\n";

static const char banner[] = PREFIX "utility for the Netfilter's Connection Tracking System\n"
				    "Part of OpenConntrack " CT_VERSION ", compatible with conntrack-tools.\n"
				    "This program comes with ABSOLUTELY NO WARRANTY.\n"
				    "This is free software, and you are welcome to redistribute it under certain\n"
				    "conditions; see the LICENSE file distributed with it for details.\n";

static int
complain(const char *fmt, ...)
{
	va_list ap;

	fputs(PREFIX, stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	return EXIT_FAILURE;
}

static int
usage(const char *argv0)
{
	fprintf(stderr, "Usage: %s command subsystem [parameters]...\n", argv0);
	return EXIT_FAILURE;
}

static int
word_find(const char *const *words, int n, const char *word)
{
	for (int i = 0; i < n; i++)
		if (strncmp(words[i], word, strlen(word)) == 0)
			return i;
	return -1;
}

/* Takes -j and --json out of argv; returns the new argc. */
static int
take_json(int argc, char **argv, bool *json)
{
	int n = 0;

	for (int i = 0; i < argc; i++) {
		if (i > 0 && (strcmp(argv[i], "-j") == 0 || strcmp(argv[i], "--json") == 0))
			*json = true;
		else
			argv[n++] = argv[i];
	}
	return n;
}

/* A single word that needs no partner. -1: there is no such word. */
static int
alone(int argc, char **argv)
{
	if (argc == 2 && (strcmp(argv[1], "version") == 0 || strcmp(argv[1], "--version") == 0)) {
		fputs(banner, stdout);
		return EXIT_SUCCESS;
	}
	if (argc == 2 && (strcmp(argv[1], "help") == 0 || strcmp(argv[1], "--help") == 0)) {
		printf("Usage: %s command subsystem [parameters]...\n%s", argv[0], help);
		return EXIT_SUCCESS;
	}
	return -1;
}

/* Command and subsystem in either order. false: complained. */
static bool
read_words(char **argv, int *cmd, int *sub)
{
	if ((*cmd = word_find(commands, CMD_MAX, argv[1])) >= 0) {
		if ((*sub = word_find(subsystems, SUB_MAX, argv[2])) < 0)
			complain("Unknown subsystem: %s", argv[2]);
		return *sub >= 0;
	}
	if ((*sub = word_find(subsystems, SUB_MAX, argv[1])) < 0) {
		complain("Unknown subsystem: %s", argv[1]);
		return false;
	}
	if ((*cmd = word_find(commands, CMD_MAX, argv[2])) < 0)
		complain("Unknown command: %s", argv[2]);
	return *cmd >= 0;
}

static int
no_such_command(char **argv, enum subsys sub, enum nfct_cmd cmd)
{
	if (sub == SUB_HELPER)
		complain("Unknown command: %s", commands[cmd]);
	complain("Missing command");
	if (sub == SUB_HELPER)
		fprintf(stderr, "%s helper list|add|delete|disable|get|flush [parameters...]\n", argv[0]);
	else
		fprintf(stderr, "%s <list|add|delete|get|default-set|default-get|flush> timeout [<parameters>, ...]\n",
			argv[0]);
	return EXIT_FAILURE;
}

/* Opens the socket and gives up everything else. false: complained. */
static bool
open_socket(struct nl *nl)
{
	static char buf[64 * 1024]; /* given, so that stdio need not ask what kind of file it has: a call too many */
	int r = nl_open(nl, 0);

	setvbuf(stdout, buf, _IOFBF, sizeof(buf));
	if (r < 0)
		complain("netlink error: %s", strerror(-r));
	else if ((r = confine(CONFINE_TALK)) < 0)
		complain("cannot drop privileges: %s", strerror(-r));
	return r == 0;
}

static int
talk(struct request *rq, bool json)
{
	struct show s = {.out = stdout, .json = json};
	struct nl nl;
	int r;

	if (!open_socket(&nl))
		return EXIT_FAILURE;
	r = rq->dump ? nl_dump(&nl, &rq->msg.head, rq->show, &s) : nl_talk(&nl, &rq->msg.head, rq->show, &s);
	nl_close(&nl);
	if (r == 0 && fflush(stdout) == EOF)
		return complain("cannot write: %s", strerror(errno));
	if (r < 0)
		complain("netlink error: %s", strerror(-r));
	if (r == -EBUSY && rq->busy[0] != '\0')
		fprintf(stderr, "%s\n", rq->busy);
	return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

int
main(int argc, char **argv)
{
	char err[REQUEST_ERR] = "";
	struct request rq;
	bool json = false;
	int cmd, sub, r;

	argc = take_json(argc, argv, &json);
	if ((r = alone(argc, argv)) >= 0)
		return r;
	if (argc < 3 || !read_words(argv, &cmd, &sub))
		return usage(argv[0]);
	if (sub == SUB_VERSION || sub == SUB_HELP) {
		fputs(sub == SUB_HELP ? help : banner, stdout);
		return EXIT_SUCCESS;
	}
	r = (sub == SUB_TIMEOUT ? timeout_request : helper_request)(&rq, (enum nfct_cmd)cmd, argc - 3, argv + 3, err);
	if (r == -ENOSYS)
		return no_such_command(argv, (enum subsys)sub, (enum nfct_cmd)cmd);
	if (r < 0)
		return complain("%s", err);
	return talk(&rq, json);
}

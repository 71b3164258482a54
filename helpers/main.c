/*
 * ctd-helper NAME [foreign] [PORT]: one helper's process. It gets packets of flows from ctd-queue, lets the parser of
 * that name look at each, and answers. Whoever sends the packets may take this process over: it has no right, no file,
 * no network and no clock but the monotonic one, and all it can do is propose. foreign: other hosts may be named; PORT:
 * the smallest that may be opened. Started for a queue as privsep/queue/queue_handover.h says, never by hand.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "chan.h"
#include "inspect.h"
#include "memory.h"
#include "msg_rules.h"
#include "roles.h"

static const struct parser *const parsers[] = {
	&parser_amanda, &parser_dhcpv6, &parser_ftp,  &parser_mdns, &parser_rpc,
	&parser_sane,   &parser_slp,    &parser_ssdp, &parser_tftp, &parser_tns,
};

#ifdef CT_SANITIZE
/* Nobody may look into a jailed process, so neither can the search for leaks at its end. */
const char *__asan_default_options(void);

const char *
__asan_default_options(void)
{
	return "detect_leaks=0";
}
#endif

struct helper {
	const struct parser *parser;
	struct inspect_options options;
	struct memory *memory;
	struct chan wall;
	enum phase phase;
	_Alignas(8) uint8_t in[MSG_DATA_MAX + sizeof(struct msg_hdr)];
};

static uint32_t
now_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &ts);
	return (uint32_t)ts.tv_sec;
}

static const struct parser *
find(const char *name)
{
	for (size_t i = 0; i < sizeof(parsers) / sizeof(parsers[0]); i++)
		if (strcmp(parsers[i]->name, name) == 0)
			return parsers[i];
	return NULL;
}

static bool
read_arguments(struct helper *h, int argc, char **argv)
{
	if (argc < 2 || (h->parser = find(argv[1])) == NULL)
		return false;
	for (int i = 2; i < argc; i++)
		if (strcmp(argv[i], "foreign") == 0)
			h->options.foreign = true;
		else
			h->options.min_port = (uint16_t)strtoul(argv[i], NULL, 10);
	return true;
}

/* When ctd-queue is behind, the answer is lost: it accepts what is not answered in time. */
static void
on_packet(struct helper *h, const struct msg *m)
{
	struct msg_packet p;
	struct msg_verdict v;

	memcpy(&p, m->data, sizeof(p));
	inspect_packet(h->parser, &h->options, h->memory, &p, (const uint8_t *)m->data + sizeof(p), m->len - sizeof(p),
		       now_s(), &v);
	chan_send(&h->wall, MSG_VERDICT, 0, &v, sizeof(v));
}

/* False: ctd-queue is gone, or says what it may not. */
static bool
one_message(struct helper *h)
{
	struct pollfd pf = {h->wall.fd, POLLIN, 0};
	struct msg m = {0};
	int r;

	while ((r = chan_recv(&h->wall, h->in, sizeof(h->in), &m)) == 0)
		poll(&pf, 1, -1);
	if (r < 0 || msg_admit(ROLE_QUEUE, ROLE_HELPER, h->phase, &m) != ADMIT_OK)
		return false;
	if (m.type == MSG_PACKET)
		on_packet(h, &m);
	else if (m.type == MSG_START && h->phase == PHASE_SETUP) {
		h->phase = PHASE_RUN;
		chan_send(&h->wall, MSG_READY, READY_SERVING, NULL, 0);
	}
	return true;
}

int
main(int argc, char **argv)
{
	static struct helper h = {.wall.fd = WORKER_FD, .phase = PHASE_SETUP};
	struct log log = {WORKER_LOG_FD, WORKER_LOG_FD, LF_RECORD, 0};

	if (!read_arguments(&h, argc, argv) || h.parser == NULL) {
		fprintf(stderr, "ctd-helper is started by conntrackd, not by hand\n");
		return 64;
	}
	if (h.parser->memory > 0 && (h.memory = memory_new(h.parser->memory)) == NULL)
		return 1;
	if (jail_worker(jail_row(ROLE_HELPER), &log) < 0 || chan_send(&h.wall, MSG_READY, READY_JAILED, NULL, 0) != 0)
		return 1;
	while (one_message(&h))
		;
	memory_free(h.memory);
	return 0;
}

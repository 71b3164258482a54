/*
 * The one table of messages. No row, no message. Called at every receiving end; nothing in a message is trusted
 * until it has passed here.
 */
#include "msg_rules.h"

#include <string.h>
#include <sys/socket.h>

#define PARENT  ROLE_BIT(ROLE_PARENT)
#define CONFIG  ROLE_BIT(ROLE_CONFIG)
#define LOG     ROLE_BIT(ROLE_LOG)
#define SYNC    ROLE_BIT(ROLE_SYNC)
#define STATS   ROLE_BIT(ROLE_STATS)
#define HELPER  ROLE_BIT(ROLE_HELPER)
#define SERVING (SYNC | STATS)
#define WORKER  (LOG | SERVING | HELPER)
#define SETUP   PHASE_SETUP
#define RUN     PHASE_RUN
#define NL_MIN  20 /* netlink and nfnetlink header */

struct msg_rule {
	unsigned int from, to, phase;
	uint32_t min, max, unit; /* payload bytes; a multiple of unit when there is one */
	uint32_t arg_max, nfds;
	bool (*check)(const struct msg *m);
};

/* A table of the kernel: subsystem and family. */
static bool
table_ok(uint8_t subsys, uint8_t family, uint16_t reserved)
{
	return (subsys == SUBSYS_CT || subsys == SUBSYS_EXP) && reserved == 0 &&
	       (family == AF_UNSPEC || family == AF_INET || family == AF_INET6);
}

static bool
check_flush(const struct msg *m)
{
	struct msg_flush f;

	memcpy(&f, m->data, sizeof(f));
	return table_ok(f.subsys, f.family, f.reserved);
}

static bool
check_dump(const struct msg *m)
{
	struct msg_dump_start d;

	memcpy(&d, m->data, sizeof(d));
	return table_ok(d.subsys, d.family, d.reserved);
}

#define ANY       UINT32_MAX
#define ONE(type) sizeof(struct type), sizeof(struct type), 0
static const struct msg_rule rules[MSG_MAX] = {
	/* type		       from    to	phase	     length: min, max, unit	 arg	 fds check */
	[MSG_CONF_TEXT] = {PARENT, CONFIG, SETUP, 0, CONF_NAME_MAX, 0, 2, 1, NULL},
	[MSG_CONF] = {PARENT, WORKER, SETUP, 0, 0, 0, 0, 1, NULL},
	[MSG_LOG_SINK] = {PARENT, LOG, SETUP, 0, 0, 0, SINK_MAX - 1, 1, NULL},
	[MSG_LOG_REOPEN] = {PARENT, LOG, RUN, 0, 0, 0, 0, 0, NULL},
	[MSG_START] = {PARENT, WORKER, SETUP, 0, 0, 0, ANY, 0, NULL},
	[MSG_CHANNEL] = {PARENT, SYNC, RUN, ONE(msg_channel), MSG_LINKS_MAX - 1, 2, NULL},
	[MSG_CHANNEL_FAILED] = {PARENT, SYNC, RUN, ONE(msg_error), MSG_LINKS_MAX - 1, 0, NULL},
	[MSG_CLIENT] = {PARENT, SERVING, RUN, ONE(msg_client), 0, 1, NULL},
	[MSG_EVENTS] = {PARENT, SERVING, RUN, NL_MIN, MSG_DATA_MAX, 0, MSG_EVENTS_MAX, 0, NULL},
	[MSG_OVERRUN] = {PARENT, SERVING, RUN, ONE(msg_overrun), 0, 0, NULL},
	[MSG_ANSWER] = {PARENT, SERVING, RUN, NL_MIN, MSG_DATA_MAX, 0, ANY, 0, NULL},
	[MSG_RESULT] = {PARENT, SERVING, RUN, 0, MSG_DATA_MAX, sizeof(struct msg_error), ANY, 0, NULL},
	[MSG_DUMP] = {PARENT, SERVING, RUN, NL_MIN, MSG_DATA_MAX, 0, ANY, 0, NULL},
	[MSG_DUMP_DONE] = {PARENT, SERVING, RUN, ONE(msg_dump_done), 0, 0, NULL},
	[MSG_STATUS] = {PARENT, SERVING, RUN, ONE(msg_status), 0, 0, NULL},
	[MSG_PACKET] = {PARENT, HELPER, RUN, sizeof(struct msg_packet), MSG_DATA_MAX, 0, 0, 0, NULL},
	[MSG_SETUP] = {CONFIG, PARENT, SETUP, ONE(msg_setup), 0, 1, NULL},
	[MSG_READY] = {WORKER, PARENT, SETUP | RUN, 0, 0, 0, READY_SERVING, 0, NULL},
	[MSG_REQUEST] = {SERVING, PARENT, RUN, NL_MIN, MSG_DATA_MAX, 0, ANY, 0, NULL},
	[MSG_FLUSH] = {SERVING, PARENT, RUN, ONE(msg_flush), ANY, 0, check_flush},
	[MSG_DUMP_START] = {SERVING, PARENT, RUN, ONE(msg_dump_start), 0, 0, check_dump},
	[MSG_CHANNEL_OPEN] = {SYNC, PARENT, RUN, 0, 0, 0, MSG_LINKS_MAX - 1, 0, NULL},
	[MSG_STOP] = {SERVING, PARENT, RUN, 0, 0, 0, 0, 0, NULL},
	[MSG_VERDICT] = {HELPER, PARENT, RUN, ONE(msg_verdict), 0, 0, NULL},
};

enum admit
msg_admit(enum role from, enum role to, enum phase phase, const struct msg *m)
{
	const struct msg_rule *r = m->type < MSG_MAX ? &rules[m->type] : &rules[MSG_NONE];

	if (r->from == 0)
		return ADMIT_UNKNOWN;
	if ((r->from & ROLE_BIT(from)) == 0 || (r->to & ROLE_BIT(to)) == 0)
		return ADMIT_SENDER;
	if ((r->phase & phase) == 0)
		return ADMIT_PHASE;
	if (m->len < r->min || m->len > r->max || (r->unit != 0 && m->len % r->unit != 0))
		return ADMIT_LENGTH;
	if (m->nfds != r->nfds)
		return ADMIT_FDS;
	return m->arg > r->arg_max || (r->check != NULL && !r->check(m)) ? ADMIT_CONTENT : ADMIT_OK;
}

const char *
msg_admit_name(enum admit a)
{
	static const char *const names[] = {"none", "type", "sender", "phase", "length", "descriptors", "content"};

	return a < ADMIT_MAX ? names[a] : "?";
}

const char *
role_name(enum role role)
{
	static const char *const names[] = {"parent", "config", "log", "sync", "stats", "helper"};

	return role < ROLE_MAX ? names[role] : "?";
}

/*
 * The one table of messages. No row, no message. Called at every receiving end; nothing in a message is trusted
 * until it has passed here.
 */
#include "msg_rules.h"

#include <sys/socket.h>

#define NL_MIN 20 /* netlink and nfnetlink header */
enum { SETUP = PHASE_SETUP, RUN = PHASE_RUN };

struct msg_rule {
	unsigned int from, to, phase;
	uint32_t min, max, unit; /* payload bytes; a multiple of unit when there is one */
	uint32_t arg_max, nfds;
	bool (*check)(const struct msg *m);
};

/* A table of the kernel: subsystem, family and two reserved bytes, which end both messages. */
static bool
check_table(const struct msg *m)
{
	const uint8_t *t = (const uint8_t *)m->data + m->len - sizeof(struct msg_flush);

	return (t[0] == SUBSYS_CT || t[0] == SUBSYS_EXP) && t[2] == 0 && t[3] == 0 &&
	       (t[1] == AF_UNSPEC || t[1] == AF_INET || t[1] == AF_INET6);
}

#define ANY       UINT32_MAX
#define LAST_LINK (MSG_LINKS_MAX - 1)
#define ONE(type) sizeof(struct type), sizeof(struct type), 0
static const struct msg_rule rules[MSG_MAX] = {
	/* type		       from    to	phase	     length: min, max, unit	 arg	 fds check */
	[MSG_CONF_TEXT] = {R_PARENT, R_CONFIG, SETUP, 0, CONF_NAME_MAX, 0, 2, 1, NULL},
	[MSG_CONF] = {R_PARENT, R_WORKER, SETUP, 0, 0, 0, WALL_ALL | WALL_ANYHOW, 1, NULL},
	[MSG_LOG_SINK] = {R_PARENT, R_LOG | R_STATS, SETUP, 0, 0, 0, MSG_SINKS_MAX - 1, 1, NULL},
	[MSG_LOG_REOPEN] = {R_PARENT, R_LOG, RUN, 0, 0, 0, 0, 0, NULL},
	[MSG_START] = {R_PARENT | R_QUEUE, R_WORKER | R_KEEPER, SETUP, 0, 0, 0, ANY, 0, NULL},
	[MSG_CHANNEL] = {R_PARENT | R_LINK, R_SYNC, SETUP | RUN, ONE(msg_channel), LAST_LINK, 2, NULL},
	[MSG_CHANNEL_FAILED] = {R_LINK, R_SYNC, SETUP | RUN, ONE(msg_error), LAST_LINK, 0, NULL},
	[MSG_CLIENT] = {R_PARENT, R_SERVING, RUN, ONE(msg_client), 0, 1, NULL},
	[MSG_EVENTS] = {R_PARENT, R_SERVING, RUN, NL_MIN, MSG_DATA_MAX, 0, MSG_EVENTS_MAX, 0, NULL},
	[MSG_OVERRUN] = {R_PARENT, R_SERVING, RUN, ONE(msg_overrun), 0, 0, NULL},
	[MSG_ANSWER] = {R_PARENT, R_SYNC, RUN, NL_MIN, MSG_DATA_MAX, 0, ANY, 0, NULL},
	[MSG_RESULT] = {R_PARENT, R_SERVING, RUN, 0, MSG_DATA_MAX, sizeof(struct msg_error), ANY, 0, NULL},
	[MSG_DUMP] = {R_PARENT, R_SERVING, RUN, NL_MIN, MSG_DATA_MAX, 0, ANY, 0, NULL},
	[MSG_DUMP_DONE] = {R_PARENT, R_SERVING, RUN, ONE(msg_dump_done), 0, 0, NULL},
	[MSG_STATUS] = {R_PARENT, R_SERVING, RUN, ONE(msg_status), 0, 0, NULL},
	[MSG_KEEP_NAME] = {R_PARENT, R_KEEPER, SETUP, 1, CONF_NAME_MAX, 0, 0, 2, NULL},
	[MSG_KEEP_WORKER] = {R_PARENT, R_KEEPER, SETUP, 0, 0, 0, ROLE_MAX - 1, 3, NULL},
	[MSG_REMOVE] = {R_PARENT, R_KEEPER, RUN, 0, 0, 0, 0, 0, NULL},
	[MSG_LINK] = {R_PARENT, R_LINK, SETUP, MSG_LINK_LEN, MSG_LINK_LEN, 0, LAST_LINK, 0, NULL},
	[MSG_LINK_WALL] = {R_PARENT, R_SYNC | R_LINK, SETUP, 0, 0, 0, 0, 1, NULL},
	[MSG_PACKET] = {R_QUEUE, R_HELPER, RUN, MSG_PACKET_LEN, MSG_DATA_MAX, 0, 0, 0, NULL},
	[MSG_SETUP] = {R_CONFIG, R_PARENT, SETUP, MSG_SETUP_LEN, MSG_SETUP_LEN, 0, 0, 1, NULL},
	[MSG_READY] = {R_WORKER | R_LINK | R_KEEPER, R_PARENT | R_QUEUE, SETUP | RUN, 0, 0, 0, READY_ALIVE, 0, NULL},
	[MSG_REQUEST] = {R_SERVING, R_PARENT, RUN, NL_MIN, MSG_DATA_MAX, 0, ANY, 0, NULL},
	[MSG_REQUEST_QUIET] = {R_SYNC, R_PARENT, RUN, NL_MIN, MSG_DATA_MAX, 0, ANY, 0, NULL},
	[MSG_FLUSH] = {R_SERVING, R_PARENT, RUN, ONE(msg_flush), ANY, 0, check_table},
	[MSG_DUMP_START] = {R_SERVING, R_PARENT, RUN, ONE(msg_dump_start), 0, 0, check_table},
	[MSG_CHANNEL_OPEN] = {R_SYNC, R_LINK, SETUP | RUN, 0, 0, 0, LAST_LINK, 0, NULL},
	[MSG_STOP] = {R_SERVING, R_PARENT, RUN, 0, 0, 0, 0, 0, NULL},
	/* judged by packet and helper: privsep/queue/policy.c */
	[MSG_VERDICT] = {R_HELPER, R_QUEUE, RUN, MSG_VERDICT_LEN, MSG_VERDICT_LEN, 0, 0, 0, NULL},
};

enum admit
msg_admit(enum role from, enum role to, enum phase phase, const struct msg *m)
{
	const struct msg_rule *r = m->type < MSG_MAX ? &rules[m->type] : &rules[MSG_NONE];

	if (r->from == 0)
		return ADMIT_UNKNOWN;
	if ((r->from & 1U << from) == 0 || (r->to & 1U << to) == 0)
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
	/* clang-format off */
	static const char *const names[] = {
		"parent", "config", "log", "sync", "stats", "helper", "link", "queue", "keeper"};
	/* clang-format on */

	return role < ROLE_MAX ? names[role] : "?";
}

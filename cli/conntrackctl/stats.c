/*
 * Words for the numbers in struct ctl_stats.
 */
#include "stats.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "conf.h"
#include "msg_rules.h"

#define NITEMS(a)      (sizeof(a) / sizeof((a)[0]))
#define WORD(table, i) ((i) < NITEMS(table) && (table)[i] != NULL ? (table)[i] : "unknown")

void
stats_clean(struct ctl_stats *s)
{
	if (s->n_links > MSG_LINKS_MAX)
		s->n_links = MSG_LINKS_MAX;
	if (s->status.n_workers > MSG_WORKERS_MAX)
		s->status.n_workers = MSG_WORKERS_MAX;
	for (unsigned int i = 0; i < MSG_LINKS_MAX; i++) {
		char *p = s->link[i].ifname;

		p[sizeof(s->link[i].ifname) - 1] = '\0';
		for (; *p != '\0'; p++)
			if (*p <= ' ' || *p == 0x7f)
				*p = '?';
	}
}

const struct ctl_link_stats *
stats_active_link(const struct ctl_stats *s)
{
	for (unsigned int i = 0; i < s->n_links; i++)
		if (s->link[i].active)
			return &s->link[i];
	return s->n_links > 0 ? &s->link[0] : NULL;
}

const char *
stats_link_status(const struct ctl_link_stats *l)
{
	static const char *const word[] = {
		[CTL_LINK_DOWN] = "DOWN", [CTL_LINK_NO_CARRIER] = "NO-CARRIER", [CTL_LINK_RUNNING] = "RUNNING"};

	return WORD(word, l->status);
}

const char *
stats_link_kind(const struct ctl_link_stats *l)
{
	static const char *const word[] = {[LINK_UDP] = "udp", [LINK_MCAST] = "multicast", [LINK_TCP] = "tcp"};

	return WORD(word, l->kind);
}

const char *
stats_mode(const struct ctl_stats *s)
{
	static const char *const word[] = {
		"none", [MODE_FTFW] = "ftfw", [MODE_ALARM] = "alarm", [MODE_NOTRACK] = "notrack"};

	if (s->stats_mode)
		return "stats";
	return s->sync ? WORD(word, s->mode) : "none";
}

const char *
stats_role(const struct ctl_stats *s)
{
	static const char *const word[] = {[CTL_ROLE_NONE] = "none",
					   [CTL_ROLE_PRIMARY] = "primary",
					   [CTL_ROLE_BACKUP] = "backup",
					   [CTL_ROLE_FAULT] = "fault"};

	return WORD(word, s->role);
}

const char *
stats_worker_role(const struct msg_worker *w)
{
	return w->role < ROLE_MAX ? role_name((enum role)w->role) : "unknown";
}

const char *
stats_worker_state(const struct msg_worker *w)
{
	static const char *const word[] = {"spare", "serving", "dead"};

	return WORD(word, w->state);
}

const char *
stats_addr(uint8_t family, const uint8_t addr[16], char buf[STATS_ADDR])
{
	if ((family != AF_INET && family != AF_INET6) || inet_ntop(family, addr, buf, STATS_ADDR) == NULL)
		strcpy(buf, "unknown");
	return buf;
}

static const struct {
	const char *name, *words, *remedy;
} refusals[CTL_REFUSED_WHYS] = {
	[0] = {"unknown", "who was refused", "see the log"},
	[CTL_REFUSED_ADDRESS] = {"address", "who is not the peer", NULL},
	[CTL_REFUSED_PORT] = {"port", "another program on the peer's host", "CheckSource off"},
	[CTL_REFUSED_CROWD] = {"crowd", "one sender too many", "fewer senders on this link"},
	[CTL_REFUSED_OURSELVES] = {"ourselves", "which is both ends of the link", "another address as the peer's"},
};
#define REFUSAL(r) refusals[(r)->why < CTL_REFUSED_WHYS ? (r)->why : 0]

const char *
stats_refused(const struct ctl_refused *r)
{
	return REFUSAL(r).name;
}

const char *
stats_refused_words(const struct ctl_refused *r)
{
	return REFUSAL(r).words;
}

const char *
stats_remedy(const struct ctl_refused *r, char buf[STATS_REMEDY])
{
	char addr[STATS_ADDR];

	if (REFUSAL(r).remedy != NULL)
		snprintf(buf, STATS_REMEDY, "%s", REFUSAL(r).remedy);
	else
		snprintf(buf, STATS_REMEDY, "IPv%c_Destination_Address %s or CheckSource off",
			 r->family == AF_INET6 ? '6' : '4', stats_addr(r->family, r->addr, addr));
	return buf;
}

const char *
stats_differs(unsigned int bit)
{
	switch (bit) {
	case CTL_DIFFERS_MODE:
		return "mode";
	case CTL_DIFFERS_PORT:
		return "port";
	case CTL_DIFFERS_CHECKSUM:
		return "checksum";
	case CTL_DIFFERS_DEAF:
		return "deaf";
	default:
		return "unknown";
	}
}

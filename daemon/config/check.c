/*
 * Cross-field rules of the settings. Trusts nothing in struct conf but that strings end and counts fit their arrays.
 */
#include "check.h"

#include <errno.h>
#include <netinet/in.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>

static bool
is_zero(const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i] != 0)
			return false;
	return true;
}

static bool
is_multicast(const struct msg_link *l)
{
	return l->family == AF_INET ? (l->peer[0] & 0xf0) == 0xe0 : l->peer[0] == 0xff;
}

static const char *
link_word(uint8_t kind)
{
	return kind == LINK_UDP ? "UDP" : kind == LINK_TCP ? "TCP" : "Multicast";
}

static const char *
mcast_problem(const struct msg_link *l)
{
	if (!is_multicast(l))
		return "the group address is missing or not a multicast address (IPv4: 224.0.0.0/4, IPv6: ff00::/8)";
	return NULL;
}

static const char *
unicast_problem(const struct msg_link *l)
{
	if (is_zero(l->peer, sizeof(l->peer)))
		return l->family == AF_INET
			       ? "no `IPv4_Destination_Address': the address of the other firewall is needed"
			       : "no `IPv6_Destination_Address': the address of the other firewall is needed";
	if (is_multicast(l))
		return "the other firewall's address is a multicast address";
	return NULL;
}

/* What is wrong with l, or NULL. */
static const char *
link_problem(const struct msg_link *l)
{
	if (l->kind < LINK_UDP || l->kind > LINK_TCP)
		return "unknown transport";
	if (l->family != AF_INET && l->family != AF_INET6)
		return l->kind == LINK_MCAST
			       ? "no `IPv4_address' or `IPv6_address': the group is needed"
			       : "no address: `IPv4_Destination_Address' or `IPv6_Destination_Address' is needed";
	if (l->family == AF_INET && (!is_zero(l->local + 4, 12) || !is_zero(l->peer + 4, 12)))
		return "bytes behind an IPv4 address";
	if (l->ifname[0] == '\0')
		return "no `Interface': the device of the link is needed";
	if (l->port == 0)
		return l->kind == LINK_MCAST ? "no `Group': the UDP port of the group is needed"
					     : "no `Port': both firewalls must use the same one";
	return l->kind == LINK_MCAST ? mcast_problem(l) : unicast_problem(l);
}

static int
check_links(const struct conf *c, const struct conf_places *at, const struct diag *d)
{
	unsigned int defaults = 0;
	const char *why;

	for (uint32_t i = 0; i < c->n_links; i++) {
		const struct msg_link *l = &c->link[i];

		why = link_problem(l);
		if (why == NULL && l->kind != c->link[0].kind)
			why = "cannot be used with other dedicated link protocols";
		if (why != NULL) {
			diag_at(d, LV_ERROR, at->link[i], "`%s' link %u: %s", link_word(l->kind), i + 1, why);
			return -EINVAL;
		}
		defaults += l->is_default != 0;
	}
	return c->n_links != 0 && defaults != 1 ? -EINVAL : 0;
}

static int
check_sync(const struct conf *c, const struct conf_places *at, const struct diag *d)
{
	if (!c->sync)
		return c->mode == MODE_NONE && c->n_links == 0 ? 0 : -EINVAL;
	if (c->stats) {
		diag_at(d, LV_ERROR, at->sync.line > at->stats.line ? at->sync : at->stats,
			"cannot use both `Stats' and `Sync' clauses in conntrackd.conf");
		return -EINVAL;
	}
	if (c->mode == MODE_NONE || (c->disable_external_cache && (c->commit_timeout != 0 || c->mode == MODE_ALARM)) ||
	    (c->disable_internal_cache && c->mode != MODE_NOTRACK))
		return -EINVAL;
	if (c->n_links == 0) {
		diag_at(d, LV_ERROR, at->sync,
			"`Sync' has no dedicated link: a `UDP', `Multicast' or `TCP' block is needed");
		return -EINVAL;
	}
	return check_links(c, at, d);
}

static bool
same_helper(const struct msg_helper *a, const struct msg_helper *b)
{
	return strcmp(a->name, b->name) == 0 && a->family == b->family && a->proto == b->proto;
}

static int
check_helper(const struct conf *c, uint32_t i, const struct conf_places *at, const struct diag *d)
{
	const struct msg_helper *h = &c->helper[i];

	if ((h->family != AF_INET && h->family != AF_INET6) || (h->proto != IPPROTO_TCP && h->proto != IPPROTO_UDP) ||
	    h->name[0] == '\0')
		return -EINVAL;
	for (uint32_t j = 0; j < i; j++) {
		if (same_helper(h, &c->helper[j])) {
			diag_at(d, LV_ERROR, at->helper[i],
				"helper `%s' is declared twice for the same protocols, first in line %u", h->name,
				at->helper[j].line);
			return -EINVAL;
		}
		if (h->queue == c->helper[j].queue) {
			diag_at(d, LV_ERROR, at->helper[i],
				"`QueueNum' %u of helper `%s' is taken by helper `%s' in line %u: each `Type' needs "
				"its own",
				h->queue, h->name, c->helper[j].name, at->helper[j].line);
			return -EINVAL;
		}
	}
	return 0;
}

static bool
scheduler_ok(const struct conf *c)
{
	if (c->sched_type == SCHED_OTHER)
		return c->sched_prio == 0;
	return (c->sched_type == SCHED_RR || c->sched_type == SCHED_FIFO) && c->sched_prio >= 1 && c->sched_prio <= 99;
}

int
conf_check(const struct conf *c, const struct conf_places *at, const struct diag *d)
{
	static const struct conf_places nowhere;
	int r;

	if (at == NULL)
		at = &nowhere;
	if (!scheduler_ok(c))
		return -EINVAL;
	if ((r = check_sync(c, at, d)) != 0)
		return r;
	for (uint32_t i = 0; i < c->n_helpers; i++)
		if ((r = check_helper(c, i, at, d)) != 0)
			return r;
	return 0;
}

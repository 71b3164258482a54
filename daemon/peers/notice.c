#include "notice.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#define SETTLED_MS      10000 /* by then peers have greeted each other */
#define BOUNCE_MS       30000
#define BOUNCE_PAUSE_MS 5000 /* something is sent every second */
#define BOUNCE_AGAIN_MS 3600000

static const char *
text_of(uint8_t family, const uint8_t *addr, char buf[INET6_ADDRSTRLEN])
{
	if (inet_ntop(family, addr, buf, INET6_ADDRSTRLEN) == NULL)
		strcpy(buf, "?");
	return buf;
}

static void
refused(const struct links *ls, unsigned int i, const struct refused *r, struct log *log)
{
	const struct msg_link *l = ls->link[i].conf;
	char from[INET6_ADDRSTRLEN], peer[INET6_ADDRSTRLEN];

	text_of(r->from.family, r->from.addr, from);
	text_of(l->family, l->peer, peer);
	if (r->why == REFUSED_ADDRESS)
		log_put(log, LV_WARNING,
			"datagrams from %s on %s are refused: the peer there is %s (IPv%c_Destination_Address); "
			"CheckSource Off takes them from any address",
			from, l->ifname, peer, l->family == AF_INET ? '4' : '6');
	else if (r->why == REFUSED_PORT)
		log_put(log, LV_WARNING,
			"datagrams from %s port %u on %s are refused: the peer sends from port %u, another program of "
			"its host sends these",
			from, r->from.port, l->ifname, l->port);
	else if (r->why == REFUSED_CROWD)
		log_put(log, LV_WARNING, "datagrams from %s on %s are refused: there are %u other senders", from,
			l->ifname, SENDERS_PEERS);
	else
		log_put(log, LV_WARNING, "both ends of the link on %s are %s: this node hears itself there", l->ifname,
			from);
}

/* The peer's host answers that nobody has the port. Peers are stopped now and then: only when that goes on. */
static void
bounces(struct notice *n, const struct link *l, unsigned int i, struct log *log, uint64_t now)
{
	char peer[INET6_ADDRSTRLEN];

	if (l->channel == NULL || l->failed_at == 0 || now - l->failed_at >= BOUNCE_PAUSE_MS ||
	    l->channel->send_error != -ECONNREFUSED) {
		n->bouncing_since[i] = 0;
		return;
	}
	if (n->bouncing_since[i] == 0)
		n->bouncing_since[i] = now;
	if (now - n->bouncing_since[i] < BOUNCE_MS ||
	    (n->bounced_at[i] > 0 && now - n->bounced_at[i] < BOUNCE_AGAIN_MS))
		return;
	n->bounced_at[i] = now;
	log_put(log, LV_WARNING,
		"nobody listens on port %u of %s, says its host: does conntrackd run there, and with this Port?",
		l->conf->port, text_of(l->conf->family, l->conf->peer, peer));
}

static void
link_turn(struct notice *n, struct links *ls, unsigned int i, struct log *log, uint64_t now)
{
	const struct refused *r = senders_to_name(&ls->senders, i, now);
	const struct channel_from *alias = &ls->senders.link[i].alias;
	const struct link *l = &ls->link[i];
	char from[INET6_ADDRSTRLEN], peer[INET6_ADDRSTRLEN];

	if (r != NULL)
		refused(ls, i, r, log);
	bounces(n, l, i, log, now);
	if (alias->family != 0 && memcmp(alias->addr, n->alias[i].addr, sizeof(alias->addr)) != 0) {
		n->alias[i] = *alias;
		log_put(log, LV_NOTICE,
			"the peer %s on %s sends from %s: it acknowledges what is sent to it, and is taken",
			text_of(l->conf->family, l->conf->peer, peer), l->conf->ifname,
			text_of(alias->family, alias->addr, from));
	}
	if (l->channel != NULL && l->ifindex == 0 && (n->unbound >> i & 1) == 0) {
		n->unbound |= 1U << i;
		log_put(log, LV_NOTICE,
			"link %u is not bound to %s, which is not the device of its address: datagrams of the peer are "
			"taken "
			"from every device",
			i + 1, l->conf->ifname);
	}
	if (links_unserved(ls, i, now) && (n->unserved >> i & 1) == 0) {
		n->unserved |= 1U << i;
		log_put(log, LV_WARNING,
			"the peer %s speaks, but %s is the one that is sent to: with UDP there is one at a time, "
			"Multicast "
			"reaches all",
			text_of(l->conf->family, l->conf->peer, peer),
			text_of(l->conf->family, ls->link[ls->active].conf->peer, from));
	}
}

static enum odds
odds_of(const struct mode_peer *p, enum conf_mode own)
{
	const bool ftfw = own == MODE_FTFW;

	if (p->speaks == SPEAKS_FTFW && ftfw)
		return p->in_sync ? ODDS_NONE : ODDS_DEAF;
	if (p->speaks == SPEAKS_FTFW)
		return ODDS_FTFW;
	if (p->speaks == SPEAKS_SHY && own != MODE_NOTRACK)
		return ODDS_NOTRACK;
	if (p->speaks == SPEAKS_ALARM && own != MODE_ALARM)
		return ODDS_ALARM;
	return ftfw && !p->in_sync ? ODDS_DEAF : ODDS_NONE;
}

static void
tell_odds(const char *who, enum odds what, enum conf_mode own, struct log *log)
{
	static const char *const modes[] = {
		[ODDS_FTFW] = "FTFW",
		[ODDS_NOTRACK] = "NOTRACK",
		[ODDS_ALARM] = "ALARM",
	};

	if (what == ODDS_DEAF)
		log_put(log, LV_WARNING,
			"the peer %s is heard, but does not acknowledge: does it hear this node (addresses, Port, "
			"packet "
			"filter), and is its Mode FTFW, too?",
			who);
	else if (what != ODDS_NONE)
		log_put(log, LV_WARNING,
			"the peer %s seems to run Mode %s%s: this node has another Mode, nothing is certain to arrive",
			who, modes[what],
			what == ODDS_NOTRACK && own == MODE_FTFW ? " (or does not hear this node)" : "");
	else
		log_put(log, LV_NOTICE, "the peer %s speaks as it should again", who);
}

static void
peer_turn(struct notice *n, const struct links *ls, unsigned int i, const struct mode *m, enum conf_mode own,
	  struct log *log, uint64_t now)
{
	const struct channel_from *from = senders_address(&ls->senders, i);
	char addr[INET6_ADDRSTRLEN];
	struct mode_peer p;
	enum odds odds;

	m->ops->peer(m, i, &p, now);
	if (p.heard == 0 || from == NULL)
		n->odds[i] = n->told[i] = ODDS_NONE;
	if (p.heard == 0 || from == NULL || now - p.heard >= MODE_LIVE_MS)
		return;
	if ((odds = odds_of(&p, own)) != n->odds[i]) {
		n->odds[i] = (uint8_t)odds;
		n->odd_since[i] = now;
	}
	if (odds == n->told[i] || now - n->odd_since[i] < SETTLED_MS)
		return;
	n->told[i] = (uint8_t)odds;
	tell_odds(text_of(from->family, from->addr, addr), odds, own, log);
}

enum odds
notice_odds(const struct notice *n, unsigned int peer)
{
	return (enum odds)n->told[peer];
}

void
notice_turn(struct notice *n, struct links *ls, const struct mode *m, enum conf_mode own, struct log *log, uint64_t now)
{
	for (unsigned int i = 0; i < ls->n; i++)
		link_turn(n, ls, i, log, now);
	for (unsigned int i = 0; i < MODE_PEERS; i++)
		peer_turn(n, ls, i, m, own, log, now);
}

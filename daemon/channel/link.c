/*
 * Choice of the sending link. What comes in is judged by its source (senders.c) before anything else.
 */
#include "link.h"

#include <errno.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define STAYS_MS 5000 /* as long as the peer on the sending link speaks, another peer does not draw us away */

static bool
link_usable(const struct link *l)
{
	return l->channel != NULL && l->status == LINK_RUNNING;
}

enum link_status
link_probe(void *arg, const struct link *l, uint32_t *ifindex)
{
	struct ifreq ifr = {0};
	int flags;

	(void)arg;
	if (l->channel == NULL)
		return LINK_DOWN;
	memcpy(ifr.ifr_name, l->conf->ifname, sizeof(ifr.ifr_name) - 1);
	if (ioctl(l->channel->tx, SIOCGIFFLAGS, &ifr) < 0)
		return LINK_DOWN;
	flags = ifr.ifr_flags;
	if (ioctl(l->channel->tx, SIOCGIFINDEX, &ifr) == 0)
		*ifindex = (uint32_t)ifr.ifr_ifindex;
	if ((flags & IFF_UP) == 0)
		return LINK_DOWN;
	return flags & IFF_RUNNING ? LINK_RUNNING : LINK_NO_CARRIER;
}

void
links_init(struct links *ls, const struct conf *conf, const struct links_env *env)
{
	*ls = (struct links){.env = *env, .n = conf->n_links};
	senders_init(&ls->senders, conf);
	ls->senders.arg = env->arg;
	ls->senders.proves = env->proves;
	ls->senders.forget_peer = env->forget_peer;
	for (unsigned int i = 0; i < ls->n; i++) {
		ls->link[i].conf = &conf->link[i];
		if (conf->link[i].is_default)
			ls->active = i;
	}
}

static void
add_stats(struct fig_link *to, const struct fig_link *s)
{
#define ADD(member, name, kind, unit, help, warning) to->member += s->member;
	FIGURES_LINK(ADD)
#undef ADD
}

static void
link_close(struct links *ls, unsigned int i)
{
	struct link *l = &ls->link[i];

	if (l->channel == NULL)
		return;
	ls->env.closing(ls->env.arg, i);
	add_stats(&l->past, &l->channel->stats);
	channel_free(l->channel);
	l->channel = NULL;
}

void
links_clear(struct links *ls)
{
	for (unsigned int i = 0; i < ls->n; i++)
		link_close(ls, i);
}

static void
say(struct links *ls, const char *ifname)
{
	ls->none = ifname == NULL;
	ls->env.dedicated(ls->env.arg, ifname);
}

/* Deleted and made again: the sockets are bound to the old device. Some are bound to none. */
static void
note_device(struct link *l, uint32_t ifindex)
{
	l->reopen = l->ifindex != 0 && ifindex != l->ifindex;
	if (l->reopen)
		l->status = LINK_DOWN;
}

int
links_open(struct links *ls, unsigned int i, const struct msg_channel *mc, int rx, int tx)
{
	struct channel_conf cc = {.mtu = mc->mtu};
	struct link *l = &ls->link[i < ls->n ? i : 0];
	uint32_t ifindex = mc->ifindex;

	if (i >= ls->n || (l->reopen && ifindex == l->ifindex)) { /* unknown, or still those of the old device */
		close(rx);
		close(tx);
		return i >= ls->n ? -EINVAL : -ENODEV;
	}
	link_close(ls, i);
	cc.link = l->conf;
	if ((l->channel = udp_new(&cc, rx, tx)) == NULL)
		return -ENOMEM;
	l->ifindex = mc->ifindex;
	l->reopen = false;
	ls->env.opened(ls->env.arg, i);
	l->status = (uint8_t)ls->env.probe(ls->env.arg, l, &ifindex);
	note_device(l, ifindex);
	if (i == ls->active)
		ls->usable = link_usable(l);
	if (ls->none && ls->usable)
		say(ls, l->conf->ifname);
	return 0;
}

static void
activate(struct links *ls, unsigned int i)
{
	struct link *old = &ls->link[ls->active], *l = &ls->link[i];

	if (i != ls->active && old->channel != NULL && l->channel != NULL)
		channel_move(old->channel, l->channel);
	ls->active = i;
	ls->usable = link_usable(l);
}

static void
fail_over(struct links *ls)
{
	for (unsigned int i = 0; i < ls->n; i++)
		if (i != ls->active && link_usable(&ls->link[i])) {
			activate(ls, i);
			say(ls, ls->link[i].conf->ifname);
			return;
		}
	if (ls->usable)
		say(ls, NULL);
	ls->usable = false;
}

static void
note_failures(struct link *l, uint64_t now)
{
	const uint64_t failed = l->channel != NULL ? l->channel->stats.sent_errors + l->channel->stats.bounced : 0;

	if (failed > l->failed)
		l->failed_at = now;
	l->failed = failed;
}

void
links_poll(struct links *ls, uint64_t now)
{
	for (unsigned int i = 0; i < ls->n; i++) {
		struct link *l = &ls->link[i];
		uint32_t ifindex = l->ifindex;

		l->status = (uint8_t)ls->env.probe(ls->env.arg, l, &ifindex);
		note_device(l, ifindex);
		note_failures(l, now);
	}
	if (ls->n == 0)
		return;
	if (!link_usable(&ls->link[ls->active]))
		fail_over(ls);
	else if (!ls->usable) {
		ls->usable = true;
		say(ls, ls->link[ls->active].conf->ifname);
	}
}

static bool
heard_lately(const struct link *l, uint64_t now)
{
	return l->heard > 0 && now - l->heard < STAYS_MS;
}

/* The peer sends there, so do we. */
static void
follow(struct links *ls, unsigned int i, uint64_t now)
{
	const struct link *l = &ls->link[i], *old = &ls->link[ls->active];

	if (i == ls->active || !link_usable(l) || (old->peer != l->peer && heard_lately(old, now)))
		return;
	activate(ls, i);
	if (ls->none)
		say(ls, l->conf->ifname);
}

bool
links_datagram(struct links *ls, unsigned int i, const struct channel_from *from, const uint8_t *data, size_t len,
	       uint64_t now)
{
	const struct verdict v = senders_judge(&ls->senders, i, from, data, len, now);
	struct link *l = &ls->link[v.link];

	if (v.why != REFUSED_NOT) {
		l->refused++;
		return false;
	}
	if (!ls->env.datagram(ls->env.arg, v.peer, data, len))
		return true;
	senders_proved(&ls->senders, &v, from);
	l->heard = now;
	l->peer = v.peer;
	follow(ls, v.link, now);
	return true;
}

struct reading {
	struct links *ls;
	unsigned int link;
	uint64_t now;
};

static bool
take(void *arg, const struct channel_from *from, const uint8_t *data, size_t len)
{
	const struct reading *r = arg;

	return links_datagram(r->ls, r->link, from, data, len, r->now);
}

unsigned int
links_recv(struct links *ls, unsigned int i, unsigned int max, uint64_t now)
{
	struct reading r = {ls, i, now};

	return ls->link[i].channel != NULL ? (unsigned int)channel_recv(ls->link[i].channel, max, take, &r) : 0;
}

bool
links_unserved(const struct links *ls, unsigned int i, uint64_t now)
{
	const struct link *l = &ls->link[i], *active = &ls->link[ls->active];

	return l->conf->kind == LINK_UDP && heard_lately(l, now) && heard_lately(active, now) &&
	       l->peer != active->peer;
}

struct channel *
links_active(const struct links *ls)
{
	return ls->n > 0 && ls->usable ? ls->link[ls->active].channel : NULL;
}

struct fig_link
links_stats(const struct links *ls, unsigned int i)
{
	struct fig_link s = ls->link[i].past;

	if (ls->link[i].channel != NULL)
		add_stats(&s, &ls->link[i].channel->stats);
	s.foreign = ls->link[i].refused;
	return s;
}

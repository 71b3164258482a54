/*
 * Choice of the sending link. Called by the sync role, from its timer and from its receive path.
 */
#include "link.h"

#include <errno.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

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
	for (unsigned int i = 0; i < ls->n; i++) {
		ls->link[i].conf = &conf->link[i];
		ls->link[i].any_source = conf->link_any_source[i];
		if (conf->link[i].is_default)
			ls->active = i;
	}
}

static void
add_stats(struct channel_stats *to, const struct channel_stats *s)
{
	to->sent_bytes += s->sent_bytes;
	to->sent_pkts += s->sent_pkts;
	to->sent_errors += s->sent_errors;
	to->recv_bytes += s->recv_bytes;
	to->recv_pkts += s->recv_pkts;
	to->recv_errors += s->recv_errors;
	to->foreign += s->foreign;
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
	cc.any_source = l->any_source;
	if ((l->channel = udp_new(&cc, rx, tx)) == NULL)
		return -ENOMEM;
	l->ifindex = mc->ifindex;
	l->reopen = false;
	ls->env.opened(ls->env.arg, i);
	l->status = (uint8_t)ls->env.probe(ls->env.arg, l, &ifindex);
	l->reopen = ifindex != l->ifindex;
	if (l->reopen)
		l->status = LINK_DOWN;
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

void
links_poll(struct links *ls)
{
	for (unsigned int i = 0; i < ls->n; i++) {
		struct link *l = &ls->link[i];
		uint32_t ifindex = l->ifindex;

		l->status = (uint8_t)ls->env.probe(ls->env.arg, l, &ifindex);
		l->reopen = ifindex != l->ifindex;
		if (l->reopen) /* deleted and made again: the sockets are bound to the old device */
			l->status = LINK_DOWN;
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

void
links_heard(struct links *ls, unsigned int i)
{
	if (i == ls->active || i >= ls->n || !link_usable(&ls->link[i]))
		return;
	activate(ls, i);
	if (ls->none)
		say(ls, ls->link[i].conf->ifname);
}

struct channel *
links_active(const struct links *ls)
{
	return ls->n > 0 && ls->usable ? ls->link[ls->active].channel : NULL;
}

struct channel_stats
links_stats(const struct links *ls, unsigned int i)
{
	struct channel_stats s = ls->link[i].past;

	if (ls->link[i].channel != NULL)
		add_stats(&s, &ls->link[i].channel->stats);
	return s;
}

#include "senders.h"

#include <netinet/in.h>
#include <string.h>

#define PROOF_QUIET_MS 3000   /* the configured address must be silent so long before another one may be the peer's */
#define PROOF_PAUSE_MS 500    /* between claims that are looked at: numbers cannot be guessed in time */
#define FRESH_MS       600000 /* refused ones are remembered so long */
#define NAME_AFTER_MS  5000   /* before that it may prove to be the peer */
#define NAME_AGAIN_MS  3600000
#define NAME_PAUSE_MS  10000 /* between lines about one link */

static bool
same_addr(const struct channel_from *a, const struct channel_from *b)
{
	return a->family == b->family && memcmp(a->addr, b->addr, sizeof(a->addr)) == 0;
}

static struct channel_from
from_of(const struct msg_link *l, const uint8_t *addr)
{
	struct channel_from f = {.family = l->family, .port = l->port};

	memcpy(f.addr, addr, l->family == AF_INET ? 4 : 16);
	return f;
}

static bool
same_end(const struct msg_link *a, const struct msg_link *b)
{
	return a->kind == b->kind && a->family == b->family && a->port == b->port &&
	       memcmp(a->local, b->local, sizeof(a->local)) == 0 && strcmp(a->ifname, b->ifname) == 0 &&
	       (a->kind == LINK_UDP || memcmp(a->peer, b->peer, sizeof(a->peer)) == 0);
}

void
senders_init(struct senders *s, const struct conf *conf)
{
	*s = (struct senders){.n = conf->n_links};
	for (unsigned int i = 0; i < s->n; i++) {
		struct sender_link *l = &s->link[i];

		l->conf = &conf->link[i];
		l->check = l->conf->kind == LINK_UDP && !conf->link_any_source[i];
		l->any_port = conf->link_any_source[i];
		while (!same_end(&conf->link[l->end], l->conf))
			l->end++;
	}
}

/* --- who is refused --- */

/* Where to count it: with its like, else in the place of the one that has been quiet longest. */
static struct refused *
place_of(struct sender_link *l, const struct channel_from *from, enum refusal why)
{
	struct refused *oldest = &l->refused[0];

	for (unsigned int i = 0; i < REFUSED_MAX; i++) {
		struct refused *r = &l->refused[i];

		if (r->why == why && same_addr(&r->from, from))
			return r;
		if (oldest->why != REFUSED_NOT && (r->why == REFUSED_NOT || r->at < oldest->at))
			oldest = r;
	}
	*oldest = (struct refused){.why = (uint8_t)why};
	return oldest;
}

static struct verdict
refuse(struct senders *s, unsigned int link, const struct channel_from *from, enum refusal why, uint64_t now)
{
	struct refused *r = place_of(&s->link[link], from, why);

	if (r->count++ == 0 || now - r->at >= FRESH_MS)
		r->since = now;
	r->from = *from;
	r->at = now;
	return (struct verdict){.why = (uint8_t)why, .link = link};
}

const struct refused *
senders_refused(const struct senders *s, unsigned int link, unsigned int i, uint64_t now)
{
	for (unsigned int k = 0; k < REFUSED_MAX; k++) {
		const struct refused *r = &s->link[link].refused[k];

		if (r->why != REFUSED_NOT && now - r->at < FRESH_MS && i-- == 0)
			return r;
	}
	return NULL;
}

const struct refused *
senders_to_name(struct senders *s, unsigned int link, uint64_t now)
{
	struct sender_link *l = &s->link[link];

	if (l->named_at > 0 && now - l->named_at < NAME_PAUSE_MS)
		return NULL;
	for (unsigned int k = 0; k < REFUSED_MAX; k++) {
		struct refused *r = &l->refused[k];

		if (r->why != REFUSED_NOT && now - r->since >= NAME_AFTER_MS && now - r->at < NAME_AFTER_MS &&
		    (r->said_at == 0 || now - r->said_at >= NAME_AGAIN_MS)) {
			r->said_at = l->named_at = now;
			return r;
		}
	}
	return NULL;
}

/* --- whose link it is --- */

/* The link of that local end whose peer has the address, by configuration or by proof. */
static int
link_of(const struct senders *s, unsigned int end, const struct channel_from *from)
{
	for (unsigned int i = end; i < s->n; i++) {
		const struct sender_link *l = &s->link[i];
		const struct channel_from peer = from_of(l->conf, l->conf->peer);

		if (l->end == end && (same_addr(from, &peer) || (l->alias.family != 0 && same_addr(from, &l->alias))))
			return (int)i;
	}
	return -1;
}

/* A peer of 1.4.x does not bind the address that it sends from: when its device has a second one, that may be the one.
 * Who acknowledges what we sent to the configured address receives there. */
static bool
is_peer_elsewhere(struct senders *s, struct sender_link *l, const struct channel_from *from, const uint8_t *data,
		  size_t len, uint64_t now)
{
	int claim;

	if ((l->heard > 0 && now - l->heard < PROOF_QUIET_MS) || (claim = s->proves(s->arg, data, len)) < 0 ||
	    (l->tried_at > 0 && now - l->tried_at < PROOF_PAUSE_MS))
		return false;
	l->tried_at = now;
	if (claim == 0)
		return false;
	l->alias = *from;
	l->alias_at = now;
	for (unsigned int i = 0; i < REFUSED_MAX; i++)
		if (same_addr(&l->refused[i].from, from))
			l->refused[i] = (struct refused){.why = REFUSED_NOT};
	return true;
}

/* Our own socket, where both ends of the link are one address. */
static bool
is_ourselves(const struct sender_link *l, const struct channel_from *from)
{
	const struct channel_from own = from_of(l->conf, l->conf->local);

	return l->conf->kind == LINK_UDP && from->port == l->conf->port && same_addr(from, &own);
}

/* --- whose peer it is --- */

static struct sender *
sender_of(struct senders *s, unsigned int end, const struct channel_from *from)
{
	for (unsigned int i = 0; i < SENDERS_MAX; i++)
		if (s->sender[i].used && s->sender[i].end == end && same_addr(&s->sender[i].from, from))
			return &s->sender[i];
	return NULL;
}

/* The number of the peer that a link with CheckSource leads to; -1: it was not heard yet. */
static int
peer_of_link(const struct senders *s, unsigned int link)
{
	for (unsigned int i = 0; i < SENDERS_MAX; i++)
		if (s->sender[i].used && s->sender[i].end == s->link[link].end &&
		    link_of(s, s->link[link].end, &s->sender[i].from) == (int)link)
			return s->sender[i].peer;
	return -1;
}

/* The only peer that is known, when this may be it on another link; -1. */
static int
the_one_peer(const struct senders *s, unsigned int end)
{
	int peer = -1;

	for (unsigned int i = 0; i < SENDERS_MAX; i++) {
		const struct sender *x = &s->sender[i];

		if (!x->used || !x->proved)
			continue;
		if (x->end == end || (peer >= 0 && peer != x->peer))
			return -1;
		peer = x->peer;
	}
	return peer;
}

static int
free_number(const struct senders *s)
{
	uint32_t taken = 0;

	for (unsigned int i = 0; i < SENDERS_MAX; i++)
		taken |= s->sender[i].used ? 1U << s->sender[i].peer : 0;
	for (int n = 0; n < SENDERS_PEERS; n++)
		if ((taken >> n & 1) == 0)
			return n;
	return -1;
}

/* An address that was silent for long makes room, or at once one that never said anything of the protocol. */
static bool
make_room(struct senders *s, uint64_t now)
{
	struct sender *oldest = NULL;

	for (unsigned int i = 0; i < SENDERS_MAX; i++) {
		struct sender *x = &s->sender[i];

		if (x->used && (!x->proved || now - x->heard >= SENDER_STAYS_MS) &&
		    (oldest == NULL || x->proved < oldest->proved ||
		     (x->proved == oldest->proved && x->heard < oldest->heard)))
			oldest = x;
	}
	if (oldest == NULL)
		return false;
	oldest->used = false;
	for (unsigned int i = 0; i < SENDERS_MAX; i++)
		if (s->sender[i].used && s->sender[i].peer == oldest->peer)
			return true;
	s->forget_peer(s->arg, oldest->peer);
	return true;
}

static struct sender *
unused(struct senders *s)
{
	for (unsigned int i = 0; i < SENDERS_MAX; i++)
		if (!s->sender[i].used)
			return &s->sender[i];
	return NULL;
}

static struct sender *
new_sender(struct senders *s, unsigned int link, const struct channel_from *from, uint64_t now)
{
	const unsigned int end = s->link[link].end;
	int peer = s->link[link].check ? peer_of_link(s, link) : -1;
	struct sender *x;

	if (peer < 0)
		peer = the_one_peer(s, end);
	while ((x = unused(s)) == NULL || (peer < 0 && (peer = free_number(s)) < 0))
		if (!make_room(s, now))
			return NULL;
	*x = (struct sender){.used = true, .end = (uint8_t)end, .peer = (uint8_t)peer, .from = *from};
	return x;
}

/* The configured address speaks again: the other one is nobody's. */
static void
note_heard(struct sender_link *l, const struct channel_from *from, uint64_t now)
{
	if (l->alias.family != 0 && same_addr(&l->alias, from)) {
		l->alias_at = now;
		return;
	}
	l->alias.family = 0;
	l->heard = now;
}

struct verdict
senders_judge(struct senders *s, unsigned int link, const struct channel_from *from, const uint8_t *data, size_t len,
	      uint64_t now)
{
	struct sender_link *l = &s->link[link];
	struct sender *x;
	int at = (int)link;

	if (is_ourselves(l, from))
		return refuse(s, link, from, REFUSED_OURSELVES, now);
	if (now - l->alias_at >= SENDER_STAYS_MS) /* silent for long: to be proved anew */
		l->alias.family = 0;
	if (l->check && (at = link_of(s, l->end, from)) < 0) {
		if (!is_peer_elsewhere(s, l, from, data, len, now))
			return refuse(s, link, from, REFUSED_ADDRESS, now);
		at = (int)link;
	}
	l = &s->link[at];
	if ((x = sender_of(s, l->end, from)) == NULL && (x = new_sender(s, (unsigned int)at, from, now)) == NULL)
		return refuse(s, (unsigned int)at, from, REFUSED_CROWD, now);
	if (from->port == l->conf->port)
		x->own_port_at = now;
	else if (!l->any_port && x->own_port_at > 0 && now - x->own_port_at < OWN_PORT_MS)
		return refuse(s, (unsigned int)at, from, REFUSED_PORT, now);
	x->heard = now;
	note_heard(l, from, now);
	return (struct verdict){.link = (unsigned int)at, .peer = x->peer};
}

void
senders_proved(struct senders *s, const struct verdict *v, const struct channel_from *from)
{
	struct sender *x = sender_of(s, s->link[v->link].end, from);

	if (x != NULL)
		x->proved = true;
}

static const struct sender *
last_of(const struct senders *s, unsigned int peer)
{
	const struct sender *best = NULL;

	for (unsigned int i = 0; i < SENDERS_MAX; i++)
		if (s->sender[i].used && s->sender[i].peer == peer &&
		    (best == NULL || s->sender[i].heard > best->heard))
			best = &s->sender[i];
	return best;
}

const struct channel_from *
senders_address(const struct senders *s, unsigned int peer)
{
	const struct sender *x = last_of(s, peer);

	return x != NULL ? &x->from : NULL;
}

unsigned int
senders_link(const struct senders *s, unsigned int peer)
{
	const struct sender *x = last_of(s, peer);

	return x != NULL ? x->end : 0;
}

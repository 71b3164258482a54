/*
 * Who speaks on the links: whose datagrams are taken, by which link and peer they count, and who is refused and why.
 * Addresses are whatever a stranger writes into a packet; how many are remembered is bounded.
 *
 * A peer is a number below SENDERS_PEERS. On a UDP link with CheckSource it is the configured one, whatever address it
 * sends from; elsewhere every source address is a peer. One that is first heard on another link while only one peer is
 * known is that one: it has changed the link.
 */
#ifndef SENDERS_H
#define SENDERS_H

#include "channel.h"
#include "conf.h"

#define SENDERS_PEERS   16
#define SENDERS_MAX     32 /* addresses: a peer has one on each link */
#define REFUSED_MAX     8  /* remembered of each link */
#define OWN_PORT_MS     60000
#define SENDER_STAYS_MS 60000

enum refusal {
	REFUSED_NOT,
	REFUSED_ADDRESS,   /* not the configured peer's: CheckSource Off would take it */
	REFUSED_PORT,      /* the peer speaks from the link's port: this is another program of its host */
	REFUSED_CROWD,     /* more senders than are told apart */
	REFUSED_OURSELVES, /* both ends of the link are one address */
};

/* Datagrams of one address that were refused for one reason. at: the last one. */
struct refused {
	uint8_t why; /* enum refusal; REFUSED_NOT: unused */
	struct channel_from from;
	uint64_t count, since, at, said_at;
};

struct sender {
	bool used, proved; /* proved: it has sent a message of the protocol */
	uint8_t end, peer;
	struct channel_from from;
	uint64_t heard, own_port_at; /* own_port_at: when it last spoke from the link's port; 0 never */
};

struct sender_link {
	const struct msg_link *conf;
	bool check;    /* CheckSource, and no group */
	bool any_port; /* CheckSource off */
	uint8_t end;   /* the first link with the same local end: the kernel cannot tell their sockets apart */
	struct channel_from alias; /* another address that the peer sends from, as it has proved; family 0: none */
	uint64_t alias_at, heard, tried_at, named_at;
	struct refused refused[REFUSED_MAX];
};

struct senders {
	struct sender_link link[MSG_LINKS_MAX];
	unsigned int n;
	struct sender sender[SENDERS_MAX];
	void *arg;
	/* Whether a datagram can only come from who receives what we send: 1; 0: it claims so, wrongly; -1: it does
	 * not. */
	int (*proves)(void *arg, const uint8_t *data, size_t len);
	/* The number will be another peer's. */
	void (*forget_peer)(void *arg, unsigned int peer);
};

/* What became of a datagram. */
struct verdict {
	uint8_t why; /* enum refusal; else not taken, and counted there */
	unsigned int link, peer;
};

/* arg and the callbacks are the owner's to set. */
void senders_init(struct senders *s, const struct conf *conf);
/* Judges a datagram that came in on a link. now: milliseconds. */
struct verdict senders_judge(struct senders *s, unsigned int link, const struct channel_from *from, const uint8_t *data,
			     size_t len, uint64_t now);
/* In a datagram of that verdict was a message of the protocol. */
void senders_proved(struct senders *s, const struct verdict *v, const struct channel_from *from);
/* A refused address of the link that is worth a line in the log now, NULL: none. Each comes once, and hourly while it
 * goes on. */
const struct refused *senders_to_name(struct senders *s, unsigned int link, uint64_t now);
/* The i-th address that was refused on a link in the last ten minutes; NULL: no more. */
const struct refused *senders_refused(const struct senders *s, unsigned int link, unsigned int i, uint64_t now);
/* The address that the peer was last heard from; NULL: none. */
const struct channel_from *senders_address(const struct senders *s, unsigned int peer);
/* And the link, the first of its local end. */
unsigned int senders_link(const struct senders *s, unsigned int peer);

#endif

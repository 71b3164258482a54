/*
 * The table of what helpers may expect, one row for each helper and situation, and the rules around it.
 */
#include "queue.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

enum { T = 1, U = 2, TU = 3 };                 /* TCP, UDP */
enum { ORIG = 1, REPLY = 2, BOTH = 3 };        /* direction of the packet */
enum { FREE = 1, CHILD = 2, EVERY = 3 };       /* is the flow itself an expected one */
enum { PERM = 1, FOLLOW = 2, FOREIGN = 4 };    /* may be permanent; may have the helper; other hosts, if configured */
enum { NAT_ORIG, NAT_REPLY, NAT_NONE };        /* direction of the expected flow, when the master is translated */
enum { SAID, O_SRC, O_DST, R_DST, CLIENT_V6 }; /* destination port: in the packet; of the tuple; 546 */

/* one row a line */
/* clang-format off */
static const struct situation {
	uint8_t kind, l4, dir, child; /* of the flow and the packet */
	uint8_t src, dst, expect_l4, sport /* 1: the destination port of the question */, dport, nat, flags;
} situations[] = {
	/* client commands: the server connects to the client; then server replies */
	{HELPER_FTP, T, ORIG, EVERY, REF_REPLY_SRC, REF_REPLY_DST, T, 0, SAID, NAT_REPLY, 0},
	{HELPER_FTP, T, REPLY, EVERY, REF_ORIG_SRC, REF_ORIG_DST, T, 0, SAID, NAT_ORIG, 0},
	{HELPER_FTP, T, ORIG, EVERY, REF_REPLY_SRC, REF_FOREIGN, T, 0, SAID, NAT_NONE, FOREIGN},
	{HELPER_FTP, T, REPLY, EVERY, REF_ORIG_SRC, REF_FOREIGN, T, 0, SAID, NAT_NONE, FOREIGN},
	/* requests, wherever they come from: the answer is from another port of the server */
	{HELPER_TFTP, U, BOTH, EVERY, REF_REPLY_SRC, REF_REPLY_DST, U, 0, R_DST, NAT_REPLY, 0},
	/* answers that name a port of the server */
	{HELPER_RPC, TU, REPLY, EVERY, REF_ORIG_SRC, REF_ORIG_DST, TU, 0, SAID, NAT_ORIG, PERM},
	{HELPER_TNS, T, REPLY, EVERY, REF_ORIG_SRC, REF_ORIG_DST, T, 0, SAID, NAT_ORIG, 0},
	{HELPER_TNS, T, REPLY, EVERY, REF_ORIG_SRC, REF_FOREIGN, T, 0, SAID, NAT_NONE, FOREIGN},
	{HELPER_SANE, T, REPLY, EVERY, REF_ORIG_SRC, REF_ORIG_DST, T, 0, SAID, NAT_ORIG, 0},
	{HELPER_AMANDA, U, REPLY, EVERY, REF_ORIG_SRC, REF_ORIG_DST, T, 0, SAID, NAT_ORIG, 0},
	/* questions to a group: anybody may answer to where they came from */
	{HELPER_MDNS, U, ORIG, EVERY, REF_ANY, REF_ORIG_SRC, U, 1, O_SRC, NAT_NONE, PERM},
	{HELPER_SLP, U, ORIG, EVERY, REF_ANY, REF_ORIG_SRC, U, 1, O_SRC, NAT_NONE, PERM},
	{HELPER_DHCPV6, U, ORIG, EVERY, REF_ANY, REF_ORIG_SRC, U, 0, CLIENT_V6, NAT_NONE, PERM},
	/* search, LOCATION in the answer to it, SUBSCRIBE, NOTIFY */
	{HELPER_SSDP, U, ORIG, FREE, REF_ANY, REF_ORIG_SRC, U, 0, O_SRC, NAT_NONE, PERM | FOLLOW},
	{HELPER_SSDP, U, ORIG, CHILD, REF_ANY, REF_ORIG_SRC, T, 0, SAID, NAT_NONE, PERM | FOLLOW},
	{HELPER_SSDP, T, ORIG, EVERY, REF_REPLY_SRC, REF_REPLY_DST, T, 0, SAID, NAT_REPLY, FOLLOW},
	{HELPER_SSDP, T, ORIG, EVERY, REF_ORIG_SRC, REF_ORIG_DST, T, 0, O_DST, NAT_ORIG, FOLLOW},
};

/* What a kind may do besides: expectations of one packet, flows whose text may be edited, timeouts. */
static const struct kind {
	const char *name;
	uint8_t most, edits;
	uint16_t timeout[6];
} kinds[HELPER_KINDS] = {
	[HELPER_AMANDA] = {"amanda", 3, U, {300}}, [HELPER_DHCPV6] = {"dhcpv6", 1, 0, {120, 30, 4, 600, 1}},
	[HELPER_FTP] = {"ftp", 1, T, {0}}, [HELPER_MDNS] = {"mdns", 1, 0, {0}}, [HELPER_RPC] = {"rpc", 1, 0, {0}},
	[HELPER_SANE] = {"sane", 1, 0, {0}}, [HELPER_SLP] = {"slp", 1, 0, {0}}, [HELPER_SSDP] = {"ssdp", 1, T, {0}},
	[HELPER_TFTP] = {"tftp", 1, 0, {0}}, [HELPER_TNS] = {"tns", 1, T, {0}},
};
/* clang-format on */

const char *
helper_name(uint8_t kind)
{
	return kind < HELPER_KINDS ? kinds[kind].name : "?";
}

static uint8_t
l4_bit(uint8_t proto)
{
	return proto == IPPROTO_TCP ? T : proto == IPPROTO_UDP ? U : 0;
}

static const struct situation *
situation_of(const struct queue_conf *c, const struct packet *p, const struct msg_expect *e)
{
	uint8_t l4 = l4_bit(p->facts.orig.proto), dir = p->facts.ct_info < 3 ? ORIG : REPLY;
	uint8_t child = p->facts.has_master ? CHILD : FREE;

	for (const struct situation *s = situations; s < situations + sizeof(situations) / sizeof(*s); s++)
		if (s->kind == c->kind && s->l4 & l4 && s->dir & dir && s->child & child && s->src == e->src &&
		    s->dst == e->dst && ((s->flags & FOREIGN) == 0 || c->flags & QUEUE_FOREIGN))
			return s;
	return NULL;
}

int
policy_nat_direction(const struct queue_conf *c, const struct packet *p, const struct msg_expect *e)
{
	const struct situation *s = situation_of(c, p, e);

	return s == NULL || s->nat == NAT_NONE || (p->facts.status & STATUS_NAT) == 0 ? -1 : s->nat;
}

/* A port is the one that the flow proves, or, where the packet's content says it, not below the site's minimum,
 * which is 1024 unless configured where anybody may come. The same holds for the port where a translated listener
 * really is. */
static enum count
judge_ports(const struct queue_conf *c, const struct packet *p, const struct situation *s, const struct msg_expect *e)
{
	const struct msg_tuple *o = &p->facts.orig, *r = &p->facts.reply;
	uint16_t least = c->min_port > 0 ? c->min_port : s->src == REF_ANY ? 1024 : 1;
	uint16_t real = ntohs(s->dport == O_DST ? r->sport : o->sport);
	uint16_t proved[] = {0, ntohs(o->sport), ntohs(o->dport), ntohs(r->dport), 546};

	if (e->sport != (s->sport ? ntohs(o->dport) : 0) || e->dport == 0 ||
	    (s->dport == SAID ? e->dport < least : e->dport != proved[s->dport]))
		return BREACH_PORT;
	if ((p->facts.status & STATUS_NAT) == 0)
		return e->nat_port == 0 ? OK : BREACH_NAT;
	return s->nat != NAT_NONE && (s->dport == SAID ? e->nat_port >= least : e->nat_port == real) ? OK : BREACH_NAT;
}

static enum count
judge_expect(const struct queue_conf *c, const struct packet *p, const struct msg_expect *e)
{
	static const uint8_t nowhere[sizeof(e->address)];
	const struct situation *s = situation_of(c, p, e);
	bool named = memcmp(e->address, nowhere, p->facts.family == AF_INET ? 4 : 16) != 0;

	if (s == NULL || named != (e->dst == REF_FOREIGN))
		return BREACH_ADDRESS;
	if ((s->expect_l4 & l4_bit(e->proto)) == 0)
		return BREACH_PROTO;
	if (e->class != 0 || e->permanent > (s->flags & PERM) || e->follow > (s->flags & FOLLOW) / FOLLOW)
		return BREACH_FLAGS;
	return judge_ports(c, p, s, e);
}

/* Old and new text are addresses and ports, with one kind of delimiter at most, which is the sender's; that of TNS may
 * be a blank. */
static bool
text_ok(uint8_t kind, const uint8_t *old, const struct msg_edit *e)
{
	static const char letters[] = "0123456789abcdefABCDEF,.:";
	uint8_t delimiter = 0;

	for (unsigned int i = 0; i < e->old_len + (unsigned int)e->new_len; i++) {
		uint8_t b = i < e->old_len ? old[i] : e->bytes[i - e->old_len];

		if (memchr(letters, b, sizeof(letters) - 1) != NULL || (b == delimiter && b != 0))
			continue;
		if (delimiter != 0 || i >= e->old_len || b < (kind == HELPER_TNS ? 32 : 33) || b > 126)
			return false;
		delimiter = b;
	}
	return true;
}

int
policy_growth(const struct msg_verdict *v)
{
	int growth = 0;

	for (unsigned int i = 0; i < v->n_edits; i++)
		growth += v->edit[i].new_len - v->edit[i].old_len;
	return growth;
}

static enum count
judge_edits(const struct queue_conf *c, const struct packet *p, const struct msg_verdict *v)
{
	const struct msg_packet *f = &p->facts;
	uint32_t at = f->payload, end = f->payload + f->payload_len;
	bool adjusted = f->orig.proto == IPPROTO_UDP || f->family == AF_INET; /* IPv4 TCP by the kernel */

	if ((kinds[c->kind].edits & l4_bit(f->orig.proto)) == 0 || (f->status & STATUS_NAT) == 0 || p->data == NULL)
		return BREACH_EDIT;
	for (const struct msg_edit *e = v->edit; e < v->edit + v->n_edits; at = e->offset + e->old_len, e++) {
		if (e->offset < at || e->offset >= end || e->old_len == 0 || e->old_len > end - e->offset ||
		    e->old_len > sizeof(e->bytes) || e->new_len == 0 || e->new_len > sizeof(e->bytes))
			return BREACH_EDIT;
		if (!text_ok(c->kind, p->data + e->offset, e))
			return BREACH_TEXT;
	}
	return policy_growth(v) > 64 || (policy_growth(v) != 0 && !adjusted) ? BREACH_GROWTH : OK;
}

static bool
timeout_ok(const struct queue_conf *c, const struct packet *p, uint32_t timeout)
{
	for (const uint16_t *known = kinds[c->kind].timeout; *known != 0; known++)
		if (timeout == *known)
			return (p->facts.ct_info >= 3) == (c->kind == HELPER_AMANDA);
	return timeout == 0;
}

enum count
policy_judge(const struct queue_conf *c, const struct packet *p, const struct msg_verdict *v)
{
	unsigned int most = kinds[c->kind].most; /* more than one only of replies, whose flow is in the table */
	enum count breach = OK;

	if (v->accept > 1 || (v->accept == 0 && (c->flags & QUEUE_MAY_DROP) == 0))
		return BREACH_VERDICT;
	if (v->n_expect > (v->accept ? most : 0) || (c->expect_max != 0 && v->n_expect > c->expect_max))
		return BREACH_COUNT;
	if (v->priv_len != c->priv_len)
		return BREACH_PRIVATE;
	if (!timeout_ok(c, p, v->timeout))
		return BREACH_TIMEOUT;
	if (v->n_edits > (v->accept ? sizeof(v->edit) / sizeof(v->edit[0]) : 0))
		return BREACH_EDIT;
	for (unsigned int i = 0; breach == OK && i < v->n_expect; i++)
		breach = judge_expect(c, p, &v->expect[i]);
	return breach == OK && v->n_edits > 0 ? judge_edits(c, p, v) : breach;
}

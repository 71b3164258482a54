/*
 * A helper's worker for tests of ctd-queue: jailed as the real ones. It follows PORT and 227 of FTP, requests of
 * TFTP and answers of Amanda in the simplest way; a payload of "act NAME" makes it break the rules in the way of that
 * name (acts[], spoils[]).
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "helper_msg.h"
#include "roles.h"
#include "msg_rules.h"
#include "setup.h"

static struct chan wall = {.fd = WORKER_FD};
static uint8_t in[MSG_DATA_MAX + sizeof(struct msg_hdr)] __attribute__((aligned(8)));

static void
next(struct msg *m, enum phase phase)
{
	struct pollfd pfd = {wall.fd, POLLIN, 0};
	int r;

	while ((r = chan_recv(&wall, in, sizeof(in), m)) == 0)
		poll(&pfd, 1, -1);
	if (r < 0)
		exit(0);
	if (msg_admit(ROLE_QUEUE, ROLE_HELPER, phase, m) != ADMIT_OK && m->type != MSG_CONF)
		exit(4);
}

static bool
is_nated(const struct msg_packet *p)
{
	return (p->status & 0x30) != 0;
}

static void
expect(struct msg_verdict *v, uint8_t src, uint8_t dst, uint8_t proto, uint16_t dport, uint16_t nat_port)
{
	v->expect[v->n_expect++] =
		(struct msg_expect){.src = src, .dst = dst, .proto = proto, .dport = dport, .nat_port = nat_port};
}

/* h1,h2,h3,h4,p1,p2 at text; where translated the address becomes the one that the other side knows. */
static void
address_port(struct msg_verdict *v, const struct msg_packet *p, const char *text, size_t at)
{
	unsigned int n[6];
	int len = 0;
	bool reply = p->ct_info >= 3;
	const uint8_t *a = reply ? p->orig.dst : p->reply.dst;
	uint16_t port;
	struct msg_edit *e = &v->edit[0];

	if (sscanf(text + at, "%3u,%3u,%3u,%3u,%3u,%3u%n", &n[0], &n[1], &n[2], &n[3], &n[4], &n[5], &len) != 6)
		return;
	port = (uint16_t)(n[4] << 8 | n[5]);
	expect(v, reply ? REF_ORIG_SRC : REF_REPLY_SRC, reply ? REF_ORIG_DST : REF_REPLY_DST, IPPROTO_TCP, port,
	       is_nated(p) ? port : 0);
	if (!is_nated(p) || p->family != AF_INET)
		return;
	e->new_len = (uint16_t)snprintf((char *)e->bytes, sizeof(e->bytes), "%u,%u,%u,%u,%u,%u", a[0], a[1], a[2], a[3],
					n[4], n[5]);
	e->old_len = (uint16_t)len;
	e->offset = p->payload + (uint32_t)at;
	v->n_edits = 1;
}

/* Amanda: the ports of up to three data connections in one answer. */
static void
three_ports(struct msg_verdict *v, const struct msg_packet *p, const char *text)
{
	unsigned int port[3];

	if (sscanf(text, "CONNECT DATA %5u MESG %5u INDEX %5u", &port[0], &port[1], &port[2]) != 3)
		return;
	for (int i = 0; i < 3; i++)
		expect(v, REF_ORIG_SRC, REF_ORIG_DST, IPPROTO_TCP, (uint16_t)port[i],
		       is_nated(p) ? (uint16_t)port[i] : 0);
	v->timeout = 300;
}

static struct msg_verdict
honest(const struct msg_packet *p, const char *text)
{
	struct msg_verdict v = {.seq = p->seq, .accept = 1, .priv_len = p->priv_len};
	const char *open = strchr(text, '(');

	memcpy(v.priv, p->priv, sizeof(v.priv));
	if (v.priv_len > 0)
		v.priv[0]++;
	if (p->orig.proto == IPPROTO_TCP && strncmp(text, "PORT ", 5) == 0)
		address_port(&v, p, text, 5);
	else if (p->orig.proto == IPPROTO_TCP && strncmp(text, "227 ", 4) == 0 && open != NULL)
		address_port(&v, p, text, (size_t)(open - text) + 1);
	else if (p->orig.proto == IPPROTO_UDP && p->payload_len > 2 && text[0] == 0 && (text[1] == 1 || text[1] == 2))
		expect(&v, REF_REPLY_SRC, REF_REPLY_DST, IPPROTO_UDP, ntohs(p->reply.dport),
		       is_nated(p) ? ntohs(p->orig.sport) : 0);
	else if (p->orig.proto == IPPROTO_UDP && p->ct_info >= 3)
		three_ports(&v, p, text);
	return v;
}

/* An answer of ftp's client direction that would pass, for the packet "act NAME 1,2,3,4,5,6": then one thing of it is
 * wrong. The edit is of the six numbers. */
static struct msg_verdict
good(const struct msg_packet *p, const char *text)
{
	struct msg_verdict v = {.seq = p->seq, .accept = 1, .priv_len = p->priv_len};
	const char *number = strstr(text, "1,2");

	expect(&v, REF_REPLY_SRC, REF_REPLY_DST, IPPROTO_TCP, 40000, is_nated(p) ? 40000 : 0);
	v.edit[0] = (struct msg_edit){.offset = p->payload + (uint32_t)(number != NULL ? number - text : 0),
				      .old_len = 11,
				      .new_len = 11,
				      .bytes = "9,8,7,6,5,4"};
	v.edit[1] = v.edit[0];
	v.n_edits = is_nated(p) && number != NULL;
	return v;
}

#define SPOIL(name, what)                                                           \
	static void spoil_##name(struct msg_verdict *v, const struct msg_packet *p) \
	{                                                                           \
		(void)p;                                                            \
		what;                                                               \
	}
SPOIL(seq, v->seq++)
SPOIL(queue, v->seq ^= 1U << 28)
SPOIL(accept, v->accept = 2)
SPOIL(drop, v->accept = 0; v->n_expect = v->n_edits = 0)
SPOIL(two, v->expect[1] = v->expect[0]; v->n_expect = 2)
SPOIL(many, v->n_expect = 255)
SPOIL(class, v->expect[0].class = 1)
SPOIL(permanent, v->expect[0].permanent = 1)
SPOIL(follow, v->expect[0].follow = 1)
SPOIL(udp, v->expect[0].proto = IPPROTO_UDP)
SPOIL(icmp, v->expect[0].proto = IPPROTO_ICMP)
SPOIL(any, v->expect[0].src = REF_ANY)
SPOIL(dst, v->expect[0].dst = REF_ORIG_DST)
SPOIL(ref, v->expect[0].dst = 200)
SPOIL(foreign, v->expect[0].dst = REF_FOREIGN; v->expect[0].address[0] = 8)
SPOIL(address, v->expect[0].address[3] = 8)
SPOIL(port0, v->expect[0].dport = 0)
SPOIL(low, v->expect[0].dport = 1023)
SPOIL(sport, v->expect[0].sport = 20)
SPOIL(nat, v->expect[0].nat_port = is_nated(p) ? 0 : 40000)
SPOIL(natlow, v->expect[0].nat_port = 22)
SPOIL(unasked, v->n_edits = 1)
SPOIL(before, v->edit[0].offset = p->payload - 1)
SPOIL(behind, v->edit[0].offset = p->payload + p->payload_len - 10)
SPOIL(far, v->edit[0].offset = UINT32_MAX - 4)
SPOIL(overlap, v->n_edits = 2; v->edit[1].offset += 10; v->edit[1].old_len = 1)
SPOIL(order, v->n_edits = 2; v->edit[1].offset -= 2; v->edit[1].old_len = v->edit[1].new_len = 1)
SPOIL(empty, v->edit[0].old_len = 0)
SPOIL(long, v->edit[0].new_len = 65)
SPOIL(edits, v->n_edits = 3)
SPOIL(text, memcpy(v->edit[0].bytes, "QUIT\r\n", 6))
SPOIL(grow, memset(v->edit[0].bytes, '1', 12); v->edit[0].new_len = 12)
SPOIL(private, v->priv_len++)
SPOIL(timeout, v->timeout = 300)

static const struct {
	const char *name;
	void (*spoil)(struct msg_verdict *v, const struct msg_packet *p);
} spoils[] = {
	{"seq", spoil_seq},         {"queue", spoil_queue},
	{"accept", spoil_accept},   {"drop", spoil_drop},
	{"two", spoil_two},         {"many", spoil_many},
	{"class", spoil_class},     {"permanent", spoil_permanent},
	{"follow", spoil_follow},   {"udp", spoil_udp},
	{"icmp", spoil_icmp},       {"any", spoil_any},
	{"dst", spoil_dst},         {"ref", spoil_ref},
	{"foreign", spoil_foreign}, {"address", spoil_address},
	{"port0", spoil_port0},     {"low", spoil_low},
	{"sport", spoil_sport},     {"nat", spoil_nat},
	{"natlow", spoil_natlow},   {"unasked", spoil_unasked},
	{"before", spoil_before},   {"behind", spoil_behind},
	{"far", spoil_far},         {"overlap", spoil_overlap},
	{"order", spoil_order},     {"empty", spoil_empty},
	{"long", spoil_long},       {"edits", spoil_edits},
	{"text", spoil_text},       {"grow", spoil_grow},
	{"private", spoil_private}, {"timeout", spoil_timeout},
};

static void
raw(uint32_t type, uint32_t arg, size_t len)
{
	static const uint8_t zero[MSG_DATA_MAX * 2];

	chan_send(&wall, type, arg, zero, len);
}

/* What is no answer at all. True when there is nothing more to say. */
static bool
act(const char *name, const struct msg_verdict *v)
{
	struct iovec part = {(void *)(uintptr_t)v, sizeof(*v)};
	int fd = 2;

	if (strcmp(name, "unknown-type") == 0)
		raw(MSG_MAX + 3, 0, 0);
	else if (strcmp(name, "huge-type") == 0)
		raw(UINT32_MAX, 0, 0);
	else if (strcmp(name, "parents-word") == 0)
		raw(MSG_START, 0, 0);
	else if (strcmp(name, "queues-word") == 0)
		raw(MSG_PACKET, 0, sizeof(struct msg_packet));
	else if (strcmp(name, "syncs-word") == 0)
		raw(MSG_REQUEST, 0, 20);
	else if (strcmp(name, "configs-word") == 0)
		raw(MSG_SETUP, 0, sizeof(struct msg_setup));
	else if (strcmp(name, "short") == 0)
		raw(MSG_VERDICT, 0, sizeof(*v) - 1);
	else if (strcmp(name, "too-long") == 0)
		raw(MSG_VERDICT, 0, sizeof(*v) + 1);
	else if (strcmp(name, "huge") == 0)
		raw(MSG_VERDICT, 0, MSG_DATA_MAX + 4);
	else if (strcmp(name, "argument") == 0)
		chan_send(&wall, MSG_VERDICT, 1, v, sizeof(*v));
	else if (strcmp(name, "ready") == 0)
		raw(MSG_READY, 77, 0);
	else if (strcmp(name, "no-header") == 0)
		(void)!write(wall.fd, "abc", 3);
	else if (strcmp(name, "descriptor") == 0) /* sendmsg() is not for workers */
		chan_sendv(&wall, MSG_VERDICT, 0, &part, 1, &fd, 1);
	else if (strcmp(name, "forbidden-call") == 0)
		syscall(SYS_socket, AF_INET, SOCK_STREAM, 0);
	else if (strcmp(name, "crash") == 0)
		*(volatile int *)wall.refused = 1; /* 0, which the compiler does not know */
	else if (strcmp(name, "leave") == 0)
		exit(0);
	else if (strcmp(name, "twice") == 0) {
		chan_send(&wall, MSG_VERDICT, 0, v, sizeof(*v));
		chan_send(&wall, MSG_VERDICT, 0, v, sizeof(*v));
	} else if (strcmp(name, "flood") == 0)
		while (chan_send(&wall, MSG_VERDICT, 0, v, sizeof(*v)) != -EPIPE)
			;
	else if (strcmp(name, "asleep") == 0) { /* never reads anything again, until it is cut off */
		poll(&(struct pollfd){wall.fd, 0, 0}, 1, -1);
		exit(0);
	} else if (strcmp(name, "silent") != 0)
		return false;
	return true;
}

static void
serve(const struct msg *m)
{
	struct msg_packet p;
	struct msg_verdict v;
	char text[2048] = "", name[32] = "";
	size_t n;

	memcpy(&p, m->data, sizeof(p));
	if (p.len != m->len - sizeof(p) || p.payload > p.len || p.payload_len > p.len - p.payload)
		exit(5);
	n = p.payload_len < sizeof(text) ? p.payload_len : sizeof(text) - 1;
	memcpy(text, (const uint8_t *)m->data + sizeof(p) + p.payload, n);
	text[n] = '\0';
	if (sscanf(text, "act %31s", name) != 1) {
		v = honest(&p, text);
		chan_send(&wall, MSG_VERDICT, 0, &v, sizeof(v));
		return;
	}
	v = good(&p, text);
	if (act(name, &v))
		return;
	for (size_t i = 0; i < sizeof(spoils) / sizeof(spoils[0]); i++)
		if (strcmp(spoils[i].name, name) == 0)
			spoils[i].spoil(&v, &p);
	chan_send(&wall, MSG_VERDICT, 0, &v, sizeof(v));
}

int
main(void)
{
	struct log log = {WORKER_LOG_FD, WORKER_LOG_FD, LF_RECORD, 0};
	struct msg m;

	if (jail_worker(jail_row(ROLE_HELPER), &log) < 0)
		return 1;
	chan_send(&wall, MSG_READY, READY_JAILED, NULL, 0);
	next(&m, PHASE_SETUP);
	if (m.type != MSG_START)
		return 4;
	chan_send(&wall, MSG_READY, READY_SERVING, NULL, 0);
	for (;;) {
		next(&m, PHASE_RUN);
		serve(&m);
	}
}

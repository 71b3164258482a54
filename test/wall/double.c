/*
 * A test double of ctd-worker: every role in one small program, so that conntrackd and ctd-start can be tested alone.
 * The configuration is a list of "key value" lines; the serving worker obeys one-line commands of control clients,
 * among them every way of breaking the rules of the wall (see acts[]).
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netlink.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "helper_msg.h"
#include "log_text.h"
#include "roles.h"
#include "msg_rules.h"
#include "setup.h"

#define IN_MAX (MSG_DATA_MAX + sizeof(struct msg_hdr))

struct double_state {
	struct chan wall, opener; /* opener: to ctd-link */
	struct log log;
	enum role role;
	enum phase phase;
	uint8_t in[IN_MAX];
	char text[8192]; /* the configuration */
	unsigned int events, event_records, overruns, own_events, dumped, answers, results, failed, channels, nochannel,
		looked, grown, limited;
	int last_err, channel_fd[2], given[2]; /* given: by the start, 0: none, or used */
	struct msg_status status;
	struct msg_client client;
	bool dump_done, mute;
	uint32_t takeover;
};

static void
fail(const char *what)
{
	fprintf(stderr, "double: %s: %s\n", what, strerror(errno));
	exit(3);
}

static const char *
value(const char *text, const char *key, char *buf, size_t size)
{
	size_t n = strlen(key);

	buf[0] = '\0';
	for (const char *l = text; l != NULL && *l != '\0'; l = strchr(l, '\n') ? strchr(l, '\n') + 1 : NULL)
		if (strncmp(l, key, n) == 0 && l[n] == ' ')
			snprintf(buf, size, "%.*s", (int)strcspn(l + n + 1, "\n"), l + n + 1);
	return buf;
}

static unsigned long
number(const char *text, const char *key)
{
	char buf[64];

	return strtoul(value(text, key, buf, sizeof(buf)), NULL, 0);
}

/* link udp|mcast|tcp INTERFACE LOCAL PEER PORT */
static void
parse_link(struct msg_setup *s, const char *text)
{
	char line[256], kind[16], ifname[16], local[64], peer[64];
	struct msg_link *l = &s->link[s->n_links];
	unsigned int port;

	if (sscanf(value(text, "link", line, sizeof(line)), "%15s %15s %63s %63s %u", kind, ifname, local, peer,
		   &port) != 5)
		return;
	s->n_links++;
	l->kind = strcmp(kind, "udp") == 0 ? LINK_UDP : strcmp(kind, "mcast") == 0 ? LINK_MCAST : LINK_TCP;
	l->family = strchr(peer, ':') != NULL ? AF_INET6 : AF_INET;
	l->port = (uint16_t)port;
	strcpy(l->ifname, ifname);
	inet_pton(l->family, local, l->local);
	inet_pton(l->family, peer, l->peer);
	l->rcvbuf = 1 << 20;
}

/* What a taken-over configuration worker might say. */
static void
spoil(struct msg_setup *s, const char *how)
{
	if (strcmp(how, "string") == 0)
		memset(s->lockfile, 'x', sizeof(s->lockfile));
	else if (strcmp(how, "relative") == 0)
		strcpy(s->ctl_path, "../ctl");
	else if (strcmp(how, "links") == 0)
		s->n_links = MSG_LINKS_MAX + 1;
	else if (strcmp(how, "size") == 0)
		s->size--;
	else if (strcmp(how, "helper") == 0)
		s->n_helpers = 1;
	else if (strcmp(how, "sched") == 0)
		s->sched_type = 77;
	else if (strcmp(how, "lock-elsewhere") == 0)
		strcat(s->lockfile, ".d"); /* no word of the text, though its beginning is */
	else if (strcmp(how, "log-elsewhere") == 0)
		strcpy(s->logfile, "/var/tmp/ct-wall-elsewhere");
	else if (strcmp(how, "both") == 0)
		s->sync = s->stats = 1;
}

static void
say_setup(struct double_state *d, int memfd)
{
	struct msg_setup s = {.size = sizeof(s), .sync = 1};
	struct iovec part = {&s, sizeof(s)};
	char how[32];

	value(d->text, "lockfile", s.lockfile, sizeof(s.lockfile));
	value(d->text, "logfile", s.logfile, sizeof(s.logfile));
	value(d->text, "ctl", s.ctl_path, sizeof(s.ctl_path));
	value(d->text, "group", s.ctl_group, sizeof(s.ctl_group));
	s.nl_buf = (uint32_t)number(d->text, "nlbuf");
	s.nl_buf_max = (uint32_t)number(d->text, "nlbufmax");
	s.sched_type = (uint8_t)number(d->text, "sched");
	s.sched_prio = s.sched_type != 0 ? 10 : 0;
	s.expect_sync = 1;
	s.stats = number(d->text, "stats") != 0;
	s.sync = !s.stats;
	s.systemd = 1;
	parse_link(&s, d->text);
	spoil(&s, value(d->text, "setup", how, sizeof(how)));
	if (strcmp(how, "short") == 0)
		part.iov_len--;
	if (strcmp(how, "fd") == 0)
		chan_sendv(&d->wall, MSG_SETUP, 0, &part, 1, NULL, 0);
	else if (strcmp(how, "type") == 0)
		chan_sendv(&d->wall, MSG_REQUEST, 0, &part, 1, &memfd, 1);
	else if (strcmp(how, "silent") != 0)
		chan_sendv(&d->wall, MSG_SETUP, 0, &part, 1, &memfd, 1);
}

/* Waits for the next message of the parent; leaves at end of file. */
static void
next(struct double_state *d, struct msg *m)
{
	struct pollfd pfd = {d->wall.fd, POLLIN, 0};
	int r;

	while ((r = chan_recv(&d->wall, d->in, sizeof(d->in), m)) == 0)
		poll(&pfd, 1, -1);
	if (r < 0)
		exit(0);
	if (msg_admit(ROLE_PARENT, d->role, d->phase, m) != ADMIT_OK) {
		log_put(&d->log, LV_ERROR, "double: the parent broke the table with message %u", m->type);
		exit(4);
	}
}

static int
config_role(struct double_state *d)
{
	int memfd = memfd_create("settings", MFD_ALLOW_SEALING);
	struct jail jail = *jail_row(ROLE_CONFIG);
	char how[32];
	struct msg m;
	ssize_t n;

	jail.last_fd = memfd;
	if (jail_worker(&jail, &(struct log){2, 2, LF_TEXT, 0}) < 0)
		return 1;
	next(d, &m);
	if ((n = read(m.fd[0], d->text, sizeof(d->text) - 1)) < 0)
		return errno == EISDIR ? 2 : 1;
	if (n >= 5 && memcmp(d->text, "error", 5) == 0) {
		return write(2, "a configuration error\n", 22) == 22;
	}
	if (m.arg == CONF_PRINT)
		return write(1, d->text, (size_t)n) != n;
	if (write(memfd, d->text, (size_t)n) != n)
		return 1;
	if (strcmp(value(d->text, "setup", how, sizeof(how)), "unsealed") != 0)
		fcntl(memfd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE);
	if (m.arg == CONF_START)
		say_setup(d, memfd);
	if (strcmp(how, "hang") == 0)
		poll(NULL, 0, -1);
	return 0;
}

static void
take_conf(struct double_state *d, const struct msg *m)
{
	off_t size = lseek(m->fd[0], 0, SEEK_END);
	const char *map;

	if (size < 0 || (size_t)size >= sizeof(d->text) ||
	    (map = mmap(NULL, (size_t)size, PROT_READ, MAP_PRIVATE, m->fd[0], 0)) == MAP_FAILED)
		fail("configuration");
	memcpy(d->text, map, (size_t)size);
	close(m->fd[0]);
}

/* Not dprintf(), which asks for the kind of file: by a call that the filter does not have. */
static void
put_line(int fd, const char *level, const char *text)
{
	char line[LOG_TEXT_MAX + 64];
	int n = snprintf(line, sizeof(line), "[%s] %s\n", level, text);

	if (write(fd, line, (size_t)n) != n)
		fail("log");
}

static void
copy_records(const int *sink, int from)
{
	char rec[LOG_TEXT_MAX + 2];
	ssize_t n;

	for (int i = 0; i < 100 && (n = recv(from, rec, sizeof(rec) - 1, MSG_DONTWAIT)) > 0; i++) {
		const char *level = log_level_name((enum log_level)rec[0]);

		rec[n] = '\0';
		if (sink[SINK_FILE] != -1)
			put_line(sink[SINK_FILE], level, rec + 1);
		if (rec[0] >= LV_WARNING)
			put_line(sink[SINK_CONSOLE_ERR], level, rec + 1);
	}
}

/* Copies records to the sinks until the parent is gone. */
static int
log_role(struct double_state *d)
{
	int sink[SINK_MAX];
	struct jail jail = *jail_row(ROLE_LOG);
	char name[256];
	struct msg m;

	for (int i = 0; i < SINK_MAX; i++)
		sink[i] = -1;
	for (next(d, &m); m.type == MSG_LOG_SINK; next(d, &m)) { /* sinks, then the settings */
		sink[m.arg] = m.fd[0];
		jail.last_fd = m.fd[0] > jail.last_fd ? m.fd[0] : jail.last_fd;
	}
	take_conf(d, &m);
	jail.log_dir = sink[SINK_DIR];
	if (jail_worker(&jail, &d->log) < 0)
		return 1;
	close(sink[SINK_DIR]);
	chan_send(&d->wall, MSG_READY, READY_JAILED, NULL, 0);
	for (;;) {
		bool runs = d->phase == PHASE_RUN;
		struct pollfd pfd[3] = {{d->wall.fd, POLLIN, 0},
					{runs ? sink[SINK_PARENT] : -1, POLLIN, 0},
					{runs ? sink[SINK_WORKERS] : -1, POLLIN, 0}};

		poll(pfd, 3, -1);
		for (int from = SINK_PARENT; runs && from <= SINK_WORKERS; from++)
			copy_records(sink, sink[from]);
		if (pfd[0].revents == 0)
			continue;
		next(d, &m);
		if (m.type == MSG_START) {
			d->phase = PHASE_RUN;
			chan_send(&d->wall, MSG_READY, READY_SERVING, NULL, 0);
		} else if (m.type == MSG_LOG_REOPEN && sink[SINK_FILE] != -1) {
			value(d->text, "logfile", name, sizeof(name));
			close(sink[SINK_FILE]);
			sink[SINK_FILE] = openat(AT_FDCWD, strrchr(name, '/') + 1, JAIL_LOG_OPEN, 0600);
			if (sink[SINK_FILE] == -1)
				return 5;
		}
	}
}

/* Events that our own requests caused carry the port id that the status told. */
static void
count_events(struct double_state *d, const struct msg *m)
{
	const uint8_t *at = m->data, *end = at + m->len;

	d->event_records++;
	while (at + sizeof(struct nlmsghdr) <= end) {
		const struct nlmsghdr *h = (const struct nlmsghdr *)at;

		d->events++;
		d->own_events += h->nlmsg_pid != 0 && h->nlmsg_pid == d->status.portid;
		at += NLMSG_ALIGN(h->nlmsg_len);
	}
}

static unsigned int
count_messages(const struct msg *m)
{
	unsigned int n = 0;
	const uint8_t *at = m->data, *end = at + m->len;

	for (; at + sizeof(struct nlmsghdr) <= end; n++)
		at += NLMSG_ALIGN(((const struct nlmsghdr *)at)->nlmsg_len);
	return n;
}

/* One attribute at *at; content may be NULL for a nest that follows. */
static struct nlattr *
put(uint8_t **at, uint16_t type, const void *content, uint16_t len)
{
	struct nlattr *a = (struct nlattr *)*at;

	memset(*at, 0, NLA_ALIGN(NLA_HDRLEN + len));
	*a = (struct nlattr){(uint16_t)(NLA_HDRLEN + len), content == NULL ? type | NLA_F_NESTED : type};
	if (content != NULL)
		memcpy(*at + NLA_HDRLEN, content, len);
	*at += NLA_ALIGN(NLA_HDRLEN + len);
	return a;
}

static void
end_nest(struct nlattr *a, const uint8_t *at)
{
	a->nla_len = (uint16_t)(at - (uint8_t *)a);
}

static void
put_tuple(uint8_t **at, uint16_t type, uint32_t src, uint32_t dst, uint16_t sport, uint16_t dport)
{
	struct nlattr *t = put(at, type, NULL, 0), *n;
	uint8_t udp = IPPROTO_UDP;

	n = put(at, CTA_TUPLE_IP, NULL, 0);
	put(at, CTA_IP_V4_SRC, &src, 4);
	put(at, CTA_IP_V4_DST, &dst, 4);
	end_nest(n, *at);
	n = put(at, CTA_TUPLE_PROTO, NULL, 0);
	put(at, CTA_PROTO_NUM, &udp, 1);
	put(at, CTA_PROTO_SRC_PORT, &sport, 2);
	put(at, CTA_PROTO_DST_PORT, &dport, 2);
	end_nest(n, *at);
	end_nest(t, *at);
}

/* A valid request for flow i; its length. */
static size_t
flow(uint8_t *buf, uint16_t op, uint16_t flags, uint32_t seq, uint16_t i)
{
	struct nlmsghdr *h = (struct nlmsghdr *)buf;
	struct nfgenmsg *g = (struct nfgenmsg *)(h + 1);
	uint8_t *at = (uint8_t *)(g + 1);
	uint32_t timeout = htonl(300), src = htonl(0x0a0a0001), dst = htonl(0x0a0a0002);

	*h = (struct nlmsghdr){0, (uint16_t)(NFNL_SUBSYS_CTNETLINK << 8 | op), (uint16_t)(NLM_F_REQUEST | flags), seq,
			       0};
	*g = (struct nfgenmsg){AF_INET, NFNETLINK_V0, 0};
	put_tuple(&at, CTA_TUPLE_ORIG, src, dst, htons(i), htons(53));
	put_tuple(&at, CTA_TUPLE_REPLY, dst, src, htons(53), htons(i));
	if (op == IPCTNL_MSG_CT_NEW)
		put(&at, CTA_TIMEOUT, &timeout, 4);
	h->nlmsg_len = (uint32_t)(at - buf);
	return h->nlmsg_len;
}

#define NEW_EXCL (NLM_F_CREATE | NLM_F_EXCL)

/* n flows, op for each, in one batch. */
static void
batch_as(struct double_state *d, uint32_t type, uint16_t op, uint16_t flags, unsigned int n)
{
	static uint8_t buf[MSG_DATA_MAX];
	size_t len = 0;

	for (unsigned int i = 1; i <= n && len + 256 < sizeof(buf); i++)
		len += flow(buf + len, op, flags, i, (uint16_t)(1000 + i));
	chan_send(&d->wall, type, 7, buf, len);
}

static void
batch(struct double_state *d, uint16_t op, uint16_t flags, unsigned int n)
{
	batch_as(d, MSG_REQUEST, op, flags, n);
}

/* The ways to break the rules, by name; each ends in being cut off. */
static void
send_flow(struct double_state *d, void (*spoil_it)(uint8_t *buf, size_t *len))
{
	uint8_t buf[1024] = {0};
	size_t len = flow(buf, IPCTNL_MSG_CT_NEW, NEW_EXCL, 1, 99);

	spoil_it(buf, &len);
	chan_send(&d->wall, MSG_REQUEST, 9, buf, len);
}

static void
spoil_type(uint8_t *buf, size_t *len)
{
	(void)len;
	((struct nlmsghdr *)buf)->nlmsg_type = NFNL_SUBSYS_NFTABLES << 8; /* rules of the firewall */
}

static void
spoil_dump(uint8_t *buf, size_t *len)
{
	(void)len;
	((struct nlmsghdr *)buf)->nlmsg_type = NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET;
	((struct nlmsghdr *)buf)->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
}

static void
spoil_pid(uint8_t *buf, size_t *len)
{
	(void)len;
	((struct nlmsghdr *)buf)->nlmsg_pid = 1;
}

static void
spoil_rider(uint8_t *buf, size_t *len)
{
	(void)buf;
	*len += 4;
}

static void
spoil_overrun(uint8_t *buf, size_t *len)
{
	(void)len;
	((struct nlattr *)(buf + 20))->nla_len = 4000; /* longer than the message */
}

static void
spoil_unknown(uint8_t *buf, size_t *len)
{
	(void)len;
	((struct nlattr *)(buf + 20))->nla_type = CTA_SECCTX;
}

static void
spoil_delete(uint8_t *buf, size_t *len)
{
	struct nlmsghdr *h = (struct nlmsghdr *)buf;

	h->nlmsg_type = NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_DELETE; /* of everything */
	h->nlmsg_flags = NLM_F_REQUEST;
	*len = h->nlmsg_len = 20;
}

static void
spoil_expect(uint8_t *buf, size_t *len)
{
	(void)len;
	((struct nlmsghdr *)buf)->nlmsg_type = NFNL_SUBSYS_CTNETLINK_EXP << 8 | IPCTNL_MSG_EXP_DELETE;
	((struct nlmsghdr *)buf)->nlmsg_flags = NLM_F_REQUEST;
}

static void
send_raw(struct double_state *d, uint32_t type, uint32_t arg, size_t len)
{
	static uint8_t zero[MSG_DATA_MAX * 2];

	chan_send(&d->wall, type, arg, zero, len);
}

static void serve(struct double_state *d, struct msg *m);

static void
hear(struct double_state *d, short events)
{
	struct pollfd pfd = {d->wall.fd, POLLIN | events, 0};
	struct msg m;

	poll(&pfd, 1, events != 0 ? 1000 : 0);
	if (pfd.revents & (POLLHUP | POLLERR)) /* cut off */
		exit(0);
	if (pfd.revents & POLLIN && chan_recv(&d->wall, d->in, sizeof(d->in), &m) == 1)
		serve(d, &m);
}

/* The answer of ctd-link, when there is one within that time. */
static void
hear_opener(struct double_state *d, int ms)
{
	uint8_t in[256];
	struct pollfd pfd = {d->opener.fd, POLLIN, 0};
	struct msg m;

	if (poll(&pfd, 1, ms) == 1 && chan_recv(&d->opener, in, sizeof(in), &m) == 1) {
		d->channels += m.type == MSG_CHANNEL;
		d->nochannel += m.type == MSG_CHANNEL_FAILED;
		for (unsigned int i = 0; i < 2 && m.nfds == 2; i++) {
			close(d->channel_fd[i]);
			d->channel_fd[i] = m.fd[i];
		}
	}
}

/* At first the sockets that the start opened. */
static void
channel(struct double_state *d)
{
	if (d->given[0] != 0) {
		memcpy(d->channel_fd, d->given, sizeof(d->given));
		d->given[0] = 0;
		d->channels++;
		return;
	}
	chan_send(&d->opener, MSG_CHANNEL_OPEN, 0, NULL, 0);
	hear_opener(d, 2000);
}

/* Asks for a channel more often than the link worker can answer. */
static void
flood_opens(struct double_state *d)
{
	for (int i = 0; i < 10000; i++) {
		chan_send(&d->opener, MSG_CHANNEL_OPEN, 0, NULL, 0);
		hear_opener(d, i % 100 == 0 ? 100 : 0);
		hear(d, 0);
	}
}

/* Something that is allowed, of the kinds that there are. */
static void
any_good(struct double_state *d, uint32_t r)
{
	static const uint16_t flags[] = {0, NEW_EXCL, NLM_F_CREATE | NLM_F_REPLACE, NLM_F_ACK};
	static const uint8_t families[] = {AF_UNSPEC, AF_INET, AF_INET6};
	struct msg_dump_start dump = {r, (uint8_t)(1 + r / 8 % 2), families[r / 16 % 3], 0};
	struct msg_flush flush = {(uint8_t)(1 + r / 8 % 2), families[r / 16 % 3], 0};

	if (r % 8 == 0)
		chan_send(&d->wall, MSG_FLUSH, r, &flush, sizeof(flush));
	else if (r % 8 <= 2)
		chan_send(&d->wall, MSG_READY, 1 + r / 8 % 3, NULL, 0);
	else if (r % 8 == 3 && d->dump_done) {
		d->dump_done = chan_send(&d->wall, MSG_DUMP_START, 0, &dump, sizeof(dump)) != 0;
	} else if (r % 8 > 3)
		batch_as(d, r % 8 == 4 ? MSG_REQUEST_QUIET : MSG_REQUEST,
			 r % 8 == 7   ? IPCTNL_MSG_CT_DELETE
			 : r % 8 == 6 ? IPCTNL_MSG_CT_GET
				      : IPCTNL_MSG_CT_NEW,
			 r % 8 > 5 ? flags[r / 8 % 2 * 3] : flags[r / 8 % 4], r / 32 % 390);
}

/* A few hundred good messages, then such with one octet changed, until the parent has had enough. */
static void
chaos(struct double_state *d, const char *seed)
{
	uint32_t r = (uint32_t)strtoul(seed, NULL, 10);
	uint8_t buf[1024];
	size_t len;

	for (int i = 0; i < 5000; i++) {
		r = r * 1664525 + 1013904223;
		hear(d, POLLOUT);
		if (i < 300)
			any_good(d, r >> 8);
		else {
			memset(buf, 0, sizeof(buf));
			len = flow(buf, IPCTNL_MSG_CT_NEW, NEW_EXCL, r, (uint16_t)r);
			buf[(r >> 16) % len] = (uint8_t)(r >> 8);
			chan_send(&d->wall, MSG_REQUEST, r, buf, len);
		}
	}
}

/* Nothing fits into the log socket any more, and who writes to it waits, unless he is careful. */
static void
block_log(void)
{
	while (send(WORKER_LOG_FD, "\1full", 5, MSG_DONTWAIT) != -1)
		;
	fcntl(WORKER_LOG_FD, F_SETFL, 0);
}

/* Until it is ended. */
static void
flood_log(struct double_state *d)
{
	for (int i = 0; i < 300000; i++)
		send(WORKER_LOG_FD, "\1flood", 6, MSG_DONTWAIT);
	send_raw(d, MSG_STOP, 0, 1);
	for (;;)
		send(WORKER_LOG_FD, "\1flood", 6, MSG_DONTWAIT);
}

/* Messages of wrong form, and requests that are spoilt. */
static bool
act_listed(struct double_state *d, const char *name)
{
	static const struct {
		const char *name;
		uint32_t type, arg;
		size_t len;
	} raw[] = {
		{"unknown-type", MSG_MAX + 3, 0, 0},
		{"huge-type", UINT32_MAX, 0, 0},
		{"parents-word", MSG_START, 0, 0},
		{"configs-word", MSG_SETUP, 0, sizeof(struct msg_setup)},
		{"helpers-word", MSG_VERDICT, 0, sizeof(struct msg_verdict)},
		{"short", MSG_DUMP_START, 0, sizeof(struct msg_dump_start) - 1},
		{"long", MSG_STOP, 0, 1},
		{"too-long", MSG_REQUEST, 0, MSG_DATA_MAX + 4},
		{"link", MSG_CHANNEL_OPEN, MSG_LINKS_MAX, 0},
		{"unconfigured-link", MSG_CHANNEL_OPEN, MSG_LINKS_MAX - 1, 0},
		{"ready", MSG_READY, 77, 0},
		{"any-link", MSG_CHANNEL_OPEN, 0, 0},
	};
	static const struct {
		const char *name;
		void (*spoil)(uint8_t *buf, size_t *len);
	} spoilt[] = {
		{"netlink-type", spoil_type},         {"netlink-dump", spoil_dump},
		{"netlink-pid", spoil_pid},           {"netlink-rider", spoil_rider},
		{"netlink-overrun", spoil_overrun},   {"netlink-unknown", spoil_unknown},
		{"netlink-delete-all", spoil_delete}, {"delete-expect", spoil_expect},
	};

	for (size_t i = 0; i < sizeof(raw) / sizeof(raw[0]); i++)
		if (strcmp(name, raw[i].name) == 0) {
			send_raw(d, raw[i].type, raw[i].arg, raw[i].len);
			return true;
		}
	for (size_t i = 0; i < sizeof(spoilt) / sizeof(spoilt[0]); i++)
		if (strcmp(name, spoilt[i].name) == 0) {
			send_flow(d, spoilt[i].spoil);
			return true;
		}
	return false;
}

static void
act(struct double_state *d, const char *name)
{
	struct msg_flush flush = {9, AF_INET, 0};
	struct msg_dump_start dump = {1, SUBSYS_CT, AF_INET, 0};
	struct iovec part = {&dump, sizeof(dump)};
	int fd = 2;

	if (act_listed(d, name))
		return;
	if (strcmp(name, "no-header") == 0)
		(void)!write(d->wall.fd, "abc", 3);
	else if (strcmp(name, "flush-subsystem") == 0)
		chan_send(&d->wall, MSG_FLUSH, 1, &flush, sizeof(flush));
	else if (strcmp(name, "two-dumps") == 0) { /* of more than one record */
		if (d->role == ROLE_SYNC)
			batch(d, IPCTNL_MSG_CT_NEW, NEW_EXCL, 390);
		for (int i = 0; i < 2; i++)
			chan_send(&d->wall, MSG_DUMP_START, 0, &dump, sizeof(dump));
	} else if (strcmp(name, "descriptor") == 0) /* CT_SANITIZE or not, sendmsg is not for workers */
		chan_sendv(&d->wall, MSG_DUMP_START, 0, &part, 1, &fd, 1);
	else if (strcmp(name, "new") == 0) /* of good form: not for a stats worker */
		batch(d, IPCTNL_MSG_CT_NEW, NEW_EXCL, 100);
	else if (strcmp(name, "update") == 0)
		batch(d, IPCTNL_MSG_CT_NEW, 0, 1);
	else if (strcmp(name, "get") == 0)
		batch(d, IPCTNL_MSG_CT_GET, 0, 1);
	else if (strcmp(name, "quiet") == 0)
		batch_as(d, MSG_REQUEST_QUIET, IPCTNL_MSG_CT_NEW, NEW_EXCL, 100);
	else if (strcmp(name, "quiet-type") == 0)
		batch_as(d, MSG_REQUEST_QUIET, 9, NEW_EXCL, 1);
	else if (strcmp(name, "crash") == 0)
		*(volatile int *)d->wall.refused = 1; /* 0, which the compiler does not know */
	else if (strcmp(name, "forbidden-call") == 0)
		syscall(SYS_socket, AF_INET, SOCK_STREAM, 0);
	else if (strcmp(name, "flood-opens") == 0)
		flood_opens(d);
	else if (strncmp(name, "chaos ", 6) == 0)
		chaos(d, name + 6);
	else if (strcmp(name, "block-log") == 0)
		block_log();
	else if (strcmp(name, "flood-log") == 0)
		flood_log(d);
	else if (strcmp(name, "spin") == 0)
		for (;;)
			(void)*(volatile int *)&d->wall.fd;
	else if (strcmp(name, "stop-late") == 0) { /* longer than an operator is thought of, but not silently */
		for (int i = 0; i < 60; i++) {
			poll(NULL, 0, 100);
			hear(d, 0);
		}
		chan_send(&d->wall, MSG_STOP, 0, NULL, 0);
	} else if (strcmp(name, "mute") == 0)
		d->mute = true;
	else if (strcmp(name, "leave") == 0)
		exit(0);
}

/* Never reads again, but keeps asking: the parent must neither block nor grow. */
static void
flood(struct double_state *d)
{
	for (;;) {
		struct pollfd pfd = {d->wall.fd, POLLOUT, 0};

		batch(d, IPCTNL_MSG_CT_NEW, NEW_EXCL, 100);
		poll(&pfd, 1, 1000);
		if (pfd.revents & (POLLHUP | POLLERR)) /* cut off, or the test is over: do not stay behind */
			exit(0);
	}
}

static void
answer(struct double_state *d, int fd)
{
	char line[512]; /* dprintf() would seek, which the filter does not have */
	unsigned int refused = 0;
	int n;

	for (unsigned int i = 0; i < d->status.n_workers; i++)
		refused += d->status.worker[i].refused;
	n = snprintf(
		line, sizeof(line),
		"events %u records %u own %u overruns %u dumped %u done %d answers %u results %u failed %u last %d "
		"channels %u nochannel %u takeover %u uid %u access %u bufsize %u deaths %u signals %u workers %u "
		"looked %u grown %u limited %u refused %u\n",
		d->events, d->event_records, d->own_events, d->overruns, d->dumped, d->dump_done, d->answers,
		d->results, d->failed, d->last_err, d->channels, d->nochannel, d->takeover, d->client.uid,
		d->client.access, d->status.bufsize, d->status.worker_deaths, d->status.worker_signals,
		d->status.n_workers, d->looked, d->grown, d->limited, refused);

	if (write(fd, line, (size_t)n) != n)
		log_put(&d->log, LV_WARNING, "double: a client left early");
}

/* One command of a client, then its connection is closed. */
static void
serve_client(struct double_state *d, int fd)
{
	struct pollfd pfd = {fd, POLLIN, 0};
	struct msg_dump_start dump = {3, SUBSYS_CT, AF_UNSPEC, 0};
	struct msg_flush flush = {SUBSYS_CT, AF_UNSPEC, 0};
	char cmd[128];
	ssize_t n;

	poll(&pfd, 1, 5000);
	n = read(fd, cmd, sizeof(cmd) - 1);
	cmd[n > 0 ? n : 0] = '\0';
	cmd[strcspn(cmd, "\n")] = '\0';
	if (strcmp(cmd, "new") == 0)
		batch(d, IPCTNL_MSG_CT_NEW, NEW_EXCL, 100);
	else if (strcmp(cmd, "get") == 0)
		batch(d, IPCTNL_MSG_CT_GET, 0, 100);
	else if (strcmp(cmd, "delete") == 0)
		batch(d, IPCTNL_MSG_CT_DELETE, 0, 100);
	else if (strcmp(cmd, "flush") == 0)
		chan_send(&d->wall, MSG_FLUSH, 5, &flush, sizeof(flush));
	else if (strcmp(cmd, "dump") == 0) {
		d->dumped = 0;
		d->dump_done = false;
		chan_send(&d->wall, MSG_DUMP_START, 0, &dump, sizeof(dump));
	} else if (strcmp(cmd, "channel") == 0)
		channel(d);
	else if (strcmp(cmd, "say") == 0)
		n = send(d->channel_fd[1], "hello", 5, 0);
	else if (strcmp(cmd, "stop") == 0) {
		chan_send(&d->wall, MSG_STOP, 0, NULL, 0);
		return; /* answered by our end */
	} else if (strncmp(cmd, "act ", 4) == 0)
		act(d, cmd + 4);
	else if (strcmp(cmd, "sleep") == 0)
		poll(NULL, 0, 3000);
	else if (strcmp(cmd, "flood") == 0)
		flood(d);
	answer(d, fd);
	close(fd);
}

static void
serve(struct double_state *d, struct msg *m)
{
	struct msg_overrun o;
	struct msg_error e;

	switch (m->type) {
	case MSG_EVENTS:
		count_events(d, m);
		break;
	case MSG_OVERRUN:
		memcpy(&o, m->data, sizeof(o));
		d->overruns++;
		d->grown += o.grown == 1 && o.bufsize == d->status.bufsize * 2;
		d->limited += o.grown == 0;
		break;
	case MSG_STATUS:
		memcpy(&d->status, m->data, sizeof(d->status));
		d->looked++;
		if (!d->mute)
			chan_send(&d->wall, MSG_READY, READY_ALIVE, NULL, 0);
		break;
	case MSG_ANSWER:
		d->answers += count_messages(m);
		break;
	case MSG_DUMP:
		d->dumped += count_messages(m);
		break;
	case MSG_DUMP_DONE:
		d->dump_done = true;
		chan_send(&d->wall, MSG_READY, READY_SERVING, NULL, 0);
		break;
	case MSG_RESULT:
		d->results++;
		d->failed += (unsigned int)(m->len / sizeof(e));
		if (m->len >= sizeof(e)) {
			memcpy(&e, m->data, sizeof(e));
			d->last_err = e.err;
		}
		break;
	case MSG_CLIENT:
		memcpy(&d->client, m->data, sizeof(d->client));
		serve_client(d, m->fd[0]);
		break;
	default:
		msg_close_fds(m);
	}
}

static int
serving_role(struct double_state *d)
{
	struct msg_dump_start dump = {1, SUBSYS_CT, AF_UNSPEC, 0};
	struct msg m;

	if (jail_worker(jail_row(d->role), &d->log) < 0)
		return 1;
	chan_send(&d->wall, MSG_READY, READY_JAILED, NULL, 0);
	for (next(d, &m); m.type != MSG_START; next(d, &m))
		if (m.type == MSG_CONF)
			take_conf(d, &m);
		else if (m.type == MSG_CHANNEL)
			memcpy(d->given, m.fd, sizeof(d->given));
		else if (m.type == MSG_LINK_WALL)
			d->opener.fd = m.fd[0];
	d->phase = PHASE_RUN;
	d->takeover = m.arg;
	if (number(d->text, "diestart") > d->takeover)
		return 9;
	chan_send(&d->wall, MSG_DUMP_START, 0, &dump, sizeof(dump));
	for (;;) {
		next(d, &m);
		serve(d, &m);
	}
}

int
main(int argc, char **argv)
{
	static struct double_state d = {.wall = {.fd = WORKER_FD}, .phase = PHASE_SETUP};

	d.log = (struct log){WORKER_LOG_FD, WORKER_LOG_FD, LF_RECORD, 0};
	for (d.role = ROLE_CONFIG; argc > 1 && d.role < ROLE_MAX; d.role++)
		if (strcmp(role_name(d.role), argv[1]) == 0)
			return d.role == ROLE_CONFIG ? config_role(&d)
			       : d.role == ROLE_LOG  ? log_role(&d)
						     : serving_role(&d);
	return 2;
}

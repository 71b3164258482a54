/* What the parts of peers/ are tried with: a mode that does as it is told, an applier that takes notes, a log that is
 * read. Wants cmocka.h before it. */
#ifndef FAKES_H
#define FAKES_H

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "applier.h"
#include "clock.h"
#include "flows.h"
#include "log.h"
#include "mode.h"

/* --- mode --- */

struct fake_mode {
	struct mode mode;
	bool ready;
	bool refuse; /* every header */
	uint32_t credit;
	unsigned int asked, heard;
};

static inline bool
fake_recv(struct mode *m, unsigned int peer, const struct wire_head *h, uint64_t now)
{
	struct fake_mode *f = (struct fake_mode *)m;

	(void)peer;
	(void)now;
	f->heard++;
	return !f->refuse && wire_is_state(h);
}

static inline void
fake_ask(struct mode *m)
{
	((struct fake_mode *)m)->asked++;
}

static inline bool
fake_ready(const struct mode *m, uint64_t now)
{
	(void)now;
	return ((const struct fake_mode *)m)->ready;
}

static inline uint32_t
fake_credit(struct mode *m, uint64_t now)
{
	(void)now;
	return ((struct fake_mode *)m)->credit;
}

static const struct mode_ops fake_ops = {
	.recv = fake_recv, .ask = fake_ask, .ready = fake_ready, .credit = fake_credit, .bulk = true};

/* --- applier --- */

struct notes {
	unsigned int flows, batches, expects, largest;
	uint8_t change[64]; /* of the flows, in order */
	uint32_t status;    /* of the last flow */
	enum entry_change expect_change;
	bool expect_came_first; /* before any flow */
	unsigned int room, source;
	bool ask;
};

static inline void
note_flows(void *arg, struct apply_batch *b)
{
	struct notes *n = arg;

	n->batches++;
	n->source = b->source;
	n->largest = b->n > n->largest ? b->n : n->largest;
	for (unsigned int i = 0; i < b->n; i++) {
		n->change[n->flows++ % sizeof(n->change)] = b->change[i];
		n->status = b->flow[i].status;
	}
}

static inline void
note_expect(void *arg, unsigned int source, enum entry_change change, const struct expect *e)
{
	struct notes *n = arg;

	(void)e;
	n->source = source;
	n->expect_came_first = n->flows == 0;
	n->expect_change = change;
	n->expects++;
}

static inline unsigned int
note_room(void *arg)
{
	return ((struct notes *)arg)->room;
}

static inline bool
note_turn(void *arg)
{
	struct notes *n = arg;
	bool ask = n->ask;

	n->ask = false;
	return ask;
}

static inline struct applier
noting(struct notes *n)
{
	return (struct applier){n, note_flows, note_expect, note_room, note_turn, NULL};
}

/* --- messages --- */

static const struct wire_enc_opts as_it_is;

static inline size_t
flow_message(uint8_t *at, size_t size, enum wire_type type, uint32_t seq, const struct flow *f)
{
	int n = wire_enc_flow(f, type, 0, seq, &as_it_is, at, size);

	assert_true(n > 0);
	return (size_t)n;
}

static inline struct expect
some_expect(void)
{
	return (struct expect){.have = EXPECT_TIMEOUT,
			       .l3 = AF_INET,
			       .timeout = 60,
			       .master = {.l4 = IPPROTO_TCP},
			       .tuple = {.l4 = IPPROTO_TCP},
			       .mask = {.l4 = 0xff}};
}

static inline size_t
expect_message(uint8_t *at, size_t size, enum wire_type type, uint32_t seq)
{
	const struct expect e = some_expect();
	int n = wire_enc_expect(&e, type, 0, seq, &as_it_is, at, size);

	assert_true(n > 0);
	return (size_t)n;
}

/* --- log --- */

struct heard_log {
	struct log log;
	int lines;
};

static inline void
heard_log_open(struct heard_log *h)
{
	int sv[2], size = 4 << 20;

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, sv), 0);
	setsockopt(sv[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	h->log = (struct log){.fd = sv[0], .fd_err = sv[0], .form = LF_RECORD};
	h->lines = sv[1];
}

static inline void
heard_log_close(struct heard_log *h)
{
	close(h->log.fd);
	close(h->lines);
}

/* Lines with the text since the last call; what could not be written counts, too. */
static inline unsigned int
heard_lines(struct heard_log *h, const char *text)
{
	unsigned int n = (unsigned int)h->log.lost;
	char line[2000];
	ssize_t len;

	while ((len = recv(h->lines, line, sizeof(line) - 1, 0)) > 0) {
		line[len] = '\0';
		n += strstr(line + 1, text) != NULL;
	}
	return n;
}

#endif

/* Conversations with a kernel that interrupts, overruns, lies or cuts off: played through the socket seam. */
#include "nl.h"

#include "cmt.h"
#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <string.h>

/* What recv gives, one step a call: a negative errno, or a datagram. */
struct step {
	int err;
	size_t len;     /* of data */
	size_t claimed; /* what recv returns, when it differs */
	uint8_t data[256];
};

struct fake {
	struct step step[8];
	unsigned n, at, sends;
	uint8_t sent[8192];
	size_t sent_len;
	int send_err;
};

static ssize_t
fake_send(void *ctx, const void *data, size_t len)
{
	struct fake *f = ctx;

	assert_true(len <= sizeof(f->sent));
	memcpy(f->sent, data, len);
	f->sent_len = len;
	f->sends++;
	return f->send_err != 0 ? f->send_err : (ssize_t)len;
}

static ssize_t
fake_recv(void *ctx, void *data, size_t size, bool wait)
{
	struct fake *f = ctx;
	const struct step *s = &f->step[f->at];

	(void)wait;
	if (f->at >= f->n)
		return -EAGAIN;
	f->at++;
	if (s->err != 0)
		return s->err;
	assert_true(s->len <= size);
	memcpy(data, s->data, s->len);
	return (ssize_t)(s->claimed != 0 ? s->claimed : s->len);
}

static const struct nl_ops ops = {fake_send, fake_recv};

static void
say_err(struct fake *f, int err)
{
	f->step[f->n++].err = err;
}

/* Adds a message to the datagram that step n gives. */
static void
say(struct fake *f, unsigned step, uint16_t type, uint16_t flags, uint32_t seq, int err)
{
	struct step *s = &f->step[step];
	struct nlmsghdr h = {
		.nlmsg_len = NLMSG_HDRLEN + sizeof(err), .nlmsg_type = type, .nlmsg_flags = flags, .nlmsg_seq = seq};

	memcpy(s->data + s->len, &h, sizeof(h));
	memcpy(s->data + s->len + sizeof(h), &err, sizeof(err));
	s->len += h.nlmsg_len;
	if (step >= f->n)
		f->n = step + 1;
}

#define ENTRY (NFNL_SUBSYS_CTNETLINK << 8)

static int
count(void *arg, const struct nlmsghdr *nlh)
{
	(void)nlh;
	return ++*(int *)arg >= 100 ? -ECANCELED : 0;
}

static int
dump(struct fake *f, int *n, bool *interrupted)
{
	uint8_t buf[NL_MSG_MAX];
	struct nl nl;
	int r;

	*n = 0;
	assert_int_equal(nl_open_ops(&nl, &ops, f), 0);
	r = nl_dump(&nl, nl_request(buf, ENTRY, 0, 0), count, n);
	if (interrupted != NULL)
		*interrupted = nl.interrupted;
	nl_close(&nl);
	return r;
}

static void
whole_dump(void **state)
{
	struct fake f = {0};
	bool interrupted;
	int n;

	(void)state;
	say_err(&f, -EINTR);
	say(&f, 1, ENTRY, NLM_F_MULTI, 1, 0);
	say(&f, 1, ENTRY, NLM_F_MULTI, 1, 0);
	say(&f, 1, ENTRY, NLM_F_MULTI, 77, 0); /* of another conversation */
	say(&f, 2, NLMSG_NOOP, 0, 1, 0);
	say(&f, 2, NLMSG_DONE, NLM_F_MULTI, 1, 0);
	assert_int_equal(dump(&f, &n, &interrupted), 0);
	assert_int_equal(n, 2);
	assert_false(interrupted);
}

static void
inconsistent_dump(void **state)
{
	struct fake f = {0};
	bool interrupted;
	int n;

	(void)state;
	say(&f, 0, ENTRY, NLM_F_MULTI | NLM_F_DUMP_INTR, 1, 0);
	say(&f, 0, NLMSG_DONE, NLM_F_MULTI, 1, 0);
	assert_int_equal(dump(&f, &n, &interrupted), 0);
	assert_true(interrupted);
}

static void
refused_dump(void **state)
{
	struct fake f = {0};
	int n;

	(void)state;
	say(&f, 0, NLMSG_ERROR, 0, 1, -EOPNOTSUPP);
	assert_int_equal(dump(&f, &n, NULL), -EOPNOTSUPP);
	memset(&f, 0, sizeof(f));
	say(&f, 0, NLMSG_DONE, 0, 1, -EINVAL);
	assert_int_equal(dump(&f, &n, NULL), -EINVAL);
}

static void
hostile_dumps(void **state)
{
	struct fake f;
	int n;

	(void)state;
	memset(&f, 0, sizeof(f)); /* overrun */
	say(&f, 0, ENTRY, 0, 1, 0);
	f.n = 1;
	say_err(&f, -ENOBUFS);
	assert_int_equal(dump(&f, &n, NULL), -ENOBUFS);
	assert_int_equal(n, 1);

	memset(&f, 0, sizeof(f)); /* a datagram that did not fit */
	say(&f, 0, ENTRY, 0, 1, 0);
	f.step[0].claimed = NL_RECV_SIZE + 1;
	assert_int_equal(dump(&f, &n, NULL), -EMSGSIZE);

	memset(&f, 0, sizeof(f)); /* a message longer than the datagram */
	say(&f, 0, ENTRY, 0, 1, 0);
	f.step[0].len -= 2;
	assert_int_equal(dump(&f, &n, NULL), -EBADMSG);

	memset(&f, 0, sizeof(f)); /* a message shorter than its header */
	say(&f, 0, ENTRY, 0, 1, 0);
	f.step[0].data[0] = 3;
	assert_int_equal(dump(&f, &n, NULL), -EBADMSG);

	memset(&f, 0, sizeof(f)); /* an impossible error number */
	say(&f, 0, NLMSG_ERROR, 0, 1, 5);
	assert_int_equal(dump(&f, &n, NULL), -EBADMSG);

	memset(&f, 0, sizeof(f)); /* end of file, which netlink does not have */
	f.n = 1;
	assert_int_equal(dump(&f, &n, NULL), -EPIPE);

	memset(&f, 0, sizeof(f));
	f.send_err = -EPERM;
	assert_int_equal(dump(&f, &n, NULL), -EPERM);
}

struct result {
	int err[16];
	int answers;
};

static void
refused(void *arg, unsigned nth, int err)
{
	((struct result *)arg)->err[nth] = err;
}

static int
answer(void *arg, unsigned nth, const struct nlmsghdr *nlh)
{
	(void)nth;
	(void)nlh;
	((struct result *)arg)->answers++;
	return 0;
}

static void
batch_of(struct nl_batch *b, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		nl_request(nl_batch_room(b), ENTRY, 0, 0);
		nl_batch_add(b);
	}
}

static void
batch_open(struct nl *nl, struct nl_batch *b, struct fake *f)
{
	*f = (struct fake){0};
	assert_int_equal(nl_open_ops(nl, &ops, f), 0);
	assert_int_equal(nl_batch_init(b, nl, 8), 0);
}

static void
batch_close(struct nl *nl, struct nl_batch *b)
{
	nl_batch_done(b);
	nl_close(nl);
}

static void
batch_errors(void **state)
{
	static const struct nl_batch_ops bops = {refused, answer};
	struct result res = {0};
	struct nl_batch b;
	struct fake f;
	struct nl nl;

	(void)state;
	batch_open(&nl, &b, &f);
	batch_of(&b, 4);
	say(&f, 0, NLMSG_ERROR, 0, 2, -EEXIST);
	say(&f, 0, ENTRY, 0, 3, 0);
	say(&f, 0, NLMSG_ERROR, 0, 900, -EIO); /* not ours */
	say(&f, 1, NLMSG_ERROR, 0, 4, 0);      /* the last one's acknowledgement ends it */
	assert_int_equal(nl_batch_flush(&b, &bops, &res), 0);
	assert_int_equal(f.sends, 1);
	assert_int_equal(f.sent_len, 4 * (NLMSG_HDRLEN + sizeof(struct nfgenmsg)));
	assert_int_equal(res.err[0], 0);
	assert_int_equal(res.err[1], EEXIST);
	assert_int_equal(res.err[3], 0);
	assert_int_equal(res.answers, 1);
	assert_int_equal(b.count, 0);
	/* The next batch has new numbers, so late answers to this one cannot be mistaken. */
	batch_of(&b, 1);
	f.n = f.at = 0;
	memset(f.step, 0, sizeof(f.step));
	say(&f, 0, NLMSG_ERROR, 0, 4, -EIO);
	say(&f, 0, NLMSG_ERROR, 0, 5, -ENOENT);
	memset(&res, 0, sizeof(res));
	assert_int_equal(nl_batch_flush(&b, &bops, &res), 0);
	assert_int_equal(res.err[0], ENOENT);
	batch_close(&nl, &b);
}

static void
batch_overrun(void **state)
{
	static const struct nl_batch_ops bops = {refused, NULL};
	struct result res = {0};
	struct nl_batch b;
	struct fake f;
	struct nl nl;

	(void)state;
	batch_open(&nl, &b, &f);
	batch_of(&b, 2);
	say_err(&f, -ENOBUFS);
	assert_int_equal(nl_batch_flush(&b, &bops, &res), -ENOBUFS);
	assert_int_equal(nl_batch_flush(&b, &bops, &res), 0); /* nothing left */
	batch_close(&nl, &b);
}

static void
events(void **state)
{
	struct fake f = {0};
	struct nl nl;
	int n = 0;

	(void)state;
	assert_int_equal(nl_open_ops(&nl, &ops, &f), 0);
	say(&f, 0, ENTRY, 0, 0, 0);
	say(&f, 0, ENTRY, 0, 0, 0);
	say_err(&f, -ENOBUFS);
	say(&f, 2, ENTRY, 0, 0, 0);
	assert_int_equal(nl_events(&nl, false, count, &n), 0);
	assert_int_equal(nl_events(&nl, false, count, &n), -ENOBUFS);
	assert_int_equal(nl_events(&nl, false, count, &n), 0);
	assert_int_equal(nl_events(&nl, false, count, &n), -EAGAIN);
	assert_int_equal(n, 3);
	nl_close(&nl);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_dump),    cmocka_unit_test(inconsistent_dump), cmocka_unit_test(refused_dump),
		cmocka_unit_test(hostile_dumps), cmocka_unit_test(batch_errors),      cmocka_unit_test(batch_overrun),
		cmocka_unit_test(events),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

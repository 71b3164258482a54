/*
 * One dialogue with the daemon, whose answer is not trusted.
 */
#include "ask.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "confine.h"
#include "gone.h"
#include "stats.h"

#define OLD_END_MS 5000 /* a daemon of conntrack-tools closes the connection when it has done all else */

static int
take_stats(struct answer *a, const uint8_t *payload)
{
	memcpy(&a->stats, payload, sizeof(a->stats));
	stats_clean(&a->stats);
	a->has_stats = true;
	return 0;
}

static int
take_commit(struct answer *a, const uint8_t *payload)
{
	struct ctl_commit c;

	memcpy(&c, payload, sizeof(c));
	for (unsigned int i = 0; i < a->n_commits; i++)
		if (a->commit[i].table == c.table) { /* once more, for somebody else: the last one counts */
			a->commit[i] = c;
			return 0;
		}
	if (a->n_commits == sizeof(a->commit) / sizeof(a->commit[0]))
		return -EBADMSG;
	a->commit[a->n_commits++] = c;
	return 0;
}

/* The text comes from the daemon and goes to a terminal. */
static int
take_fail(struct answer *a, const uint8_t *payload)
{
	char *p = a->fail.text;

	memcpy(&a->fail, payload, sizeof(a->fail));
	p[sizeof(a->fail.text) - 1] = '\0';
	for (; *p != '\0'; p++)
		if (*p < ' ' || *p == 0x7f)
			*p = '?';
	return a->fail.why == CTL_WHY_NONE ? -EBADMSG : 1;
}

/* 0: go on, 1: the answer is complete. */
static int
take(struct answer *a, const struct ctl_frame *f, const uint8_t *payload, record_fn *fn, void *ctx)
{
	switch (f->type) {
	case CTL_R_STATS:
		return take_stats(a, payload);
	case CTL_R_COMMIT:
		return take_commit(a, payload);
	case CTL_FAIL:
		return take_fail(a, payload);
	case CTL_DONE:
		return 1;
	default:
		return fn != NULL ? fn(ctx, f->type, payload, f->len) : 0;
	}
}

/* Text as it comes, until the daemon closes: when the work is done, or, told to stop, when it ends. */
static int
take_old(struct client *c, const struct request *q, struct answer *a)
{
	const uint8_t *text;
	size_t len;
	int r;

	a->old = true;
	if (q->old == 0)
		return -EPROTONOSUPPORT;
	while ((r = client_text(c, &text, &len)) == 0)
		if (fwrite(text, 1, len, stdout) != len)
			return -EIO;
	return r == -EPIPE ? 0 : r;
}

void
ask_client(struct client *c, const struct request *q, record_fn *fn, void *ctx, struct answer *a)
{
	struct ctl_request r = {.old = q->old > 0 ? q->old - 1U : CTL_OLD_NONE,
				.magic = CTL_MAGIC,
				.layout = ctl_layout(),
				.verb = (uint16_t)q->verb,
				.caches = q->caches,
				.tables = q->tables,
				.role = q->role};
	struct ctl_frame f;
	const uint8_t *payload;
	int end;

	end = client_ask(c, &r);
	a->asked = end == 0;
	if (end == -EPIPE || end == -ECONNRESET) /* who is not even asked may say why */
		end = 0;
	while (end == 0 && (end = client_next(c, &f, &payload)) == 0)
		end = take(a, &f, payload, fn, ctx);
	if (end < 0 && a->asked && client_is_old(c))
		end = take_old(c, q, a);
	a->err = end < 0 ? end : 0;
}

/* How the end of a daemon is seen: by its process; that of conntrack-tools may have left the name of one that has long
 * ended with its socket, so there nobody may listen any more. */
struct end {
	int pidfd, socket; /* negative: it cannot be seen there */
};

static struct end
watch_end(const struct client *c, const char *path)
{
	return (struct end){client_daemon(c), gone_watch(path)};
}

/* A daemon that was told to stop may be gone before it has said so, or say so shortly before it is gone. */
static void
await_end(const struct end *e, int silence, struct answer *a)
{
	struct pollfd p = {e->pidfd, POLLIN, 0};

	if (a->asked && (a->err == -EPIPE || a->err == -ECONNRESET))
		a->err = 0;
	if (a->err == 0 && a->fail.why == CTL_WHY_NONE) {
		if (a->old)
			a->err = e->socket >= 0 && !gone_ask(e->socket, OLD_END_MS) ? -EBUSY : 0;
		else if (e->pidfd >= 0 && poll(&p, 1, silence) == 0)
			a->err = -ETIMEDOUT;
	}
	if (e->pidfd >= 0)
		close(e->pidfd);
	if (e->socket >= 0)
		close(e->socket);
}

/* The operator is root, and the worker that answers reads what peers send: should it have been taken over, its answer
 * meets a process without rights and without most system calls. */
void
ask(const char *path, int silence, const struct request *q, record_fn *fn, void *ctx, struct answer *a)
{
	struct end end = {-1, -1};
	struct client *c;

	memset(a, 0, sizeof(*a));
	if ((c = client_new(path, silence, &a->err)) == NULL)
		return;
	if (q->verb == CTL_STOP)
		end = watch_end(c, path);
	tzset(); /* reads a file, for the time in messages */
	if (confine(CONFINE_WAIT | CONFINE_BARE) < 0)
		a->err = -ENOSYS;
	else
		ask_client(c, q, fn, ctx, a);
	if (q->verb == CTL_STOP)
		await_end(&end, silence, a);
	client_free(c);
}

static const struct {
	enum exit_status status;
	const char *text;
} whys[] = {
	[CTL_WHY_DENIED] = {EXIT_DENIED, "permission denied: this needs root"},
	[CTL_WHY_UNSUPPORTED] = {EXIT_UNSUPPORTED, "not supported in this mode of the daemon"},
	[CTL_WHY_BUSY] = {EXIT_BUSY, "the daemon is busy"},
	[CTL_WHY_BAD_REQUEST] = {EXIT_FAILED,
				 "the daemon does not know this request: it is of another version, restart it"},
	[CTL_WHY_FAILED] = {EXIT_FAILED, "the daemon could not do it"},
	[CTL_WHY_SUPERSEDED] = {EXIT_SUPERSEDED, "another role was set meanwhile"},
	[CTL_WHY_LAYOUT] = {EXIT_FAILED, "the daemon is of another build: restart it"},
};
#define N_WHYS (sizeof(whys) / sizeof(whys[0]))

enum exit_status
answer_status(const struct answer *a)
{
	if (a->err != 0)
		return a->err == -EACCES || a->err == -EPERM ? EXIT_DENIED : EXIT_FAILED;
	if (a->fail.why == CTL_WHY_NONE)
		return EXIT_DONE;
	return a->fail.why < N_WHYS ? whys[a->fail.why].status : EXIT_FAILED;
}

static const struct {
	int err;
	const char *text;
} errors[] = {
	{-ENOENT, "there is no such socket: is conntrackd running?"},
	{-ECONNREFUSED, "nobody is listening: is conntrackd running?"},
	{-EACCES, "permission denied: only root and members of the configured group may ask"},
	{-ETIMEDOUT, "the daemon does not answer in time"},
	{-ENOSYS, "cannot give up rights before reading the answer: no seccomp filters here?"},
	{-EPIPE, "the daemon closed the connection without a complete answer"},
	{-EPROTONOSUPPORT,
	 "this is the daemon of conntrack-tools, which knows only the options of conntrackd (-s, -c, …): "
	 "stop it and start this version's"},
	{-EBUSY, "who listens there did not stop: it is neither this conntrackd nor that of conntrack-tools"},
	{-ECONNRESET, "the daemon closed the connection in the middle of its answer"},
	{-EBADMSG, "the answer is not of this version's protocol: restart conntrackd after an upgrade"},
};

static const char *
error_text(int err)
{
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
		if (errors[i].err == err)
			return errors[i].text;
	return strerror(-err);
}

void
answer_text(const struct answer *a, const char *path, char *buf, size_t size)
{
	const struct ctl_fail *f = &a->fail;
	const char *why = f->why < N_WHYS && whys[f->why].text != NULL ? whys[f->why].text : "refused";

	if (a->err != 0)
		snprintf(buf, size, "%s: %s", path, error_text(a->err));
	else if (f->text[0] != '\0')
		snprintf(buf, size, "%s", f->text);
	else if (f->err != 0 && f->err > -4096)
		snprintf(buf, size, "%s: %s", why, strerror(f->err < 0 ? -f->err : f->err));
	else
		snprintf(buf, size, "%s", why);
}

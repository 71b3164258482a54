/*
 * A sink without memory. Encoding and sending is the peers'.
 */
#include "sync.h"

static void
send_on(struct sync *s, enum sink_op op, const struct flow *f, const struct expect *e)
{
	struct cache_stats *st = &s->direct[e != NULL ? SLOT_EXPECT : SLOT_FLOW];
	uint64_t *const done[] = {&st->created, &st->updated, &st->deleted};

	++*done[op];
	peers_direct(s->peers, (enum entry_change)op, f, e);
}

static void
prefetch(void *arg, const struct flow *f, size_t n)
{
	(void)arg;
	(void)f;
	(void)n;
}

static bool
flow(void *arg, enum sink_op op, const struct flow *f, bool own)
{
	if (!own)
		send_on(arg, op, f, NULL);
	return false;
}

static unsigned int
hidden(void *arg, const struct flow *f)
{
	(void)arg;
	(void)f;
	return 0;
}

static bool
expect(void *arg, enum sink_op op, const struct expect *e, bool own)
{
	if (!own)
		send_on(arg, op, NULL, e);
	return true;
}

/* A dump is the answer to a peer that wants everything. */
static void
flow_dumped(void *arg, const struct flow *f, bool shown)
{
	if (shown)
		send_on(arg, SINK_NEW, f, NULL);
}

static void
expect_dumped(void *arg, const struct expect *e)
{
	(void)arg; /* nothing says whether its master was sent */
	(void)e;
}

struct sink
direct_sink(struct sync *s)
{
	return (struct sink){
		.arg = s,
		.prefetch = prefetch,
		.flow = flow,
		.hidden = hidden,
		.expect = expect,
		.flow_dumped = flow_dumped,
		.expect_dumped = expect_dumped,
	};
}

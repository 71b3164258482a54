/*
 * Requests to the kernel, back to back, without acknowledgement: their numbers say where they are, so an error leads
 * back to its request. Some of them try out a helper that the kernel has not shown to have.
 */
#ifndef BATCH_H
#define BATCH_H

#include "flow_nl.h"
#include "helpers.h"
#include "msg.h"

#define BATCH_SIZE  (MSG_DATA_MAX - 64)
#define BATCH_TRIES 16
#define REQUEST_MAX 2048 /* no request is longer */

struct batch {
	uint32_t len;
	unsigned int n_tried;
	struct {
		uint32_t seq;
		struct helper_key key;
		uint8_t source;
	} tried[BATCH_TRIES];
	_Alignas(8) uint8_t data[BATCH_SIZE];
};

static inline void
batch_clear(struct batch *b)
{
	b->len = b->n_tried = 0;
}

/* One more request fits. */
static inline bool
batch_room(const struct batch *b)
{
	return b->len + REQUEST_MAX <= BATCH_SIZE;
}

/* The number of the next request. */
static inline uint32_t
batch_seq(const struct batch *b)
{
	return b->len / 4 + 1;
}

/* Append one; its length, or as flow_nl.h says why it cannot be built. */
int batch_flow(struct batch *b, enum flow_nl_op op, const struct flow *f, const struct flow_nl_opts *o);
int batch_expect(struct batch *b, enum flow_nl_op op, const struct expect *e, uint32_t timeout);
/* A request that was built before, under its new number. */
void batch_copy(struct batch *b, const struct nlmsghdr *nlh);
/* The next request tries out this helper. False: too many do. */
bool batch_try(struct batch *b, const struct helper_key *k, unsigned int source);
/* The request that the error is about; NULL: there is none with this number. */
const struct nlmsghdr *batch_request(const struct batch *b, uint32_t seq);
/* What the answers say about the helpers that were tried out. missing: see helpers_note(). */
void batch_judge(const struct batch *b, const struct msg_error *err, size_t n, struct helpers *h,
		 void (*missing)(void *arg, const char *name), void *arg);

/* The kind of a request. */
bool request_creates(const struct nlmsghdr *nlh);
bool request_deletes(const struct nlmsghdr *nlh);
bool request_of_expect(const struct nlmsghdr *nlh);

#endif

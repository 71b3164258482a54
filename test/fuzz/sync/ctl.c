/*
 * Bytes of a local user through the control server and the verbs behind it. First octet: access; then what is sent, in
 * pieces of one length octet each. A whole request gets this build's layout where it says 0.
 */
#include <string.h>

#include "rig.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct run {
	struct sync *s;
	int turns;
};

static void
turn(void *arg)
{
	struct run *r = arg;

	ha_turn(r->s->ha);
	control_turn(r->s->control);
	loop_again(r->s->loop);
	if (--r->turns <= 0)
		loop_stop(r->s->loop);
}

static void
run(struct sync *s, int turns)
{
	struct run r = {s, turns};

	loop_again(s->loop);
	loop_run(s->loop, turn, &r);
}

static bool
say(int fd, const uint8_t *data, size_t len)
{
	struct ctl_request q;

	if (len != sizeof(q))
		return send(fd, data, len, MSG_NOSIGNAL) >= 0;
	memcpy(&q, data, sizeof(q));
	q.layout = q.layout == 0 ? ctl_layout() : q.layout;
	return send(fd, &q, sizeof(q), MSG_NOSIGNAL) >= 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct msg_client who = {.uid = 1};
	uint8_t sink[65536];
	struct rig r;
	int sv[2];

	if (size < 1)
		return 0;
	r = rig_new(false);
	who.access = data[0] & 3;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, sv) < 0)
		abort();
	control_client(r.s->control,
		       &(struct msg){.type = MSG_CLIENT, .data = &who, .len = sizeof(who), .fd = {sv[0]}, .nfds = 1});
	for (data++, size--; size > 1;) {
		size_t len = data[0];

		data++;
		size--;
		len = len < size ? len : size;
		if (len > 0 && !say(sv[1], data, len))
			break;
		data += len;
		size -= len;
		run(r.s, 3);
	}
	run(r.s, 5);
	while (recv(sv[1], sink, sizeof(sink), 0) > 0)
		;
	close(sv[1]);
	run(r.s, 2);
	rig_free(&r);
	return 0;
}

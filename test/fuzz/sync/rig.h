/* The parts of a sync worker without the worker: no jail, no parent behind the wall. */
#ifndef RIG_H
#define RIG_H

#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sync.h"
#include "settings.h"

struct rig {
	struct sync *s;
	int far; /* the parent's end of the wall */
};

static inline struct rig
rig_new(bool inject)
{
	struct rig r = {.s = calloc(1, sizeof(struct sync))};
	static struct log quiet = {.fd = -1, .fd_err = -1, .form = LF_RECORD};
	int sv[2];

	if (r.s == NULL || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, sv) < 0)
		abort();
	r.far = sv[1];
	r.s->wall.chan.fd = sv[0];
	r.s->log = &quiet;
	conf_init(&r.s->conf);
	r.s->have_conf = true;
	r.s->conf.sync = true;
	r.s->conf.mode = MODE_FTFW;
	r.s->conf.hash_limit = 4096;
	r.s->conf.resend_queue_size = 512;
	r.s->conf.disable_external_cache = inject;
	r.s->conf.expect_sync = true;
	r.s->conf.n_links = 1;
	clock_set(&r.s->clock, 100000);
	r.s->loop = loop_new();
	if (r.s->loop == NULL || parts_start(r.s) < 0)
		abort();
	peers_start(r.s->peers);
	return r;
}

static inline void
rig_free(struct rig *r)
{
	parts_free(r->s);
	loop_free(r->s->loop);
	wall_clear(&r->s->wall);
	close(r->s->wall.chan.fd);
	close(r->far);
	free(r->s);
}

#endif

/* See opener.h. */
#include "opener.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "msg_rules.h"

#define GONE_MS 1000 /* at the end of the daemon ctd-link leaves before us: no word about that */

void
opener_init(struct opener *o, const struct opener_env *env, struct log *log)
{
	*o = (struct opener){.env = *env, .log = log, .wall.chan.fd = -1};
	for (unsigned int i = 0; i < MSG_LINKS_MAX; i++)
		o->given[i].fd[0] = o->given[i].fd[1] = -1;
}

static void
hang_up(struct opener *o)
{
	watch_free(o->watch);
	o->watch = NULL;
	if (o->wall.chan.fd != -1)
		close(o->wall.chan.fd);
	o->wall.chan.fd = -1;
	wall_clear(&o->wall);
}

void
opener_clear(struct opener *o)
{
	hang_up(o);
	timer_free(o->gone);
	o->gone = NULL;
	for (struct given *g = o->given; g < o->given + MSG_LINKS_MAX; g++)
		if (g->fd[0] != -1) {
			close(g->fd[0]);
			close(g->fd[1]);
		}
}

void
opener_given(struct opener *o, const struct msg *m)
{
	struct given *g = &o->given[m->arg];

	if (g->fd[0] != -1) {
		close(g->fd[0]);
		close(g->fd[1]);
	}
	memcpy(g->fd, m->fd, sizeof(g->fd));
	memcpy(&g->info, m->data, sizeof(g->info));
}

/* Who hands in anything else could make us wait for it. */
static bool
is_datagram(int fd)
{
	int type = 0, protocol = 0, domain = 0;
	socklen_t len = sizeof(int);

	return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0 && type == SOCK_DGRAM &&
	       getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &len) == 0 && protocol == IPPROTO_UDP &&
	       getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) == 0 && (domain == AF_INET || domain == AF_INET6) &&
	       fcntl(fd, F_SETFL, O_NONBLOCK) == 0;
}

/* Of a link that it was asked for, and once. */
static bool
is_answer(struct opener *o, const struct msg *m)
{
	if (msg_admit(ROLE_LINK, ROLE_SYNC, PHASE_RUN, m) != ADMIT_OK || (o->pending & 1U << m->arg) == 0)
		return false;
	o->pending &= ~(1U << m->arg);
	return m->type != MSG_CHANNEL || (is_datagram(m->fd[0]) && is_datagram(m->fd[1]));
}

/* Who sends anything but answers has been taken over: the end of it. */
static void
hear(void *arg, unsigned int ready)
{
	struct opener *o = arg;
	uint8_t in[sizeof(struct msg_hdr) + sizeof(struct msg_channel) + 1];
	struct msg m = {0};
	int r;

	(void)ready;
	while ((r = chan_recv(&o->wall.chan, in, sizeof(in), &m)) > 0 && is_answer(o, &m))
		o->env.answer(o->env.arg, &m);
	if (r == 0)
		return;
	msg_close_fds(&m);
	hang_up(o);
	if (o->gone != NULL)
		timer_arm(o->gone, GONE_MS);
}

static void
say_gone(void *arg)
{
	log_put(((struct opener *)arg)->log, LV_WARNING,
		"ctd-link is gone: a device that is deleted and made again stays without its link");
}

bool
opener_wall(struct opener *o, struct loop *loop, int fd)
{
	hang_up(o);
	o->wall.chan.fd = fd;
	o->watch = watch_new(loop, fd, hear, o);
	if (o->gone == NULL)
		o->gone = timer_new(loop, say_gone, o);
	if (o->watch != NULL)
		watch_want(o->watch, LOOP_READ);
	return o->watch != NULL;
}

void
opener_ask(struct opener *o, unsigned int i)
{
	if (o->given[i].fd[0] != -1)
		o->given[i].asked = true;
	else if (o->wall.chan.fd != -1 && (o->pending & 1U << i) == 0 &&
		 wall_send(&o->wall, MSG_CHANNEL_OPEN, i, NULL, 0) == 0)
		o->pending |= 1U << i;
}

void
opener_turn(struct opener *o)
{
	for (unsigned int i = 0; i < MSG_LINKS_MAX; i++) {
		struct given *g = &o->given[i];
		struct msg m = {MSG_CHANNEL, i, &g->info, sizeof(g->info), {g->fd[0], g->fd[1]}, 2};

		if (!g->asked)
			continue;
		g->asked = false;
		g->fd[0] = g->fd[1] = -1;
		o->env.answer(o->env.arg, &m);
	}
	if (o->wall.chan.fd != -1)
		wall_flush(&o->wall);
}

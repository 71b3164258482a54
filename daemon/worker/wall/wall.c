/*
 * Records to the parent, in order, without waiting. Called by the parts of the sync role.
 */
#include "wall.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

bool
wall_ready(const struct wall *w)
{
	return w->count == 0;
}

static int
keep(struct wall *w, uint32_t type, uint32_t arg, const void *data, size_t len)
{
	struct wall_kept *k = &w->kept[(w->first + w->count) % WALL_KEPT_MAX];

	if (w->count == WALL_KEPT_MAX)
		return -ENOBUFS;
	*k = (struct wall_kept){.type = type, .arg = arg, .len = len};
	if (len > 0) {
		if ((k->data = malloc(len)) == NULL)
			return -ENOMEM;
		memcpy(k->data, data, len);
	}
	w->count++;
	return 0;
}

int
wall_send(struct wall *w, uint32_t type, uint32_t arg, const void *data, size_t len)
{
	int r = w->count > 0 ? -EAGAIN : chan_send(&w->chan, type, arg, data, len);

	return r == -EAGAIN ? keep(w, type, arg, data, len) : r;
}

int
wall_flush(struct wall *w)
{
	while (w->count > 0) {
		struct wall_kept *k = &w->kept[w->first];
		int r = chan_send(&w->chan, k->type, k->arg, k->data, k->len);

		if (r < 0)
			return r;
		free(k->data);
		w->first = (w->first + 1) % WALL_KEPT_MAX;
		w->count--;
	}
	return 0;
}

bool
wall_closed(const struct wall *w)
{
	struct pollfd pfd = {w->chan.fd, 0, 0};

	return poll(&pfd, 1, 0) == 1 && (pfd.revents & POLLHUP) != 0;
}

void
wall_clear(struct wall *w)
{
	for (; w->count > 0; w->count--, w->first = (w->first + 1) % WALL_KEPT_MAX)
		free(w->kept[w->first].data);
}

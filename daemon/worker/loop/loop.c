/*
 * libevent behind loop.h. Used by every worker; nothing from outside passes through here.
 */
#include "loop.h"

#include <event2/event.h>
#include <stdlib.h>
#include <time.h>

#define OVERSLEPT_MS 1000

struct loop {
	struct event_base *base;
	uint64_t now;
	bool stop, again, overslept;
};

struct watch {
	struct event *rd, *wr;
	void (*fn)(void *arg, unsigned int ready);
	void *arg;
	unsigned int want;
};

struct timer {
	struct event *ev;
	void (*fn)(void *arg);
	void *arg;
};

static uint64_t
clock_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

struct loop *
loop_new(void)
{
	struct loop *l = calloc(1, sizeof(*l));
	struct event_config *cfg = event_config_new();

	if (l != NULL && cfg != NULL) {
		event_config_set_flag(cfg, EVENT_BASE_FLAG_NOLOCK | EVENT_BASE_FLAG_IGNORE_ENV);
		l->base = event_base_new_with_config(cfg);
	}
	if (cfg != NULL)
		event_config_free(cfg);
	if (l == NULL || l->base == NULL) {
		free(l);
		return NULL;
	}
	l->now = clock_ms();
	return l;
}

void
loop_free(struct loop *l)
{
	if (l == NULL)
		return;
	event_base_free(l->base);
	free(l);
}

uint64_t
loop_now(const struct loop *l)
{
	return l->now;
}

bool
loop_overslept(const struct loop *l)
{
	return l->overslept || clock_ms() - l->now > OVERSLEPT_MS;
}

int
loop_run(struct loop *l, void (*turn)(void *arg), void *arg)
{
	l->stop = false;
	while (!l->stop) {
		int flags = EVLOOP_ONCE | EVLOOP_NO_EXIT_ON_EMPTY | (l->again ? EVLOOP_NONBLOCK : 0);

		l->again = false;
		if (event_base_loop(l->base, flags) < 0)
			return -1;
		l->overslept = clock_ms() - l->now > OVERSLEPT_MS;
		l->now = clock_ms();
		if (turn != NULL && !l->stop)
			turn(arg);
	}
	return 0;
}

void
loop_stop(struct loop *l)
{
	l->stop = true;
	event_base_loopbreak(l->base);
}

void
loop_again(struct loop *l)
{
	l->again = true;
}

static void
watch_ready(evutil_socket_t fd, short what, void *arg)
{
	struct watch *w = arg;

	(void)fd;
	w->fn(w->arg, what & EV_READ ? LOOP_READ : LOOP_WRITE);
}

struct watch *
watch_new(struct loop *l, int fd, void (*fn)(void *arg, unsigned int ready), void *arg)
{
	struct watch *w = calloc(1, sizeof(*w));

	if (w == NULL)
		return NULL;
	w->fn = fn;
	w->arg = arg;
	w->rd = event_new(l->base, fd, EV_READ | EV_PERSIST, watch_ready, w);
	w->wr = event_new(l->base, fd, EV_WRITE | EV_PERSIST, watch_ready, w);
	if (w->rd == NULL || w->wr == NULL) {
		watch_free(w);
		return NULL;
	}
	return w;
}

void
watch_want(struct watch *w, unsigned int what)
{
	unsigned int change = w->want ^ what;

	if (change & LOOP_READ)
		(void)(what & LOOP_READ ? event_add(w->rd, NULL) : event_del(w->rd));
	if (change & LOOP_WRITE)
		(void)(what & LOOP_WRITE ? event_add(w->wr, NULL) : event_del(w->wr));
	w->want = what;
}

void
watch_free(struct watch *w)
{
	if (w == NULL)
		return;
	if (w->rd != NULL)
		event_free(w->rd);
	if (w->wr != NULL)
		event_free(w->wr);
	free(w);
}

static void
timer_fires(evutil_socket_t fd, short what, void *arg)
{
	struct timer *t = arg;

	(void)fd;
	(void)what;
	t->fn(t->arg);
}

struct timer *
timer_new(struct loop *l, void (*fn)(void *arg), void *arg)
{
	struct timer *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return NULL;
	t->fn = fn;
	t->arg = arg;
	if ((t->ev = event_new(l->base, -1, 0, timer_fires, t)) == NULL) {
		free(t);
		return NULL;
	}
	return t;
}

void
timer_arm(struct timer *t, uint64_t ms)
{
	struct timeval tv = {.tv_sec = (time_t)(ms / 1000), .tv_usec = (suseconds_t)(ms % 1000 * 1000)};

	event_add(t->ev, &tv);
}

void
timer_free(struct timer *t)
{
	if (t == NULL)
		return;
	event_free(t->ev);
	free(t);
}

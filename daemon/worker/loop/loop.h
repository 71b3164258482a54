/*
 * The event loop of a worker: descriptors and timers behind a few verbs, so that only loop.c knows libevent. One turn
 * is: wait, serve what is ready, then the turn function, where a worker does what it batches (send queues, answers).
 */
#ifndef LOOP_H
#define LOOP_H

#include <stdbool.h>
#include <stdint.h>

enum loop_ready { LOOP_READ = 1, LOOP_WRITE = 2 };

struct loop;
struct watch;
struct timer;

struct loop *loop_new(void); /* NULL: no memory or no epoll */
void loop_free(struct loop *l);
/* Milliseconds of the monotonic clock, read once a turn. */
uint64_t loop_now(const struct loop *l);
/* More than a second has passed since the last turn, or between it and the one before: who wakes up oftener has been
 * stopped, or the whole machine has.
 */
bool loop_overslept(const struct loop *l);
/* Serves until loop_stop(). turn is called after everything that was ready has been served; NULL is fine. */
int loop_run(struct loop *l, void (*turn)(void *arg), void *arg);
void loop_stop(struct loop *l);
/* The next turn does not wait: its caller has more to do than fits one turn. */
void loop_again(struct loop *l);

/* Calls fn(arg, ready) when fd is ready for what was asked with watch_want(); nothing is asked at first.
 * The descriptor stays the caller's. NULL: no memory. */
struct watch *watch_new(struct loop *l, int fd, void (*fn)(void *arg, unsigned int ready), void *arg);
void watch_want(struct watch *w, unsigned int what); /* bits of loop_ready, 0: nothing */
void watch_free(struct watch *w);                    /* NULL is fine; also from within fn */

struct timer *timer_new(struct loop *l, void (*fn)(void *arg), void *arg);
void timer_arm(struct timer *t, uint64_t ms); /* once, ms from now; replaces an earlier time */
void timer_free(struct timer *t);

#endif

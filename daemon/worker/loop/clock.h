/*
 * The time that all parts of a worker go by: its role sets it once a turn, a test as it likes.
 */
#ifndef CLOCK_H
#define CLOCK_H

#include <stdint.h>

#define NEVER UINT64_MAX /* of ms */

/* Monotonic; s is in step with ms. */
struct clock {
	uint64_t ms;
	uint32_t s;
};

static inline void
clock_set(struct clock *c, uint64_t ms)
{
	c->ms = ms;
	c->s = (uint32_t)(ms / 1000);
}

#endif

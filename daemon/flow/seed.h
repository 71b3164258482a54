/* Secret of a keyed hash. */
#ifndef SEED_H
#define SEED_H

#include <stdint.h>

/* 16 random octets. -errno when the kernel refuses. */
int seed_fill(uint64_t seed[2]);

#endif

/*
 * Random secrets for the caches' hashes: never sent, never logged.
 */
#include "seed.h"

#include <errno.h>
#include <sys/random.h>

int
seed_fill(uint64_t seed[2])
{
	const ssize_t len = 2 * sizeof(seed[0]);

	if (getrandom(seed, (size_t)len, 0) != len)
		return -EIO;
	return 0;
}

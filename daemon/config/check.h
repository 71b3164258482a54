/*
 * Rules that concern more than one setting. The parser applies them with the places of what it read; blob_read()
 * applies them again without places, because the worker that wrote the blob may have been taken over.
 */
#ifndef CHECK_H
#define CHECK_H

#include "conf.h"
#include "diag.h"

struct conf_places {
	struct place link[MSG_LINKS_MAX], helper[MSG_HELPERS_MAX];
	struct place sync, stats;
};

/* 0, or -EINVAL with the reason said to d. */
int conf_check(const struct conf *c, const struct conf_places *at, const struct diag *d);

#endif

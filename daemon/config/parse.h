/*
 * conntrackd.conf text to struct conf: the whole grammar of 1.4.x and of its predecessors, plus our extensions.
 * Runs inside the config worker and in tests. Reads nothing but the text it is given.
 */
#ifndef PARSE_H
#define PARSE_H

#include <stddef.h>

#include "settings.h"
#include "diag.h"
#include "protos.h"

#define CONF_TEXT_MAX (16u << 20)

struct conf_source {
	const char *text;
	size_t len;
	const struct protos *protos; /* NULL: only the common names */
	const struct diag *diag;
};

/* 0 with *c complete, owned by the caller (conf_clear()); -EINVAL when the text is wrong, said to diag with its place;
 * -ENOMEM. On failure *c owns nothing. */
int conf_parse(struct conf *c, const struct conf_source *src);

#endif

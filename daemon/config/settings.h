/*
 * What is done with settings as a whole. The struct is in conf.h, which others read without any code of this folder.
 */
#ifndef SETTINGS_H
#define SETTINGS_H

#include "conf.h"

/* Defaults of every field. */
void conf_init(struct conf *c);
/* Frees what conf owns (filter networks), not conf itself. */
void conf_clear(struct conf *c);
/* Link i, of those that there are. */
struct conf_link conf_link_get(const struct conf *c, uint32_t i);
void conf_link_put(struct conf *c, uint32_t i, const struct conf_link *link);
/* Fills the fixed-size extract that the parent gets. */
void conf_to_setup(const struct conf *c, struct msg_setup *s);

#endif

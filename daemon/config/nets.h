/*
 * The list of networks of the Filter.
 */
#ifndef NETS_H
#define NETS_H

#include "printer.h"
#include "reader.h"

/* One entry of a list: IPv4_address or IPv6_address, and what follows it. */
int nets_item(struct reader *p);
/* Drops networks that were written before. -ENOMEM. */
int nets_finish(struct reader *p);
void nets_print(struct printer *p, const struct conf_filter *f);

#endif

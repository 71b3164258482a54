/*
 * What head.c and enc.c share.
 */
#ifndef HEAD_H
#define HEAD_H

#include <stdint.h>

#include "buf.h"

#define WIRE_HEAD       8
#define WIRE_HEAD_RANGE 16 /* with from and to */

void wire_put_head(struct wr *w, uint8_t type, uint8_t flags, uint32_t seq);
/* Fills in the length. Returns it, or -ENOSPC. */
int wire_end(struct wr *w);

#endif

/*
 * How much the kernel's table takes: one question, and what of it peers' flows may have.
 */
#ifndef ROOM_H
#define ROOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "applier.h"

#define ROOM_UNKNOWN UINT32_MAX
#define ROOM_SPARED  20 /* this part of the table stays free of them: packets that come now want entries, too */

struct room_request {
	_Alignas(4) uint8_t data[20];
};
struct room_request room_ask(void);
/* From the answer: entries that may be created; ROOM_UNKNOWN: it does not say (kernels before 4.18). */
uint32_t room_of(const void *answer, size_t len);
/* What each source may have of it, so that who has much to write leaves as much to those who have less. */
void room_share(uint32_t room, const uint32_t held[APPLY_SOURCES], uint32_t quota[APPLY_SOURCES]);

#endif

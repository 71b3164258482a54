/*
 * Which mode a peer runs, as far as its messages show: none says so. Headers come from the network; what is found out
 * is for the eyes of the operator only.
 */
#ifndef SPEECH_H
#define SPEECH_H

#include <stdbool.h>
#include <stdint.h>

#include "wire.h"

/* SPEAKS_SHY: signs of life, but neither HELLO nor an acknowledgement: NOTRACK, or FT-FW that does not hear us. */
enum speaks { SPEAKS_UNKNOWN, SPEAKS_FTFW, SPEAKS_SHY, SPEAKS_ALARM };

struct speech {
	uint8_t speaks;        /* enum speaks */
	uint8_t alive, pauses; /* signs of life in a row; pauses that a peer of another mode would have filled */
	uint64_t at;           /* of the last message, 0: none yet */
};

void speech_hear(struct speech *s, const struct wire_head *h, uint64_t now);

#endif

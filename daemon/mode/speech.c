#include "speech.h"

#define PAUSE_MS  2500 /* FT-FW and NOTRACK say something every second */
#define PAUSE_MAX 9000 /* longer ones are a link that was down, or a restart */
#define ENOUGH    4    /* of a kind, before it counts */

void
speech_hear(struct speech *s, const struct wire_head *h, uint64_t now)
{
	const uint64_t pause = s->at > 0 ? now - s->at : 0;

	s->at = now;
	if (h->flags & (WIRE_HELLO | WIRE_HELLO_BACK) || (wire_is_control(h) && h->flags & (WIRE_ACK | WIRE_NACK))) {
		*s = (struct speech){.speaks = SPEAKS_FTFW, .at = now};
		return;
	}
	if (wire_is_control(h)) {
		s->pauses = 0;
		if (h->flags & WIRE_ALIVE && s->alive < ENOUGH && ++s->alive == ENOUGH)
			s->speaks = SPEAKS_SHY;
		return;
	}
	if (pause >= PAUSE_MS && pause < PAUSE_MAX && s->pauses < ENOUGH && ++s->pauses == ENOUGH)
		s->speaks = SPEAKS_ALARM;
}

/*
 * Whole datagrams of a stranger through framing, mode, codec and caches, with time passing between them. First octet:
 * bit 0 direct injection; then datagrams of two octets of length each.
 */
#include <string.h>

#include "rig.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
answer(struct sync *s)
{
	struct mode *mode = peers_mode(s->peers);
	struct mode_item it;

	mode->ops->tick(mode, s->clock.ms);
	for (int i = 0; i < 100 && mode->ops->next(mode, &it, s->clock.ms); i++)
		;
	s->apply.turn(s->apply.arg);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rig r;

	if (size < 1)
		return 0;
	r = rig_new(data[0] & 1);
	for (data++, size--; size > 2;) {
		size_t len = (size_t)data[0] << 8 | data[1];

		data += 2;
		size -= 2;
		len = len < size ? len : size;
		uint8_t *copy = malloc(len + 1); /* exactly as long: reading behind it is seen */

		if (copy == NULL)
			abort();
		copy = realloc(copy, len > 0 ? len : 1);
		memcpy(copy, data, len);
		peers_datagram(r.s->peers, 0, copy, len);
		free(copy);
		answer(r.s);
		clock_set(&r.s->clock, r.s->clock.ms + 400);
		data += len;
		size -= len;
	}
	rig_free(&r);
	return 0;
}

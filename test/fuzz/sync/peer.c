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
	struct mode_item it;

	s->mode->ops->tick(s->mode, s->now);
	for (int i = 0; i < 100 && s->mode->ops->next(s->mode, &it, s->now); i++)
		;
	if (s->inject != NULL)
		inject_flush(s->inject);
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
		peer_datagram(&r.s->rx_arg[0], copy, len);
		free(copy);
		answer(r.s);
		r.s->now += 400;
		data += len;
		size -= len;
	}
	rig_free(&r);
	return 0;
}

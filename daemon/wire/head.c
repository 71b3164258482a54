/*
 * Message headers: cuts datagrams and streams into messages, writes control messages. Trusts no octet of what came in.
 */
#include "wire.h"

#include <errno.h>

#include "buf.h"
#include "head.h"

static bool
has_range(uint8_t type, uint8_t flags)
{
	return type == WIRE_CTL && flags & (WIRE_ACK | WIRE_NACK | WIRE_RESYNC);
}

static enum wire_error
wants(size_t *need, size_t octets, enum wire_error e)
{
	if (need != NULL)
		*need = octets;
	return e;
}

/* Is all of the message there? The order of the checks decides which counter a bad message moves. */
static enum wire_error
check_size(const struct wire_head *h, size_t left, size_t *need)
{
	const bool known = h->version == WIRE_VERSION; /* else waiting for more makes no sense */
	const size_t head = has_range(h->type, h->flags) ? WIRE_HEAD_RANGE : WIRE_HEAD;

	if (h->len == 0)
		return WIRE_BAD_SIZE;
	if (h->len > left)
		return wants(need, known && h->len >= head ? h->len : 0, WIRE_BAD_SIZE);
	if (left < head)
		return wants(need, known && h->len >= head ? head : 0, WIRE_TRUNCATED);
	return h->len < head ? WIRE_BAD_SIZE : WIRE_OK;
}

enum wire_error
wire_next(const uint8_t **data, size_t *left, struct wire_head *h, const uint8_t **body, size_t *body_len, size_t *need)
{
	struct rd r = rd_init(*data, *left);
	enum wire_error e;
	uint8_t first;

	*h = (struct wire_head){0};
	*body = NULL;
	*body_len = 0;
	wants(need, 0, WIRE_OK);
	if (*left < WIRE_HEAD)
		return wants(need, WIRE_HEAD, WIRE_TRUNCATED);
	first = rd_u8(&r);
	h->version = first >> 4;
	h->type = first & 15;
	h->flags = rd_u8(&r);
	h->len = rd_be16(&r);
	h->seq = rd_be32(&r);
	if ((e = check_size(h, *left, need)) != WIRE_OK)
		return e;
	if (has_range(h->type, h->flags)) {
		h->from = rd_be32(&r);
		h->to = rd_be32(&r);
	}
	*body = r.p;
	*body_len = h->len - (size_t)(r.p - *data);
	*data += h->len;
	*left -= h->len;
	return h->version == WIRE_VERSION ? WIRE_OK : WIRE_BAD_VERSION;
}

bool
wire_is_state(const struct wire_head *h)
{
	return h->type <= WIRE_EXP_DEL && (h->flags & ~(WIRE_HELLO | WIRE_HELLO_BACK)) == 0;
}

bool
wire_is_control(const struct wire_head *h)
{
	return h->type == WIRE_CTL && h->flags & (WIRE_ACK | WIRE_NACK | WIRE_RESYNC | WIRE_ALIVE);
}

void
wire_put_head(struct wr *w, uint8_t type, uint8_t flags, uint32_t seq)
{
	wr_u8(w, (uint8_t)(WIRE_VERSION << 4 | type));
	wr_u8(w, flags);
	wr_be16(w, 0);
	wr_be32(w, seq);
}

int
wire_end(struct wr *w)
{
	const size_t len = wr_len(w);

	if (w->full || len > UINT16_MAX)
		return -ENOSPC;
	w->start[2] = (uint8_t)(len >> 8);
	w->start[3] = (uint8_t)len;
	return (int)len;
}

int
wire_enc_ctl(uint8_t flags, uint32_t seq, uint32_t from, uint32_t to, uint8_t *buf, size_t size)
{
	struct wr w = wr_init(buf, size);

	wire_put_head(&w, WIRE_CTL, flags, seq);
	if (has_range(WIRE_CTL, flags)) {
		wr_be32(&w, from);
		wr_be32(&w, to);
	}
	return wire_end(&w);
}

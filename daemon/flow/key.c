/*
 * What makes two flows the same one, and a keyed hash of it (SipHash-1-3: peers and packets choose tuples, so an
 * unkeyed hash would let them build one long chain).
 */
#include "attrs.h"

#include <string.h>

struct sip {
	uint64_t v0, v1, v2, v3;
};

static inline uint64_t
rotl(uint64_t x, unsigned int n)
{
	return x << n | x >> (64 - n);
}

static inline void
sip_round(struct sip *s)
{
	s->v0 += s->v1;
	s->v1 = rotl(s->v1, 13) ^ s->v0;
	s->v0 = rotl(s->v0, 32);
	s->v2 += s->v3;
	s->v3 = rotl(s->v3, 16) ^ s->v2;
	s->v0 += s->v3;
	s->v3 = rotl(s->v3, 21) ^ s->v0;
	s->v2 += s->v1;
	s->v1 = rotl(s->v1, 17) ^ s->v2;
	s->v2 = rotl(s->v2, 32);
}

static inline struct sip
sip_init(const uint64_t seed[2])
{
	return (struct sip){seed[0] ^ 0x736f6d6570736575, seed[1] ^ 0x646f72616e646f6d, seed[0] ^ 0x6c7967656e657261,
			    seed[1] ^ 0x7465646279746573};
}

static inline void
sip_word(struct sip *s, uint64_t m)
{
	s->v3 ^= m;
	sip_round(s);
	s->v0 ^= m;
}

static inline uint32_t
sip_end(struct sip *s)
{
	uint64_t h;

	s->v2 ^= 0xff;
	sip_round(s);
	sip_round(s);
	sip_round(s);
	h = s->v0 ^ s->v1 ^ s->v2 ^ s->v3;
	return (uint32_t)(h ^ h >> 32);
}

static inline void
sip_bytes(struct sip *s, const void *data, size_t len)
{
	const uint8_t *p = data;
	uint64_t m;

	for (; len >= sizeof(m); p += sizeof(m), len -= sizeof(m)) {
		memcpy(&m, p, sizeof(m));
		sip_word(s, m);
	}
	m = (uint64_t)len << 56;
	memcpy(&m, p, len);
	sip_word(s, m);
}

uint32_t
flow_hash(const struct flow *f, const uint64_t seed[2])
{
	struct sip s = sip_init(seed);
	uint64_t m = (uint64_t)f->port[0] | (uint64_t)f->port[1] << 16 | (uint64_t)f->zone << 32 |
		     (uint64_t)f->l3 << 48 | (uint64_t)f->l4 << 56;

	sip_word(&s, m);
	for (unsigned int i = 0; i < 2 * flow_words(f); i += 2) {
		memcpy(&m, f->addr + i, sizeof(m));
		sip_word(&s, m);
	}
	return sip_end(&s);
}

bool
flow_same_key(const struct flow *a, const struct flow *b)
{
	return a->l3 == b->l3 && a->l4 == b->l4 && a->zone == b->zone &&
	       ((a->have ^ b->have) & FLOW_ZONE_ONE_WAY) == 0 && a->port[0] == b->port[0] && a->port[1] == b->port[1] &&
	       memcmp(a->addr, b->addr, 2 * flow_words(a) * sizeof(a->addr[0])) == 0;
}

static bool
same_reply(const struct flow *a, const struct flow *b)
{
	return a->port[2] == b->port[2] && a->port[3] == b->port[3] &&
	       memcmp(flow_addr(a, REPL_SRC), flow_addr(b, REPL_SRC), 2 * flow_words(a) * sizeof(a->addr[0])) == 0;
}

bool
flow_equal(const struct flow *a, const struct flow *b)
{
	const uint32_t skip = FLOW_TIMEOUT | FLOW_ID, have = a->have & ~skip;
	const uint8_t *const in_a[] = {[BASE_MAIN] = (const uint8_t *)a, [BASE_SIDE] = (const uint8_t *)a->side};
	const uint8_t *const in_b[] = {[BASE_MAIN] = (const uint8_t *)b, [BASE_SIDE] = (const uint8_t *)b->side};

	if (have != (b->have & ~skip) || !flow_same_key(a, b))
		return false;
	for (unsigned int i = 0; i < (have & FLOW_SIDE ? FLOW_KEPT : FLOW_KEPT_MAIN); i++) {
		const struct attr *x = &flow_attrs[flow_kept[i]];

		if (x->with & have && memcmp(in_a[x->base] + x->off, in_b[x->base] + x->off, attr_len(x)) != 0)
			return false;
	}
	if (have & FLOW_MASTER && a->side->master_has_ports != b->side->master_has_ports)
		return false;
	return !(have & FLOW_REPLY) || same_reply(a, b);
}

static bool
same_tuple(const struct flow_tuple *a, const struct flow_tuple *b)
{
	return a->l4 == b->l4 && a->sport == b->sport && a->dport == b->dport &&
	       memcmp(a->src, b->src, sizeof(a->src)) == 0 && memcmp(a->dst, b->dst, sizeof(a->dst)) == 0;
}

static bool
same_names(const struct expect *a, const struct expect *b)
{
	if (a->have & EXPECT_HELPER && strncmp(a->helper, b->helper, sizeof(a->helper)) != 0)
		return false;
	return !(a->have & EXPECT_FN) || strncmp(a->fn, b->fn, sizeof(a->fn)) == 0;
}

bool
expect_same_key(const struct expect *a, const struct expect *b)
{
	const uint32_t skip = EXPECT_TIMEOUT | EXPECT_ID, have = a->have & ~skip;

	if (have != (b->have & ~skip) || a->l3 != b->l3 || a->zone != b->zone || a->flags != b->flags)
		return false;
	if (!same_tuple(&a->master, &b->master) || !same_tuple(&a->tuple, &b->tuple) || !same_tuple(&a->mask, &b->mask))
		return false;
	if (have & EXPECT_CLASS && a->class != b->class)
		return false;
	if (have & EXPECT_NAT && (a->nat_dir != b->nat_dir || !same_tuple(&a->nat, &b->nat)))
		return false;
	return same_names(a, b);
}

static void
sip_tuple(struct sip *s, const struct flow_tuple *t)
{
	sip_bytes(s, t->src, sizeof(t->src) + sizeof(t->dst));
	sip_word(s, (uint64_t)t->sport | (uint64_t)t->dport << 16 | (uint64_t)t->l4 << 32);
}

uint32_t
expect_hash(const struct expect *e, const uint64_t seed[2])
{
	struct sip s = sip_init(seed);

	sip_tuple(&s, &e->master);
	sip_tuple(&s, &e->tuple);
	sip_word(&s, (uint64_t)e->zone | (uint64_t)e->l3 << 16);
	return sip_end(&s);
}

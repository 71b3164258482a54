/* Memory of flows, of which strangers can make as many as they like: the room is fixed, the oldest goes. */
#include "memory.h"

#include <stdlib.h>
#include <string.h>

#define LINES 1024 /* of MEMORY_FLOWS / LINES places each: a flow is looked for in one line */
#define WAYS  (MEMORY_FLOWS / LINES)

struct place {
	uint32_t id, seen;
	struct msg_tuple orig;
	bool used;
};

struct memory {
	size_t size;
	uint8_t *data;
	struct place place[MEMORY_FLOWS];
};

struct memory *
memory_new(size_t size)
{
	struct memory *m = calloc(1, sizeof(*m));

	if (m == NULL)
		return NULL;
	m->size = size;
	if ((m->data = calloc(MEMORY_FLOWS, size)) == NULL) {
		free(m);
		return NULL;
	}
	return m;
}

void
memory_free(struct memory *m)
{
	if (m == NULL)
		return;
	free(m->data);
	free(m);
}

static void
recall(void *flow, size_t size, size_t priv, const struct msg_packet *p)
{
	memset(flow, 0, size);
	if (priv > 0 && p->priv_len > priv && p->priv[0] == MEMORY_FORM)
		memcpy(flow, p->priv + 1, priv);
}

void *
memory_of(struct memory *m, const struct msg_packet *p, size_t priv, uint32_t now)
{
	/* the kernel's ids are hashes with a key of its own */
	size_t first = (size_t)(p->ct_id * 2654435761U >> 22) * WAYS, best = first;
	uint8_t *flow;

	for (size_t i = first; i < first + WAYS; i++) {
		struct place *at = &m->place[i];

		if (at->used && now - at->seen > MEMORY_IDLE)
			at->used = false;
		if (at->used && at->id == p->ct_id && memcmp(&at->orig, &p->orig, sizeof(p->orig)) == 0) {
			at->seen = now;
			return m->data + i * m->size;
		}
		if (m->place[best].used && (!at->used || now - at->seen > now - m->place[best].seen))
			best = i;
	}
	m->place[best] = (struct place){p->ct_id, now, p->orig, true};
	flow = m->data + best * m->size;
	recall(flow, m->size, priv, p);
	return flow;
}

void
memory_save(const void *flow, size_t priv, struct msg_verdict *v)
{
	if (priv == 0 || v->priv_len <= priv)
		return;
	memset(v->priv, 0, sizeof(v->priv));
	v->priv[0] = MEMORY_FORM;
	memcpy(v->priv + 1, flow, priv);
}

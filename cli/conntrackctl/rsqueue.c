/*
 * Collects and prints the elements of the resend queue.
 */
#include "rsqueue.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "stats_text.h"

#define ELEMENTS_MAX (16u << 20)

static int
make_room(struct rsqueue *q, size_t n)
{
	size_t room = q->room > 0 ? q->room : 1024;
	struct ctl_rsq *p;

	if (q->n + n > ELEMENTS_MAX)
		return -EFBIG;
	while (room < q->n + n)
		room *= 2;
	if (room == q->room)
		return 0;
	if ((p = realloc(q->element, room * sizeof(*p))) == NULL)
		return -ENOMEM;
	q->element = p;
	q->room = room;
	return 0;
}

int
rsqueue_records(void *ctx, uint32_t type, const uint8_t *payload, size_t len)
{
	struct rsqueue *q = ctx;
	size_t n = len / sizeof(*q->element);
	int r;

	if (type != CTL_R_RSQUEUE)
		return -EBADMSG;
	if ((r = make_room(q, n)) < 0)
		return r;
	memcpy(q->element + q->n, payload, n * sizeof(*q->element));
	q->n += n;
	return 0;
}

static void
print_json(const struct rsqueue *q, FILE *to)
{
	yajl_gen g = json_begin(to);

	if (g == NULL)
		return;
	json_array(g, "resend_queue");
	for (size_t i = 0; i < q->n; i++) {
		json_map(g, NULL);
		json_text(g, "type", q->element[i].control ? "control" : "object");
		json_number(g, "seq", q->element[i].seq);
		if (q->element[i].control)
			json_number(g, "flags", q->element[i].flags);
		yajl_gen_map_close(g);
	}
	yajl_gen_array_close(g);
	json_end(g, to);
}

void
rsqueue_print(const struct rsqueue *q, FILE *to, enum format f)
{
	if (f == FORMAT_JSON) {
		print_json(q, to);
		return;
	}
	rsqueue_head(to, q->n);
	for (size_t i = 0; i < q->n; i++)
		rsqueue_text(to, &q->element[i]);
}

void
rsqueue_clear(struct rsqueue *q)
{
	free(q->element);
	*q = (struct rsqueue){.element = NULL};
}

/*
 * Defaults, and the extract that the parent gets: both are columns of the table.
 */
#include "settings.h"

#include <stdlib.h>
#include <string.h>

#include "fields.h"

void
conf_init(struct conf *c)
{
	const struct record *r = &conf_fields.record[REC_CONF];

	memset(c, 0, sizeof(*c));
	for (const struct field *k = r->field; k < r->field + r->n; k++)
		if (k->text != NULL)
			strncpy((char *)c + k->off, k->text, k->size);
		else if (k->def != 0)
			field_set(k, c, k->def);
}

void
conf_clear(struct conf *c)
{
	free(c->filter.net);
	c->filter.net = NULL;
	c->filter.n_nets = 0;
}

struct conf_link
conf_link_get(const struct conf *c, uint32_t i)
{
	return (struct conf_link){c->link[i], c->link_any_source[i]};
}

void
conf_link_put(struct conf *c, uint32_t i, const struct conf_link *link)
{
	c->link[i] = link->l;
	c->link_any_source[i] = link->any_source;
}

void
conf_to_setup(const struct conf *c, struct msg_setup *s)
{
	const struct record *r = &conf_fields.record[REC_CONF];

	memset(s, 0, sizeof(*s));
	s->size = sizeof(*s);
	for (const struct field *k = r->field; k < r->field + r->n; k++) {
		const struct field to = {.off = k->setup, .size = k->setup_size};

		if (to.size > sizeof(uint32_t))
			memcpy((uint8_t *)s + to.off, (const uint8_t *)c + k->off, to.size);
		else if (to.size != 0)
			field_set(&to, s, field_get(k, c));
	}
	s->no_events = c->poll_secs != 0;
	memcpy(s->link, c->link, sizeof(s->link));
	memcpy(s->helper, c->helper, sizeof(s->helper));
}

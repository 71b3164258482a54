/*
 * Chooses the format once and frames XML documents. Which -o words act differs by command, as in 1.4.x.
 */
#include "show.h"

static void
frame(struct show *s)
{
	if (!s->frame || s->framed)
		return;
	out_str(s->out, "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n");
	out_str(s->out, s->flow == NULL ? "<expect>\n" : "<conntrack>\n");
	s->framed = true;
}

static void
choose_words(struct show *s, const struct cmd *c, const struct labelmap *map)
{
	bool del = c->op == CMD_DELETE, update = c->op == CMD_UPDATE;

	s->fmt.extended = (c->output & OUT_EXTENDED) != 0;
	s->fmt.id = (c->output & OUT_ID) != 0;
	s->fmt.timestamp = (c->output & OUT_TIMESTAMP) != 0;
	s->fmt.ktimestamp = (c->output & OUT_KTIMESTAMP) != 0 && !del && !update;
	s->fmt.labels = del && !(c->output & OUT_JSON) ? NULL : map;
	s->fmt.deleted = del;
}

void
show_init(struct show *s, struct out *out, const struct cmd *c, const struct labelmap *map)
{
	bool expect = c->table == TABLE_EXPECT;

	*s = (struct show){.out = out, .flow = text_flow, .expect = text_expect};
	choose_words(s, c, map);
	clock_gettime(CLOCK_REALTIME, &s->fmt.when);
	s->fmt.now = s->fmt.when.tv_sec;
	if (c->output & OUT_XML) {
		s->flow = xml_flow;
		s->expect = xml_expect;
		s->frame = c->op == CMD_LIST || c->op == CMD_GET || c->op == CMD_EVENT;
	} else if (c->output & OUT_JSON) {
		s->flow = json_flow;
		s->expect = json_expect;
	} else if (c->output & OUT_SAVE) {
		s->flow = save_flow;
	}
	if (expect)
		s->flow = NULL;
}

void
show_flow(struct show *s, const struct ct_rec *rec)
{
	frame(s);
	s->flow(s->out, rec, &s->fmt);
}

void
show_expect(struct show *s, const struct exp_rec *rec)
{
	frame(s);
	s->expect(s->out, rec, &s->fmt);
}

void
show_end(struct show *s)
{
	if (s->framed)
		out_str(s->out, s->flow == NULL ? "</expect>\n" : "</conntrack>\n");
}

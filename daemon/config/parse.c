/*
 * The whole text, and then what concerns more than one of its settings: these rules need to know what was written, and
 * where. Rules that hold for any settings are in check.c.
 */
#include "parse.h"

#include <errno.h>
#include <sched.h>

#include "check.h"
#include "fields.h"
#include "kinds.h"
#include "reader.h"

#define AT(p, f) reader_at(p, REC_CONF, offsetof(struct conf, f))

static void
settle_scheduler(struct reader *p)
{
	struct conf *c = p->c;
	struct place type = AT(p, sched_type), prio = AT(p, sched_prio);
	struct conf preset;

	if (type.line == 0 && prio.line != 0)
		diag_at(p->d, LV_WARNING, prio, "`Priority' without `Type' in `Scheduler', ignoring");
	if (type.line == 0) {
		conf_init(&preset);
		c->sched_prio = preset.sched_prio;
		return;
	}
	if (prio.line == 0)
		c->sched_prio = 0;
	if (c->sched_prio == 0) {
		diag_at(p->d, LV_WARNING, prio.line != 0 ? prio : type,
			"`Scheduler' without a `Priority' above 0: the daemon stays with the normal scheduler");
		c->sched_type = SCHED_OTHER;
	}
}

/* As 1.4.x does; the parent is not asked for what it would not do. */
static void
settle_buffer(struct reader *p)
{
	struct conf *c = p->c;

	if (c->nl_buf <= c->nl_buf_max)
		return;
	diag_at(p->d, LV_WARNING, AT(p, nl_buf),
		"`NetlinkBufferSize' %u is above `NetlinkBufferSizeMaxGrowth' %u and has no effect, the system's "
		"default "
		"stays: raise the limit",
		c->nl_buf, c->nl_buf_max);
	c->nl_buf = 0;
}

static struct conf_places
places(const struct reader *p)
{
	struct conf_places at = {.sync = AT(p, sync), .stats = AT(p, stats)};

	for (unsigned int i = 0; i < MSG_LINKS_MAX; i++)
		at.link[i] = p->link_at[i];
	for (unsigned int i = 0; i < MSG_HELPERS_MAX; i++)
		at.helper[i] = p->helper_at[i];
	return at;
}

static int
parse_all(struct reader *p)
{
	struct conf_places at;
	int r = reader_run(p);

	if (r != 0)
		return r;
	settle_scheduler(p);
	settle_buffer(p);
	sync_finish(p);
	link_finish(p);
	helper_finish(p);
	if (p->c->syslog_facility != 0 && p->c->stats_syslog_facility != 0)
		p->c->stats_syslog_facility = p->c->syslog_facility;
	if ((r = filter_finish(p)) != 0)
		return r;
	at = places(p);
	return conf_check(p->c, &at, p->d);
}

int
conf_parse(struct conf *c, const struct conf_source *src)
{
	struct reader p = reader_init(&conf_fields, src->text, src->len);
	int r;

	p.c = c;
	p.protos = src->protos;
	p.d = src->diag;
	p.rec[REC_CONF] = c;
	p.rec[REC_LINK] = &p.link;
	p.rec[REC_HELPER] = &p.helper;
	conf_init(c);
	r = parse_all(&p);
	if (r == -ENOMEM)
		diag_at(p.d, LV_ERROR, p.key.at, "out of memory");
	if (r != 0)
		conf_clear(c);
	return r;
}

/*
 * One GET by the tuple, and one look at whether zones are in use. Trusts no answer: what does not fit is walked for.
 */
#include "exact.h"
#include "request.h"

#include <errno.h>
#include <string.h>

bool
exact_possible(const struct cmd *c)
{
	return (c->op == CMD_DELETE || c->op == CMD_UPDATE) && c->table == TABLE_CT && request_names_one(c);
}

struct look {
	unsigned entries;
	bool zoned;
};

static int
look_entry(void *arg, const struct nlmsghdr *nlh)
{
	struct look *l = arg;
	struct ct_rec rec;
	int err = ct_rec_decode(&rec, nlh);

	if (err < 0)
		return err;
	l->zoned = (rec.has & REC_ZONE) != 0 || ((rec.orig.has | rec.reply.has) & TUPLE_ZONE) != 0;
	return l->zoned || ++l->entries == LOOK_ENTRIES ? -ECANCELED : 0;
}

/* Once a run: a dump that is left alone ends with its socket. */
static bool
zones_in_use(struct run *r, const struct cmd *c)
{
	uint8_t buf[NL_MSG_MAX];
	struct look l = {0};
	int err;

	if (r->zones == ZONES_UNKNOWN) {
		err = nl_dump(&r->look, request_dump(buf, c, c->family, false), look_entry, &l);
		r->zones = l.zoned || (err < 0 && err != -ECANCELED) ? ZONES_SEEN : ZONES_UNSEEN;
		nl_close(&r->look);
	}
	return r->zones == ZONES_SEEN;
}

static int
keep(void *arg, const struct nlmsghdr *nlh)
{
	if (nlh->nlmsg_len > NL_MSG_MAX)
		return -EMSGSIZE;
	memcpy(arg, nlh, nlh->nlmsg_len);
	return 0;
}

enum exact
exact_find(struct run *r, const struct cmd *c, void *msg)
{
	bool one_zone = cmd_has(c, OPT_ZONE) && c->zone != 0;
	uint8_t buf[NL_MSG_MAX];
	int err;

	if (!exact_possible(c) || (r->zones == ZONES_SEEN && !one_zone))
		return EXACT_WALK;
	err = nl_talk(&r->dump, request_get(buf, c), keep, msg);
	if (err == -ENOENT && one_zone)
		return EXACT_NONE;
	if (err < 0 || !r->dump.delivered || (!one_zone && zones_in_use(r, c)))
		return EXACT_WALK;
	return EXACT_ONE;
}

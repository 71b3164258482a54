/*
 * Compares the labels asked for with those the kernel shows. Trusts neither message: both pass the decoder.
 */
#include "labels.h"
#include "report.h"
#include "request.h"

struct look {
	const struct ct_rec *asked;
	bool lacks;
};

static int
compare(void *arg, const struct nlmsghdr *nlh)
{
	struct look *l = arg;
	struct ct_rec rec;
	int err = ct_rec_decode(&rec, nlh);

	if (err < 0)
		return err;
	for (unsigned i = 0; i < l->asked->label_words * 32; i++)
		l->lacks |= ct_rec_label(l->asked, i) && !ct_rec_label(&rec, i);
	return 0;
}

void
labels_look(struct run *r, const struct nlmsghdr *created)
{
	uint8_t buf[NL_MSG_MAX];
	struct ct_rec asked;
	struct look l = {.asked = &asked};
	struct nlmsghdr *nlh;

	if (ct_rec_decode(&asked, created) < 0 || asked.label_words == 0 ||
	    (nlh = request_get_rec(buf, &asked)) == NULL)
		return;
	if (nl_talk(&r->dump, nlh, compare, &l) == 0 && l.lacks)
		labels_no_room(1);
}

void
labels_no_room(unsigned long n)
{
	if (n > 0)
		report_line(
			"WARNING: %lu entries without room for labels: there is room only in entries that begin while "
			"a rule uses labels (connlabel, ct label).",
			n);
}

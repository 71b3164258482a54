/*
 * Entries on standard output, in the format the command line asks for.
 */
#ifndef SHOW_H
#define SHOW_H

#include "fmt.h"
#include "cmd.h"

struct show {
	struct out *out;
	struct fmt fmt;
	void (*flow)(struct out *o, const struct ct_rec *rec, const struct fmt *f);
	void (*expect)(struct out *o, const struct exp_rec *rec, const struct fmt *f);
	bool frame;  /* XML between header and footer */
	bool framed; /* the header is out */
};

/* Borrows out and map. */
void show_init(struct show *s, struct out *out, const struct cmd *c, const struct labelmap *map);
void show_flow(struct show *s, const struct ct_rec *rec);
void show_expect(struct show *s, const struct exp_rec *rec);
/* The footer, if there was a header. */
void show_end(struct show *s);

#endif

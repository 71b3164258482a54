/* Messages as the text of test/vectors/vectors.tsv. */
#ifndef TEXT_H
#define TEXT_H

#include <stdio.h>

#include "wire.h"

void text_head(FILE *out, const struct wire_head *h);
void text_flow(FILE *out, const struct flow *f);
void text_expect(FILE *out, const struct expect *e);

#endif

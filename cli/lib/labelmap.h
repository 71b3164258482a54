/*
 * The label file (connlabel.conf): names of connection label bits.
 */
#ifndef LABELMAP_H
#define LABELMAP_H

#include <stddef.h>
#include <stdio.h>

#define LABELMAP_BITS 1024
#define LABELMAP_PATH "/etc/xtables/connlabel.conf"

struct labelmap;

/* Reads "BIT NAME" lines; bad ones are skipped, the first use of a bit and of a name wins. NULL with errno when the
 * file cannot be read (EFBIG: it has more than 1 MiB), and with errno 0 when it has no valid line. */
struct labelmap *labelmap_load(const char *path);
struct labelmap *labelmap_read(FILE *f);
void labelmap_free(struct labelmap *m);

/* NULL when the bit has no name. */
const char *labelmap_name(const struct labelmap *m, unsigned bit);
/* -1 when there is no such label. */
int labelmap_bit(const struct labelmap *m, const char *name);

#endif

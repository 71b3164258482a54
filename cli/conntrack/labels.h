/*
 * Why labels were not set. The kernel gives an entry room for labels only when it begins while some rule uses them
 * (connlabel, ct label); it refuses an update for want of room, and passes over the labels of a new entry in silence.
 */
#ifndef LABELS_H
#define LABELS_H

#include "run.h"

/* Looks at an entry that request created asked for, and says so when it lacks the labels. */
void labels_look(struct run *r, const struct nlmsghdr *created);
/* n entries could not be given labels. */
void labels_no_room(unsigned long n);

#endif

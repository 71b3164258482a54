/*
 * The output formats: one record to one line in the output buffer. Listings, changes and events share them.
 */
#ifndef FMT_H
#define FMT_H

#include "ctrec.h"
#include "labelmap.h"
#include "out.h"

#include <time.h>

enum fmt_event { EV_NONE, EV_NEW, EV_UPDATE, EV_DESTROY, EV_MAX };

struct fmt {
	bool extended, id, ktimestamp, timestamp;
	bool deleted;                  /* save: the entry is gone, so "-D" */
	const struct labelmap *labels; /* NULL: labels are not shown */
	time_t now;                    /* for delta-time */
	enum fmt_event event;
	struct timespec when; /* of the event, or of showing an expectation */
	const char *progname; /* of the process that caused the event; NULL unknown */
};

/* What a format has for conntrack entries (expectations); the verbs end the line. */
void text_flow(struct out *o, const struct ct_rec *rec, const struct fmt *f);
void text_expect(struct out *o, const struct exp_rec *rec, const struct fmt *f);
void save_flow(struct out *o, const struct ct_rec *rec, const struct fmt *f);
void xml_flow(struct out *o, const struct ct_rec *rec, const struct fmt *f);
void xml_expect(struct out *o, const struct exp_rec *rec, const struct fmt *f);
void json_flow(struct out *o, const struct ct_rec *rec, const struct fmt *f);
void json_expect(struct out *o, const struct exp_rec *rec, const struct fmt *f);

/* " [USERSPACE] portid=… progname=…" of an event that a process caused. */
void text_origin(struct out *o, uint32_t portid, const char *progname);

/* The event that a message of the kernel announces. */
enum fmt_event fmt_event_of(uint16_t type, uint16_t flags);

#endif

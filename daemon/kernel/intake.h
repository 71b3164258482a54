/*
 * Kernel messages into flows and expectations: events as they happen, dumps when resync.h asked for one. What they
 * carry was chosen by packets; the walk checks every length. What the Filter block hides goes no further.
 */
#ifndef INTAKE_H
#define INTAKE_H

#include "conf.h"
#include "figures.h"
#include "filter.h"
#include "msg_rules.h"
#include "sink.h"
#include "slotq.h"

struct intake {
	struct sink to;
	const struct conf *conf;
	struct filter *filter; /* NULL: it hides nothing */
	uint32_t portid;       /* of events that we caused, 0: not known */
	struct fig_intake count;
	struct fig_traffic traffic; /* of flows that ended, as far as the kernel counted */
	uint32_t look_len;
	_Alignas(8) uint8_t look[16384]; /* requests for flows that events tell too little of */
};

/* in is zeroed, conf and to stay the caller's. -ENOMEM */
int intake_init(struct intake *in, const struct conf *conf, const struct sink *to);
void intake_clear(struct intake *in);
void intake_events(struct intake *in, const struct msg *m);
/* kind: the table that the dump is of. */
void intake_dump(struct intake *in, enum slot_kind kind, const struct msg *m);
/* Answers to intake.look, which the owner sends from time to time and then sets look_len to 0. */
void intake_answer(struct intake *in, const struct msg *m);

#endif

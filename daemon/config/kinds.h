/*
 * How values are read, printed and checked: what stands in a row of the table of settings.
 */
#ifndef KINDS_H
#define KINDS_H

#include "field.h"

/* value.c: a number; seconds, `on' (the default) or `off' (0); a switch; a switch for what the field switches off; a
 * word of a list; a path; a path, `on' or `off'; a syslog facility; a name; bytes that no keyword sets by itself */
extern const struct kind kind_num, kind_seconds, kind_switch, kind_unswitch, kind_word, kind_path, kind_logfile,
	kind_facility, kind_name, kind_bytes;
/* value.c: read and forgotten */
extern const struct kind kind_skip, kind_skip_num, kind_skip_snum, kind_skip_bool, kind_skip_word;
/* value.c: a block, and one that sets a switch by being there */
extern const struct kind kind_block, kind_section;
/* kind_filter.c */
extern const struct kind kind_filter, kind_protocols, kind_addresses, kind_states, kind_old_traffic, kind_old_protocol,
	kind_old_replicate;
/* kind_sync.c */
extern const struct kind kind_mode, kind_expect;
/* kind_link.c: a link (min: enum link_kind); its addresses (min: their family), by which a group of IPv4 is joined, the
 * device */
extern const struct kind kind_link, kind_addr, kind_joined_by, kind_device, kind_old_checksum;
/* kind_helper.c */
extern const struct kind kind_type, kind_policy;

/* What only the end of the text settles; -ENOMEM. */
struct reader;
int filter_finish(struct reader *p);
void sync_finish(struct reader *p);
void link_finish(struct reader *p);
void helper_finish(struct reader *p);

#endif

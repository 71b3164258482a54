/*
 * Statistics as one JSON object.
 */
#ifndef STATS_JSON_H
#define STATS_JSON_H

#include "json.h"
#include "request.h"

/* VIEW_GENERAL: everything; any other view: that part. */
void stats_json(FILE *to, const struct ctl_stats *s, enum view view);

/* The array "links", the map "peer": status shows them as well. */
void stats_json_links(yajl_gen g, const struct ctl_stats *s);
void stats_json_peer(yajl_gen g, const struct ctl_stats *s);

#endif

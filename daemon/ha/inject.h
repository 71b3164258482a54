/*
 * DisableExternalCache: what peers say is written into the kernel at once, in batches, one in flight, so that a second
 * try never overtakes what came later. What names a helper that this kernel does not have is written without it.
 */
#ifndef INJECT_H
#define INJECT_H

#include "applier.h"
#include "flow_nl.h"
#include "msg.h"

struct inject_env {
	void *arg;
	bool (*send)(void *arg, uint32_t id, const void *data, size_t len);
	/* The flow lives here, translated in the same way: a peer that reports it as new repeats itself. */
	bool (*knows)(void *arg, const struct flow *f);
	/* what: text of the 1.4.x log line */
	void (*failed)(void *arg, const char *what, int err, const struct flow *f, const struct expect *e);
	/* The kernel has refused that name often enough: it is left out for a while. */
	void (*helper_missing)(void *arg, const char *name);
};

struct inject;
struct inject *inject_new(const struct inject_env *env, bool window_tracking);
void inject_free(struct inject *j);
struct applier inject_applier(struct inject *j);
/* Room for one more; else what peers send has to wait in their sockets. */
bool inject_room(const struct inject *j);
/* source: whose flow it is, see applier.h. */
void inject_flow(struct inject *j, unsigned int source, enum entry_change change, const struct flow *f);
void inject_expect(struct inject *j, enum entry_change change, const struct expect *e);
/* Sends what was collected; once a turn. */
void inject_flush(struct inject *j);
void inject_on_result(struct inject *j, uint32_t id, const struct msg_error *err, size_t n);
const struct cache_stats *inject_stats(const struct inject *j, bool expects);

#endif

/*
 * What HA managers ask for: peers' states into the kernel, a role, caches and the kernel's tables emptied, now or by
 * the purge timer. Nothing waits: what takes time is finished in ha_turn(), and said by the callbacks.
 */
#ifndef HA_H
#define HA_H

#include "clock.h"
#include "commit.h"
#include "log.h"

enum ha_role { HA_NONE, HA_PRIMARY, HA_BACKUP, HA_FAULT };
enum ha_caches { HA_INTERNAL = 1, HA_EXTERNAL = 2 };

struct ha_conf {
	struct commit_conf commit;
	uint32_t purge_timeout; /* seconds */
	unsigned int tables;    /* bits 1 << slot_kind: that are replicated */
	bool injects;           /* peers' states are in the kernel already: a commit has nothing to do */
	bool direct;            /* there are no internal caches */
	bool filters;           /* the kernel has flows that the internal cache has not */
};

struct ha_env {
	void *arg;
	/* To the kernel; each is answered by the function named. */
	bool (*ready)(void *arg);
	bool (*commit)(void *arg, uint32_t id, const void *data, size_t len);   /* ha_commit_result() */
	bool (*ask_room)(void *arg, const void *data, size_t len);              /* ha_room() */
	void (*remove)(void *arg, uint32_t id, const void *data, size_t len);   /* ha_flush_result() */
	void (*flush_table)(void *arg, uint32_t id, const struct msg_flush *f); /* ha_flush_result() */
	/* Tables of the kernel are being emptied; 0: more of the same ones. */
	void (*flushing)(void *arg, unsigned int tables);
	/* Another node serves from now on. */
	void (*hand_over)(void *arg);
	bool (*owns)(void *arg, const struct flow *f); /* see commit.h */
	uint32_t (*held)(void *arg, unsigned int source);
	void (*flush_caches)(void *arg, unsigned int caches, unsigned int tables);
	/* The kernel's table is to be read again. quiet: see resync.h. What it returns is reached by ha_reread(). */
	uint32_t (*reread)(void *arg, bool quiet);
	/* Soon, because we have written into it; the same. Who asked for that has had the answer by then. */
	uint32_t (*read_back)(void *arg);
	void (*bulk)(void *arg); /* everything goes to the peers */
	void (*ask)(void *arg);  /* and is asked of them */
	/* For whoever waits: one table is written; all is written; it will not be, because another role was set; a
	 * flush is done, err is 0, -ENOENT or why not. */
	void (*table_done)(void *arg, const struct commit_result *r);
	void (*committed)(void *arg);
	void (*superseded)(void *arg);
	void (*flushed)(void *arg, uint32_t id, int err);
	uint64_t (*usec)(void *arg);
	bool (*silent)(void *arg); /* there are flows whose end the kernel does not report */
};

struct ha_parts {
	struct log *log;
	const struct clock *clock;
	const struct tables *internal, *external;
};

struct ha_stats {
	struct fig_commits commits;
	uint64_t kernel_flushes;
	enum ha_role role; /* the last one that was set */
	bool commit_running, purge_armed;
};

struct ha;
struct ha *ha_new(const struct ha_conf *conf, const struct ha_parts *parts,
		  const struct ha_env *env); /* NULL: no memory */
void ha_free(struct ha *h);

/* Writes tables of the external caches into the kernel. True: committed() follows; false: there is nothing to do. */
bool ha_commit(struct ha *h, unsigned int tables);
/* A role is set. True: committed() or superseded() follows; false: it is done. */
bool ha_role(struct ha *h, enum ha_role role);
/* Empties caches. -EBUSY: a commit still reads them */
int ha_flush_caches(struct ha *h, unsigned int caches, unsigned int tables);
/* Empties the kernel's tables; the number that flushed() will say. */
uint32_t ha_flush_kernel(struct ha *h, unsigned int tables);
/* The kernel's table will be emptied after the configured time, unless caches are flushed or a commit comes. */
void ha_purge(struct ha *h);

/* The kernel's answer to what ask_room() sent, NULL: there was none, or no more of it. */
void ha_room(struct ha *h, const void *data, size_t len);
void ha_commit_result(struct ha *h, uint32_t id, const struct msg_error *err, size_t n);
void ha_flush_result(struct ha *h, uint32_t id, int err);
/* The kernel's table was read for the serial-th time. */
void ha_reread(struct ha *h, uint32_t serial, bool failed);
bool ha_commit_running(const struct ha *h);
/* The caches were emptied for a take-over, and what is in the kernel is not in them yet. */
bool ha_reading(const struct ha *h);
/* Once a turn. True: once more without waiting. */
bool ha_turn(struct ha *h);
uint64_t ha_due(const struct ha *h);
void ha_stats(const struct ha *h, struct ha_stats *st);

#endif

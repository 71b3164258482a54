/* Starting workers, and what ctd-start leaves to ctd-open. */
#ifndef SPAWN_H
#define SPAWN_H

#include "handover.h"
#include "setup.h"

#define CONFIG_SECONDS 20 /* that the configuration worker may take for all it does */

/* Behind HANDOVER_FD, as struct handover is. self: conntrackd's file; conf_fd: the settings, sealed; filter: struct
 * handover's. */
#define SETTLED_MAGIC 0x4f765265
struct settled {
	uint32_t magic;
	int self, conf_fd, filter;
	bool daemon;
	struct msg_setup conf;
};

/* A worker, with its end of the wall as WORKER_FD and log_fd as WORKER_LOG_FD. 0 or -errno. */
int spawn(struct worker *w, enum role role, uint16_t index, int log_fd);
int give_fd(struct worker *w, uint32_t type, uint32_t arg, int fd);
/* Nobody gets more of it than the time zone. */
void empty_environment(void);

#endif

/*
 * Defaults of every setting, and the extract that the parent gets. Used by the parser and by whoever reads the blob.
 */
#include "conf.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "facts.h"

void
conf_init(struct conf *c)
{
	*c = (struct conf){
		.hash_size = 65536,
		.hash_limit = 262144,
		.lockfile = PATH_LOCK,
		.overrun_resync = 30,
		.event_limit = 100,
		.sched_type = SCHED_RR,
		.sched_prio = 99,
		.systemd = true,
		.resend_queue_size = 131072,
		.ack_window_size = 300,
		.refresh_time = 60,
		.cache_timeout = 180,
		.purge_timeout = 60,
		.error_queue_len = 128,
	};
}

void
conf_clear(struct conf *c)
{
	free(c->filter.net);
	c->filter.net = NULL;
	c->filter.n_nets = 0;
}

void
conf_to_setup(const struct conf *c, struct msg_setup *s)
{
	memset(s, 0, sizeof(*s));
	s->size = sizeof(*s);
	s->sync = c->sync;
	s->stats = c->stats;
	s->events_reliable = c->events_reliable;
	s->landlock_required = c->landlock_required;
	s->jail = (uint8_t)c->jail;
	s->sched_type = c->sched_type;
	s->sched_prio = c->sched_prio;
	s->expect_sync = c->expect_sync;
	s->no_events = c->poll_secs != 0;
	s->systemd = c->systemd;
	s->nl_buf = c->nl_buf;
	s->nl_buf_max = c->nl_buf_max;
	s->syslog_facility = c->syslog_facility;
	memcpy(s->lockfile, c->lockfile, sizeof(s->lockfile));
	memcpy(s->logfile, c->logfile, sizeof(s->logfile));
	memcpy(s->stats_logfile, c->stats_logfile, sizeof(s->stats_logfile));
	memcpy(s->ctl_path, c->ctl_path, sizeof(s->ctl_path));
	memcpy(s->ctl_group, c->ctl_group, sizeof(s->ctl_group));
	s->n_links = (uint8_t)c->n_links;
	memcpy(s->link, c->link, sizeof(s->link));
	s->n_helpers = (uint8_t)c->n_helpers;
	memcpy(s->helper, c->helper, sizeof(s->helper));
}

/*
 * Writes every setting that has an effect, defaults included, so that an operator sees what the daemon will do.
 */
#include "print.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "facts.h"

static const char *
on_off(bool v)
{
	return v ? "on" : "off";
}

static const char *
policy_word(enum filter_policy p)
{
	return p == FILTER_ACCEPT ? "Accept" : "Ignore";
}

static void
print_addr(FILE *f, const char *key, uint8_t family, const uint8_t *addr, const char *end)
{
	char text[INET6_ADDRSTRLEN];

	fprintf(f, "%s%s %s%s", family == AF_INET ? "IPv4_" : "IPv6_", key, inet_ntop(family, addr, text, sizeof(text)),
		end);
}

static void
print_facility(FILE *f, uint32_t facility)
{
	if (facility == 0)
		fprintf(f, "\tSyslog off\n");
	else if (facility == LOG_DAEMON)
		fprintf(f, "\tSyslog daemon\n");
	else
		fprintf(f, "\tSyslog local%u\n", (facility - LOG_LOCAL0) >> 3);
}

static void
print_protocols(FILE *f, const struct conf_filter *fl, const struct protos *protos)
{
	const char *name;

	fprintf(f, "\t\tProtocol %s {\n", policy_word(fl->proto_policy));
	for (unsigned int n = 0; n < 256; n++) {
		if ((fl->proto[n / 8] & 1 << n % 8) == 0)
			continue;
		if ((name = protos_name(protos, n)) != NULL)
			fprintf(f, "\t\t\t%s\n", name);
		else
			fprintf(f, "\t\t\t%u\n", n);
	}
	fprintf(f, "\t\t}\n");
}

static void
print_nets(FILE *f, const struct conf_filter *fl)
{
	fprintf(f, "\t\tAddress %s {\n", policy_word(fl->addr_policy));
	for (uint32_t i = 0; i < fl->n_nets; i++) {
		const struct conf_net *n = &fl->net[i];

		fprintf(f, "\t\t\t");
		print_addr(f, "address", n->family, n->addr, "");
		if (n->prefix < (n->family == AF_INET ? 32 : 128))
			fprintf(f, "/%u", n->prefix);
		fprintf(f, "\n");
	}
	fprintf(f, "\t\t}\n");
}

static void
print_states(FILE *f, const struct conf_filter *fl)
{
	fprintf(f, "\t\tState %s {\n\t\t\t", policy_word(fl->state_policy));
	for (unsigned int i = 1; i < TCP_STATES; i++)
		if (fl->tcp_states & 1 << i)
			fprintf(f, "%s ", i < TCP_STATES - 1 ? tcp_state_names[i] : "LISTEN");
	fprintf(f, "for TCP\n\t\t}\n");
}

static void
print_filter(FILE *f, const struct conf_filter *fl, const struct protos *protos)
{
	if (fl->proto_policy == FILTER_OFF && fl->addr_policy == FILTER_OFF && fl->state_policy == FILTER_OFF &&
	    !fl->kernelspace)
		return;
	fprintf(f, "\tFilter From %s {\n", fl->kernelspace ? "Kernelspace" : "Userspace");
	if (fl->proto_policy != FILTER_OFF)
		print_protocols(f, fl, protos);
	if (fl->addr_policy != FILTER_OFF)
		print_nets(f, fl);
	if (fl->state_policy != FILTER_OFF)
		print_states(f, fl);
	fprintf(f, "\t}\n");
}

static void
print_logfile(FILE *f, const char *path)
{
	fprintf(f, "\tLogFile %s\n", path[0] != '\0' ? path : "off");
}

static void
print_unix(FILE *f, const struct conf *c)
{
	if (c->ctl_path[0] == '\0' && c->ctl_group[0] == '\0')
		return;
	fprintf(f, "\tUNIX {\n");
	if (c->ctl_path[0] != '\0')
		fprintf(f, "\t\tPath %s\n", c->ctl_path);
	if (c->ctl_group[0] != '\0')
		fprintf(f, "\t\tGroup %s\n", c->ctl_group);
	fprintf(f, "\t}\n");
}

static void
print_general(FILE *f, const struct conf *c, const struct protos *protos)
{
	fprintf(f, "General {\n\tHashSize %u\n\tHashLimit %u\n", c->hash_size, c->hash_limit);
	print_logfile(f, c->logfile);
	print_facility(f, c->syslog_facility);
	fprintf(f, "\tLockFile %s\n", c->lockfile);
	print_unix(f, c);
	if (c->nl_buf != 0)
		fprintf(f, "\tNetlinkBufferSize %u\n", c->nl_buf);
	if (c->nl_buf_max != 0)
		fprintf(f, "\tNetlinkBufferSizeMaxGrowth %u\n", c->nl_buf_max);
	if (c->overrun_resync != 0)
		fprintf(f, "\tNetlinkOverrunResync %u\n", c->overrun_resync);
	else
		fprintf(f, "\tNetlinkOverrunResync off\n");
	fprintf(f, "\tNetlinkEventsReliable %s\n\tEventIterationLimit %u\n", on_off(c->events_reliable),
		c->event_limit);
	if (c->poll_secs != 0)
		fprintf(f, "\tPollSecs %u\n", c->poll_secs);
	fprintf(f, "\tScheduler {\n\t\tType %s\n\t\tPriority %u\n\t}\n", c->sched_type == SCHED_FIFO ? "FIFO" : "RR",
		c->sched_prio);
	fprintf(f, "\tSystemd %s\n\tLandlockRequired %s\n", on_off(c->systemd), on_off(c->landlock_required));
	if (c->jail != JAIL_UNSAID)
		fprintf(f, "\tJail %s\n", c->jail == JAIL_REQUIRE ? "Require" : "BestEffort");
	print_filter(f, &c->filter, protos);
	fprintf(f, "}\n");
}

static void
print_mode(FILE *f, const struct conf *c)
{
	static const char *const names[] = {"FTFW", "FTFW", "ALARM", "NOTRACK"};

	fprintf(f, "\tMode %s {\n", names[c->mode]);
	if (c->mode == MODE_FTFW)
		fprintf(f, "\t\tResendQueueSize %u\n\t\tACKWindowSize %u\n", c->resend_queue_size, c->ack_window_size);
	if (c->mode == MODE_ALARM)
		fprintf(f, "\t\tRefreshTime %u\n\t\tCacheTimeout %u\n", c->refresh_time, c->cache_timeout);
	if (c->mode == MODE_NOTRACK)
		fprintf(f, "\t\tDisableInternalCache %s\n", on_off(c->disable_internal_cache));
	if (c->mode != MODE_ALARM)
		fprintf(f, "\t\tDisableExternalCache %s\n\t\tStartupResync %s\n", on_off(c->disable_external_cache),
			on_off(c->startup_resync));
	if (c->commit_timeout != 0)
		fprintf(f, "\t\tCommitTimeout %u\n", c->commit_timeout);
	fprintf(f, "\t\tPurgeTimeout %u\n\t}\n", c->purge_timeout);
	if (c->mode != MODE_ALARM)
		fprintf(f, "\tRefreshTime %u\n\tCacheTimeout %u\n", c->refresh_time, c->cache_timeout);
}

static void
print_mcast_addrs(FILE *f, const struct msg_link *l)
{
	print_addr(f, "address", l->family, l->peer, "\n");
	if (l->family == AF_INET) {
		fprintf(f, "\t\t");
		print_addr(f, "interface", l->family, l->local, "\n");
	}
	fprintf(f, "\t\tGroup %u\n", l->port);
}

static void
print_unicast_addrs(FILE *f, const struct msg_link *l, bool any_source)
{
	print_addr(f, "address", l->family, l->local, "\n\t\t");
	print_addr(f, "Destination_Address", l->family, l->peer, "\n");
	fprintf(f, "\t\tPort %u\n\t\tCheckSource %s\n", l->port, on_off(!any_source));
}

static void
print_link(FILE *f, const struct conf *c, uint32_t i)
{
	static const char *const words[] = {"", "UDP", "Multicast", "TCP"};
	const struct msg_link *l = &c->link[i];

	fprintf(f, "\t%s%s {\n\t\t", words[l->kind], l->is_default ? " Default" : "");
	if (l->kind == LINK_MCAST)
		print_mcast_addrs(f, l);
	else
		print_unicast_addrs(f, l, c->link_any_source[i]);
	fprintf(f, "\t\tInterface %s\n", l->ifname);
	if (l->sndbuf != 0)
		fprintf(f, "\t\tSndSocketBuffer %u\n", l->sndbuf);
	if (l->rcvbuf != 0)
		fprintf(f, "\t\tRcvSocketBuffer %u\n", l->rcvbuf);
	fprintf(f, "\t\tChecksum %s\n", on_off(!l->no_checksum));
	if (l->kind == LINK_TCP)
		fprintf(f, "\t\tErrorQueueLength %u\n", c->error_queue_len);
	fprintf(f, "\t}\n");
}

static void
print_sync(FILE *f, const struct conf *c)
{
	fprintf(f, "Sync {\n");
	print_mode(f, c);
	for (uint32_t i = 0; i < c->n_links; i++)
		print_link(f, c, i);
	fprintf(f, "\tOptions {\n\t\tTCPWindowTracking %s\n\t\tExpectationSync ", on_off(c->tcp_window_tracking));
	if (c->n_expect_helpers == 0)
		fprintf(f, "%s\n", on_off(c->expect_sync));
	else {
		fprintf(f, "{\n");
		for (uint32_t i = 0; i < c->n_expect_helpers; i++)
			fprintf(f, "\t\t\t%s\n", c->expect_helper[i]);
		fprintf(f, "\t\t}\n");
	}
	fprintf(f, "\t}\n}\n");
}

static void
print_helpers(FILE *f, const struct conf *c)
{
	fprintf(f, "Helper {\n\tSetup %s\n", on_off(c->helper_setup));
	for (uint32_t i = 0; i < c->n_helpers; i++) {
		const struct msg_helper *h = &c->helper[i];

		fprintf(f, "\tType %s %s %s {\n\t\tQueueNum %u\n", h->name, h->family == AF_INET ? "inet" : "inet6",
			h->proto == IPPROTO_TCP ? "tcp" : "udp", h->queue);
		if (h->queue_len != 0)
			fprintf(f, "\t\tQueueLen %u\n", h->queue_len);
		fprintf(f, "\t\tPolicy %s {\n\t\t\tExpectMax %u\n\t\t\tExpectTimeout %u\n\t\t}\n\t}\n", h->name,
			h->expect_max, h->expect_timeout);
	}
	fprintf(f, "}\n");
}

char *
conf_print(const struct conf *c, const struct protos *protos, size_t *len)
{
	char *text = NULL;
	FILE *f = open_memstream(&text, len);
	bool failed;

	if (f == NULL)
		return NULL;
	print_general(f, c, protos);
	if (c->sync)
		print_sync(f, c);
	if (c->stats) {
		fprintf(f, "Stats {\n");
		print_logfile(f, c->stats_logfile);
		print_facility(f, c->stats_syslog_facility);
		fprintf(f, "}\n");
	}
	if (c->helper_setup || c->n_helpers != 0)
		print_helpers(f, c);
	failed = ferror(f) != 0;
	if (fclose(f) != 0 || failed) {
		free(text);
		return NULL;
	}
	return text;
}

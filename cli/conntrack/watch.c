/*
 * -E: events as they come. The socket is drained to its end before the output is written, so a burst costs few writes
 * and a quiet line appears at once; an overrun is said, counted, and survived.
 */
#include "filter.h"
#include "progname.h"
#include "report.h"
#include "run.h"

#include <errno.h>
#include <limits.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_compat.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEFAULT_BUFFER (16 << 20) /* for bursts; only what is waiting occupies memory */

#define EVENTS_AT_ONCE 4096

struct watch {
	struct run *run;
	const struct cmd *cmd;
	struct show show;
	struct filter filter;
	size_t chunk; /* bytes a reader who is ready surely takes at once */
	unsigned long n, lost;
	uint32_t last_port; /* the process behind it is looked up once a second */
	time_t last_time;
	bool last_found;
	char progname[32];
};

static uint32_t
groups_of(const struct cmd *c)
{
	uint32_t events = cmd_has(c, OPT_EVENTS) ? c->events : EVENT_ALL, groups = 0;

	if (c->table == TABLE_EXPECT)
		return NF_NETLINK_CONNTRACK_EXP_NEW | NF_NETLINK_CONNTRACK_EXP_UPDATE |
		       NF_NETLINK_CONNTRACK_EXP_DESTROY;
	if (events & EVENT_NEW)
		groups |= NF_NETLINK_CONNTRACK_NEW;
	if (events & EVENT_UPDATE)
		groups |= NF_NETLINK_CONNTRACK_UPDATE;
	if (events & EVENT_DESTROY)
		groups |= NF_NETLINK_CONNTRACK_DESTROY;
	return groups;
}

/* XML has no place for the process; looking it up costs more than the event. */
static void
find_progname(struct watch *w, uint32_t portid)
{
	w->show.fmt.progname = NULL;
	if (portid == 0 || w->show.frame)
		return;
	if (portid != w->last_port || w->show.fmt.when.tv_sec != w->last_time) {
		w->last_found = progname_find(portid, w->progname, sizeof(w->progname));
		w->last_port = portid;
		w->last_time = w->show.fmt.when.tv_sec;
	}
	w->show.fmt.progname = w->last_found ? w->progname : NULL;
}

static void
stamp(struct watch *w, uint64_t event_time)
{
	struct fmt *f = &w->show.fmt;

	if (event_time != 0) {
		f->when.tv_sec = (time_t)(event_time / 1000000000);
		f->when.tv_nsec = (long)(event_time % 1000000000);
	} else {
		clock_gettime(CLOCK_REALTIME, &f->when);
	}
	f->now = f->when.tv_sec;
}

static int
flow_event(struct watch *w, const struct nlmsghdr *nlh)
{
	struct ct_rec rec;
	int err = ct_rec_decode(&rec, nlh);

	if (err < 0)
		return err;
	w->show.fmt.event = fmt_event_of(rec.type, rec.flags);
	if (w->show.fmt.event == EV_NONE || !filter_match(&w->filter, &rec))
		return 0;
	stamp(w, rec.has & REC_EVENT_TIME ? rec.event_time : 0);
	find_progname(w, rec.portid);
	show_flow(&w->show, &rec);
	w->n++;
	return 0;
}

static int
expect_event(struct watch *w, const struct nlmsghdr *nlh)
{
	struct exp_rec rec;
	int err = exp_rec_decode(&rec, nlh);

	if (err < 0)
		return err;
	w->show.fmt.event = rec.type == IPCTNL_MSG_EXP_DELETE ? EV_DESTROY
			    : rec.flags & NLM_F_CREATE        ? EV_NEW
							      : EV_UPDATE;
	stamp(w, 0);
	show_expect(&w->show, &rec);
	w->n++;
	return 0;
}

/* Writes what there is, but a reader who stopped reading does not keep us from stopping. */
static void
flush(struct watch *w)
{
	struct out *o = &w->run->out;
	struct pollfd pfd[2] = {{.fd = o->fd, .events = POLLOUT}, {.fd = w->run->stop, .events = POLLIN}};
	size_t done = 0;
	ssize_t n;

	while (done < o->len && o->err == 0) {
		if (poll(pfd, 2, -1) == -1)
			continue; /* interrupted */
		if (pfd[0].revents == 0)
			break;
		n = write(o->fd, o->buf + done, o->len - done < w->chunk ? o->len - done : w->chunk);
		if (n > 0)
			done += (size_t)n;
		else if (n == -1 && errno != EINTR && errno != EAGAIN)
			o->err = errno;
	}
	o->len = 0;
}

static size_t
chunk_of(int fd)
{
	struct stat st;

	if (fstat(fd, &st) == 0 && (S_ISREG(st.st_mode) || S_ISBLK(st.st_mode)))
		return SIZE_MAX;
	return PIPE_BUF;
}

static int
event(void *arg, const struct nlmsghdr *nlh)
{
	struct watch *w = arg;
	unsigned subsys = nlh->nlmsg_type >> 8;
	int err = 0;

	if (subsys == NFNL_SUBSYS_CTNETLINK && w->cmd->table == TABLE_CT)
		err = flow_event(w, nlh);
	else if (subsys == NFNL_SUBSYS_CTNETLINK_EXP && w->cmd->table == TABLE_EXPECT)
		err = expect_event(w, nlh);
	if (w->run->out.len >= OUT_SIZE)
		flush(w);
	return err < 0 ? err : -w->run->out.err;
}

static void
overrun(struct watch *w)
{
	w->lost++;
	report_line("WARNING: We have hit ENOBUFS! We are losing events.\n"
		    "This message means that the current netlink socket buffer size is too small.\n"
		    "Please, check --buffer-size in conntrack(8) manpage.");
	if (w->cmd->output & OUT_JSON)
		out_fmt(&w->run->out, "{\"event\":\"lost\",\"overruns\":%lu}\n", w->lost);
}

/* All that is waiting, within bounds: a signal must get its turn. 0, or what ends the run. */
static int
drain(struct watch *w)
{
	int err = 0;

	for (int i = 0; i < EVENTS_AT_ONCE && (err == 0 || err == -EINTR); i++) {
		err = nl_events(&w->run->event, false, event, w);
		if (err == -ENOBUFS) {
			overrun(w);
			err = 0;
		}
	}
	flush(w);
	if (w->run->out.err != 0)
		return -w->run->out.err;
	return err == -EAGAIN || err == -EINTR ? 0 : err;
}

/* Until a signal or an error. */
static int
watch(struct watch *w, int stop)
{
	struct pollfd pfd[2] = {{.fd = w->run->event.fd, .events = POLLIN}, {.fd = stop, .events = POLLIN}};
	int err = 0;

	while (err == 0) {
		if (poll(pfd, 2, -1) == -1 && errno != EINTR)
			return -errno;
		if (pfd[1].revents != 0)
			return 0;
		if (pfd[0].revents != 0)
			err = drain(w);
	}
	return err;
}

static int
finish(struct watch *w, int err)
{
	show_end(&w->show);
	flush(w);
	if (err < 0 && err != -EPIPE)
		report_line(REPORT_NAME "failed to received netlink event: %s", strerror(-err));
	if (err < 0)
		return STATUS_FAILED;
	report_count(w->cmd->op, w->cmd->table, w->n);
	if (w->lost > 0)
		report_line(REPORT_NAME "%lu overruns have lost events.", w->lost);
	return 0;
}

int
run_events(struct run *r, const struct cmd *c)
{
	struct watch w = {.run = r, .cmd = c, .chunk = chunk_of(r->out.fd)};

	show_init(&w.show, &r->out, c, r->map);
	filter_init(&w.filter, c);
	return finish(&w, watch(&w, r->stop));
}

int
run_open_events(struct run *r, const struct cmd *c)
{
	sigset_t set;
	int err = nl_open(&r->event, groups_of(c));

	if (err < 0 && c->table == TABLE_EXPECT) {
		report_line(REPORT_NAME "Can't open handler");
		return err;
	}
	if (err < 0) {
		report_line("mnl_socket_bind: %s", strerror(-err));
		report_line(REPORT_NAME "Can't open netlink socket");
		return err;
	}
	err = nl_set_buffer(&r->event, cmd_has(c, OPT_BUFFER) ? c->buffer : DEFAULT_BUFFER);
	if (cmd_has(c, OPT_BUFFER))
		report_line("NOTICE: Netlink socket buffer size has been set to %d bytes.", err);
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	r->stop = signalfd(-1, &set, SFD_CLOEXEC);
	return r->stop == -1 ? -errno : 0;
}

/*
 * Settings to sealed memory and back. Tables of fields drive both directions, so a field cannot be written and then
 * not checked. blob_read() distrusts every byte: the worker that wrote it has read text from outside.
 */
#include "blob.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "buf.h"
#include "check.h"

#define BLOB_MAGIC 0x43544231u
#define BLOB_MEM   (4u << 20)
#define BLOB_SEALS (F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW)

enum kind { F_NUM, F_BOOL, F_PATH, F_NAME, F_BYTES };

struct field {
	enum kind kind;
	size_t off, size;
	uint32_t min, max; /* F_NUM */
};

#define FIELD(t, k, f, lo, hi)                                               \
	{                                                                    \
		k, offsetof(struct t, f), sizeof(((struct t *)0)->f), lo, hi \
	}
#define NUM(t, f, lo, hi) FIELD(t, F_NUM, f, lo, hi)
#define BOOLEAN(t, f)     FIELD(t, F_BOOL, f, 0, 1)
#define PATH(t, f)        FIELD(t, F_PATH, f, 0, 0)
#define NAME(t, f)        FIELD(t, F_NAME, f, 0, 0)
#define BYTES(t, f)       FIELD(t, F_BYTES, f, 0, 0)

static const struct field conf_fields[] = {
	NUM(conf, hash_size, 1, 1u << 26),
	NUM(conf, hash_limit, 1, INT_MAX),
	PATH(conf, logfile),
	PATH(conf, lockfile),
	NUM(conf, syslog_facility, 0, 23 << 3),
	PATH(conf, ctl_path),
	NAME(conf, ctl_group),
	NUM(conf, nl_buf, 0, INT_MAX),
	NUM(conf, nl_buf_max, 0, INT_MAX),
	NUM(conf, overrun_resync, 0, INT_MAX),
	BOOLEAN(conf, events_reliable),
	NUM(conf, event_limit, 1, INT_MAX),
	NUM(conf, poll_secs, 0, INT_MAX),
	NUM(conf, sched_type, 0, 2),
	NUM(conf, sched_prio, 0, 99),
	BOOLEAN(conf, systemd),
	BOOLEAN(conf, landlock_required),
	NUM(conf, jail, JAIL_UNSAID, JAIL_BEST_EFFORT),
	NUM(conf, filter.proto_policy, FILTER_OFF, FILTER_IGNORE),
	NUM(conf, filter.addr_policy, FILTER_OFF, FILTER_IGNORE),
	NUM(conf, filter.state_policy, FILTER_OFF, FILTER_IGNORE),
	BOOLEAN(conf, filter.kernelspace),
	BYTES(conf, filter.proto),
	NUM(conf, filter.tcp_states, 0, 0x3ff),
	NUM(conf, filter.n_nets, 0, CONF_NETS_MAX),
	BOOLEAN(conf, sync),
	NUM(conf, mode, MODE_NONE, MODE_NOTRACK),
	NUM(conf, resend_queue_size, 1, INT_MAX),
	NUM(conf, ack_window_size, 1, INT_MAX),
	NUM(conf, refresh_time, 1, INT_MAX),
	NUM(conf, cache_timeout, 1, INT_MAX),
	NUM(conf, commit_timeout, 0, INT_MAX),
	NUM(conf, purge_timeout, 1, INT_MAX),
	BOOLEAN(conf, disable_internal_cache),
	BOOLEAN(conf, disable_external_cache),
	BOOLEAN(conf, startup_resync),
	BOOLEAN(conf, tcp_window_tracking),
	BOOLEAN(conf, expect_sync),
	NUM(conf, n_expect_helpers, 0, 32),
	NUM(conf, n_links, 0, MSG_LINKS_MAX),
	NUM(conf, error_queue_len, 1, INT_MAX),
	BOOLEAN(conf, stats),
	PATH(conf, stats_logfile),
	NUM(conf, stats_syslog_facility, 0, 23 << 3),
	BOOLEAN(conf, helper_setup),
	NUM(conf, n_helpers, 0, MSG_HELPERS_MAX),
	{0},
};

static const struct field link_fields[] = {
	NUM(msg_link, kind, LINK_UDP, LINK_TCP),
	NUM(msg_link, family, AF_INET, AF_INET6),
	NUM(msg_link, no_checksum, 0, 1),
	NUM(msg_link, is_default, 0, 1),
	NUM(msg_link, port, 1, 65535),
	NAME(msg_link, ifname),
	BYTES(msg_link, local),
	BYTES(msg_link, peer),
	NUM(msg_link, sndbuf, 0, INT_MAX),
	NUM(msg_link, rcvbuf, 0, INT_MAX),
	{0},
};

static const struct field helper_fields[] = {
	NAME(msg_helper, name),
	NUM(msg_helper, family, AF_INET, AF_INET6),
	NUM(msg_helper, proto, IPPROTO_TCP, IPPROTO_UDP),
	NUM(msg_helper, setup, 0, 1),
	NUM(msg_helper, queue, 0, 65535),
	NUM(msg_helper, queue_len, 0, INT_MAX),
	NUM(msg_helper, expect_max, 0, 255),
	NUM(msg_helper, expect_timeout, 0, INT_MAX),
	{0},
};

static const struct field net_fields[] = {
	NUM(conf_net, family, AF_INET, AF_INET6),
	NUM(conf_net, prefix, 0, 128),
	BYTES(conf_net, addr),
	{0},
};

static const struct field expect_fields[] = {
	{F_NAME, 0, sizeof(((struct conf *)0)->expect_helper[0]), 0, 0},
	{0},
};

static const struct field flag_fields[] = {
	{F_BOOL, 0, sizeof(bool), 0, 1},
	{0},
};

static uint32_t
load_num(const uint8_t *p, size_t size)
{
	uint16_t v16;
	uint32_t v32;

	if (size == 1)
		return *p;
	if (size == 2) {
		memcpy(&v16, p, 2);
		return v16;
	}
	memcpy(&v32, p, 4);
	return v32;
}

/* Printable text, a terminator, and nothing but zero bytes behind it. */
static bool
text_ok(const struct field *f, const uint8_t *p)
{
	size_t n = strnlen((const char *)p, f->size);

	if (n == f->size || (f->kind == F_PATH && n != 0 && p[0] != '/'))
		return false;
	for (size_t i = 0; i < f->size; i++)
		if (i < n ? p[i] <= ' ' || p[i] >= 0x7f || (f->kind == F_NAME && p[i] == '/') : p[i] != 0)
			return false;
	return true;
}

static bool
field_ok(const struct field *f, const uint8_t *p)
{
	uint32_t v;

	if (f->kind == F_BYTES)
		return true;
	if (f->kind == F_PATH || f->kind == F_NAME)
		return text_ok(f, p);
	v = load_num(p, f->size);
	return v >= f->min && v <= f->max;
}

static void
put_fields(struct wr *w, const struct field *f, const void *from)
{
	for (; f->size != 0; f++)
		wr_copy(w, (const uint8_t *)from + f->off, f->size);
}

/* Checked as bytes before it is stored: a bool or enum that holds anything else must never exist. */
static bool
get_fields(struct rd *r, const struct field *f, void *to)
{
	for (; f->size != 0; f++) {
		const uint8_t *p = rd_take(r, f->size);

		if (p == NULL || !field_ok(f, p))
			return false;
		memcpy((uint8_t *)to + f->off, p, f->size);
	}
	return true;
}

static size_t
fields_size(const struct field *f)
{
	size_t n = 0;

	for (; f->size != 0; f++)
		n += f->size;
	return n;
}

size_t
blob_size(const struct conf *c)
{
	return 3 * sizeof(uint32_t) + fields_size(conf_fields) +
	       c->n_links * (fields_size(link_fields) + sizeof(bool)) + c->n_helpers * fields_size(helper_fields) +
	       c->n_expect_helpers * fields_size(expect_fields) + c->filter.n_nets * fields_size(net_fields);
}

int
blob_write(const struct conf *c, void *mem, size_t size)
{
	const uint32_t head[3] = {BLOB_MAGIC, sizeof(struct conf), (uint32_t)blob_size(c)};
	struct wr w = wr_init(mem, size);

	wr_copy(&w, head, sizeof(head));
	put_fields(&w, conf_fields, c);
	for (uint32_t i = 0; i < c->n_links; i++) {
		put_fields(&w, link_fields, &c->link[i]);
		put_fields(&w, flag_fields, &c->link_any_source[i]);
	}
	for (uint32_t i = 0; i < c->n_helpers; i++)
		put_fields(&w, helper_fields, &c->helper[i]);
	for (uint32_t i = 0; i < c->n_expect_helpers; i++)
		put_fields(&w, expect_fields, c->expect_helper[i]);
	for (uint32_t i = 0; i < c->filter.n_nets; i++)
		put_fields(&w, net_fields, &c->filter.net[i]);
	return w.full ? -ENOSPC : (int)wr_len(&w);
}

static bool
net_ok(const struct conf_net *n)
{
	unsigned int bits = n->family == AF_INET ? 32 : 128;

	if ((n->family != AF_INET && n->family != AF_INET6) || n->prefix > bits)
		return false;
	for (unsigned int i = n->prefix; i < 128; i++)
		if (n->addr[i / 8] & 0x80 >> i % 8)
			return false;
	return true;
}

static bool
read_nets(struct rd *r, struct conf *c, uint32_t n)
{
	if (n == 0)
		return true;
	if (rd_left(r) < n * fields_size(net_fields) || (c->filter.net = calloc(n, sizeof(*c->filter.net))) == NULL)
		return false;
	for (c->filter.n_nets = 0; c->filter.n_nets < n; c->filter.n_nets++) {
		struct conf_net *net = &c->filter.net[c->filter.n_nets];

		if (!get_fields(r, net_fields, net) || !net_ok(net))
			return false;
	}
	return true;
}

static bool
read_lists(struct rd *r, struct conf *c)
{
	uint32_t n_nets = c->filter.n_nets;

	c->filter.n_nets = 0;
	for (uint32_t i = 0; i < c->n_links; i++)
		if (!get_fields(r, link_fields, &c->link[i]) || !get_fields(r, flag_fields, &c->link_any_source[i]))
			return false;
	for (uint32_t i = 0; i < c->n_helpers; i++)
		if (!get_fields(r, helper_fields, &c->helper[i]))
			return false;
	for (uint32_t i = 0; i < c->n_expect_helpers; i++)
		if (!get_fields(r, expect_fields, c->expect_helper[i]) || c->expect_helper[i][0] == '\0')
			return false;
	return read_nets(r, c, n_nets);
}

int
blob_read(struct conf *c, const void *mem, size_t size)
{
	struct rd r = rd_init(mem, size);
	uint32_t head[3];

	memset(c, 0, sizeof(*c));
	rd_copy(&r, head, sizeof(head));
	if (r.bad || head[0] != BLOB_MAGIC || head[1] != sizeof(struct conf) || head[2] > size ||
	    head[2] < sizeof(head))
		return -EBADMSG;
	r = rd_sub(&r, head[2] - sizeof(head));
	if (get_fields(&r, conf_fields, c) && read_lists(&r, c) && rd_left(&r) == 0 && conf_check(c, NULL, NULL) == 0)
		return 0;
	conf_clear(c);
	memset(c, 0, sizeof(*c));
	return -EBADMSG;
}

int
blob_memfd(void)
{
	int fd = memfd_create("settings", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd == -1)
		return -errno;
	if (ftruncate(fd, BLOB_MEM) == -1) {
		int r = -errno;

		close(fd);
		return r;
	}
	return fd;
}

int
blob_store(const struct conf *c, int fd)
{
	void *mem = mmap(NULL, BLOB_MEM, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	int r;

	if (mem == MAP_FAILED)
		return -errno;
	r = blob_write(c, mem, BLOB_MEM);
	munmap(mem, BLOB_MEM);
	if (r < 0)
		return r;
	return fcntl(fd, F_ADD_SEALS, BLOB_SEALS | F_SEAL_SEAL) == -1 ? -errno : 0;
}

int
blob_load(struct conf *c, int fd)
{
	int seals = fcntl(fd, F_GET_SEALS), r;
	struct stat st;
	void *mem;

	if (seals == -1 || (seals & BLOB_SEALS) != BLOB_SEALS)
		return -EPERM;
	if (fstat(fd, &st) == -1)
		return -errno;
	if (st.st_size != BLOB_MEM)
		return -EBADMSG;
	if ((mem = mmap(NULL, BLOB_MEM, PROT_READ, MAP_PRIVATE, fd, 0)) == MAP_FAILED)
		return -errno;
	r = blob_read(c, mem, BLOB_MEM);
	munmap(mem, BLOB_MEM);
	return r;
}

/*
 * Settings to sealed memory and back. The table of settings drives both directions, so a field cannot be written and
 * then not checked. blob_read() distrusts every byte: the worker that wrote it has read text from outside.
 */
#include "blob.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "buf.h"
#include "check.h"
#include "fields.h"

#define BLOB_MAGIC 0x43544231u
#define BLOB_MEM   (4u << 20)
#define BLOB_SEALS (F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW)

/* The next field of a record, behind k; NULL: none. One that stands there under another keyword is passed over. */
static const struct field *
next_field(enum record_id rec, const struct field *k)
{
	const struct record *r = &conf_fields.record[rec];

	for (k = k != NULL ? k + 1 : r->field; k < r->field + r->n; k++)
		if (k->size != 0 && !(k->flags & SAME))
			return k;
	return NULL;
}

static void
put_fields(struct wr *w, enum record_id rec, const void *from)
{
	for (const struct field *k = NULL; (k = next_field(rec, k)) != NULL;)
		wr_copy(w, (const uint8_t *)from + k->off, k->size);
}

/* Checked as bytes before it is stored: a bool or enum that holds anything else must never exist. */
static bool
get_fields(struct rd *r, enum record_id rec, void *to)
{
	for (const struct field *k = NULL; (k = next_field(rec, k)) != NULL;) {
		const uint8_t *p = rd_take(r, k->size);

		if (p == NULL || (k->kind->ok != NULL && !k->kind->ok(k, p)))
			return false;
		memcpy((uint8_t *)to + k->off, p, k->size);
	}
	return true;
}

static size_t
fields_size(enum record_id rec)
{
	size_t n = 0;

	for (const struct field *k = NULL; (k = next_field(rec, k)) != NULL;)
		n += k->size;
	return n;
}

size_t
blob_size(const struct conf *c)
{
	return 3 * sizeof(uint32_t) + fields_size(REC_CONF) + c->n_links * fields_size(REC_LINK) +
	       c->n_helpers * fields_size(REC_HELPER) + c->n_expect_helpers * fields_size(REC_EXPECT) +
	       c->filter.n_nets * fields_size(REC_NET);
}

int
blob_write(const struct conf *c, void *mem, size_t size)
{
	const uint32_t head[3] = {BLOB_MAGIC, sizeof(struct conf), (uint32_t)blob_size(c)};
	struct wr w = wr_init(mem, size);

	wr_copy(&w, head, sizeof(head));
	put_fields(&w, REC_CONF, c);
	for (uint32_t i = 0; i < c->n_links; i++) {
		struct conf_link link = conf_link_get(c, i);

		put_fields(&w, REC_LINK, &link);
	}
	for (uint32_t i = 0; i < c->n_helpers; i++)
		put_fields(&w, REC_HELPER, &c->helper[i]);
	for (uint32_t i = 0; i < c->n_expect_helpers; i++)
		put_fields(&w, REC_EXPECT, c->expect_helper[i]);
	for (uint32_t i = 0; i < c->filter.n_nets; i++)
		put_fields(&w, REC_NET, &c->filter.net[i]);
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
	if (rd_left(r) < n * fields_size(REC_NET) || (c->filter.net = calloc(n, sizeof(*c->filter.net))) == NULL)
		return false;
	for (c->filter.n_nets = 0; c->filter.n_nets < n; c->filter.n_nets++) {
		struct conf_net *net = &c->filter.net[c->filter.n_nets];

		if (!get_fields(r, REC_NET, net) || !net_ok(net))
			return false;
	}
	return true;
}

static bool
read_lists(struct rd *r, struct conf *c)
{
	uint32_t n_nets = c->filter.n_nets;

	c->filter.n_nets = 0;
	for (uint32_t i = 0; i < c->n_links; i++) {
		struct conf_link link = {0};

		if (!get_fields(r, REC_LINK, &link))
			return false;
		conf_link_put(c, i, &link);
	}
	for (uint32_t i = 0; i < c->n_helpers; i++)
		if (!get_fields(r, REC_HELPER, &c->helper[i]))
			return false;
	for (uint32_t i = 0; i < c->n_expect_helpers; i++)
		if (!get_fields(r, REC_EXPECT, c->expect_helper[i]) || c->expect_helper[i][0] == '\0')
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
	if (get_fields(&r, REC_CONF, c) && read_lists(&r, c) && rd_left(&r) == 0 && conf_check(c, NULL, NULL) == 0)
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
	void *mem;

	if (seals == -1 || (seals & BLOB_SEALS) != BLOB_SEALS)
		return -EPERM;
	if (lseek(fd, 0, SEEK_END) != BLOB_MEM) /* not fstat(), which libc makes of a call that takes names */
		return -EBADMSG;
	if ((mem = mmap(NULL, BLOB_MEM, PROT_READ, MAP_PRIVATE, fd, 0)) == MAP_FAILED)
		return -errno;
	r = blob_read(c, mem, BLOB_MEM);
	munmap(mem, BLOB_MEM);
	return r;
}

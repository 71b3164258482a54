/* UDP links: how messages are packed, what a full socket does, what is said of where datagrams come from. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "channel.h"

struct got {
	unsigned int n;
	size_t len[64];
	uint8_t first[64];
	struct channel_from from;
	bool refuse;
};

static bool
take(void *arg, const struct channel_from *from, const uint8_t *data, size_t len)
{
	struct got *g = arg;

	g->from = *from;
	if (g->refuse)
		return false;
	g->len[g->n] = len;
	g->first[g->n++] = len > 0 ? data[0] : 0;
	return true;
}

static void
put(struct channel *c, uint8_t fill, size_t len)
{
	uint8_t *p = channel_room(c);

	assert_non_null(p);
	memset(p, fill, len);
	channel_add(c, len);
}

static struct channel *
pair(uint8_t family, uint32_t mtu, int *peer)
{
	struct msg_link l = {.kind = LINK_UDP, .family = family};
	struct channel_conf conf = {.link = &l, .mtu = mtu};
	int sv[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, sv), 0);
	*peer = sv[1];
	return udp_new(&conf, sv[0], dup(sv[0]));
}

static ssize_t
next_len(int fd)
{
	uint8_t buf[4096];

	return recv(fd, buf, sizeof(buf), MSG_DONTWAIT);
}

/* MTU 1500: 15 messages of 92 octets go together, although 16 would be exactly 1472. */
static void
test_packing(void **state)
{
	int peer;
	struct channel *c = pair(AF_INET, 1500, &peer);

	(void)state;
	for (int i = 0; i < 20; i++)
		put(c, (uint8_t)i, 92);
	assert_int_equal(next_len(peer), 15 * 92);
	assert_int_equal(next_len(peer), -1);
	assert_int_equal(channel_flush(c), 0);
	assert_int_equal(next_len(peer), 5 * 92);
	assert_int_equal(channel_flush(c), 0);
	assert_int_equal(next_len(peer), -1);
	assert_int_equal(c->stats.sent_pkts, 2);
	assert_int_equal(c->stats.sent_bytes, 20 * 92);
	channel_free(c);
	close(peer);
}

static void
test_oversized_goes_alone(void **state)
{
	int peer;
	struct channel *c = pair(AF_INET6, 500, &peer);

	(void)state;
	put(c, 1, 100);
	put(c, 2, 1200);
	put(c, 3, 100);
	channel_flush(c);
	assert_int_equal(next_len(peer), 100);
	assert_int_equal(next_len(peer), 1200);
	assert_int_equal(next_len(peer), 100);
	channel_free(c);
	close(peer);
	assert_null(pair(AF_INET, 100, &peer));
	close(peer);
}

/* A socket that takes no more: nothing is lost, nothing is sent twice, order is kept. */
static void
test_blocked(void **state)
{
	int peer, small = 4096;
	struct channel *c = pair(AF_INET, 1500, &peer);
	unsigned int sent = 0, seen = 0;
	uint8_t *p, buf[4096];
	ssize_t n;

	(void)state;
	setsockopt(c->tx, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
	while ((p = channel_room(c)) != NULL && sent < 100000) {
		memset(p, (int)(sent % 251), 400);
		channel_add(c, 400);
		sent++;
	}
	assert_null(p);
	assert_int_equal(channel_flush(c), -EAGAIN);
	do {
		while ((n = recv(peer, buf, sizeof(buf), MSG_DONTWAIT)) > 0)
			for (ssize_t i = 0; i < n; i += 400)
				assert_int_equal(buf[i], seen++ % 251);
	} while (channel_flush(c) < 0 || seen < sent);
	assert_int_equal(seen, sent);
	assert_int_equal(c->stats.sent_errors, 0);
	channel_free(c);
	close(peer);
}

static int
bound(const char *addr, struct sockaddr_in *sin)
{
	socklen_t len = sizeof(*sin);
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	*sin = (struct sockaddr_in){.sin_family = AF_INET};
	inet_pton(AF_INET, addr, &sin->sin_addr);
	assert_int_equal(bind(fd, (struct sockaddr *)sin, sizeof(*sin)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)sin, &len), 0);
	return fd;
}

/* One socket has the address and the link's port, another one is connected from there to the peer's. */
static struct channel *
listening(const struct sockaddr_in *peer, struct sockaddr_in *at)
{
	struct msg_link l = {.kind = LINK_UDP, .family = AF_INET};
	struct channel_conf conf = {.link = &l, .mtu = 1500};
	int rx = bound("127.0.0.1", at), tx = socket(AF_INET, SOCK_DGRAM, 0), on = 1;

	assert_int_equal(setsockopt(rx, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)), 0);
	assert_int_equal(setsockopt(tx, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)), 0);
	assert_int_equal(bind(tx, (struct sockaddr *)at, sizeof(*at)), 0);
	assert_int_equal(connect(tx, (const struct sockaddr *)peer, sizeof(*peer)), 0);
	return udp_new(&conf, rx, tx);
}

static void
test_source(void **state)
{
	struct sockaddr_in at, src, other;
	struct got g = {0};
	int peer = bound("127.0.0.2", &src), stranger = bound("127.0.0.3", &other);
	struct channel *c = listening(&src, &at);
	uint8_t buf[4];

	(void)state;
	assert_int_equal(sendto(stranger, "a", 1, 0, (struct sockaddr *)&at, sizeof(at)), 1);
	assert_int_equal(channel_recv(c, 100, take, &g), 1);
	assert_int_equal(g.from.family, AF_INET);
	assert_int_equal(g.from.port, ntohs(other.sin_port));
	assert_memory_equal(g.from.addr, &other.sin_addr, 4);
	/* what the peer's port sends comes in by the other socket */
	assert_int_equal(sendto(peer, "b", 1, 0, (struct sockaddr *)&at, sizeof(at)), 1);
	assert_int_equal(recv(c->rx, buf, sizeof(buf), MSG_DONTWAIT), -1);
	g.refuse = true;
	assert_int_equal(channel_recv(c, 100, take, &g), 1);
	assert_memory_equal(g.from.addr, &src.sin_addr, 4);
	assert_int_equal(g.n, 1);
	assert_int_equal(c->stats.recv_pkts, 1); /* what is not taken does not count */
	channel_free(c);
	close(stranger);
	close(peer);
}

/* Nobody listens there: said by the kernel with the next call, whichever that is. */
static void
test_bounced(void **state)
{
	struct sockaddr_in at, src;
	struct got g = {0};
	int gone = bound("127.0.0.2", &src);
	struct channel *c = listening(&src, &at);

	(void)state;
	close(gone);
	put(c, 1, 100);
	channel_flush(c);
	assert_int_equal(channel_recv(c, 100, take, &g), 0);
	assert_int_equal(c->stats.bounced, 1);
	assert_int_equal(c->stats.recv_errors + c->stats.sent_errors, 0);
	channel_free(c);
}

static void
test_limit_and_size(void **state)
{
	int peer;
	struct channel *c = pair(AF_INET, 1500, &peer);
	struct got g = {0};
	static uint8_t big[60000];

	(void)state;
	for (int i = 0; i < 5; i++)
		assert_int_equal(send(peer, "m", 1, 0), 1);
	assert_int_equal(channel_recv(c, 3, take, &g), 3);
	assert_int_equal(channel_recv(c, 3, take, &g), 2);
	assert_int_equal(send(peer, big, sizeof(big), 0), sizeof(big));
	assert_int_equal(channel_recv(c, 3, take, &g), 1);
	assert_int_equal(g.len[5], sizeof(big));
	channel_free(c);
	close(peer);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_packing),        cmocka_unit_test(test_oversized_goes_alone),
		cmocka_unit_test(test_blocked),        cmocka_unit_test(test_source),
		cmocka_unit_test(test_limit_and_size), cmocka_unit_test(test_bounced),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
